"""What arguments of a command line may hold: types for `argparse` that refuse in words what cannot be meant."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

__all__ = ["host_and_port", "number", "port_number", "seconds", "whole"]

# The waits of the system count milliseconds in 31 bits, which is 24 days.
_MOST_S = 1e6
_MOST_DIGITS = 18


def number(low: float, high: float, *, above: bool = False) -> Callable[[str], float]:
    """What reads a number of `low`…`high`, without `low` itself where it must be `above` it; never NaN.

    The reader raises argparse.ArgumentTypeError.
    """

    def read(word: str) -> float:
        try:
            found = float(word)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{_shown(word)} is not a number") from None
        if not low <= found <= high or not math.isfinite(found) or (above and found == low):
            wanted = f"more than {low:.12g}, at most {high:.12g}" if above else f"{low:.12g}…{high:.12g}"
            raise argparse.ArgumentTypeError(f"{_shown(word)}: give a number, {wanted}")
        return found

    return read


seconds = number(0.0, _MOST_S, above=True)
"""A time in seconds, more than 0 and at most 1 000 000."""


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """What reads a whole number of `low`…`high`, or of `low` or more; it raises argparse.ArgumentTypeError."""
    wanted = f"{low} or more" if high is None else f"{low}…{high}"

    def read(word: str) -> int:
        try:
            found = int(word) if len(word) <= _MOST_DIGITS else None
        except ValueError:
            found = None
        if found is None or not low <= found <= (found if high is None else high):
            raise argparse.ArgumentTypeError(f"{_shown(word)}: give a whole number, {wanted}")
        return found

    return read


def port_number(word: str) -> int | None:
    """A TCP or UDP port of 1…65535; None for what is none."""
    sound = word.isascii() and word.isdigit() and len(word) <= 5
    return int(word) if sound and 1 <= int(word) <= 65535 else None


def host_and_port(place: str, usual: int) -> tuple[str, int] | None:
    """HOST, HOST:PORT or [IPV6]:PORT in two parts, without a port the `usual`; None for what is none of these."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    elif place.count(":") > 1:
        host, port = place, ""
    else:
        host, _, port = place.partition(":")
    found = port_number(port) if port else usual
    return (host, found) if host and found is not None else None


def _shown(word: str) -> str:
    return repr(word if len(word) <= 40 else f"{word[:40]}…")
