"""What may be labelled: a folder of photos, a device's captures, a data set, or a clip; and when each was taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2

from comfywear.errors import UsageError
from comfywear_export.active.spacing import Moment
from comfywear_export.data.formats import READERS, Damaged, read_dataset
from comfywear_export.data.formats.photos import ENDINGS

__all__ = ["CLIPS", "Candidate", "candidates"]

CLIPS = frozenset({".mp4", ".mkv", ".avi", ".webm", ".mov"})
_NUMBER = re.compile(r"^(.*?)(\d+)$")
_QUALITY = 95


@dataclass(frozen=True)
class Candidate:
    """A photo that may be labelled, its name within its source, and when it was taken, if that is known."""

    path: Path
    name: str
    moment: Moment | None = None


def candidates(source: Path, frames: Path, fps: float, every_s: float) -> list[Candidate]:
    """The photos of a source, in its order.

    Args:
        source: A folder of photos, of captures or of a data set, or a clip.
        frames: Where the frames of a clip go.
        fps: Of a folder of frames that are numbered at the end of their names; 0: they are no clip.
        every_s: Seconds of a clip between two frames that are taken.

    Raises:
        UsageError: There is no such source, or it holds no photo.
    """
    if source.is_file() and source.suffix.lower() in CLIPS:
        found = list(_of_clip(source, frames, every_s))
    elif source.exists() and any(module.found_in(source) for module in READERS.values()):
        pictures = read_dataset(source, damaged=Damaged(skip=True)).pictures
        found = [
            Candidate(p.path, p.name, _captured(p.attributes.get("zone", ""), p.attributes.get("ts"))) for p in pictures
        ]
    elif source.is_dir():
        paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in ENDINGS)
        found = [Candidate(p, p.relative_to(source).as_posix(), _numbered(p, fps)) for p in paths]
    else:
        raise UsageError(
            f"{source}: give a folder of photos or captures, a data set, or a clip ({', '.join(sorted(CLIPS))})"
        )
    if not found:
        raise UsageError(f"{source}: no photo in it")
    return found


def _captured(zone: str, stamp: str | None) -> Moment | None:
    try:
        return Moment(zone, datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()) if stamp else None
    except ValueError:
        return None


def _numbered(path: Path, fps: float) -> Moment | None:
    match = _NUMBER.match(path.stem)
    return Moment(str(path.parent / match[1]), int(match[2]) / fps) if match and fps > 0 else None


def _of_clip(path: Path, frames: Path, every_s: float) -> Iterator[Candidate]:
    """Frames of a clip, written as JPEG; those that are there already are not written again."""
    clip = cv2.VideoCapture(str(path))
    fps = clip.get(cv2.CAP_PROP_FPS) or 25.0
    step, number = max(1, round(every_s * fps)), 0
    frames.mkdir(parents=True, exist_ok=True)
    while clip.grab():
        if number % step == 0:
            file = frames / f"{path.stem}-{number:07}.jpg"
            if not file.is_file():
                done, image = clip.retrieve()
                if not done:
                    break
                part = file.with_suffix(".part.jpg")
                cv2.imwrite(str(part), image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
                part.replace(file)
            yield Candidate(file, file.name, Moment(path.name, number / fps))
        number += 1
    clip.release()
