"""What was there before a restore, put back where the device that was restored does not come up."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from comfywear.backup.state import replaced, unused
from comfywear.errors import SourceError
from comfywear.system.files import replace_file
from comfywear.texts import Text

__all__ = ["Before", "as_they_are", "put_back", "state_put_back"]

Before = Mapping[Path, tuple[bytes, os.stat_result] | None]
"""What files held, with owner and mode; None for one that was not there."""


def as_they_are(paths: Sequence[Path]) -> Before:
    """What files hold now.

    Raises:
        SourceError: One cannot be read.
    """
    try:
        return {path: (path.read_bytes(), path.stat()) if path.is_file() else None for path in paths}
    except OSError as error:
        raise SourceError(
            Text("{filename} cannot be read ({why})", filename=error.filename, why=error.strerror)
        ) from error


def put_back(before: Before) -> None:
    """Have files be what they were; all are tried.

    Raises:
        SourceError: One or more cannot be written.
    """
    said = [_one_back(path, was) for path, was in before.items()]
    if failed := [each for each in said if each]:
        raise SourceError("; ".join(failed))


def state_put_back(folder: Path, aside: str | None) -> str:
    """Put what a restore had set aside in the place of all that is kept now; errors as `unused` and `replaced`.

    Args:
        folder: The state folder.
        aside: The name of the folder in it; None where there was nothing before.
    """
    with unused(folder):
        was = folder / (aside or ".restoring")
        names = [path.relative_to(was) for path in was.rglob("*") if path.is_file()]
        gone = folder / ".restored.part"
        try:
            replaced(folder, was, names, gone)
        finally:
            shutil.rmtree(gone, ignore_errors=True)
        shutil.rmtree(was, ignore_errors=True)
    return ""


def _one_back(path: Path, was: tuple[bytes, os.stat_result] | None) -> str:
    try:
        if was is None:
            path.unlink(missing_ok=True)
        elif not path.is_file() or path.read_bytes() != was[0]:
            replace_file(path, was[0], like=was[1])
    except OSError as error:
        return f"{path} cannot be written ({error.strerror})"
    return ""
