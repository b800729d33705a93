"""The pictures of a data set: where they are, how large, and whether they can be decoded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageFile

__all__ = ["ENDINGS", "check_photo", "find_photo", "photo_size"]

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_ORIENTATION = 0x0112  # Exif's tag; 5…8 are turned by a quarter
_FAULTS = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def find_photo(name: str, folders: Sequence[Path]) -> Path:
    """The file of that name in the first of the folders that has it; ValueError when none has."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
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
