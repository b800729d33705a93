"""One formula for numbers and arrays: plain floats take Python's own functions, which cost a tenth of numpy's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Bands", "Maths", "maths"]


class Maths(NamedTuple):
    """Functions of one kind of number; `only(inside, x)` is x, and NaN where it is not inside."""

    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    arctan: Callable[[Any], Any]
    where: Callable[[Any, Any, Any], Any]

    def only(self, inside: Any, value: Any) -> Any:
        """`value` where it is inside, else NaN, which every function here hands on."""
        return self.where(inside, value, math.nan)


_FLOATS = Maths(math.exp, math.log, math.sqrt, math.atan, lambda condition, yes, no: yes if condition else no)
_ARRAYS = Maths(np.exp, np.log, np.sqrt, np.arctan, np.where)


def maths(*values: ArrayLike) -> tuple[Maths, tuple[Any, ...]]:
    """The functions to use, and the values as floats (if none of them is an array) or as arrays of one shape."""
    if all(isinstance(value, float | int) for value in values):
        return _FLOATS, tuple(float(value) for value in values)  # type: ignore[arg-type] # just checked
    columns = np.broadcast_arrays(*[np.asarray(value, float) for value in values])
    if columns[0].ndim == 0:
        return _FLOATS, tuple(float(column) for column in columns)
    return _ARRAYS, tuple(columns)


class Bands(NamedTuple):
    """Words for an index: `words[i]` holds up to and with `edges[i]`, the last of them beyond the last edge."""

    edges: tuple[float, ...]
    words: tuple[str, ...]

    def word(self, value: float) -> str | None:
        """For one value; None for NaN."""
        if math.isnan(value):
            return None
        return next((word for edge, word in zip(self.edges, self.words, strict=False) if value <= edge), self.words[-1])
