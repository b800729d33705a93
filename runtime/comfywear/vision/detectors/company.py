"""Believes a person sooner who is seen among others: rooms hold several people, what looks like one stands alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.records import Detection
from comfywear_models import Card

__all__ = ["LAYOUT", "MOST", "WEAKEST", "among", "in_company", "weight_of"]

Floats32 = NDArray[np.float32]

LAYOUT = "comfywear-2"
"""As "comfywear-1", with `company` in the card's `output`. A name of its own, because thresholds mean other scores."""

WEAKEST = 0.3
"""Score down to which a find counts as company."""

_PERSON = "person"
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


def in_company(boxes: Floats32, scores: Floats32, weight: float) -> Floats32:
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
    return _raised(scores, _company(boxes, boxes, scores), weight)


def among(finds: Sequence[Detection], others: Sequence[Detection], weight: float) -> list[Detection]:
    """The same of finds of one look beside all that is known of the picture, so that a tile's borders part nobody.

    Args:
        finds: Of persons and else.
        others: All finds in the picture, each person once; those of `finds` may be among them.
        weight: From the card, 0 or more.

    Returns:
        As many: persons with scores none lower than before, best first, then the rest as it was.
    """
    persons, known = ([find for find in each if find.label == _PERSON] for each in (finds, others))
    rest = [find for find in finds if find.label != _PERSON]
    if not weight or not persons or not known:
        return [*persons, *rest]
    company = _company(_boxes(persons), _boxes(known), _scores(known))
    scores = _raised(_scores(persons), company, weight).tolist()
    raised = [Detection(find.box, score, find.label) for find, score in zip(persons, scores, strict=True)]
    return [*sorted(raised, key=lambda find: -find.score), *rest]


def _raised(scores: Floats32, company: Floats32, weight: float) -> Floats32:
    odds = (1.0 + company.astype(np.float64)) ** weight  # of exp(weight · ln(1 + company))
    raised = scores * odds / (1.0 - scores + scores * odds)
    return np.maximum(raised, scores).astype(np.float32)


def _company(boxes: Floats32, others: Floats32, scores: Floats32) -> Floats32:
    """`(N,)`: of each of `boxes` `(N, 4)`, the sum of the `scores` `(M,)` of other persons' boxes `(M, 4)`."""
    believed = np.where(scores >= WEAKEST, scores, np.float32(0))
    return (_apart(boxes, others) @ believed).astype(np.float32)


def _apart(boxes: Floats32, others: Floats32) -> NDArray[np.bool_]:
    """`(N, M)`: whether two boxes are of two persons. A head and a trunk are of one, however small their IoU."""
    width = np.minimum(boxes[:, 2, None], others[:, 2]) - np.maximum(boxes[:, 0, None], others[:, 0])
    height = np.minimum(boxes[:, 3, None], others[:, 3]) - np.maximum(boxes[:, 1, None], others[:, 1])
    area, theirs = ((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (boxes, others))
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    return np.asarray(shared < _APART * np.minimum(area[:, None], theirs))


def _boxes(finds: Sequence[Detection]) -> Floats32:
    return np.array([find.box for find in finds], np.float32).reshape(-1, 4)


def _scores(finds: Sequence[Detection]) -> Floats32:
    return np.array([find.score for find in finds], np.float32)
