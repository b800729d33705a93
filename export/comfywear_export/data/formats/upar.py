"""UPAR (Specker, Cormier, Beyerer, WACV 2023): a CSV with a picture of one person a line and 40 attributes of 0 or 1.

The first column is the picture's path from the folder that holds Market1501, PA100k and PETA. Each picture becomes one
box of a person with the attributes; age and gender are not read: this project neither predicts nor stores them.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from comfywear.errors import UsageError
from comfywear_export.data.formats.photos import find_photo, photo_size
from comfywear_export.data.formats.records import Box, Damaged, Dataset, Picture, plain_name, split_of
from comfywear_export.progress import counted

__all__ = ["COLUMNS", "found_in", "read"]

_COLOURS = (
    "Black", "Blue", "Brown", "Green", "Grey", "Orange", "Pink", "Purple", "Red", "White", "Yellow", "Other",
)  # fmt: skip

COLUMNS = (
    "Age-Young", "Age-Adult", "Age-Old", "Gender-Female", "Hair-Length-Short", "Hair-Length-Long", "Hair-Length-Bald",
    "UpperBody-Length-Short", *(f"UpperBody-Color-{colour}" for colour in _COLOURS),
    "LowerBody-Length-Short", *(f"LowerBody-Color-{colour}" for colour in _COLOURS),
    "LowerBody-Type-Trousers&Shorts", "LowerBody-Type-Skirt&Dress", "Accessory-Backpack", "Accessory-Bag",
    "Accessory-Glasses-Normal", "Accessory-Glasses-Sun", "Accessory-Hat",
)  # fmt: skip
"""The forty attributes in the order of the columns."""

_NEVER = ("Age-", "Gender-")
_ABOVE = 4  # folders between the CSV and that of the pictures (data/annotations/task1/train/gt.csv)


def found_in(path: Path) -> list[Path]:
    """The CSV files with UPAR's columns at a file or below a folder; an empty list when there is none."""
    files = [path] if path.is_file() else sorted(path.rglob("*.csv"))
    return [file for file in files if file.suffix == ".csv" and _columns(file)]


def read(path: Path, images: Path | None, damaged: Damaged) -> Dataset:
    """All persons of the files."""
    notes: Counter[str] = Counter()
    pictures: list[Picture] = []
    for file in found_in(path):
        folders = [images] if images else list(file.parents[: _ABOVE + 1])
        split = split_of(file.parent.name.partition("_")[0]) or split_of(file.stem)
        columns = _columns(file)
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))[1:]
        for number, row in enumerate(counted(rows, "persons"), 2):
            with damaged.within(f"{file}, line {number}", ""):
                if row:
                    pictures.append(_picture(row, columns, folders, split))
    notes["attributes of age and gender left out"] = sum(column.startswith(_NEVER) for column in COLUMNS)
    return Dataset(("person",), pictures, notes)


def _columns(file: Path) -> list[str]:
    """The attributes in the order of the file's columns after the first; an empty list when it is none of UPAR's."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            header = [cell.removeprefix("#").strip() for cell in next(csv.reader(stream), [])]
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, csv.Error):
        return []
    # Some published files forget the name of the first column.
    names = header if header[:1] == [COLUMNS[0]] else header[1:]
    return names if names and set(names) <= set(COLUMNS) else []


def _picture(row: list[str], columns: list[str], folders: list[Path], split: str) -> Picture:
    if len(row) != len(columns) + 1:
        raise ValueError(f"{len(row)} columns, expected a path and {len(columns)} attributes")
    wrong = [value for value in row[1:] if value not in ("0", "1")]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is neither 0 nor 1")
    name = plain_name(row[0], split)
    path = find_photo(row[0], folders)
    width, height = photo_size(path)
    said = zip(columns, row[1:], strict=True)
    attributes = {column: value for column, value in said if not column.startswith(_NEVER)}
    return Picture(name, path, width, height, split, (Box("person", 0, 0, width, height, attributes=attributes),))
