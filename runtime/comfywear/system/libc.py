"""The C library of this process, opened once: ctypes makes classes for each opening, which only its collector frees."""

from __future__ import annotations

import ctypes
import functools

__all__ = ["libc"]


@functools.cache
def libc() -> ctypes.CDLL:
    """The C library.

    Raises:
        OSError: When there is none to be opened.
    """
    return ctypes.CDLL(None)
