"""What the shipped models say of each photo; kept line by line, so that a killed run looks at none twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Detection
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.detector import Detector
from comfywear_export.active.candidates import Candidate
from comfywear_export.data.crops import cut_out
from comfywear_export.data.datasets import read_photo
from comfywear_export.progress import counted

__all__ = ["FLOOR", "Look", "looks"]

FLOOR = 0.05
"""Finds below it say nothing about a photo."""
_THUMBNAIL = 4  # cells a side; colours of the whole photo, so that rooms and lights differ too


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen in a photo.

    Attributes:
        found: Everything from `FLOOR` on.
        answers: `(A,)` probabilities of the attribute model for the surest person; NaN where there is nobody.
        thumbnail: `(48,)` mean colours, 0…1.
        width: Of the photo, pixels.
        height: Of the photo, pixels.
    """

    found: tuple[Detection, ...]
    answers: NDArray[np.float32]
    thumbnail: NDArray[np.float32]
    width: int
    height: int

    def embedding(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """The best score of each label, the answers (0 for nobody) and the thumbnail, as one row."""
        best = [max((d.score for d in self.found if d.label == label), default=0.0) for label in labels]
        return np.concatenate([np.array(best, np.float32), np.nan_to_num(self.answers), self.thumbnail])


def looks(
    photos: Sequence[Candidate], detector: Detector, attributes: AttributeModel, kept: Path
) -> tuple[list[Candidate], list[Look], list[str]]:
    """A look at each photo that can be read, those photos, and a line for each that cannot.

    Args:
        photos: To look at.
        detector: Finds persons and garments.
        attributes: Says what the surest person wears.
        kept: The file of earlier looks by the same models; it grows.
    """
    models = f"{detector.file.sha256[:12]} {attributes.file.sha256[:12]}"
    before = _read(kept)
    seen, rows, damaged = [], [], []
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        file.write("\n")  # ends a line that was cut off
        for photo in counted(photos, "photos"):
            state = photo.path.stat()
            key = f"{models} {photo.path.resolve()} {state.st_size} {state.st_mtime_ns}"
            if key not in before:
                try:
                    image = read_photo(photo.path)
                except UsageError as error:
                    damaged.append(str(error))
                    continue
                before[key] = _look(image, detector, attributes)
                file.write(json.dumps({"key": key, **before[key]}) + "\n")
                file.flush()
            seen.append(photo)
            rows.append(_of(before[key]))
    return seen, rows, damaged


def _look(image: NDArray[np.uint8], detector: Detector, attributes: AttributeModel) -> dict[str, Any]:
    found = detector.detect(image, threshold=FLOOR)
    persons = [d for d in found if d.label == "person"]
    answers: list[float | None] = [None] * len(attributes.labels)
    if persons:
        surest = max(persons, key=lambda d: d.score)
        answers = [round(float(p), 4) for p in attributes.predict([cut_out(image, np.array(surest.box))])[0]]
    small = cv2.resize(image, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    return {
        "found": [[d.label, round(d.score, 4), *(round(v, 1) for v in d.box)] for d in found],
        "answers": answers,
        "thumbnail": (small.ravel() / 255).round(3).tolist(),
        "size": [image.shape[1], image.shape[0]],
    }


def _of(row: dict[str, Any]) -> Look:
    found = tuple(Detection((b[0], b[1], b[2], b[3]), score, label) for label, score, *b in row["found"])
    answers = np.array([np.nan if p is None else p for p in row["answers"]], np.float32)
    return Look(found, answers, np.array(row["thumbnail"], np.float32), *row["size"])


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Earlier looks by their keys; a last line that was cut off is passed over."""
    rows: dict[str, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        with suppress(ValueError, KeyError, AttributeError):
            row = json.loads(line)
            rows[row.pop("key")] = row
    return rows
