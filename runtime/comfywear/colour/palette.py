"""The few colours that stand best for many pixels: a histogram, weighted k-means, and an L1 refinement.

The distance is Euclidean in CIELAB with its chroma compressed, C' = ln(1 + k C*) / k, which follows CIEDE2000's
chroma weighting S_C = 1 + 0.045 C* well enough to cluster by and costs next to nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.colour.spaces import as_bytes, lab_to_rgb, rgb_to_lab, to_uint8
from comfywear.errors import UsageError

__all__ = ["extract_palette"]

Floats = NDArray[np.float64]

# Chosen on train photos of ccp, apart from those that `comfywear bench colour` takes; the choice is not sharp.
_COMPRESSION: Final = 0.02
_KMEANS_ROUNDS: Final = 12
_L1_ROUNDS: Final = 8
_BITS: Final = 4  # a channel, of the histogram; five cost twice the time for no measurable gain
# The geometric median's weights 1 / d are capped here, at about a just noticeable difference.
_NEAREST: Final = 0.5


def extract_palette(
    pixels: ArrayLike,
    n: int = 5,
    *,
    mask: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    max_pixels: int | None = 16384,
) -> tuple[NDArray[np.uint8], Floats]:
    """The `n` colours that leave the smallest mean difference to the pixels.

    The result depends on nothing but the arguments, and not on the order of pixels in a list. Sub-sampling: a picture
    `(H, W, 3)` of more than `max_pixels` pixels is looked at on a regular grid of every s-th row and column that leaves
    at most so many; a list `(M, 3)` is never sub-sampled. Pixels are pooled into 16 × 16 × 16 bins of the sRGB
    cube, each with the mean colour of its pixels.

    Args:
        pixels: sRGB 0…255, a list `(M, 3)` or a picture `(H, W, 3)`.
        n: At most so many colours.
        mask: Which pixels count, bool of shape `(M,)` or `(H, W)`.
        weights: How much each pixel counts, ≥ 0, of that shape too; may be combined with `mask`.
        max_pixels: The bound for pictures; None looks at every pixel.

    Returns:
        Colours `(K, 3) uint8` and their shares of the pixels `(K,)`, which sum to 1, heaviest first. K is less than
        `n` where the pixels do not hold so many different colours, and 0 where no pixel counts.

    Raises:
        UsageError: A shape, type or number is not as said above.
    """
    if n < 1:
        raise UsageError(f"a palette needs at least one colour, got n={n}")
    if max_pixels is not None and max_pixels < 1:
        raise UsageError(f"max_pixels must be at least 1 or None, got {max_pixels}")
    array = to_uint8(as_bytes(pixels))
    if array.ndim not in (2, 3):
        raise UsageError(f"pixels must have the shape (M, 3) or (H, W, 3), got {array.shape}")
    weight = _pixel_weights(array.shape[:-1], mask, weights)
    if array.ndim == 3 and max_pixels is not None and array.size > 3 * max_pixels:
        grid = _sampling_grid(array.shape[0], array.shape[1], max_pixels)
        array = array[grid]
        weight = None if weight is None else weight[grid]
    means, mass = _histogram(array.reshape(-1, 3), None if weight is None else weight.ravel())
    if len(means) == 0:
        return np.empty((0, 3), dtype=np.uint8), np.empty(0)
    centres, shares = _cluster(_compress(rgb_to_lab(means)), mass / mass.sum(), n)
    return _heaviest_first(to_uint8(lab_to_rgb(_decompress(centres))), shares)


def _pixel_weights(shape: tuple[int, ...], mask: ArrayLike | None, weights: ArrayLike | None) -> Floats | None:
    """Mask and weights as one array, or None where every pixel counts the same."""
    if mask is None and weights is None:
        return None
    weight = np.ones(shape)
    if weights is not None:
        given = np.asarray(weights)
        if given.shape != shape or given.dtype.kind not in "uif":
            raise UsageError(f"weights must be numbers of the shape {shape}, got {given.dtype} {given.shape}")
        if not np.isfinite(given).all() or (given < 0).any():
            raise UsageError("weights must be finite and not negative")
        weight = given.astype(np.float64)
    if mask is not None:
        chosen = np.asarray(mask)
        if chosen.shape != shape or chosen.dtype != np.bool_:
            raise UsageError(f"mask must be bool of the shape {shape}, got {chosen.dtype} {chosen.shape}")
        weight = weight * chosen
    return weight


def _sampling_grid(height: int, width: int, max_pixels: int) -> tuple[slice, slice]:
    """Every s-th row and column, s the smallest that leaves at most `max_pixels`."""
    step = int(np.ceil(np.sqrt(height * width / max_pixels)))
    while -(-height // step) * -(-width // step) > max_pixels:
        step += 1
    return slice((min(step, height) - 1) // 2, None, step), slice((min(step, width) - 1) // 2, None, step)


def _histogram(pixels: NDArray[np.uint8], weight: Floats | None) -> tuple[Floats, Floats]:
    """Mean colour `(B, 3)` and weight `(B,)` of the occupied bins of the sRGB cube, in a fixed order."""
    coarse = pixels >> (8 - _BITS)
    index = coarse[:, 0].astype(np.uint16)
    for channel in (1, 2):
        index <<= _BITS
        index |= coarse[:, channel]
    bins = index.astype(np.intp)
    count = 1 << 3 * _BITS
    mass = np.bincount(bins, weights=weight, minlength=count).astype(np.float64)
    occupied = np.flatnonzero(mass)
    values = (pixels[:, k] if weight is None else pixels[:, k] * weight for k in range(3))
    sums = np.column_stack([np.bincount(bins, weights=value, minlength=count)[occupied] for value in values])
    mass = mass[occupied]
    return sums / mass[:, None], mass


def _cluster(points: Floats, mass: Floats, n: int) -> tuple[Floats, Floats]:
    """Centres `(K, 3)` and their shares of `mass`; K ≤ n."""
    if n == 1:
        return _middle(points, mass), np.array([float(mass.sum())])
    squares = (points**2).sum(axis=1)
    centres = _seeds(points, mass, n)
    nearest = np.full(len(points), -1)
    for _ in range(_KMEANS_ROUNDS):
        before, nearest = nearest, _squared_distances(points, squares, centres).argmin(axis=1)
        if (before == nearest).all():
            break
        centres = _means(points, mass, nearest, centres)
    # k-means minimises squares; the mean difference itself is least at geometric medians (Weiszfeld's iteration).
    for _ in range(_L1_ROUNDS):
        squared = _squared_distances(points, squares, centres)
        nearest = squared.argmin(axis=1)
        distance = np.sqrt(np.maximum(squared[np.arange(len(points)), nearest], _NEAREST**2))
        centres = _means(points, mass / distance, nearest, centres)
    nearest = _squared_distances(points, squares, centres).argmin(axis=1)
    shares: Floats = np.bincount(nearest, weights=mass, minlength=len(centres)).astype(np.float64)
    return centres[shares > 0], shares[shares > 0]


def _middle(points: Floats, mass: Floats) -> Floats:
    """What `_cluster` comes to for one centre `(1, 3)`, which every point belongs to: a geometric median."""
    squares = np.einsum("ij,ij->i", points, points)
    centre: Floats = mass @ points / mass.sum()
    for _ in range(_L1_ROUNDS):
        squared = squares + centre @ centre - 2.0 * (points @ centre)
        weight = mass / np.sqrt(np.maximum(squared, _NEAREST**2))
        centre = weight @ points / weight.sum()
    return centre[None]


def _seeds(points: Floats, mass: Floats, n: int) -> Floats:
    """The heaviest point, then each time the one that costs most: mass × squared distance to the nearest seed."""
    seeds = [int(mass.argmax())]
    squared = ((points - points[seeds[0]]) ** 2).sum(axis=1)
    while len(seeds) < n:
        cost = mass * squared
        worst = int(cost.argmax())
        if cost[worst] <= 0.0:
            break
        seeds.append(worst)
        squared = np.minimum(squared, ((points - points[worst]) ** 2).sum(axis=1))
    return points[seeds]


def _squared_distances(points: Floats, squares: Floats, centres: Floats) -> Floats:
    squared: Floats = squares[:, None] + (centres**2).sum(axis=1) - 2.0 * (points @ centres.T)
    return squared


def _means(points: Floats, mass: Floats, nearest: NDArray[np.intp], centres: Floats) -> Floats:
    """Weighted mean of the points of each centre; a centre without points stays."""
    members = np.zeros((len(centres), len(points)))
    members[nearest, np.arange(len(points))] = mass
    total = members.sum(axis=1)
    return np.where(total[:, None] > 0, (members @ points) / np.maximum(total, 1e-300)[:, None], centres)


def _compress(lab: Floats) -> Floats:
    scaled = _COMPRESSION * _chroma(lab)
    return _with_chroma(lab, np.log1p(scaled) / scaled)


def _decompress(points: Floats) -> Floats:
    scaled = _COMPRESSION * _chroma(points)
    return _with_chroma(points, np.expm1(scaled) / scaled)


def _chroma(points: Floats) -> Floats:
    # Not quite zero, so that it can be divided by.
    return np.maximum(np.hypot(points[:, 1], points[:, 2]), 1e-9)


def _with_chroma(points: Floats, factor: Floats) -> Floats:
    return np.column_stack([points[:, 0], points[:, 1] * factor, points[:, 2] * factor])


def _heaviest_first(colours: NDArray[np.uint8], shares: Floats) -> tuple[NDArray[np.uint8], Floats]:
    """Sorted by share, then by colour; centres that round to one colour are one."""
    if len(colours) == 1:
        return colours, np.ones(1)
    distinct, back = np.unique(colours, axis=0, return_inverse=True)
    total = np.bincount(back.reshape(-1), weights=shares)
    order = np.argsort(-total, kind="stable")
    return distinct[order], total[order] / total.sum()
