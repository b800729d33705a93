"""One way of reading a graph's outputs, and what numbers can be: scores, boxes in pixels or in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts.decoding import sigmoid

__all__ = ["P5", "P6", "Guess", "are_scores", "count_cells", "in_parts", "parts_or_pixels"]

P5, P6 = (8, 16, 32), (8, 16, 32, 64)
"""The usual strides of three and of four maps."""


@dataclass(frozen=True)
class Guess:
    """One way of reading the outputs.

    Attributes:
        layout: A name of `LAYOUTS`.
        classes: How many the outputs have; None where they do not show it.
        why: What speaks for it, in words.
        options: Details for the card's `output`.
        input: What differs from the family's usual pre-processing, for the card's `input`.
    """

    layout: str
    classes: int | None
    why: str
    options: Mapping[str, Any] = field(default_factory=dict)
    input: Mapping[str, Any] = field(default_factory=dict)


def count_cells(size: tuple[int, int], strides: Sequence[int]) -> int:
    """How many cells the maps of these strides have for a picture of `size` (height, width)."""
    return sum(-(-size[0] // stride) * -(-size[1] // stride) for stride in strides)


def are_scores(values: NDArray[np.float32]) -> bool:
    """Whether all values are in 0…1."""
    return not values.size or bool(values.min() >= -1e-3 and values.max() <= 1 + 1e-3)


def in_parts(boxes: NDArray[Any]) -> bool:
    """Whether boxes are in parts of the picture: none is far outside of it."""
    return not boxes.size or float(np.abs(np.asarray(boxes, np.float32)).max()) <= 2.0


def parts_or_pixels(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> dict[str, Any]:
    """Whether the likeliest boxes are in parts of the input instead of pixels."""
    best = np.argsort(-(scores if are_scores(scores) else sigmoid(scores)))[:20]
    return {"normalised": True} if in_parts(boxes[best]) else {}
