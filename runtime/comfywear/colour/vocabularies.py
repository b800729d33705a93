"""Other vocabularies of colour names, each by name, and how a colour is matched to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.colour.css3 import CSS3
from comfywear.colour.difference import ciede2000
from comfywear.colour.names import BASIC_TERMS, basic_names, name_probabilities
from comfywear.colour.spaces import as_bytes, rgb_to_lab, to_uint8
from comfywear.errors import UsageError

__all__ = ["RAINBOW", "UPAR_TERMS", "VOCABULARIES", "Metric", "match_names"]

Metric = Literal["people", "ciede2000", "rgb"]

# Twenty-three everyday hues. The values are those of the CSS3 keyword of the same name, except brown: CSS3's brown
# (165, 42, 42) is a red to people, so the value is that of its "saddlebrown".
RAINBOW: Final[dict[str, tuple[int, int, int]]] = {
    **{
        name: CSS3[name]
        for name in (
            *("black", "grey", "silver", "white"),
            *("maroon", "red", "pink", "magenta", "purple", "violet"),
            *("navy", "blue", "cyan", "turquoise", "teal"),
            *("green", "lime", "olive", "yellow", "gold", "orange", "beige"),
        )
    },
    "brown": CSS3["saddlebrown"],
}

# The clothing colours of UPAR (Specker, Cormier and Beyerer, "UPAR: Unified Pedestrian Attribute Recognition and
# Person Retrieval", WACV 2023).
UPAR_TERMS: Final = (
    *("black", "blue", "brown", "green", "grey", "orange"),
    *("pink", "purple", "red", "white", "yellow", "other"),
)
# UPAR's "other" is said where not even so many people agree on a basic name.
_UPAR_AGREED: Final = 0.35

_VALUES: Final[Mapping[str, Mapping[str, tuple[int, int, int]]]] = {"css3": CSS3, "rainbow": RAINBOW}
VOCABULARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "basic": BASIC_TERMS,
    "upar": UPAR_TERMS,
    "rainbow": tuple(RAINBOW),
    "css3": tuple(CSS3),
}


def match_names(rgb: ArrayLike, vocabulary: str = "basic", metric: Metric | None = None) -> list[str]:
    """Name each colour with a vocabulary.

    Args:
        rgb: sRGB 0…255, shape `(N, 3)` or `(3,)`.
        vocabulary: One of VOCABULARIES. "basic": the eleven terms by people's answers. "upar": the same, but "other"
            where fewer than 35 % of people agree. "rainbow" and "css3": the nearest of listed values.
        metric: "people" is the only one of "basic" and "upar". "rainbow" and "css3" have "ciede2000" (the default)
            and "rgb", the plain distance in sRGB that other tools use.

    Returns:
        N names. Of equally near values the first of the list is taken ("aqua" for "cyan" in CSS3).

    Raises:
        UsageError: Unknown vocabulary or metric, or colours of another shape or type.
    """
    if vocabulary not in VOCABULARIES:
        raise UsageError(f"unknown vocabulary {vocabulary!r}: choose one of {', '.join(VOCABULARIES)}")
    metrics = ("ciede2000", "rgb") if vocabulary in _VALUES else ("people",)
    if metric is not None and metric not in metrics:
        raise UsageError(f"the vocabulary {vocabulary!r} is matched by {' or '.join(metrics)}, not by {metric!r}")
    if vocabulary == "basic":
        return basic_names(rgb)
    if vocabulary == "upar":
        agreed = name_probabilities(rgb).max(axis=1) >= _UPAR_AGREED
        return [name if enough else "other" for name, enough in zip(basic_names(rgb), agreed, strict=True)]
    colours = np.atleast_2d(to_uint8(as_bytes(rgb)))
    if colours.ndim != 2:
        raise UsageError(f"sRGB colours must have the shape (N, 3), got {colours.shape}")
    words = VOCABULARIES[vocabulary]
    return [words[index] for index in _nearest(colours, vocabulary, metric or "ciede2000").tolist()]


def _nearest(colours: NDArray[np.uint8], vocabulary: str, metric: Metric) -> NDArray[np.intp]:
    """Index of the nearest value for each row; equal colours are looked up once."""
    distinct, back = np.unique(colours, axis=0, return_inverse=True)
    rgb, lab = _prototypes(vocabulary)
    nearest = np.empty(len(distinct), dtype=np.intp)
    for start in range(0, len(distinct), 4096):
        part = distinct[start : start + 4096]
        if metric == "rgb":
            distance = ((part[:, None].astype(np.float64) - rgb) ** 2).sum(axis=-1)
        else:
            distance = ciede2000(rgb_to_lab(part)[:, None], lab)
        nearest[start : start + 4096] = distance.argmin(axis=1)
    return nearest[back.reshape(-1)]


@cache
def _prototypes(vocabulary: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rgb = np.array(list(_VALUES[vocabulary].values()), dtype=np.float64)
    return rgb, rgb_to_lab(rgb)
