"""CVAT's own XML for images, version 1.1 (docs.cvat.ai, "XML annotation format"): `annotations.xml` and `images/`.

A turned box is read as the upright one around it. In CVAT: make a task of the pictures with these labels, then Menu,
Upload annotations, CVAT 1.1. Boxes that a model guessed are marked `source="auto"`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

from comfywear.errors import UsageError
from comfywear_export.data.formats.photos import find_photo, photo_size
from comfywear_export.data.formats.records import (
    Box,
    Damaged,
    Dataset,
    Picture,
    around,
    leads_out,
    plain_name,
    split_of,
    text_of,
    trimmed,
)
from comfywear_export.data.formats.target import Target
from comfywear_export.progress import counted

__all__ = ["found_in", "read", "write"]

_SCORE = "score"


def found_in(path: Path) -> list[Path]:
    """The `annotations.xml` at a file or folder, in a list; an empty list when there is none."""
    file = path / "annotations.xml" if path.is_dir() else path
    return [file] if file.suffix == ".xml" and file.is_file() else []


def read(path: Path, images: Path | None, damaged: Damaged) -> Dataset:
    """All pictures of the file with their boxes; other shapes are left out and counted."""
    (file,) = found_in(path)
    notes: Counter[str] = Counter()
    root = _root(file)
    labels = dict.fromkeys(each.findtext("name") or "" for each in root.iterfind("./meta//labels/label"))
    pictures = []
    for element in counted(root.findall("image"), "pictures"):
        with damaged.within(file, f"image {element.get('name')!r}", ValueError, KeyError):
            pictures.append(_picture(element, file, images, damaged, notes))
    labels.update(dict.fromkeys(box.label for picture in pictures for box in picture.boxes))
    return Dataset(tuple(labels), pictures, notes)


def write(dataset: Dataset, target: Target) -> None:
    """`annotations.xml` and `images/SPLIT/NAME`."""
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    ET.SubElement(task, "name").text = target.folder.name
    size = ET.SubElement(task, "size")
    ET.SubElement(task, "mode").text = "annotation"
    _write_labels(ET.SubElement(task, "labels"), dataset)
    count = 0
    for picture, placed in target.place(dataset.pictures):
        image = ET.SubElement(root, "image", id=str(count), name=placed.removeprefix("images/"))
        if picture.split:
            image.set("subset", picture.split)
        image.set("width", str(picture.width))
        image.set("height", str(picture.height))
        for box in picture.boxes:
            _write_box(image, box)
        count += 1
    size.text = str(count)
    ET.indent(root)
    target.write("annotations.xml", '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode"))


def _root(file: Path) -> ET.Element:
    try:
        # In UTF-8 alone, as CVAT writes it: in another encoding a DOCTYPE would pass the next line.
        text = text_of(file)
        if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities can grow without bound
            raise UsageError(f"{file}: it declares entities, which CVAT's files do not; export it again")
        root = ET.fromstring(text)  # noqa: S314 - without entities there is nothing to grow
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except (ET.ParseError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{file}: not XML, or cut off ({error}); export it again") from error
    version = root.findtext("version")
    if root.tag != "annotations" or version != "1.1":
        raise UsageError(f"{file}: version {version} of <{root.tag}> is not read; export as 'CVAT for images 1.1'")
    if root.find("track") is not None:
        raise UsageError(f"{file}: tracks of a video; export as 'CVAT for images 1.1'")
    return root


def _picture(element: ET.Element, file: Path, images: Path | None, damaged: Damaged, notes: Counter[str]) -> Picture:
    given = element.attrib["name"]
    first, _, rest = given.partition("/")
    split = split_of(element.get("subset", "")) or (split_of(first) if rest else "")
    roots = [images] if images else [file.parent / "images", file.parent]
    path = find_photo(given, [*roots, *(root / element.get("subset", "") for root in roots)])
    name = path.name if leads_out(given) else plain_name(given, split)
    said, real = (int(element.attrib["width"]), int(element.attrib["height"])), photo_size(path)
    if said != real:
        raise ValueError(f"the file says {said[0]} × {said[1]} pixels, the picture has {real[0]} × {real[1]}")
    others = sum(each.tag not in ("box",) for each in element)
    if others:
        notes["shapes that are no boxes left out"] += others
    boxes = []
    for each in element.iterfind("box"):
        with damaged.within(file, f"image {given!r}, a box of {each.get('label')!r}", ValueError, KeyError):
            boxes.append(_box(each))
    return Picture(name, path, *real, split, trimmed(boxes, *real, notes))


def _box(element: ET.Element) -> Box:
    x1, y1, x2, y2 = (float(element.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
    attributes = {each.attrib["name"]: each.text or "" for each in element.iterfind("attribute")}
    score = attributes.pop(_SCORE, None)
    guessed = element.get("source") == "auto" and score
    box = Box(element.attrib["label"], x1, y1, x2 - x1, y2 - y1, float(score) if guessed and score else None,
              attributes=attributes)  # fmt: skip
    turned = float(element.get("rotation") or 0)
    return around(box, turned) if turned else box


def _write_labels(parent: ET.Element, dataset: Dataset) -> None:
    """The labels with the names of their attributes, as a task in CVAT needs them."""
    names: dict[str, dict[str, None]] = {label: {} for label in dataset.labels}
    for picture in dataset.pictures:
        for box in picture.boxes:
            names[box.label].update(dict.fromkeys(box.attributes))
            if box.score is not None:
                names[box.label][_SCORE] = None
    for label, attributes in names.items():
        element = ET.SubElement(parent, "label")
        ET.SubElement(element, "name").text = label
        ET.SubElement(element, "type").text = "rectangle"
        listed = ET.SubElement(element, "attributes")
        for attribute in attributes:
            entry = ET.SubElement(listed, "attribute")
            for key, text in (("name", attribute), ("mutable", "False"), ("input_type", "text")):
                ET.SubElement(entry, key).text = text
            ET.SubElement(entry, "default_value")
            ET.SubElement(entry, "values")


def _write_box(image: ET.Element, box: Box) -> None:
    corners = {"xtl": box.x, "ytl": box.y, "xbr": box.x + box.width, "ybr": box.y + box.height}
    source = "manual" if box.score is None else "auto"
    element = ET.SubElement(image, "box", label=box.label, source=source, occluded="0")
    for key, value in corners.items():
        element.set(key, f"{value:.3f}")
    element.set("z_order", "0")
    score = {} if box.score is None else {_SCORE: f"{box.score:.4f}"}
    for name, text in {**box.attributes, **score}.items():
        ET.SubElement(element, "attribute", name=name).text = text
