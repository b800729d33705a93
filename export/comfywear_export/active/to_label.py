"""A folder for people to label: the chosen photos with a model's guesses, to be corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from comfywear.records import Detection
from comfywear_export.data.formats import Damaged, Dataset, write_dataset
from comfywear_export.data.formats.records import Box, Picture
from comfywear_export.data.formats.target import Target
from comfywear_export.data.labels import DETECTOR_LABELS

__all__ = ["ToLabel", "write_to_label"]


@dataclass(frozen=True)
class ToLabel:
    """A photo with its name in the new set, its width and height in pixels, and the finds that are believed."""

    path: Path
    name: str
    width: int
    height: int
    guesses: Sequence[Detection]


def write_to_label(
    folder: Path,
    form: str,
    photos: Sequence[ToLabel],
    labels: Sequence[str] = DETECTOR_LABELS,
    min_score: float | None = None,
) -> None:
    """Copy the photos into a new data set of the format `form`; one that is finished is left alone.

    `min_score` is that of the guesses, where not each was measured by its own threshold.

    Raises:
        UsageError: The folder holds something else, or the choice of another run.
        StoreError: It cannot be written.
    """
    plan: dict[str, object] = {"chosen": [str(photo.path.resolve()) for photo in photos], "to": form}
    plan |= {} if min_score is None else {"min_score": min_score}
    target = Target(folder, plan, Damaged())
    if target.finished:
        return
    pictures = [
        Picture(p.name, p.path, p.width, p.height, "train", tuple(_box(guess) for guess in p.guesses)) for p in photos
    ]
    write_dataset(Dataset(tuple(labels), pictures), form, target)
    target.finish({"pictures": len(pictures)})


def _box(found: Detection) -> Box:
    x1, y1, x2, y2 = found.box
    return Box(found.label, x1, y1, x2 - x1, y2 - y1, found.score)
