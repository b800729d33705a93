"""What a set's labels say of what somebody wears, where they name kinds of garments rather than single ones.

A label such as `jacket` may stand for any of several single garments. So an attribute is right where every garment that
a worn label may stand for shows it, wrong where the set would have labelled it and none of them can show it, and
unknown otherwise (learning from partial labels, Cour et al. 2011).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.labels import (
    AMBIGUOUS,
    ATTRIBUTE_GROUPS,
    ATTRIBUTE_LABELS,
    ATTRIBUTE_PLACES,
    DETECTOR_GROUPS,
    EITHER,
    LENGTHS,
    LOWER,
    SINGLE_GARMENTS,
)

__all__ = ["Meaning", "extents"]

_SINGLE = frozenset(
    {*SINGLE_GARMENTS, *AMBIGUOUS}
    | {name for groups in (DETECTOR_GROUPS, ATTRIBUTE_GROUPS) for names in groups.values() for name in names}
)
_SPELLINGS = {"sunglass": "sunglasses"}
_KNITTED = {"top": DETECTOR_GROUPS["knit"]}
"""Where a set that has no word for knitwear puts it, but for the odd cardigan among the jackets."""
_TYPES = ("upar/LowerBody-Type-Trousers&Shorts", "upar/LowerBody-Type-Skirt&Dress")


@dataclass(frozen=True)
class Meaning:
    """What the categories of a set stand for.

    Attributes:
        garments: The single garments that each category may stand for; categories that are no garment are not in it.
        partial: Whether some name a kind only, so that not everything is known of somebody whose garments are labelled.
    """

    garments: Mapping[str, frozenset[str]]
    partial: bool

    @classmethod
    def of(cls, categories: Iterable[Mapping[str, Any]]) -> Meaning:
        """Read from categories with a `name` and, where it names a kind of the detector's, a `product_class`."""
        kinds = {str(c["name"]): c.get("product_class") for c in categories}
        # "top" is both a kind and a garment: where other names are kinds only, it is a kind, too.
        in_kinds = any(name in DETECTOR_GROUPS and name not in _SINGLE for name in kinds)
        kinds = {n: kind or (n if in_kinds and n in DETECTOR_GROUPS else None) for n, kind in kinds.items()}
        knits = "knit" in kinds.values() or any(name in DETECTOR_GROUPS["knit"] for name in kinds)
        garments = {}
        for name, kind in kinds.items():
            if kind in DETECTOR_GROUPS:
                garments[name] = frozenset(DETECTOR_GROUPS[kind] + (() if knits else _KNITTED.get(kind, ())))
            elif _SPELLINGS.get(name, name) in _SINGLE:
                garments[name] = frozenset({_SPELLINGS.get(name, name)})
        return cls(garments, partial=any(kind in DETECTOR_GROUPS for kind in kinds.values()))

    def answers(self, worn: Collection[str]) -> dict[str, bool | None]:
        """Whether each attribute is right of somebody who wears these categories; None where it is not known."""
        possible = [self.garments[name] for name in worn if name in self.garments]
        maybe = frozenset[str]().union(*possible)
        labelled = frozenset[str]().union(*self.garments.values())
        # Nobody goes without: the set has no word for what is below (leggings, say), or it is out of the picture.
        below = any(names <= LOWER for names in possible)
        said: dict[str, bool | None] = {}
        for label, names in zip(ATTRIBUTE_LABELS, ATTRIBUTE_PLACES, strict=True):
            if not names or label in LENGTHS:
                continue
            if any(garment <= names for garment in possible):
                said[label] = True
            elif not names & maybe and names <= labelled and (below or not names <= LOWER):
                said[label] = False
        if all(said.get(label) for label in _TYPES):
            said.update(dict.fromkeys(_TYPES))
        return said

    def either(self, worn: Collection[str]) -> NDArray[np.float32]:
        """`(E,) float32`: 1 where one of the two attributes of each pair of EITHER is right; NaN elsewhere."""
        found = np.full(len(EITHER), np.nan, np.float32)
        if self.partial:
            for row, (first, second) in enumerate(EITHER):
                both = frozenset(ATTRIBUTE_GROUPS[first.removeprefix("group/")])
                both |= frozenset(ATTRIBUTE_GROUPS[second.removeprefix("group/")])
                if any(self.garments[name] <= both for name in worn if name in self.garments):
                    found[row] = 1
        return found


def extents(
    boxes: Mapping[str, Collection[Collection[float]]], garments: Mapping[str, frozenset[str]]
) -> NDArray[np.float32]:
    """`(A, 4) float32` x1 y1 x2 y2: around the boxes that may show each attribute label; NaN where there is none.

    Args:
        boxes: x1 y1 x2 y2 of what is worn, by category.
        garments: The single garments that each category may stand for.
    """
    found = np.full((len(ATTRIBUTE_PLACES), 4), np.nan, np.float32)
    for row, names in enumerate(ATTRIBUTE_PLACES):
        own = [box for name, some in boxes.items() if garments.get(name, frozenset()) & names for box in some]
        if own:
            corners = np.array(own, np.float32)
            found[row] = [*corners[:, :2].min(0), *corners[:, 2:].max(0)]
    return found
