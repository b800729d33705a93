"""Locks, ownership and the disk: what a folder needs that a device and commands write to at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from comfywear.errors import StoreError, UsageError

__all__ = ["hand_over", "locked"]


@contextmanager
def locked(path: Path, busy: str = "") -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it however the process ends.

    Args:
        path: The file.
        busy: What to say instead of waiting where another holds it.

    Raises:
        UsageError: Another holds it and `busy` is given.
        StoreError: The file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror})") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except OSError as error:
            raise UsageError(busy) from error
        yield


def hand_over(folder: Path) -> None:
    """Give what root wrote below the state folder to whom the state folder belongs: the service's user."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):
        owner = folder.parent.stat()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
