"""What of a state folder is worth keeping, read while the device runs, and put back in one go."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from comfywear.errors import StoreError
from comfywear.texts import Text

__all__ = ["OF_THE_ID", "copied", "is_kept", "kept_files", "replaced", "unused"]

# Not kept: what another program may hold open now, what this board alone means, what waits for the broker (it would be
# sent twice), the page's keys and who is signed in, secrets, pictures, and what was set aside as damaged; nor settings
# and drafts of them, where secrets stand: a backup has the settings beside its state, with secrets cut or locked.
_LEFT_OUT = re.compile(
    r"lock|control|page\.key|page-(cert|key)\.pem|page-sessions\.json|page-restore\.json|engines\.json"
    r"|.*\.toml(\..*)?|setup\.json|spool\.sqlite.*|captures|secrets|before-restore-.*|\.restoring|.*\.damaged.*"
    r"|.*-wal|.*-shm|.*\.new|.*\.part"
)
OF_THE_ID = ("homeassistant.json", "retained.json")
"""What the device has told the broker under its id: nothing to a device of another id."""


def is_kept(name: Path) -> bool:
    """Whether a file of a state folder, as a path in it, is one that is kept."""
    return not any(_LEFT_OUT.fullmatch(part) for part in name.parts)


def kept_files(folder: Path) -> list[Path]:
    """The files of a state folder that are kept, as paths in it, sorted; links are none.

    Raises:
        StoreError: When the folder cannot be read.
    """
    found = []
    try:
        for here, folders, files in os.walk(folder, onerror=_raise):
            folders[:] = [name for name in folders if not _LEFT_OUT.fullmatch(name)]
            for name in files:
                path = Path(here) / name
                if not _LEFT_OUT.fullmatch(name) and path.is_file() and not path.is_symlink():
                    found.append(path.relative_to(folder))
    except OSError as error:
        raise StoreError(Text("{folder} cannot be read ({why})", folder=folder, why=error.strerror)) from error
    return sorted(found)


def copied(source: Path, target: Path) -> None:
    """Copy a file of a state folder as of one moment, also while the device writes to it.

    Raises:
        FileNotFoundError: When it is not there any more.
        StoreError: When it cannot be read or written, or is a database that is damaged.
    """
    try:
        if source.suffix != ".sqlite":
            shutil.copyfile(source, target)
            return
        with (
            closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            if (said := copy.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise StoreError(
                    Text(
                        "{source} is damaged ({said}); start the device once, which mends or replaces it",
                        source=source,
                        said=said,
                    )
                )
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(Text("{source} cannot be copied ({why})", source=source, why=error.strerror)) from error
    except sqlite3.Error as error:
        raise StoreError(Text("{source} cannot be copied ({why})", source=source, why=error)) from error


@contextmanager
def unused(folder: Path) -> Iterator[None]:
    """The folder, held as a device holds it.

    Raises:
        StoreError: When a device runs on it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise StoreError(Text("{folder} cannot be written ({why})", folder=folder, why=error.strerror)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                Text("a device runs with the state folder {folder}; stop it first", folder=folder)
            ) from error
        yield


def replaced(folder: Path, fresh: Path, names: Sequence[Path], aside: Path) -> None:
    """Have the files `names` of `fresh` in the place of all that `kept_files` finds; those before are in `aside` then.

    All three folders are on one file system. Whatever fails, the folder is then as it was.

    Raises:
        StoreError: When a file could not be moved.
    """
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        moved.append((source, target))

    try:
        for name in kept_files(folder):
            # A database's log belongs to it: a fresh database beside an old log would be read as damaged.
            for each in (name, name.with_name(f"{name.name}-wal"), name.with_name(f"{name.name}-shm")):
                if (folder / each).is_file():
                    move(folder / each, aside / each)
        for name in names:
            move(fresh / name, folder / name)
    except OSError as error:
        for source, target in reversed(moved):
            with suppress(OSError):
                target.rename(source)
        raise StoreError(
            Text("{folder}: nothing was restored ({why})", folder=folder, why=error.strerror or error)
        ) from error


def _raise(error: OSError) -> None:
    raise error
