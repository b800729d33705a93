"""Reads what the persons of a data set wear: from its boxes' labels, its image-level tags and its derived labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.data.labels import ATTRIBUTE_GROUPS, ATTRIBUTE_LABELS, EITHER, SINGLE_GARMENTS, UPAR
from comfywear_export.data.wearing import Meaning, extents

__all__ = ["Example", "read_examples", "read_tagged", "tagged_photos"]

Answers = dict[str, bool | None]


@dataclass(frozen=True, eq=False)
class Example:
    """One person in a photo.

    Attributes:
        path: The photo's file.
        box: `(4,) float32` x1 y1 x2 y2 in pixels of the photo.
        answers: `(A,) float32` in the order of the attribute labels: 1, 0, or NaN where it is not known.
        mask: The file of pixel labels, if there is one.
        places: `(A, 4) float32` x1 y1 x2 y2: around what is worn of each attribute label; NaN where it has no box.
        either: `(E,) float32`, 1 where one of the two attributes of each pair of EITHER is right; else NaN.
        set_name: The name of the data set's folder.
    """

    path: Path
    box: NDArray[np.float32]
    answers: NDArray[np.float32]
    mask: Path | None = None
    places: NDArray[np.float32] = field(default_factory=lambda: extents({}, {}))
    either: NDArray[np.float32] = field(default_factory=lambda: np.full(len(EITHER), np.nan, np.float32))
    set_name: str = ""


def read_examples(folder: Path, split: str | None = None) -> list[Example]:
    """One example for each photo with exactly one labelled person and at least one garment label or UPAR attribute.

    Sleeves, hems and the UPAR subset come from `derived.json` where there is one, and from the person's `attributes`,
    as `comfywear-export dataset` writes them of UPAR. Without any garment label it is not known what is worn. A set
    that labels kinds of garments, not the garments of Clothing Co-Parsing, leaves the rest unknown (`Meaning`).

    Raises:
        UsageError: The folder or split has no such photo.
    """
    data = _read(folder / "instances.json")
    derived = _read(folder / "derived.json") if (folder / "derived.json").is_file() else {}
    names = {int(c["id"]): str(c["name"]) for c in data["categories"]}
    meaning = Meaning.of(data["categories"])
    boxes: dict[int, list[tuple[str, list[float], dict[str, Any]]]] = {}
    for annotation in data["annotations"]:
        entry = (names[int(annotation["category_id"])], annotation["bbox"], annotation.get("attributes") or {})
        boxes.setdefault(int(annotation["image_id"]), []).append(entry)
    examples = []
    for image in data["images"]:
        own = boxes.get(int(image["id"]), [])
        persons = [(box, _told(attributes)) for name, box, attributes in own if name == "person"]
        worn = {name for name, _, _ in own} - {"person"}
        if len(persons) == 1 and (worn or persons[0][1]) and split in (None, image.get("split")):
            (x, y, width, height), told = persons[0]
            known = _derived(derived.get(Path(str(image["file_name"])).stem, {}))
            said = meaning.answers(worn) if meaning.partial else _garments(worn)
            answers = {**(said if worn else {}), **known, **told}
            mask = image.get("mask_file")
            example = Example(
                path=folder / str(image["file_name"]),
                box=np.array([x, y, x + width, y + height], np.float32),
                answers=_row(answers),
                mask=folder / str(mask) if mask else None,
                places=_places(own, meaning, answers),
                either=meaning.either(worn),
                set_name=folder.name,
            )
            examples.append(example)
    if not examples:
        raise UsageError(f"{folder}: no photo in split {split!r} with one person and labelled garments")
    return examples


def read_tagged(folder: Path, find: Callable[[Path], NDArray[np.float32] | None]) -> list[Example]:
    """Photos with image-level tags only, without near-duplicates and without those in which nobody is found.

    Args:
        folder: Of the set; an empty list comes back when it has no `tags.json`.
        find: The box of the main person in a photo, `(4,)`, or None.
    """
    examples = []
    for path, tags in tagged_photos(folder):
        box = find(path)
        if box is not None:
            # Tags name the kind of shoe (heels, flats, …) where masks mostly say "shoes".
            row = _row({**_garments(tags), "garment/shoes": None})
            examples.append(Example(path, box, row, set_name=folder.name))
    return examples


def tagged_photos(folder: Path) -> list[tuple[Path, set[str]]]:
    """The photos of `folder` of which only image-level tags are known, with these; without near-duplicates.

    An empty list comes back when it has no `tags.json`.
    """
    if not (folder / "tags.json").is_file():
        return []
    pairs = _read(folder / "splits.json").get("near_duplicate_pairs", [])
    doubled = {name for pair in pairs for name in pair}
    named = {name: set(tags) for name, tags in _read(folder / "tags.json").items() if name not in doubled}
    paths = {name: folder / "photos" / f"{name}.jpg" for name in named}
    return [(paths[name], tags) for name, tags in named.items() if paths[name].is_file()]


def _garments(worn: set[str]) -> Answers:
    answers: Answers = {f"group/{group}": bool(worn & set(labels)) for group, labels in ATTRIBUTE_GROUPS.items()}
    answers.update({f"garment/{name}": name in worn for name in SINGLE_GARMENTS})
    return answers


def _places(own: list[tuple[str, list[float], dict[str, Any]]], meaning: Meaning, answers: Answers) -> NDArray[Any]:
    """Around the boxes behind each attribute that is worn, or whose end is asked about."""
    boxes: dict[str, list[list[float]]] = {}
    for name, (x, y, width, height), _ in own:
        boxes.setdefault(name, []).append([x, y, x + width, y + height])
    places = extents(boxes, meaning.garments)
    absent = [answers.get(label) is None for label in ATTRIBUTE_LABELS]
    places[absent] = np.nan
    return places


def _derived(entry: Mapping[str, Any]) -> Answers:
    if not entry:
        return {}
    upar, sleeve = entry.get("upar", {}), entry.get("sleeve", {}).get("value")
    short = {"long": False, "short": True, "sleeveless": True, "short_or_sleeveless": True}.get(sleeve)
    none = {"long": False, "short": False, "sleeveless": True}.get(sleeve)
    answers: Answers = {
        "sleeve/short": short,
        "sleeve/none": none,
        "leg/short": _bit(upar.get("LowerBody-Length-Short")),
    }
    for name in (
        "UpperBody-Length-Short", "LowerBody-Length-Short", "Accessory-Bag", "Accessory-Glasses-Normal",
        "Accessory-Glasses-Sun", "Accessory-Hat",
    ):  # fmt: skip
        answers[f"upar/{name}"] = _bit(upar.get(name))
    lower, hair = upar.get("LowerBody-Type"), upar.get("Hair-Length")
    answers["upar/LowerBody-Type-Trousers&Shorts"] = None if lower is None else lower == "trousers_shorts"
    answers["upar/LowerBody-Type-Skirt&Dress"] = None if lower is None else lower == "skirt_dress"
    answers["upar/Hair-Length-Short"] = None if hair is None else hair == "short"
    answers["upar/Hair-Length-Long"] = None if hair is None else hair == "long"
    return answers


def _told(attributes: Mapping[str, Any]) -> Answers:
    """What a person's attributes with the names of UPAR say; others are passed over."""
    said = {name: str(attributes[name]) == "1" for name in UPAR if str(attributes.get(name)) in ("0", "1")}
    answers: Answers = {f"upar/{name}": value for name, value in said.items()}
    if "UpperBody-Length-Short" in said:
        answers["sleeve/short"] = said["UpperBody-Length-Short"]
        answers["sleeve/none"] = None if said["UpperBody-Length-Short"] else False
    if "LowerBody-Length-Short" in said:
        answers["leg/short"] = said["LowerBody-Length-Short"]
    return answers


def _bit(value: object) -> bool | None:
    return None if value is None else bool(value)


def _row(answers: Answers) -> NDArray[np.float32]:
    values = [answers.get(label) for label in ATTRIBUTE_LABELS]
    return np.array([np.nan if value is None else float(value) for value in values], np.float32)


def _read(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UsageError(f"{path}: not JSON: {error}") from error
    return data
