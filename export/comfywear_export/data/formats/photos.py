"""The pictures of a data set: where they are, how large, and whether they can be decoded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from PIL import Image, ImageFile

from comfywear_export.data.formats.records import leads_out

__all__ = ["ENDINGS", "check_photo", "find_photo", "photo_size"]

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_ORIENTATION = 0x0112  # Exif's tag; 5…8 are turned by a quarter
_PROJECT = re.compile(r"(images/)?\d+/[^/]+")
_FAULTS = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def find_photo(name: str, folders: Sequence[Path]) -> Path:
    """The file of that name in the first of the folders that has it; ValueError when none has.

    A name may be written as on Windows. Label Studio writes where its server keeps a picture, its address, or the
    number of the project in front: such a name is looked for by its last part, in these folders alone.
    """
    plain = name.replace("\\", "/")
    outside = leads_out(name) or "?d=" in plain
    names = [] if outside else [name, plain]
    if outside or _PROJECT.fullmatch(plain):
        last = PurePosixPath(plain.rpartition("?d=")[2]).name
        names += [last, unquote(last)]
    for short in dict.fromkeys(names):
        for folder in folders:
            if short and (folder / short).is_file():
                return folder / short
    if leads_out(name):
        raise ValueError(f"the name {name!r} leads out of the data set's folder")
    where = ", ".join(dict.fromkeys(str(folder) for folder in folders))
    raise ValueError(f"there is no picture {name!r} in {where}")


def photo_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as every viewer shows it, that is, turned as Exif says; only the header is read.

    Raises:
        ValueError: It is not there or not a picture.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except _FAULTS as error:
        raise ValueError(f"not a readable picture ({_reason(error)})") from error
    return (height, width) if turned else (width, height)


def check_photo(path: Path) -> None:
    """Decode the picture to its last byte, coarsely where the format allows.

    Raises:
        ValueError: It is cut off or damaged.
    """
    # A picture that ends too early would otherwise be filled up with grey.
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        with Image.open(path) as image:
            image.draft("L", (image.width // 8, image.height // 8))
            image.load()
    except _FAULTS as error:
        raise ValueError(f"the picture is damaged ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).partition("\n")[0]
