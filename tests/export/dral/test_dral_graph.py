"""The similarity graph and the rounds of questions: for any table, and by hand for small ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.dral.graph import QUERY, Graph, nearest, reciprocal, squared_distances
from comfywear_export.dral.policies import nearest_first, nearest_now, random_item
from comfywear_export.dral.rounds import FEATURES, MARGIN, Round

Floats = NDArray[np.float64]

tables = st.builds(
    lambda seed, n, width, same: _table(seed, n, width, same),
    st.integers(0, 10_000),
    st.integers(2, 14),
    st.integers(1, 4),
    st.booleans(),
)


def _table(seed: int, n: int, width: int, same: bool) -> Floats:
    """Distances of random points, or of points on a coarse grid, of which many coincide."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, 2, (n, width)).astype(float) if same else rng.normal(size=(n, width))
    table = squared_distances(at, at)
    np.fill_diagonal(table, 0.0)
    return (table + table.T) / 2


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(1, 9), st.randoms(use_true_random=False))
def test_similarities_stay_symmetric_sparse_and_within_0_and_1_whatever_is_answered(
    table: Floats, k: int, draw: object
) -> None:
    graph = Graph(table, k)
    start = graph.sim.copy()
    rng = np.random.default_rng(draw.randrange(1000))  # type: ignore[attr-defined]
    told: list[int] = []
    while True:
        assert np.array_equal(graph.sim, graph.sim.T)
        assert (graph.sim >= 0).all()
        assert (graph.sim <= 1).all()
        assert (np.diag(graph.sim) == 1).all()
        edges = (graph.sim > 0).sum(axis=1) - 1
        assert (edges[1:] <= k + 1).all(), "k-reciprocal neighbours, and the query where it was said to be the same"
        assert edges[QUERY] <= k + (graph.answers == 1).sum() - 1
        assert sorted(graph.order()) == list(range(1, len(table)))
        assert np.array_equal(graph.sim[1:, 1:], start[1:, 1:]), "answers are about the query alone"
        items = graph.open()
        assert not set(items) & set(told)
        if not len(items):
            return
        told.append(int(rng.choice(items)))
        graph.tell(told[-1], bool(rng.integers(2)))
        assert graph.sim[QUERY, told[-1]] == (graph.answers[told[-1]] == 1)


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(1, 9))
def test_neighbours_are_k_and_reciprocal_ones_know_each_other(table: Floats, k: int) -> None:
    near = nearest(-table, k)
    assert (near.sum(axis=1) == min(k, len(table) - 1)).all()
    assert not np.diag(near).any()
    both = reciprocal(near)
    assert np.array_equal(both, both.T)
    assert (both <= near).all()
    for number, (row, found) in enumerate(zip(table, near, strict=True)):
        left = ~found
        left[number] = False
        if left.any():
            assert row[found].max() <= row[left].min()


def test_answers_change_the_similarities_as_the_paper_says() -> None:
    at = np.array([[0.0], [1.0], [2.0], [4.0]])  # the query, then three items; k large enough that all are neighbours
    table = squared_distances(at, at)
    graph = Graph(table, 3)
    assert graph.sim[QUERY].tolist() == pytest.approx([1, 1 - 1 / 16, 1 - 4 / 16, 0])
    graph.tell(2, True)
    # ½ (Sim(q, 1) + Sim(2, 1)) = ½ (15/16 + 15/16); ½ (Sim(q, 3) + Sim(2, 3)) = ½ (0 + 12/16)
    assert graph.sim[QUERY].tolist() == pytest.approx([1, 15 / 16, 1, 6 / 16])
    other = Graph(table, 3)
    other.tell(1, False)
    # max(Sim(q, 2) − Sim(1, 2), 0) = max(12/16 − 15/16, 0)
    assert other.sim[QUERY].tolist() == pytest.approx([1, 0, 0, 0])
    assert other.order().tolist() == [2, 3, 1], "what was said to be another comes last"


def test_the_reward_is_higher_the_harder_the_answer_was_to_tell() -> None:
    at = np.array([[0.0], [1.0], [3.0], [3.2], [4.0]])
    now = Round(squared_distances(at, at), 4, 4)
    items = now.graph.open()
    same, other = now.rewards(items, True), now.rewards(items, False)
    assert (np.diff(same) >= 0).all(), "the further a true match, the more"
    assert (np.diff(other) <= 0).all(), "the nearer a false one, the more"
    now.tell(1, False)
    d_query, d_other = 9 / 16, 4 / 16  # of item 2
    assert now.rewards(np.array([2]), True)[0] == pytest.approx(MARGIN + d_query - d_other)
    assert now.rewards(np.array([2]), False)[0] == pytest.approx(max(MARGIN - d_query + d_other, 0.0))


@pytest.mark.parametrize("policy", [nearest_first, nearest_now, random_item])
def test_a_round_asks_so_often_and_about_nothing_twice(policy: object) -> None:
    rng = np.random.default_rng(3)
    for most in (1, 5, 40):
        now = Round(_table(5, 12, 3, False), 4, most)
        asked = []
        while not now.over:
            features = now.features(now.graph.open())
            assert features.shape == (len(now.graph.open()), len(FEATURES))
            assert (features >= -1e-12).all()
            assert (features <= 1 + 1e-12).all()
            asked.append(policy(now, rng))  # type: ignore[operator]
            now.tell(asked[-1], bool(rng.integers(2)))
        assert len(asked) == len(set(asked)) == min(most, 11)
        with pytest.raises(UsageError):
            now.tell(asked[0], True)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError):
        Graph(np.zeros((1, 1)), 3)
    with pytest.raises(UsageError):
        Graph(np.zeros((3, 3)), 0)
    graph = Graph(np.zeros((3, 3)), 1)
    for item in (0, 3, -1):
        with pytest.raises(UsageError):
            graph.tell(item, True)
    with pytest.raises(UsageError):
        Round(np.zeros((3, 3)), 1, 0)
