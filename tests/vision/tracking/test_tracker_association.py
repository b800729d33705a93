"""Overlaps and assignments against plain definitions."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from comfywear.vision.tracking.association import Association


def plain_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Of boxes whose last pixel belongs to them."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    both = max(width, 0) * max(height, 0)
    size = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return float(both / (sum(size) - both))


def test_overlaps_equal_the_definition_in_reused_buffers() -> None:
    rng = np.random.default_rng(0)
    association = Association()
    for n, m in [(1, 1), (7, 4), (3, 30), (2, 2), (12, 12)]:
        a, b = (np.sort(rng.uniform(0, 100, (k, 2, 2)), axis=1).reshape(k, 4) for k in (n, m))
        iou = association.iou(np.float32(a.T), np.float32(b.T))
        assert iou.shape == (n, m)
        for i, j in itertools.product(range(n), range(m)):
            assert abs(iou[i, j] - plain_iou(a[i], b[j])) < 1e-4


costs = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32))
)


@settings(max_examples=200, deadline=None)
@given(costs, st.sampled_from([0.2, 0.5, 0.9]))
def test_no_other_assignment_under_the_limit_is_cheaper(cost: np.ndarray, limit: float) -> None:
    def price(pairs: list[tuple[int, int]]) -> float:
        return sum(float(cost[i, j]) - limit for i, j in pairs)

    rows, columns = Association().assign(cost, limit)
    pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(pairs)
    assert all(cost[i, j] < np.float32(limit) for i, j in pairs)
    n, m = cost.shape
    best = min(
        price(list(zip(chosen, targets, strict=True)))
        for k in range(min(n, m) + 1)
        for chosen in itertools.combinations(range(n), k)
        for targets in itertools.permutations(range(m), k)
    )
    assert abs(price(pairs) - best) < 1e-5
