"""Constant-velocity Kalman filters of many boxes at once, as columns of one array.

The state of ByteTrack (centre x and y, aspect ratio, height, and their velocities) has a transition, noises and a
measurement that never mix the four quantities, so the 8-state filter is exactly four filters of two states. Centre and
height share their noise, hence also their covariance; only the aspect ratio has its own. What remains of an 8 × 8
covariance is six numbers.

Noise as in ByteTrack and DeepSORT (Wojke et al., 2017): standard deviations of a position are 1/20 of the height, of a
velocity 1/160 of the height a step; of the aspect ratio 1e-2 (process), 1e-1 (measurement) and 1e-5 (velocity).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROWS", "birth", "corners", "measured", "predict", "update"]

Array = NDArray[np.float64]

# Rows of the state: x, y, aspect, height; their velocities; then, for (x, y and height) and for the aspect, the
# variance of the position, the covariance and the variance of the velocity.
ROWS = 14
_POSITION, _VELOCITY = slice(0, 4), slice(4, 8)
_P00, _P01, _P11 = slice(8, 10), slice(10, 12), slice(12, 14)
_GROUP = np.array([0, 0, 1, 0])  # which of the two covariances each quantity has

_STD_POSITION, _STD_VELOCITY = 1 / 20, 1 / 160
_STD_ASPECT, _STD_ASPECT_MEASURED, _STD_ASPECT_VELOCITY = 1e-2, 1e-1, 1e-5
_SMALLEST = 1e-3


def measured(boxes: Array) -> Array:
    """Boxes `(N, 4)` x1 y1 x2 y2 as `(4, N)` x, y, aspect (width / height), height."""
    out = np.empty((4, len(boxes)))
    low, high = boxes.T[:2], boxes.T[2:]
    np.add(low, high, out=out[:2])
    out[:2] *= 0.5
    np.subtract(high, low, out=out[2:])
    out[2] /= out[3]
    return out


def corners(state: Array, out: NDArray[np.float32]) -> NDArray[np.float32]:
    """The boxes of `state` `(≥ 4, N)` written to `out` `(4, N)` float32 as x1, y1, x2, y2."""
    half = state[2:4] * 0.5
    half[0] *= state[3]
    np.subtract(state[:2], half, out=out[:2], casting="same_kind")
    np.add(state[:2], half, out=out[2:], casting="same_kind")
    return out


def birth(measurements: Array) -> Array:
    """The states `(ROWS, N)` of boxes seen for the first time: at rest, with a wide velocity."""
    states = np.zeros((ROWS, measurements.shape[1]))
    states[_POSITION] = measurements
    height_2 = measurements[3] ** 2
    states[8], states[9] = (2 * _STD_POSITION) ** 2 * height_2, _STD_ASPECT**2
    states[12], states[13] = (10 * _STD_VELOCITY) ** 2 * height_2, _STD_ASPECT_VELOCITY**2
    return states


def predict(states: Array, steps: float) -> None:
    """Move `states` `(ROWS, N)` on by `steps` frames of the nominal rate, in place; noise variance grows with time."""
    height_2 = states[3] ** 2
    position, velocity = states[_POSITION], states[_VELOCITY]
    p00, p01, p11 = states[_P00], states[_P01], states[_P11]
    if steps == 1.0:
        position += velocity
        p00 += p01
        p01 += p11
        p00 += p01  # p00 + 2 p01 + p11
    else:
        position += steps * velocity
        p00 += steps * (2.0 * p01 + steps * p11)
        p01 += steps * p11
    height_2 *= steps
    p00[0] += _STD_POSITION**2 * height_2
    p00[1] += _STD_ASPECT**2 * steps
    height_2 *= _STD_VELOCITY**2
    p11[0] += height_2
    p11[1] += _STD_ASPECT_VELOCITY**2 * steps
    np.maximum(states[2:4], _SMALLEST, out=states[2:4])  # a box that shrinks never turns inside out


def update(states: Array, measurements: Array, seen: NDArray[np.bool_]) -> None:
    """Correct those of `states` `(ROWS, N)` that were `seen` `(N,)` by `measurements` `(4, N)`, in place."""
    noise = np.empty((2, states.shape[1]))
    np.multiply(states[3], states[3], out=noise[0])
    noise[0] *= _STD_POSITION**2
    noise[1] = _STD_ASPECT_MEASURED**2
    p00, p01, p11 = states[_P00], states[_P01], states[_P11]
    noise += p00
    weight = seen / noise  # 0 for what was not seen: nothing changes there
    gain = p00 * weight
    weight *= p01  # the gain of the velocity
    innovation = measurements - states[_POSITION]
    states[_VELOCITY] += weight.take(_GROUP, axis=0) * innovation
    innovation *= gain.take(_GROUP, axis=0)
    states[_POSITION] += innovation
    weight *= p01
    p11 -= weight
    p01 -= gain * p01
    gain *= p00
    p00 -= gain
    np.maximum(states[2:4], _SMALLEST, out=states[2:4])
