"""Looks twice at whom a crop shows from head to foot: a scarf or a hat has few pixels there, twice as many alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear_models import Card

__all__ = ["LAYOUT", "UpperLook", "upper_look_of"]

LAYOUT = "logits-2"
"""As "logits", with `upper` in the card's `output`. A name of its own, because thresholds mean other answers."""

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class UpperLook:
    """Of which crops the upper part is looked at, too, and for which answers.

    Attributes:
        tall: Height of a crop in widths from which it shows a whole person; upper bodies are wider.
        part: Of such a crop's height, from above, 0…1.
        columns: Of the answers: what is worn at the head, the neck and the chest.
    """

    tall: float
    part: float
    columns: tuple[int, ...]

    def of(self, crops: Sequence[Image]) -> dict[int, Image]:
        """The upper parts of the tall ones of `crops` `(H, W, 3)`, by their place in it."""
        return {
            place: crop[: max(round(self.part * crop.shape[0]), 1)]
            for place, crop in enumerate(crops)
            if crop.shape[0] >= self.tall * crop.shape[1]
        }

    def joined(self, whole: NDArray[np.float32], places: Sequence[int], upper: NDArray[np.float32]) -> None:
        """Make the logits `(N, A)` of whole crops the means of both looks, in place.

        Args:
            whole: Of all crops.
            places: Those of which there is an upper part.
            upper: `(len(places), A)`: logits of these parts.
        """
        rows, columns = np.asarray(places, np.intp)[:, None], np.asarray(self.columns, np.intp)
        whole[rows, columns] = 0.5 * (whole[rows, columns] + upper[:, columns])


def upper_look_of(card: Card) -> UpperLook | None:
    """What a card says of it; None for the layout that knows none.

    Raises:
        ModelError: The card has the layout, and what it says is not understood.
    """
    if card.layout != LAYOUT:
        return None
    said = card.output.get("upper")
    try:
        if not isinstance(said, Mapping):
            raise TypeError("output.upper is missing")
        tall, part, labels = float(said["tall"]), float(said["part"]), said["labels"]
        if not (tall > 0.0 and 0.0 < part < 1.0 and isinstance(labels, list) and labels):
            raise ValueError("tall is above 0, part between 0 and 1, labels a list")
        return UpperLook(tall, part, tuple(card.labels.index(label) for label in labels))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f'model {card.name!r} has the layout {LAYOUT!r}, whose card says output.upper such as {{"tall": 2.0, '
            f'"part": 0.55, "labels": ["group/hat"]}}; here it is not understood ({error})'
        ) from error
