"""Colour spaces: sRGB, linear RGB, CIE XYZ, CIELAB and OKLab, all under D65; arrays of any leading shape.

sRGB is written 0…255 (as `uint8` pictures have it), everything else in its own published scale.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.errors import UsageError

__all__ = [
    "as_bytes",
    "as_colours",
    "lab_to_rgb",
    "lab_to_xyz",
    "linear_to_rgb",
    "linear_to_xyz",
    "oklab_to_rgb",
    "oklab_to_xyz",
    "rgb_to_lab",
    "rgb_to_linear",
    "rgb_to_oklab",
    "to_uint8",
    "xyz_to_lab",
    "xyz_to_linear",
    "xyz_to_oklab",
]

Floats = NDArray[np.float64]

# Linear sRGB → XYZ, from the primaries and the white point (0.3127, 0.3290) of IEC 61966-2-1 at full precision
# (the values that CSS Color Module Level 4 prints).
_RGB_TO_XYZ = np.array(
    [
        [0.41239079926595934, 0.357584339383878, 0.1804807884018343],
        [0.21263900587151027, 0.715168678767756, 0.07219231536073371],
        [0.01933081871559182, 0.11919477979462598, 0.9505321522496607],
    ]
)
_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ)
# The row sums are the white that the matrix itself produces, so that grey has a* = b* = 0.
_WHITE = _RGB_TO_XYZ.sum(axis=1)

# Björn Ottosson, "A perceptual color space for image processing" (2020): XYZ → cone responses → Lab.
_OK_CONES = np.array(
    [
        [0.8189330101, 0.3618667424, -0.1288597137],
        [0.0329845436, 0.9293118715, 0.0361456387],
        [0.0482003018, 0.2643662691, 0.6338517070],
    ]
)
_OK_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_OK_CONES_INVERSE = np.linalg.inv(_OK_CONES)
_OK_LAB_INVERSE = np.linalg.inv(_OK_LAB)

# CIE 15:2018: f(t) is the cube root above (6/29)³ and a straight line below.
_DELTA = 6.0 / 29.0


def as_colours(values: ArrayLike, what: str = "colours") -> NDArray[np.generic]:
    """`values` as an array of real numbers with shape `(…, 3)`; raises UsageError saying what was expected."""
    array = np.asarray(values)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise UsageError(f"{what} must have the shape (…, 3), got {array.shape}")
    if array.dtype.kind not in "uif":
        raise UsageError(f"{what} must be integers or floats, got {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UsageError(f"{what} must be finite, got a NaN or an infinity")
    return array


def as_bytes(values: ArrayLike, what: str = "sRGB colours") -> NDArray[np.generic]:
    """As `as_colours`, for what comes from a caller: floats 0…1, which would all be black, are refused.

    Raises:
        UsageError: Every float is within 0…1 and one of them is not 0, or as `as_colours` says.
    """
    array = as_colours(values, what)
    if array.dtype.kind == "f" and array.size and array.min() >= 0.0 and 0.0 < array.max() <= 1.0:
        raise UsageError(
            f"{what} are 0…255, and these floats are all within 0…1: multiply them by 255 (or give integers, "
            "if they are that dark)"
        )
    return array


def to_uint8(rgb: ArrayLike) -> NDArray[np.uint8]:
    """Round sRGB `(…, 3)` to the nearest whole numbers and clip it into 0…255."""
    array = as_colours(rgb, "sRGB colours")
    if array.dtype == np.uint8:
        return array.view(np.ndarray)
    rounded: NDArray[np.uint8] = np.clip(np.rint(array.astype(np.float64)), 0, 255).astype(np.uint8)
    return rounded


def rgb_to_linear(rgb: ArrayLike) -> Floats:
    """SRGB 0…255 → linear light 0…1 (IEC 61966-2-1); odd about zero, so that colours out of gamut survive."""
    array = as_colours(rgb, "sRGB colours")
    if array.dtype == np.uint8:
        linear: Floats = _linear_of_bytes()[array]
        return linear
    return _expand(array.astype(np.float64) / 255.0)


def linear_to_rgb(linear: ArrayLike) -> Floats:
    """Linear light 0…1 → sRGB 0…255, not clipped: beyond that range the colour is out of gamut."""
    value = _floats(linear, "linear colours")
    size = np.abs(value)
    compressed = np.where(size <= 0.0031308, 12.92 * size, 1.055 * np.power(size, 1.0 / 2.4) - 0.055)
    answer: Floats = np.copysign(compressed, value) * 255.0
    return answer


def linear_to_xyz(linear: ArrayLike) -> Floats:
    """Linear light 0…1 → XYZ with Y = 1 for white."""
    answer: Floats = _floats(linear, "linear colours") @ _RGB_TO_XYZ.T
    return answer


def xyz_to_linear(xyz: ArrayLike) -> Floats:
    """XYZ (Y = 1 for white) → linear light; below 0 or above 1 the colour is out of sRGB's gamut."""
    answer: Floats = _floats(xyz, "XYZ colours") @ _XYZ_TO_RGB.T
    return answer


