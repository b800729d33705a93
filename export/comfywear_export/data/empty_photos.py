"""Photos with nobody in them: a data set without boxes, or plain folders of photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from comfywear.errors import UsageError
from comfywear_export.data.datasets import Photo, read_bare, read_set

__all__ = ["read_empty"]


def read_empty(folder: Path, split: str | None = None) -> list[Photo]:
    """The photos of `folder` in which nobody is, each with its `source`.

    With `instances.json` those of the split without a box of a person; the source is what the file says. Without it all
    photos below the folder, or below its sub-folder named as the split where there is one; the source is the first
    folder below that (clothing-small: a garment's class).

    Raises:
        UsageError: There is no such folder, no photo in it, or one is not readable; or the set does not label every
            person, so that a photo without a box says nothing.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder")
    photos = _of_set(folder, split) if (folder / "instances.json").is_file() else _plain(folder, split)
    if not photos:
        raise UsageError(f"{folder}: no photo without persons in it")
    return photos


def _of_set(folder: Path, split: str | None) -> list[Photo]:
    photos = read_set(folder, split)
    if not all(photo.all_persons for photo in photos):
        raise UsageError(f"{folder}: it does not label every person, so that a photo without a box may show one")
    return [photo for photo in photos if "person" not in photo.names]


def _plain(folder: Path, split: str | None) -> list[Photo]:
    root = folder / split if split and (folder / split).is_dir() else folder
    photos = []
    for photo in read_bare(root):
        below = photo.path.relative_to(root).parts
        if not photo.path.name.startswith("."):
            photos.append(replace(photo, split=split or "", source=below[0] if len(below) > 1 else ""))
    return photos
