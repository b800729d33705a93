"""Colour of clothing to the share of sunshine that it takes up (shortwave absorptance).

The anchors are whole clothed persons in sunshine: white about 0.48, black about 0.77 (Watanabe and Ishii, Building and
Environment 2017); ASHRAE 55 appendix C gives 0.57…0.84 with 0.7 as the usual value. The other colours are put between
the anchors by how light they look (sRGB relative luminance, IEC 61966-2-1): dyes differ in the near infrared, which
no colour camera sees, so that each value is known to about ±0.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from comfywear.records import ColourShare

__all__ = ["ABSORPTANCE", "DEFAULT", "Absorptance", "absorptance_of"]


class Absorptance(NamedTuple):
    """Shortwave absorptance, 0…1, and the range within which it is believed to lie."""

    value: float
    low: float
    high: float


DEFAULT = Absorptance(0.70, 0.57, 0.84)
"""ASHRAE 55 appendix C, where the colour is not known."""

ABSORPTANCE: dict[str, Absorptance] = {
    "white": Absorptance(0.48, 0.38, 0.58),
    "yellow": Absorptance(0.55, 0.45, 0.65),
    "pink": Absorptance(0.58, 0.48, 0.68),
    "orange": Absorptance(0.62, 0.52, 0.72),
    "grey": Absorptance(0.66, 0.56, 0.76),
    "green": Absorptance(0.69, 0.59, 0.79),
    "red": Absorptance(0.69, 0.59, 0.79),
    "brown": Absorptance(0.70, 0.60, 0.80),
    "purple": Absorptance(0.71, 0.61, 0.81),
    "blue": Absorptance(0.71, 0.61, 0.81),
    "black": Absorptance(0.77, 0.67, 0.87),
}
"""By the eleven basic colour terms."""


def absorptance_of(colours: Iterable[ColourShare]) -> Absorptance:
    """Mean absorptance of clothing, weighted by the shares of its colours; `DEFAULT` where there is no known colour."""
    known = [(ABSORPTANCE[c.name.replace("gray", "grey")], c.share) for c in colours
             if c.name.replace("gray", "grey") in ABSORPTANCE and c.share > 0.0]  # fmt: skip
    total = sum(share for _, share in known)
    if not total:
        return DEFAULT
    mean = [sum(row[i] * share for row, share in known) / total for i in range(3)]
    return Absorptance(*mean)
