"""A small value kept as a JSON file in the state folder: whole or not at all, also over a loss of power."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from comfywear.errors import StoreError

__all__ = ["keep", "kept"]

_log = logging.getLogger(__name__)
T = TypeVar("T")


def kept(path: Path, default: T) -> T:
    """What the file holds, of the type of `default`; `default` when there is none or it cannot be read (logged)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=type(default))
    except FileNotFoundError:
        return default
    except (OSError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        _log.error("%s cannot be read and is passed over (%s)", path, error)
        return default


def keep(path: Path, value: object) -> None:
    """Replace the file, on the disk when this returns.

    Raises:
        StoreError: When it could not be written; the file is then what it was.
    """
    beside = path.with_name(f"{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(value))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror})") from error
