"""Root that works in a folder of another user becomes that user first.

Whoever owns a folder may put a link wherever root is about to write in it; as the owner, a link reaches nothing that
the owner could not reach already.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from comfywear.errors import ComfyWearError, StoreError
from comfywear.system.libc import libc
from comfywear.texts import encode

__all__ = ["as_owner", "become_owner"]

_NEW_NAMES = 0x00020000  # CLONE_NEWNS: mounts of its own
_BIND, _ALL_BELOW, _PRIVATE = 0x1000, 0x4000, 0x40000  # MS_BIND, MS_REC, MS_PRIVATE


def become_owner(folder: Path) -> Path:
    """Where this process is root and `folder` is another user's, become that user for good; returns the folder to use.

    The process then stands in the folder (the returned path is "."): the service's user may not be able to walk to it,
    since systemd keeps state folders below one that only root can enter. To this process alone, that one is the folder
    itself: SQLite walks to its files from the top.

    Args:
        folder: A state folder; where there is none yet, nothing changes.

    Raises:
        StoreError: When it cannot be entered.
    """
    if os.geteuid() != 0:
        return folder
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return folder
    except OSError as error:
        raise StoreError(f"{folder} cannot be entered ({error.strerror})") from error
    try:
        owner = os.fstat(handle)
        if owner.st_uid == 0:
            return folder
        os.fchdir(handle)  # the folder whose owner was read, whatever its name points to now
        if (barred := _barred(Path.cwd(), owner)) and _put_over(barred):
            os.chdir(barred)
    finally:
        os.close(handle)
    os.setgroups([])
    os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
    os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
    return Path()


def _barred(folder: Path, owner: os.stat_result) -> Path | None:
    """The first folder on the way to one that its owner cannot walk through."""
    for above in reversed(folder.parents):
        found = above.stat()
        bit = 0o100 if found.st_uid == owner.st_uid else 0o010 if found.st_gid == owner.st_gid else 0o001
        if not found.st_mode & bit:
            return above
    return None


def _put_over(place: Path) -> bool:
    """Have the folder that this process stands in in the place of another, to it and its children alone.

    Returns:
        Whether root may do that here.
    """
    try:
        call = libc()
    except OSError:
        return False
    done = (
        call.unshare(_NEW_NAMES) == 0
        and call.mount(b"none", b"/", None, _ALL_BELOW | _PRIVATE, None) == 0
        and call.mount(b".", os.fsencode(place), None, _BIND, None) == 0
    )
    return bool(done)


def as_owner(folder: Path, act: Callable[[Path], str]) -> str:
    """Have `act` done by the owner of `folder`, where this one is root in a process of its own; what it returns.

    Args:
        folder: A state folder; what `act` is given stands for it.
        act: Done there. This process has one thread.

    Raises:
        ComfyWearError: What `act` raised, as a StoreError where it was done elsewhere.
    """
    if os.geteuid() != 0 or not folder.is_dir():
        return act(folder)
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        try:
            said = {"done": act(become_owner(folder))}
        except ComfyWearError as error:
            said = {"error": str(error)}
        except BaseException as error:
            said = {"error": f"{type(error).__name__}: {error}"}
        with os.fdopen(say, "wb") as out:
            out.write(encode(said))
        os._exit(0)
    os.close(say)
    with os.fdopen(hear, "rb") as heard:
        answer = heard.read()
    os.waitpid(child, 0)
    found: dict[str, str] = msgspec.json.decode(answer) if answer else {"error": "the process that did it was ended"}
    if "error" in found:
        raise StoreError(found["error"])
    return found["done"]
