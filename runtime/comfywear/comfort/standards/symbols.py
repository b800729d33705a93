"""The standards write tdb, tr, v and rh for what is called `air_temp_c` and so on here: both names are understood."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["SYMBOLS", "accepts_symbols"]

P = ParamSpec("P")
T = TypeVar("T")

SYMBOLS = {
    "tdb": "air_temp_c",
    "tr": "radiant_temp_c",
    "v": "air_speed_m_s",
    "vr": "air_speed_m_s",
    "rh": "humidity_pct",
    "tg": "globe_temp_c",
}
"""Symbols of ISO 7730, ISO 7726 and ASHRAE 55, and the names of the same quantities here."""


def accepts_symbols(function: Callable[P, T]) -> Callable[P, T]:
    """The function, which then also takes the standards' symbols as keywords: `pmv_ppd(tdb=26, tr=26, …)`."""

    @wraps(function)
    def called(*args: P.args, **named: P.kwargs) -> T:
        if named:
            named = {SYMBOLS.get(name, name): value for name, value in named.items()}  # type: ignore[assignment]
        return function(*args, **named)

    return called