def xyz_to_lab(xyz: ArrayLike) -> Floats:
    """XYZ → CIELAB (D65): L* 0…100, a* and b* about −128…128 for sRGB."""
    ratio = _floats(xyz, "XYZ colours") / _WHITE
    f = np.where(ratio > _DELTA**3, np.cbrt(ratio), ratio / (3 * _DELTA**2) + 4.0 / 29.0)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def lab_to_xyz(lab: ArrayLike) -> Floats:
    """CIELAB (D65) → XYZ with Y = 1 for white."""
    value = _floats(lab, "CIELAB colours")
    y = (value[..., 0] + 16.0) / 116.0
    f = np.stack([y + value[..., 1] / 500.0, y, y - value[..., 2] / 200.0], axis=-1)
    answer: Floats = np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4.0 / 29.0)) * _WHITE
    return answer


def xyz_to_oklab(xyz: ArrayLike) -> Floats:
    """XYZ → OKLab: L 0…1, a and b about −0.4…0.4 for sRGB."""
    answer: Floats = np.cbrt(_floats(xyz, "XYZ colours") @ _OK_CONES.T) @ _OK_LAB.T
    return answer


def oklab_to_xyz(oklab: ArrayLike) -> Floats:
    """OKLab → XYZ with Y = 1 for white."""
    answer: Floats = (_floats(oklab, "OKLab colours") @ _OK_LAB_INVERSE.T) ** 3 @ _OK_CONES_INVERSE.T
    return answer


def rgb_to_lab(rgb: ArrayLike) -> Floats:
    """SRGB 0…255 `(…, 3)` → CIELAB `(…, 3)`."""
    return xyz_to_lab(linear_to_xyz(rgb_to_linear(rgb)))


def lab_to_rgb(lab: ArrayLike) -> Floats:
    """CIELAB `(…, 3)` → sRGB 0…255 as floats, not clipped (see `to_uint8`)."""
    return linear_to_rgb(xyz_to_linear(lab_to_xyz(lab)))


def rgb_to_oklab(rgb: ArrayLike) -> Floats:
    """SRGB 0…255 `(…, 3)` → OKLab `(…, 3)`."""
    return xyz_to_oklab(linear_to_xyz(rgb_to_linear(rgb)))


def oklab_to_rgb(oklab: ArrayLike) -> Floats:
    """OKLab `(…, 3)` → sRGB 0…255 as floats, not clipped (see `to_uint8`)."""
    return linear_to_rgb(xyz_to_linear(oklab_to_xyz(oklab)))


def _floats(values: ArrayLike, what: str) -> Floats:
    return as_colours(values, what).astype(np.float64, copy=False)


def _expand(value: Floats) -> Floats:
    size = np.abs(value)
    return np.copysign(np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4), value)


@cache
def _linear_of_bytes() -> Floats:
    return _expand(np.arange(256) / 255.0)
