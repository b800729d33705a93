"""From what the models saw of a person to what they wear: slots of garments with probabilities.

Garments that exclude each other share one slot (nobody wears a dress and trousers and a skirt), sleeves and hems pick
the variant where they are known, and what the camera cannot see is filled with a stated prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from comfywear.comfort.garments import GARMENTS, GarmentClo, garment_clo
from comfywear.errors import UsageError
from comfywear.records import Person

__all__ = ["Part", "parts_of"]

Mixture = dict[str, float]

# Shares of single garments within a group where no attribute model has named one: from the photos of the Clothing
# Co-Parsing set (street fashion), rounded.
_MEMBERS: dict[str, Mixture] = {
    "top": {"shirt": 0.3, "blouse": 0.3, "t-shirt": 0.25, "top": 0.15},
    "knit": {"sweater": 0.5, "sweatshirt": 0.2, "vest": 0.15, "cardigan": 0.1, "hoodie": 0.05},
    "outer": {"coat": 0.45, "blazer": 0.2, "jacket": 0.2, "suit": 0.15},
    "dress": {"dress": 0.95, "romper": 0.05},
    "trousers": {"pants": 0.6, "jeans": 0.3, "leggings": 0.1},
    "skirt": {"skirt": 1.0},
    "shorts": {"shorts": 1.0},
}
_OTHER_NAMES = {"jumper": "sweater", "tights": "stockings", "bodysuit": "top", "cape": "coat", "jumpsuit": "romper"}

# Garments by sleeve (long, short, none) and how often each, where no attribute says so.
_SLEEVES: dict[str, tuple[tuple[str, str, str], tuple[float, float, float]]] = {
    "t-shirt": (("long-sleeve t-shirt", "t-shirt", "sleeveless top"), (0.15, 0.75, 0.1)),
    "shirt": (("long-sleeve shirt", "short-sleeve shirt", "sleeveless shirt"), (0.75, 0.2, 0.05)),
    "blouse": (("long-sleeve blouse", "short-sleeve blouse", "sleeveless blouse"), (0.6, 0.25, 0.15)),
    "top": (("long-sleeve t-shirt", "top", "sleeveless blouse"), (0.3, 0.4, 0.3)),
    "sweater": (("sweater", "short-sleeve sweater", "sleeveless sweater"), (0.9, 0.08, 0.02)),
    "sweatshirt": (("sweatshirt", "short-sleeve sweater", "short-sleeve sweater"), (0.9, 0.08, 0.02)),
    "dress": (("long-sleeve dress", "short-sleeve dress", "sleeveless dress"), (0.35, 0.35, 0.3)),
}

# What hidden parts are taken to be: a torso in indoor clothes, legs in long trousers more often than not.
_HIDDEN_TOP: Mixture = {"long-sleeve shirt": 0.45, "t-shirt": 0.3, "short-sleeve shirt": 0.25}
_HIDDEN_WARM: Mixture = {"sweater": 0.2, "suit jacket": 0.15}
_HIDDEN_LEGS: Mixture = {"trousers": 0.5, "jeans": 0.3, "skirt": 0.1, "shorts": 0.1}
# Weight of a detection against the attribute model's group, and what a miss of the detector is worth.
_DETECTOR_WEIGHT = 0.5
_MISSED = 0.1


class Part(NamedTuple):
    """A slot of the ensemble: garments with probabilities (what is left is "nothing"), and whether they were seen."""

    name: str
    garments: tuple[tuple[GarmentClo, float], ...]
    seen: bool

    @property
    def likeliest(self) -> GarmentClo:
        """The garment that it most probably is."""
        return max(self.garments, key=lambda entry: entry[1])[0]

    @property
    def clo(self) -> float:
        """Expected insulation, clo."""
        return sum(row.clo * p for row, p in self.garments)

    @property
    def variance(self) -> float:
        """Variance of the insulation, clo²: which garment it is, and how thick."""
        return max(sum((row.clo**2 + row.sd**2) * p for row, p in self.garments) - self.clo**2, 0.0)


def parts_of(person: Person) -> tuple[list[Part], list[str]]:
    """The slots of what `person` wears and, in sentences, what was assumed about parts that nobody saw."""
    groups, named = _evidence(person)
    attributes = {name: p for name, p in person.attributes.items() if isfinite(p)}
    top, knit, outer = groups.get("top", 0.0), groups.get("knit", 0.0), groups.get("outer", 0.0)
    legs = {kind: groups.get(kind, 0.0) for kind in ("trousers", "skirt", "shorts")}
    dress = groups.get("dress", 0.0)
    total = dress + sum(legs.values())
    if total > 1.0:
        dress, legs = dress / total, {kind: p / total for kind, p in legs.items()}
    # A "dress" under which a separate top shows is worn as a skirt.
    legs["skirt"] += dress * top
    dress *= 1.0 - top
    hidden_legs = max(1.0 - dress - sum(legs.values()), 0.0)
    hidden_torso = (1.0 - top) * (1.0 - knit) * (1.0 - dress)

    sleeve = _sleeves(attributes, covered=outer)
    short_hem = attributes.get("leg/short")
    parts = [
        _part("upper body", top, _members("top", named, sleeve)),
        _part("knitwear", knit, _members("knit", named, sleeve)),
        _part("outer layer", outer, _members("outer", named, None)),
        _joined(
            "dress or legs",
            [
                (dress, _members("dress", named, sleeve)),
                *[(p, _legs(kind, named, short_hem)) for kind, p in legs.items()],
            ],
        ),
        _part("legwear", attributes.get("group/legwear", 0.0), {"tights": 1.0}),
    ]
    assumptions = []
    if hidden_torso > 0.02:
        parts.append(_part("hidden upper body", hidden_torso, _HIDDEN_TOP, seen=False))
        parts.append(_part("hidden layer", hidden_torso * (1.0 - outer), _HIDDEN_WARM, seen=False))
    if hidden_legs > 0.02:
        parts.append(_part("hidden legs", hidden_legs, _HIDDEN_LEGS, seen=False))
    if hidden_torso > 0.5:
        assumptions.append("the upper body was not seen: an indoor shirt or top was assumed")
    if hidden_legs > 0.5:
        assumptions.append("the legs were not seen: mostly long trousers were assumed")
    boots = max(attributes.get("group/boots", 0.0), named.get("boots", 0.0))
    shod = max(groups.get("footwear", 0.0), boots)
    parts.append(_part("footwear", 1.0, {"boots": boots, "shoes": 1.0 - boots}, seen=shod > 0.5))
    parts.append(_part("underwear", 1.0, {"underwear": 1.0}, seen=False))
    parts.append(_part("socks", 1.0 - attributes.get("group/legwear", 0.0), {"socks": 1.0}, seen=False))
    assumptions.append("underwear and socks were assumed" if shod > 0.5 else "shoes, socks and underwear were assumed")
    return [part for part in parts if part.garments], assumptions


def _evidence(person: Person) -> tuple[Mixture, Mixture]:
    """Probability of every group, and of single garments that were named (by a person or the attribute model)."""
    detected: Mixture = {}
    named: Mixture = {}
    for garment in person.garments:
        for kind, p in {**garment.alternatives, garment.kind: garment.probability}.items():
            if not isfinite(p) or p <= 0.0:
                continue
            group = _group_of(kind)
            if group is None:
                continue
            detected[group] = max(detected.get(group, 0.0), min(p, 1.0))
            if kind != group:
                named[_OTHER_NAMES.get(kind, kind)] = max(named.get(kind, 0.0), min(p, 1.0))
    predicted = {
        k.removeprefix("group/"): p for k, p in person.attributes.items() if k.startswith("group/") and isfinite(p)
    }
    for label, p in person.attributes.items():
        if label.startswith("garment/") and isfinite(p):
            name = label.removeprefix("garment/")
            name = _OTHER_NAMES.get(name, name)
            named[name] = max(named.get(name, 0.0), min(max(p, 0.0), 1.0))
    if not predicted:
        return detected, named
    if (either := predicted.pop("skirt-or-dress", None)) is not None:
        share = _share(
            named.get("dress", 0.0) + detected.get("dress", 0.0), named.get("skirt", 0.0) + detected.get("skirt", 0.0)
        )
        predicted |= {"dress": either * share, "skirt": either * (1.0 - share)}
    groups = dict(detected)
    for group in _MEMBERS:
        if group in predicted:
            found = detected.get(group, _MISSED * predicted[group] if detected else predicted[group])
            groups[group] = _DETECTOR_WEIGHT * found + (1.0 - _DETECTOR_WEIGHT) * min(max(predicted[group], 0.0), 1.0)
    return groups, named


def _share(a: float, b: float) -> float:
    return a / (a + b) if a + b > 0.05 else 0.6


def _group_of(kind: str) -> str | None:
    if kind in _MEMBERS or kind == "footwear":
        return kind
    try:
        row = garment_clo(kind)
    except UsageError:
        return None  # a label of some other model: nothing is known about its insulation
    if row.slot == "lower":
        return "skirt" if "skirt" in row.name else "shorts" if "shorts" in row.name else "trousers"
    return row.slot if row.slot in _MEMBERS or row.slot == "footwear" else None


def _members(group: str, named: Mapping[str, float], sleeve: tuple[float, float, float, float] | None) -> Mixture:
    """Single garments of a group, with shares that sum to 1: by the names that were given, else the usual ones."""
    usual = _MEMBERS[group]
    given = {name: p for name, p in named.items() if name not in usual and _group_of(name) == group}
    shares = {name: named.get(name, 0.0) + 0.05 * share for name, share in usual.items()} | given
    total = sum(shares.values())
    mixture: Mixture = {}
    for name, share in shares.items():
        if name in _SLEEVES:
            variants, usually = _SLEEVES[name]
            for variant, p in zip(variants, _blend(usually, sleeve), strict=True):
                mixture[variant] = mixture.get(variant, 0.0) + p * share / total
        else:
            row = garment_clo(name).name
            mixture[row] = mixture.get(row, 0.0) + share / total
    return mixture


def _legs(kind: str, named: Mapping[str, float], short_hem: float | None) -> Mixture:
    if kind != "skirt":
        return _members(kind, named, None)
    short = 0.5 if short_hem is None else min(max(short_hem, 0.0), 1.0)
    return {"thin skirt": short, "skirt": 1.0 - short}


def _sleeves(attributes: Mapping[str, float], covered: float) -> tuple[float, float, float, float] | None:
    """(long, short, none, weight): a sleeve seen on an outer layer says nothing about the one beneath."""
    if "sleeve/short" not in attributes and "sleeve/none" not in attributes:
        return None
    none = min(max(attributes.get("sleeve/none", 0.0), 0.0), 1.0)
    bare = min(max(attributes.get("sleeve/short", none), none), 1.0)
    return 1.0 - bare, bare - none, none, 1.0 - covered


def _blend(usually: tuple[float, float, float], sleeve: tuple[float, float, float, float] | None) -> tuple[float, ...]:
    if sleeve is None:
        return usually
    *seen, weight = sleeve
    return tuple(weight * s + (1.0 - weight) * u for s, u in zip(seen, usually, strict=True))


def _part(name: str, probability: float, mixture: Mixture, *, seen: bool = True) -> Part:
    return _joined(name, [(probability, mixture)], seen=seen)


def _joined(name: str, choices: list[tuple[float, Mixture]], *, seen: bool = True) -> Part:
    rows: Mixture = {}
    for probability, mixture in choices:
        for garment, share in mixture.items():
            if (p := probability * share) > 1e-4:
                rows[garment] = rows.get(garment, 0.0) + p
    return Part(name, tuple((GARMENTS[garment], p) for garment, p in rows.items()), seen)
