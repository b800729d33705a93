"""What every format is read into and written from: pictures with labelled boxes, in pixels."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from comfywear.errors import UsageError

__all__ = [
    "Box",
    "Damaged",
    "Dataset",
    "Picture",
    "around",
    "leads_out",
    "parsed",
    "plain_name",
    "split_of",
    "text_of",
    "trimmed",
]

_SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation"}
_SPLITS |= {"validation": "validation", "test": "test", "testing": "test"}
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(/|$)")  # C:/ and http://
_SLACK = 1.0  # pixels that a box may reach beyond its picture before that is worth a word: rounding


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled box; `x` and `y` are its upper left corner, all four in pixels of the picture.

    Attributes:
        score: Of the model that guessed the box, 0…1; None where a person drew it.
        crowd: COCO's `iscrowd`: many of the kind in one box.
        attributes: What else the format says of it, as text.
        threshold: Score from which the model that guessed the box believes it; None where that is not known.

    Raises:
        ValueError: A number is no number.
    """

    label: str
    x: float
    y: float
    width: float
    height: float
    score: float | None = None
    crowd: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    threshold: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        values = (self.x, self.y, self.width, self.height)
        if not all(math.isfinite(value) for value in (*values, self.score or 0.0)):
            raise ValueError(f"a box of {self.label!r} is not made of numbers: {values}, score {self.score}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its boxes.

    Attributes:
        name: Relative path with "/", without the folder of its split; unique within the split.
        path: The file.
        split: "train", "validation", "test" or "" where the data set does not say.
        together: Pictures with the same text never come apart when splits are made; "" stands alone.
        attributes: What else the format says of it, as text.
    """

    name: str
    path: Path
    width: int
    height: int
    split: str = ""
    boxes: tuple[Box, ...] = ()
    together: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Pictures with their labels.

    Attributes:
        labels: In their order.
        notes: What the reader changed or left out, in words, with counts.
        known: What this project's own sets say of what they label (`datasets.read_set`).
    """

    labels: tuple[str, ...]
    pictures: list[Picture]
    notes: Counter[str] = field(default_factory=Counter)
    known: Mapping[str, bool] = field(default_factory=dict)


class Damaged:
    """What happens to a damaged picture or record: the reading stops with its name, or it is left out and noted.

    Args:
        skip: Leave it out.

    Attributes:
        found: What was left out, and why, a line each.
    """

    def __init__(self, skip: bool = False) -> None:
        self._skip = skip
        self.found: list[str] = []

    @contextmanager
    def within(self, where: Path | str, what: str, *faults: type[Exception]) -> Iterator[None]:
        """Refuse what is read inside, as `what`, when one of `faults` is raised there (ValueError unless named)."""
        # The last two are numbers and brackets without end.
        caught: tuple[type[Exception], ...] = (*(faults or (ValueError,)), OverflowError, RecursionError)
        try:
            yield
        except UsageError:
            raise  # refused inside, with its own name
        except caught as error:
            missing = f"there is no {error}" if isinstance(error, KeyError) else str(error)
            self.refuse(where, f"{what}: {getattr(error, 'strerror', None) or missing}" if what else missing)

    def refuse(self, where: Path | str, what: str) -> None:
        """Say what is wrong with a file.

        Raises:
            UsageError: Unless damaged files are to be left out.
        """
        if not self._skip:
            raise UsageError(f"{where}: {what}; mend or remove it, or leave it out with --skip-damaged")
        self.leave_out(where, what)

    def leave_out(self, where: Path | str, what: str) -> None:
        """Note what says nothing of any picture, such as a label without its picture: nothing is lost without it."""
        self.found.append(f"{where}: {what}")


def text_of(path: Path) -> str:
    """The text of a label file in UTF-8, with or without a byte order mark in front.

    Raises:
        OSError: It cannot be read.
        ValueError: It is in another encoding.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not in UTF-8 ({error.reason}); save it in that encoding") from error


def parsed(path: Path) -> Any:
    """What is in a JSON file; OSError and ValueError as `text_of`, RecursionError where brackets have no end."""
    return json.loads(text_of(path))


def split_of(word: str) -> str:
    """The split that a folder or a key is named for ("valid", "val2017", "train"), or ""."""
    return _SPLITS.get(word.lower().rstrip("0123456789"), "")


def leads_out(name: str) -> bool:
    """Whether a file's name as a data set gives it is none of a file in the data set's folder."""
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    return not path.parts or path.is_absolute() or ".." in path.parts or bool(_ELSEWHERE.match(plain))


def plain_name(name: str, split: str) -> str:
    """A file's name as a data set gives it, without the folders `images` and that of its split in front.

    Raises:
        ValueError: The name leads out of the data set's folder.
    """
    if leads_out(name):
        raise ValueError(f"the name {name!r} leads out of the data set's folder")
    parts = list(PurePosixPath(name.replace("\\", "/")).parts)
    if len(parts) > 1 and parts[0] == "images":
        parts = parts[1:]
    if len(parts) > 1 and split and split_of(parts[0]) == split:
        parts = parts[1:]
    return "/".join(parts)


def around(box: Box, degrees: float) -> Box:
    """The upright box around one that was turned about its middle; ValueError when the angle is no number."""
    if not math.isfinite(degrees):
        raise ValueError(f"a box of {box.label!r} is turned by {degrees}")
    turn = math.radians(degrees)
    cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
    width, height = box.width * cos + box.height * sin, box.width * sin + box.height * cos
    x, y = box.x + (box.width - width) / 2, box.y + (box.height - height) / 2
    return replace(box, x=x, y=y, width=width, height=height)


def trimmed(boxes: Sequence[Box], width: int, height: int, notes: Counter[str]) -> tuple[Box, ...]:
    """The boxes within their picture; what was cut or has no area is noted."""
    kept = []
    for box in boxes:
        x1, y1 = max(box.x, 0.0), max(box.y, 0.0)
        x2, y2 = min(box.x + box.width, float(width)), min(box.y + box.height, float(height))
        if x2 <= x1 or y2 <= y1:
            notes["boxes without area left out"] += 1
            continue
        beyond = max(-box.x, -box.y, box.x + box.width - width, box.y + box.height - height)
        if beyond > _SLACK:
            notes["boxes cut at the picture's edge"] += 1
        if beyond > 0:
            box = replace(box, x=x1, y=y1, width=x2 - x1, height=y2 - y1)
        kept.append(box)
    return tuple(kept)
