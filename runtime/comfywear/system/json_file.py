"""A small value kept as a JSON file in the state folder: whole or not at all, also over a loss of power."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

import msgspec

from comfywear.errors import StoreError
from comfywear.system.files import replace_file
from comfywear.texts import encode

__all__ = ["load_json", "save_json"]

_log = logging.getLogger(__name__)
T = TypeVar("T")


def load_json(path: Path, default: T) -> T:
    """What the file holds, of the type of `default`; `default` when there is none or it cannot be read (logged)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type(default))
    except FileNotFoundError:
        return default
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        _log.error("%s cannot be read and is passed over (%s)", path, error)
        return default


def save_json(path: Path, value: object) -> None:
    """Replace the file, on the disk when this returns.

    Raises:
        StoreError: When it could not be written; the file is then what it was.
    """
    try:
        replace_file(path, encode(value))
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror})") from error
