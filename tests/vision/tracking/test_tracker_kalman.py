"""The four two-state filters against the eight-state filter that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.vision.tracking import kalman


class EightStates:
    """The textbook filter of ByteTrack with full matrices."""

    def __init__(self, z: np.ndarray) -> None:
        h = z[3]
        self.x = np.concatenate([z, np.zeros(4)])
        self.p = np.diag(np.square([h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]))

    def predict(self, dt: float) -> None:
        h = self.x[3]
        f = np.eye(8)
        f[:4, 4:] = dt * np.eye(4)
        q = np.diag(np.square([h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160]))
        self.x = f @ self.x
        self.p = f @ self.p @ f.T + q * dt

    def update(self, z: np.ndarray) -> None:
        h = self.x[3]
        m = np.eye(4, 8)
        r = np.diag(np.square([h / 20, h / 20, 1e-1, h / 20]))
        gain = self.p @ m.T @ np.linalg.inv(m @ self.p @ m.T + r)
        self.x = self.x + gain @ (z - m @ self.x)
        self.p = (np.eye(8) - gain @ m) @ self.p


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.sampled_from([1.0, 0.4, 7.5]), min_size=1, max_size=12))
def test_the_split_filters_equal_the_full_one(seed: int, steps: list[float]) -> None:
    rng = np.random.default_rng(seed)
    z = np.array([rng.uniform(0, 900), rng.uniform(0, 500), rng.uniform(0.3, 0.8), rng.uniform(60, 200)])
    full = EightStates(z)
    states = kalman.birth(np.stack([z, z], axis=1))
    for dt in steps:
        full.predict(dt)
        kalman.predict(states, dt)
        z = z + rng.normal(0, [3, 3, 0.01, 3])
        if rng.random() < 0.7:
            full.update(z)
            kalman.update(states, np.stack([z, z], axis=1), np.array([True, False]))
        assert states[:8, 0] == pytest.approx(full.x, rel=1e-9, abs=1e-9)
        variances = [np.diag(full.p)[i] for i in (0, 2, 4, 6)]
        assert [states[8, 0], states[9, 0], states[12, 0], states[13, 0]] == pytest.approx(variances, rel=1e-8)
        assert [states[10, 0], states[11, 0]] == pytest.approx([full.p[0, 4], full.p[2, 6]], rel=1e-8, abs=1e-15)
        full.p = 0.5 * (full.p + full.p.T)


def test_what_is_not_seen_is_not_changed_by_an_update() -> None:
    states = kalman.birth(np.array([[10.0], [20.0], [0.5], [100.0]]))
    before = states.copy()
    kalman.update(states, np.array([[99.0], [99.0], [0.9], [50.0]]), np.array([False]))
    assert (states == before).all()


@given(st.lists(st.tuples(*[st.floats(0, 1000)] * 2, *[st.floats(1, 500)] * 2), min_size=1, max_size=5))
def test_boxes_survive_the_way_there_and_back(rows: list[tuple[float, float, float, float]]) -> None:
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in rows])
    back = kalman.corners(kalman.birth(kalman.measured(boxes)), np.empty((4, len(boxes)), np.float32))
    assert np.allclose(back.T, boxes, rtol=1e-5, atol=1e-3)
