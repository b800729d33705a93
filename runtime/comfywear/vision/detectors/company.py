"""Believes a person sooner who is seen among others: rooms hold several people, what looks like one stands alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear_models import Card

__all__ = ["LAYOUT", "MOST", "WEAKEST", "in_company", "weight_of"]

LAYOUT = "comfywear-2"
"""As "comfywear-1", with `company` in the card's `output`. A name of its own, because thresholds mean other scores."""

WEAKEST = 0.15
"""Score down to which a find counts as company."""

_APART = 0.5  # of the smaller box: finds that share more are parts of the same person
MOST = 2.0
"""Of the weight: with it, three sure others turn a score of .1 into .64."""


def weight_of(card: Card) -> float:
    """The weight that a card gives to company; 0 for the layouts that know none.

    Raises:
        ModelError: The card has the layout and no number from 0 to 2.
    """
    if card.layout != LAYOUT:
        return 0.0
    weight = card.output.get("company")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0.0 <= weight <= MOST:
        raise ModelError(
            f"model {card.name!r} has the layout {LAYOUT!r}, whose card says output.company, a number from 0 to "
            f"{MOST:g}; here it is {weight!r}"
        )
    return float(weight)


def in_company(boxes: NDArray[np.float32], scores: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """The scores of persons in one view, raised by who else is seen: `logit + weight · ln(1 + sum of others' scores)`.

    Rescoring by context is an old step of detection (contextual information in Felzenszwalb et al., PAMI 2010);
    here it has one weight.

    Args:
        boxes: `(N, 4)` x1 y1 x2 y2.
        scores: `(N,)` of persons, 0…1.
        weight: From the card, 0 or more.

    Returns:
        `(N,)` scores 0…1, none lower than before, in the order given.
    """
    if not len(scores) or not weight:
        return scores
    others = _apart(boxes) @ np.where(scores >= WEAKEST, scores, np.float32(0))
    odds = (1.0 + others.astype(np.float64)) ** weight  # of exp(weight · ln(1 + others))
    raised = scores * odds / (1.0 - scores + scores * odds)
    return np.maximum(raised, scores).astype(np.float32)


def _apart(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """`(N, N)`: whether two boxes are of two persons. A head and a trunk are of one, however small their IoU."""
    width = np.minimum(boxes[:, 2, None], boxes[:, 2]) - np.maximum(boxes[:, 0, None], boxes[:, 0])
    height = np.minimum(boxes[:, 3, None], boxes[:, 3]) - np.maximum(boxes[:, 1, None], boxes[:, 1])
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    return np.asarray(shared < _APART * np.minimum(area[:, None], area))
