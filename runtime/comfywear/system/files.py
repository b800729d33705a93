"""Small files that are there whole or not at all, also over a loss of power."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

__all__ = ["matching", "replace_file", "sync_folder"]


def replace_file(
    path: Path, content: bytes, *, mode: int = 0o666, durable: bool = True, like: os.stat_result | None = None
) -> None:
    """Put a file in the place of the one before.

    Args:
        path: The file.
        content: All of it.
        mode: Its permissions, less the umask.
        durable: Whether it is on the disk when this returns; else the kernel writes it when it likes.
        like: Of whom it has the owner and, exactly, the permissions, in place of `mode`.

    Raises:
        OSError: When it could not be written; the file is then what it was.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")  # two programs may write at once
    try:
        # What lies there is of a write that was cut short, or a link that somebody planted: neither is written to.
        beside.unlink(missing_ok=True)
        first = mode if like is None else 0o600
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, first), "wb") as file:
            if like is not None:
                made = os.fstat(file.fileno())
                if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):  # the service may not even ask for its own
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def matching(folder: Path, pattern: str) -> list[Path]:
    """The paths below a folder that match, sorted; none where the folder is not there or cannot be read."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk when this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
