"""What colour a garment is, from its box alone: the box also holds background, skin and other garments.

Each sampled pixel starts with a probability of belonging to the garment: high in the middle of the box, zero in a
rim around it, lower inside the boxes of smaller things that overlap. Then colours are weighed: those found more
often where the garment is likely than where it is not pull their pixels in, the others push them out, and so on (an
expectation–maximisation of two colour histograms, as in the colour model of Bayesian tracking and of GrabCut, but
without its graph). On ccp this beats the whole box, centre weighting and a skin rule; see docs/colour.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comfywear.colour.names import BASIC_TERMS, name_probabilities
from comfywear.colour.palette import extract_palette
from comfywear.colour.spaces import linear_to_rgb, rgb_to_linear, to_uint8
from comfywear.errors import UsageError
from comfywear.records import Box, ColourShare

__all__ = ["garment_colours", "grey_world_gains", "name_shares"]

Floats = NDArray[np.float64]

# Chosen on ccp's train photos.
_SAMPLES: Final = 40  # along each side of the box
_RIM: Final = 0.2  # of the box's size, looked at on each side to learn what is not the garment
_PEAK: Final = 0.8  # prior in the middle of the box
_SPREAD: Final = 0.4  # its standard deviation, of the box's size
_ROUNDS: Final = 10
_BITS: Final = 3  # a channel, of the histograms: 8 × 8 × 8 bins
_FLOOR: Final = 0.1  # pseudo-count shared by all bins


def garment_colours(
    image_rgb: NDArray[np.uint8],
    box: Box,
    others: Iterable[Box] = (),
    *,
    n: int = 3,
    min_share: float = 0.1,
    white_balance: bool = False,
) -> tuple[ColourShare, ...]:
    """The colours of the garment in `box`.

    Args:
        image_rgb: The whole frame, `(H, W, 3) uint8`, red first.
        box: The garment's box (x1, y1, x2, y2) in pixels; it may reach beyond the frame.
        others: Boxes of other garments and things in the frame.
        n: At most so many colours.
        min_share: Colours with a smaller share of the garment are left out, except the heaviest.
        white_balance: Balance the frame by `grey_world_gains` first. Off by default: it helps only under a strong
            cast, and renames many garments in pictures that had none.

    Returns:
        Basic names with their shares of the garment (0…1; where people disagree about a pixel it counts for each
        name by its share of people) and a representative sRGB value each, heaviest first. Empty where the box holds
        no pixel of the frame.

    Raises:
        UsageError: The image or a box is not as said above.
    """
    _check(image_rgb, n)
    pixels, weight = _weighed_pixels(image_rgb, _as_box(box), [_as_box(other) for other in others])
    if white_balance and len(pixels):
        pixels = to_uint8(linear_to_rgb(np.clip(rgb_to_linear(pixels) * grey_world_gains(image_rgb), 0.0, 1.0)))
    return name_shares(pixels, weight, n=n, min_share=min_share)


def name_shares(
    pixels: NDArray[np.uint8], weight: Floats, *, n: int = 3, min_share: float = 0.1
) -> tuple[ColourShare, ...]:
    """Sum up pixels `(M, 3)` that count by `weight (M,)` as at most `n` names with shares; empty without weight."""
    total = float(weight.sum())
    if total <= 0.0:
        return ()
    people = name_probabilities(pixels)
    shares = weight @ people / total
    order = np.argsort(-shares, kind="stable")[:n]
    answer = []
    for place, term in enumerate(order.tolist()):
        if place and shares[term] < min_share:
            break
        red, green, blue = extract_palette(pixels, 1, weights=weight * people[:, term])[0][0].tolist()
        answer.append(ColourShare(BASIC_TERMS[term], min(float(shares[term]), 1.0), (red, green, blue)))
    return tuple(answer)


def grey_world_gains(image_rgb: NDArray[np.uint8]) -> Floats:
    """Factors `(3,)` on linear light that make the mean of the frame grey, at most 4 and at least 1/4 each.

    Buchsbaum's grey-world assumption ("A spatial processor model for object colour perception", J. Franklin Inst.
    310, 1980). Every eighth row and column is looked at.
    """
    _check(image_rgb, 1)
    mean = rgb_to_linear(image_rgb[::8, ::8]).reshape(-1, 3).mean(axis=0)
    gains: Floats = np.clip(mean.mean() / np.maximum(mean, 1e-6), 0.25, 4.0)
    return gains


def _check(image: NDArray[np.uint8], n: int) -> None:
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UsageError(f"the image must be a uint8 array of the shape (H, W, 3), got {got}")
    if image.size == 0:
        raise UsageError("the image has no pixels")
    if n < 1:
        raise UsageError(f"at least one colour must be asked for, got n={n}")


def _as_box(box: Box) -> Floats:
    array = np.asarray(box, dtype=np.float64)
    if array.shape != (4,) or not np.isfinite(array).all() or array[2] < array[0] or array[3] < array[1]:
        raise UsageError(f"a box must be four finite numbers x1 ≤ x2, y1 ≤ y2 as (x1, y1, x2, y2), got {box}")
    return array


def _weighed_pixels(image: NDArray[np.uint8], box: Floats, others: list[Floats]) -> tuple[NDArray[np.uint8], Floats]:
    """Sampled pixels `(M, 3)` of the box and its rim, and the probability of each to be of the garment `(M,)`."""
    xs, columns = _positions(box[0], box[2], image.shape[1])
    ys, rows = _positions(box[1], box[3], image.shape[0])
    pixels = image[np.ix_(rows, columns)].reshape(-1, 3)
    prior = _prior(box, xs, ys)
    for other in others:
        # What is smaller lies in front more often than not: a bag on a coat, a hat on a person.
        if _area(other) < _area(box):
            prior = prior * (1.0 - _prior(other, xs, ys))
    return pixels, _separate(pixels, prior.ravel())


def _positions(low: float, high: float, size: int) -> tuple[Floats, NDArray[np.intp]]:
    """Sample positions along one axis, over the box and its rim, and the pixels of the frame they fall on."""
    rim = (high - low) * _RIM
    start, stop = low - rim, high + rim
    count = int(min(_SAMPLES, max(1.0, round(stop - start))))
    position = start + (np.arange(count) + 0.5) * (stop - start) / count
    index = np.floor(position)
    in_frame = (index >= 0) & (index < size)
    return position[in_frame], index[in_frame].astype(np.intp)


def _prior(box: Floats, xs: Floats, ys: Floats) -> Floats:
    """Probability of belonging to what is in `box` by position alone, `(len(ys), len(xs))`; 0 outside it."""
    across, down = _bell(xs, box[0], box[2]), _bell(ys, box[1], box[3])
    return _PEAK * down[:, None] * across[None, :]


def _bell(position: Floats, low: float, high: float) -> Floats:
    size = max(high - low, 1e-9)
    away = (position - (low + high) / 2.0) / size
    return np.where(np.abs(away) <= 0.5, np.exp(-0.5 * (away / _SPREAD) ** 2), 0.0)


def _area(box: Floats) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _separate(pixels: NDArray[np.uint8], prior: Floats) -> Floats:
    """Posterior of each pixel: two colour histograms, one of the garment, one of the rest, refined in turns."""
    if not prior.any():
        return prior
    coarse = (pixels >> (8 - _BITS)).astype(np.intp)
    bins = (coarse[:, 0] << 2 * _BITS) | (coarse[:, 1] << _BITS) | coarse[:, 2]
    count = 1 << 3 * _BITS
    posterior = prior
    for _ in range(_ROUNDS):
        inside = np.bincount(bins, weights=posterior, minlength=count)
        outside = np.bincount(bins, weights=1.0 - posterior, minlength=count)
        garment = (inside / inside.sum() + _FLOOR / count)[bins]
        rest = (outside / outside.sum() + _FLOOR / count)[bins]
        posterior = prior * garment / (prior * garment + (1.0 - prior) * rest)
    return posterior
