"""YOLO's layout (Ultralytics): `data.yaml`, and beside each `images/…/NAME.jpg` a `labels/…/NAME.txt`.

Read too without `data.yaml`, where the names stand line by line in `classes.txt` (Label Studio, labelImg) or in
`obj.names` (CVAT): then all pictures of the folder belong to it.

A line of a label file is `class x y width height`, the box's middle and size in parts of the picture's width and
height; a sixth number is the score of a guess; seven or more are a polygon, of which the box is taken. Scores are read
but not written: who trains with Ultralytics may not have them there.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from comfywear.errors import UsageError
from comfywear_export.data.formats.photos import ENDINGS, photo_size
from comfywear_export.data.formats.records import Box, Damaged, Dataset, Picture, plain_name, split_of, text_of, trimmed
from comfywear_export.data.formats.target import Target
from comfywear_export.progress import counted

__all__ = ["found_in", "read", "write"]

_PLANS = ("data.yaml", "data.yml", "dataset.yaml")
_NAMES = ("classes.txt", "obj.names")
_COMMAS = re.compile(r"\s*[^,\s]+(\s*,\s*[^,\s]+)+\s*")
_FOLDERS = {"validation": "val", "": "train"}
_SLACK = 1e-3  # of the picture's size: rounding


def found_in(path: Path) -> list[Path]:
    """The `data.yaml`, or the list of names, at a file or folder, in a list; an empty list when there is none."""
    if path.is_file():
        return [path] if path.suffix in (".yaml", ".yml") or path.name in _NAMES else []
    return [path / name for name in (*_PLANS, *_NAMES) if (path / name).is_file()][:1]


def read(path: Path, images: Path | None, damaged: Damaged) -> Dataset:
    """All pictures that `data.yaml` names; one without a label file has no box."""
    (file,) = found_in(path)
    notes: Counter[str] = Counter()
    try:
        labels, listed = _names(file, images) if file.name in _NAMES else _plan(file, images)
    except OSError as error:
        raise UsageError(f"{error.filename or file}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"{file}: not YOLO's {file.name} ({type(error).__name__}: {reason}); export it again"
        ) from error
    pictures = []
    for split, root, each in counted(listed, "pictures"):
        with damaged.within(each, ""):
            width, height = photo_size(each)
            text = next((text for text in _label_files(each) if text.is_file()), None)
            if text is None:
                notes["pictures without a label file"] += 1
            boxes = _boxes(text, labels, width, height, damaged) if text else []
            name = plain_name(each.relative_to(root).as_posix(), split)
            pictures.append(Picture(name, each, width, height, split, trimmed(boxes, width, height, notes)))
    expected = {text for _, _, each in listed for text in _label_files(each)}
    folders = {_label_file(each).parent for _, _, each in listed if "images" in each.parts[:-1]}
    for text in sorted(text for folder in folders for text in folder.glob("*.txt")):
        if text not in expected and text.name not in _NAMES:
            notes["label files without their picture left out"] += 1
            damaged.leave_out(text, "there is no picture of that name")
    return Dataset(labels, pictures, notes)


def write(dataset: Dataset, target: Target) -> None:
    """`data.yaml`, `images/SPLIT/NAME` and `labels/SPLIT/NAME.txt`; pictures without a split go to `train`."""
    numbers = {label: number for number, label in enumerate(dataset.labels)}
    texts: dict[str, str] = {}
    for picture, placed in target.place(dataset.pictures, _FOLDERS):
        lines = "".join(
            f"{numbers[box.label]} {(box.x + box.width / 2) / picture.width:.7f} "
            f"{(box.y + box.height / 2) / picture.height:.7f} {box.width / picture.width:.7f} "
            f"{box.height / picture.height:.7f}\n"
            for box in picture.boxes
        )
        text = _label_file(Path(placed)).as_posix()
        if text in texts:
            raise UsageError(f"{picture.path} and {texts[text]} would share the label file {text}: rename one of them")
        texts[text] = str(picture.path)
        target.write(text, lines)
    there = {picture.split or "train" for picture in dataset.pictures}
    paths = {_FOLDERS.get(split, split): f"images/{_FOLDERS.get(split, split)}" for split in sorted(there)}
    data = {**paths, "names": dict(enumerate(dataset.labels))}
    target.write("data.yaml", yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def _plan(file: Path, images: Path | None) -> tuple[tuple[str, ...], list[tuple[str, Path, Path]]]:
    """The names of `data.yaml`, and each picture with its split and the folder that was named."""
    data = yaml.safe_load(text_of(file))
    listed = [
        (split_of(key), root, each)
        for key in ("train", "val", "valid", "test")
        for root, each in _pictures(file, data.get("path"), images, data.get(key))
    ]
    return _labels(data), listed


def _names(file: Path, images: Path | None) -> tuple[tuple[str, ...], list[tuple[str, Path, Path]]]:
    """The names of a list, and each picture of its folder; a folder named as a split says which it is in."""
    labels = tuple(line.strip() for line in text_of(file).rstrip().splitlines())
    if not labels or not all(labels):
        raise ValueError("there is a line without a name")
    base = images or (file.parent / "images" if (file.parent / "images").is_dir() else file.parent)
    listed = []
    for root, each in _below(base.resolve()):
        first = each.relative_to(root).parts[0]
        listed.append((split_of(first) if root / first != each else "", root, each))
    return labels, listed


def _below(folder: Path) -> list[tuple[Path, Path]]:
    pictures = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
    return [(folder, picture) for picture in pictures]


def _labels(data: Any) -> tuple[str, ...]:
    names = data["names"]
    if isinstance(names, dict):
        if sorted(int(key) for key in names) != list(range(len(names))):
            raise ValueError("the names are not numbered from 0 on")
        names = [names[key] for key in sorted(names, key=int)]
    if "nc" in data and int(data["nc"]) != len(names):
        raise ValueError(f"nc is {data['nc']}, but there are {len(names)} names")
    return tuple(str(name) for name in names)


def _pictures(file: Path, path: Any, images: Path | None, named: Any) -> list[tuple[Path, Path]]:
    """The folder of pictures and each picture in it that an entry (a folder, a list file or several) names."""
    found: list[tuple[Path, Path]] = []
    for each in named if isinstance(named, list) else [named] if named else []:
        where = _inside(file, path, images, str(each))
        if where.is_dir():
            found += _below(where)
        else:
            lines = text_of(where).splitlines()
            base = (images or file.parent).resolve()
            found += [(base, _inside(file, path, images, line.strip())) for line in lines if line.strip()]
    return found


def _inside(file: Path, path: Any, images: Path | None, name: str) -> Path:
    """The file or folder of that name; Roboflow writes `../train/images` for one beside `data.yaml`."""
    base = images or file.parent
    for root in dict.fromkeys([base / str(path or "."), base]):
        for short in (name, name.removeprefix("../")):
            where = (root / short).resolve()
            if where.exists() and where.is_relative_to(base.resolve()):
                return base.resolve() / where.relative_to(base.resolve())
    raise ValueError(f"there is no {name!r} in {base}")


def _label_file(picture: Path) -> Path:
    """Where the labels of a picture are: the last folder `images` of its path is `labels`."""
    parts = list(picture.parts)
    at = [i for i, part in enumerate(parts[:-1]) if part == "images"]
    if at:
        parts[at[-1]] = "labels"
    return Path(*parts).with_suffix(".txt")


def _label_files(picture: Path) -> tuple[Path, Path]:
    """The same, and the one beside the picture."""
    return _label_file(picture), picture.with_suffix(".txt")


def _boxes(file: Path, labels: tuple[str, ...], width: int, height: int, damaged: Damaged) -> list[Box]:
    boxes = []
    for number, line in enumerate(text_of(file).splitlines(), 1):
        if line.strip():
            with damaged.within(f"{file}, line {number}", ""):
                boxes.append(_box(_words(line), labels, width, height))
    return boxes


def _words(line: str) -> list[str]:
    """The numbers of a line, between spaces or between commas; a comma between spaces' words is a decimal one."""
    if _COMMAS.fullmatch(line):
        return line.replace(",", " ").split()
    return line.replace(",", ".").split()


def _box(words: list[str], labels: tuple[str, ...], width: int, height: int) -> Box:
    kind, values = int(float(words[0])), [float(word) for word in words[1:]]
    if not 0 <= kind < len(labels):
        raise ValueError(f"class {kind} is not among the {len(labels)} names of data.yaml")
    score = values.pop() if len(values) == 5 else None
    if len(values) < 4 or len(values) % 2:
        raise ValueError(f"{len(words)} numbers are neither a box (5) nor a polygon")
    if not all(-_SLACK <= value <= 1 + _SLACK for value in values):
        raise ValueError("numbers beyond 0…1; YOLO's are parts of the picture's size, not pixels")
    if len(values) > 4:
        x1, x2, y1, y2 = min(values[::2]), max(values[::2]), min(values[1::2]), max(values[1::2])
    else:
        x, y, across, down = values
        x1, x2, y1, y2 = x - across / 2, x + across / 2, y - down / 2, y + down / 2
    return Box(labels[kind], x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height, score)
