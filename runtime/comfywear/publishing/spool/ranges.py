"""Whole numbers as inclusive ranges: what arrived, what was confirmed, what is missing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]


class Ranges:
    """A set of whole numbers, kept as sorted ranges that neither overlap nor touch."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int | None = None) -> None:
        """Put `first`…`last` in (one number where `last` is left out)."""
        last = first if last is None else last
        if last < first:
            return
        low = bisect_right(self._firsts, first)
        if low and self._lasts[low - 1] >= first - 1:
            low -= 1
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def clear(self) -> None:
        """Take everything out."""
        self._firsts.clear()
        self._lasts.clear()

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and self._lasts[place] >= number

    def __iter__(self) -> Iterator[Range]:
        return iter(list(zip(self._firsts, self._lasts, strict=True)))

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Ranges({list(self)})"

    def count(self) -> int:
        """How many numbers are in."""
        return sum(last - first + 1 for first, last in self)

    def end_of(self, number: int) -> int:
        """The last number of the range that holds `number`; `number` itself when it is not in."""
        place = bisect_right(self._firsts, number) - 1
        return max(number, self._lasts[place]) if place >= 0 else number

    def gaps(self, first: int, last: int) -> list[Range]:
        """The ranges of `first`…`last` that are not in."""
        found: list[Range] = []
        for low, high in self:
            if high < first:
                continue
            if low > last:
                break
            if first < low:
                found.append((first, low - 1))
            first = max(first, high + 1)
        if first <= last:
            found.append((first, last))
        return found
