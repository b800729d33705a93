"""Basic colour names as people use them, with the shares of people who would, from a table fitted to a survey.

The table is built by `comfywear-export train colour` from the xkcd colour survey as C3 aggregated it (Heer and Stone,
"Color naming models for color selection, image editing and palette design", CHI 2012; BSD-3, see THIRD_PARTY.md).
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.colour.spaces import as_bytes, rgb_to_lab, to_uint8
from comfywear.errors import UsageError

__all__ = [
    "BASIC_TERMS",
    "GRID",
    "TABLE_FILE",
    "basic_name",
    "basic_names",
    "basic_terms",
    "expand_table",
    "name_probabilities",
    "names_with_shares",
    "tone_words",
]

# Berlin and Kay, "Basic Color Terms", 1969, the eleven of English.
BASIC_TERMS: Final = (
    "black",
    "white",
    "grey",
    "red",
    "green",
    "yellow",
    "blue",
    "brown",
    "orange",
    "pink",
    "purple",
)
TABLE_FILE: Final = "names.npz"
# Points of the shipped table along each axis of the sRGB cube, from 0 to 255; and cells of the look-up made from it.
GRID: Final = 32
_CELLS: Final = 64

# A second name is given where fewer than two thirds of people use the first and at least a fifth the second.
_CLEAR: Final = 2 / 3
_NOTABLE: Final = 1 / 5


def basic_names(rgb: ArrayLike) -> list[str]:
    """What most people would call each colour.

    Args:
        rgb: sRGB 0…255, shape `(N, 3)` (or one colour `(3,)`), integers or floats. Values beyond that range, as
            colours out of sRGB's gamut have them, count as 0 or 255.

    Returns:
        N of the eleven BASIC_TERMS; every colour of one 4 × 4 × 4 cell of the sRGB cube has the same name.

    Raises:
        UsageError: The shape or type is another, or a value is not finite.
    """
    rows = _rows(rgb)
    if len(rows) == 1:
        # A few microseconds: numpy's own overhead is many times the look-up.
        red, green, blue = rows[0].tolist()
        return [basic_name(red, green, blue)]
    names: list[str] = _table().words.take(basic_terms(rows), mode="clip").tolist()
    return names


def basic_name(red: float | Sequence[float], green: float | None = None, blue: float | None = None) -> str:
    """As `basic_names`, for one colour, `basic_name(200, 30, 40)` or `basic_name((200, 30, 40))`; the fast way.

    Raises:
        UsageError: Not three finite numbers, or floats that look like 0…1.
    """
    if green is None and isinstance(red, Sequence | np.ndarray):
        return basic_names(_one(red))[0]
    try:
        r, g, b = round(red), round(green), round(blue)  # type: ignore[arg-type] # None is refused below
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"an sRGB colour must be three finite numbers, got {(red, green, blue)}") from None
    if r <= 1 and g <= 1 and b <= 1:
        as_bytes(np.asarray((red, green, blue)))
    if not (0 <= r <= 255 and 0 <= g <= 255 and 0 <= b <= 255):
        r, g, b = (min(max(value, 0), 255) for value in (r, g, b))
    return BASIC_TERMS[_table().quick[r >> 2 << 12 | g >> 2 << 6 | b >> 2]]


def basic_terms(rgb: ArrayLike) -> NDArray[np.uint8]:
    """As `basic_names`, but indices into BASIC_TERMS, for sRGB of any shape `(…, 3)`: `(…) uint8`."""
    return _table().best.take(_cell(to_uint8(rgb)), mode="clip")


def name_probabilities(rgb: ArrayLike) -> NDArray[np.float64]:
    """The share of people who would use each basic term.

    Args:
        rgb: sRGB 0…255, shape `(N, 3)` (or one colour `(3,)`), integers or floats.

    Returns:
        `(N, 11)` in the order of BASIC_TERMS; rows sum to 1. The largest of a row is what `basic_names` says.

    Raises:
        UsageError: The shape or type is another, or a value is not finite.
    """
    shares = _table().shares[_cell(to_uint8(_rows(rgb)))].astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def names_with_shares(rgb: ArrayLike) -> list[tuple[tuple[str, float], ...]]:
    """The name of each colour `(N, 3)` with its share of people, and a second one where people disagree.

    Disagree means: fewer than two thirds use the first name and at least a fifth the second.
    """
    shares = name_probabilities(rgb)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :2]
    answer = []
    for row, (first, second) in zip(shares, order.tolist(), strict=True):
        names = [(BASIC_TERMS[first], float(row[first]))]
        if row[first] < _CLEAR and row[second] >= _NOTABLE:
            names.append((BASIC_TERMS[second], float(row[second])))
        answer.append(tuple(names))
    return answer


def tone_words(rgb: ArrayLike) -> list[str]:
    """How each colour `(N, 3)` differs from others of the same basic name: a word, or "" for an ordinary one.

    Light or dark is a colour whose L* is among the highest or lowest fifth of all sRGB colours of that name, vivid or
    dull one whose C* is. Light and dull together are "pale", dark and vivid together "deep"; otherwise lightness goes
    first. Grey is only light or dark; black and white have no tone.
    """
    rows = _rows(rgb)
    table = _table()
    terms = basic_terms(rows)
    lab = rgb_to_lab(rows)
    limits = table.tones[terms]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    words = []
    for term, dark, light, dull, vivid in zip(
        terms.tolist(),
        lab[:, 0] < limits[:, 0],
        lab[:, 0] > limits[:, 1],
        chroma < limits[:, 2],
        chroma > limits[:, 3],
        strict=True,
    ):
        name = BASIC_TERMS[term]
        if name in {"black", "white"}:
            words.append("")
        elif name == "grey":
            words.append("light" if light else "dark" if dark else "")
        elif light:
            words.append("pale" if dull else "light")
        elif dark:
            words.append("deep" if vivid else "dark")
        else:
            words.append("vivid" if vivid else "dull" if dull else "")
    return words


def expand_table(table: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Shares at the centres of 64³ cells, `(64, 64, 64, 11)`, 0…65,280: the table, trilinearly interpolated."""
    place = ((np.arange(_CELLS) + 0.5) * (256 / _CELLS) - 0.5) / 255 * (GRID - 1)
    below = np.minimum(place.astype(np.intp), GRID - 2)
    weights = np.zeros((_CELLS, GRID), dtype=np.float32)
    weights[np.arange(_CELLS), below] = 1.0 - (place - below)
    weights[np.arange(_CELLS), below + 1] = place - below
    cells = table.astype(np.float32)
    for _ in range(3):
        # Each turn replaces the first axis of the three and puts it last, before the terms.
        cells = np.moveaxis(np.tensordot(weights, cells, (1, 0)), 0, 2)
    # Sixteen bits, so that near ties at a boundary between two names are not rounded into ties.
    fine: NDArray[np.uint16] = np.rint(cells * 256.0).astype(np.uint16)
    return fine


