"""Paints with a form of the painter, and says how much of what is painted is right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.engines import ENGINES
from comfywear_export.data.datasets import Photo, read_photo
from comfywear_export.data.painting import CHANNELS, COLOURS, SIDE, choices_of, colours_of, hints_of
from comfywear_export.progress import counted
from comfywear_models import CardError, load_card
from comfywear_models.registry import verify

__all__ = ["Painter", "painting_quality"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Painter:
    """A form of a painter that `comfywear-export card painter` wrote."""

    def __init__(self, card: Path, engine: str = "onnxruntime") -> None:
        """Load the form for `engine`, "onnxruntime" or "litert"; ModelError where there is none that can be loaded."""
        try:
            found = load_card(card)
            forms = [file for file in found.files if file.engine == engine]
            if found.layout != "choices" or not forms:
                raise ModelError(f"{card}: no painter for {engine}")
            path = verify(forms[0], card.parent)
        except CardError as error:
            raise ModelError(str(error)) from error
        self._engine = ENGINES[engine](path, forms[0].precision, (SIDE, SIDE, len(CHANNELS)), 1)

    def choices(self, hints: Floats) -> NDArray[np.int64]:
        """The colour `(SIDE, SIDE)` of each pixel, 0…COLOURS − 1, from the hints of one picture."""
        return np.asarray(self._engine.run(hints[None])[0][0].argmax(axis=-1), np.int64)

    def painted(self, image: Image, garments: Sequence[Sequence[float]] | Floats = ()) -> Image:
        """A picture `(H, W, 3) uint8` BGR painted from its edges and the colours of the garments in boxes."""
        painted = colours_of(self.choices(hints_of(image, garments)))
        return np.asarray(cv2.resize(painted, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def painting_quality(painters: Sequence[Painter], photos: Sequence[Photo]) -> list[dict[str, Any]]:
    """A row a painter: how many pixels of the photos, 0…1, it gives their colour, and on how many the first differs.

    `commonest` is how many would be right if all had the one colour that is the most frequent in these photos.
    """
    right, other = np.zeros(len(painters)), np.zeros(len(painters))
    frequent = np.zeros(COLOURS)
    for photo in counted(photos, "photos"):
        image = read_photo(photo.path)
        truth, hints = choices_of(image), hints_of(image, photo.boxes[photo.classes > 0])
        frequent += np.bincount(truth.ravel(), minlength=COLOURS) / truth.size
        choices = [painter.choices(hints) for painter in painters]
        right += [(each == truth).mean() for each in choices]
        other += [(each != choices[0]).mean() for each in choices]
    commonest = float(frequent.max() / len(photos))
    return [
        {"right": float(a / len(photos)), "commonest": commonest, "unlike the first form": float(b / len(photos))}
        | {"photos": len(photos)}
        for a, b in zip(right, other, strict=True)
    ]
