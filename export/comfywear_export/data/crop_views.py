"""Crops of persons as rooms give them: from above, of few pixels, behind a desk; and what can still be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.labels import ATTRIBUTE_LABELS, LENGTHS, NEEDS_LEGS

if TYPE_CHECKING:
    from comfywear_export.data.attribute_data import Example

__all__ = ["answers_seen", "behind_desk", "coarse", "from_above", "stretched", "upper_bodies"]

_LEGS = np.array([label in NEEDS_LEGS for label in ATTRIBUTE_LABELS])
_ENDS = np.array([label in LENGTHS for label in ATTRIBUTE_LABELS])
# Shares of what is worn inside the crop: with less it is not there, with less it cannot be told what it is, and with
# less its end is not in sight.
_GONE, _TOLD, _WHOLE = 0.1, 0.5, 0.8
_BELOW = [ATTRIBUTE_LABELS.index(f"group/{name}") for name in ("trousers", "shorts", "skirt-or-dress")]
_DRESS = ATTRIBUTE_LABELS.index("garment/dress")
_ABOVE_WAIST = 0.03  # of the person's height, since tops hang over what is below
_LOWEST, _HIGHEST = 24, 96  # pixels that a person far away is high


def answers_seen(example: Example, seen: NDArray[Any], cut: bool) -> NDArray[np.float32]:
    """The answers about the part of a person that can be seen: what is not in the picture is not worn there.

    So trousers below the picture's end are a no, trousers of which a piece shows are unknown, and unknown is, too,
    what is worn at a place that nobody labelled when the legs are missing.

    Args:
        example: The person.
        seen: x1 y1 x2 y2 in pixels of the photo: what the crop shows.
        cut: Whether the legs are out of the picture.

    Returns:
        `(A,) float32`: 1, 0 or NaN.
    """
    with np.errstate(invalid="ignore"):
        low, high = np.maximum(example.places[:, :2], seen[:2]), np.minimum(example.places[:, 2:], seen[2:])
        sides = example.places[:, 2:] - example.places[:, :2]
        share = (high - low).clip(min=0).prod(1) / sides.prod(1).clip(min=1)
    answers: NDArray[np.float32] = example.answers.copy()
    placed, worn = ~np.isnan(share), example.answers > 0.5
    answers[worn & placed & ~_ENDS & (share < _GONE)] = 0
    answers[worn & placed & _LEGS & (share >= _GONE) & (share < _TOLD)] = np.nan
    answers[_ENDS & placed & (share < _WHOLE)] = np.nan
    if cut:
        answers[~placed & _LEGS & (worn | _ENDS)] = np.nan
    return answers


def from_above(box: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Corners `(4, 2)` in the photo (top left, top right, bottom right, bottom left) to stretch over the crop.

    They lie further apart at the bottom, so that feet come out smaller than heads as under a ceiling camera, and are
    turned a little.
    """
    x1, y1, x2, y2 = (float(v) for v in box)
    wider = rng.uniform(0.1, 0.6) * (x2 - x1)
    corners = np.array([[x1, y1], [x2, y1], [x2 + wider, y2], [x1 - wider, y2]])
    turn = np.deg2rad(np.clip(rng.normal(0, 8), -20, 20))
    centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray((corners - centre) @ rotation.T + centre, np.float32)


def stretched(
    image: NDArray[np.uint8], corners: NDArray[np.float32], extent: tuple[int, int], labels: bool = False
) -> NDArray[np.uint8]:
    """The part of a photo between four corners as a rectangle of `extent` (height, width); with `labels`, of a mask."""
    height, width = extent
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    how, border = (cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) if labels else (cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.warpPerspective(image, matrix, (width, height), flags=how, borderMode=border), np.uint8)


def behind_desk(picture: NDArray[np.uint8], top: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A crop with a plain surface of any colour, lighter or darker towards the viewer, from the share `top` down."""
    height, width = picture.shape[:2]
    row = int(top * height)
    colour = rng.uniform(0, 256, 3) * rng.uniform(0.6, 1.0)
    shade = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.7, 1.2), height - row)[:, None, None]
    grain = rng.normal(0, 4, (height - row, width, 1))
    out: NDArray[np.uint8] = picture.copy()
    out[row:] = (colour * shade + grain).clip(0, 255)
    return out


def coarse(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A crop of as few pixels as there are of somebody far away, enlarged again."""
    height, width = picture.shape[:2]
    rows = round(float(np.exp(rng.uniform(np.log(_LOWEST), np.log(_HIGHEST)))))
    small = cv2.resize(picture, (max(1, rows * width // height), rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def upper_bodies(examples: Sequence[Example]) -> list[Example]:
    """Those who wear trousers, shorts or a skirt and no dress, cut just above: as behind a desk, nothing below shows.

    People whose lower garment begins in the upper quarter of their box (a shirt's label gone wrong) are left out.
    """
    found = []
    for example in examples:
        worn = example.answers[_BELOW] > 0.5
        tops = example.places[_BELOW][worn, 1]
        if not len(tops) or np.isnan(tops).any() or example.answers[_DRESS] != 0:
            continue
        box = example.box.copy()
        height = float(box[3] - box[1])
        box[3] = float(tops.min()) - _ABOVE_WAIST * height
        if box[3] - box[1] >= height / 4:
            found.append(replace(example, box=box, answers=answers_seen(example, box, cut=True)))
    return found