@dataclass(frozen=True, slots=True)
class _Table:
    """The look-up made from the shipped table, flat over the cells of the cube."""

    shares: NDArray[np.uint16]
    best: NDArray[np.uint8]
    quick: bytes
    tones: NDArray[np.float32]
    words: NDArray[np.object_]


@cache
def _table() -> _Table:
    with (
        importlib.resources.files("comfywear.colour").joinpath(TABLE_FILE).open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        shares = expand_table(stored["shares"]).reshape(-1, len(BASIC_TERMS))
        tones = stored["tones"]
    best = shares.argmax(axis=1).astype(np.uint8)
    return _Table(shares, best, best.tobytes(), tones, np.array(BASIC_TERMS, dtype=object))


def _one(colour: Sequence[float] | NDArray[np.generic]) -> NDArray[np.generic]:
    if np.shape(colour) != (3,):
        raise UsageError(f"one sRGB colour must be three numbers, got {colour!r}")
    return as_bytes(colour)


def _rows(rgb: ArrayLike) -> NDArray[np.generic]:
    array = as_bytes(rgb)
    if array.ndim > 2:
        raise UsageError(
            f"sRGB colours must have the shape (N, 3), got {array.shape}; of a picture give its pixels, "
            "image.reshape(-1, 3), or the few colours of extract_palette(image)"
        )
    return array[None] if array.ndim == 1 else array


def _cell(rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    fine = rgb >> 2
    index = fine[..., 0].astype(np.uint32)
    index <<= 6
    index |= fine[..., 1]
    index <<= 6
    index |= fine[..., 2]
    return index.astype(np.intp)
