"""Says on a terminal how far a long measurement is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

__all__ = ["counted"]

T = TypeVar("T")


def counted(items: Sequence[T] | Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The items, counted on stderr while they are gone through; silent where stderr is no terminal."""
    total = len(items) if total is None and isinstance(items, Sequence) else total
    shown = sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        if shown:
            print(f"\r{what} {number}/{total}", end="", file=sys.stderr, flush=True)
        yield item
    if shown:
        print(f"\r{'':40}\r", end="", file=sys.stderr, flush=True)
