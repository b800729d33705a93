"""From what the models saw of a person to what they wear: slots of garments with probabilities.

Garments that exclude each other share one slot (nobody wears a dress and trousers and a skirt), sleeves and hems pick
the variant where they are known, and what the camera cannot see is filled with a stated prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from comfywear.comfort.clothing.garments import GARMENTS, GarmentClo, garment_clo
from comfywear.errors import UsageError
from comfywear.records import Person

__all__ = ["Part", "parts_of"]

Mixture = dict[str, float]
Sleeve = tuple[float, float, float, float]

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
# A kind that the models together found too unlikely to list (below `_LISTED`) keeps about this part of its group's
# probability; the usual shares count this much beside what the attribute model names.
_UNLISTED, _LISTED = 0.5, 0.35
_USUAL_WEIGHT = 0.05


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
    groups, singles = _evidence(person)
    attributes = {name: min(max(p, 0.0), 1.0) for name, p in person.attributes.items() if isfinite(p)}
    hints = _hints(attributes)
    worn = {group: max([p for name, p in singles if _group_of(name) == group], default=0.0) for group in _MEMBERS}
    top, knit, outer = (max(groups.get(group, 0.0), worn[group]) for group in ("top", "knit", "outer"))
    sleeve = _sleeves(attributes, covered=outer)
    legs = {kind: groups.get(kind, 0.0) for kind in ("trousers", "skirt", "shorts")}
    dress = groups.get("dress", 0.0)
    total = max(dress + sum(legs.values()), 1.0)
    dress, legs = dress / total, {kind: p / total for kind, p in legs.items()}
    # A "dress" under which a separate top shows is worn as a skirt.
    legs["skirt"] += dress * top
    dress *= 1.0 - top

    short_hem = attributes.get("leg/short")
    below = [
        (dress, _members("dress", hints, sleeve)),
        *[(p, _legs(kind, hints, short_hem)) for kind, p in legs.items()],
    ]
    parts = [
        _part("upper body", groups.get("top", 0.0), _members("top", hints, sleeve)),
        _part("knitwear", groups.get("knit", 0.0), _members("knit", hints, sleeve)),
        _part("outer layer", groups.get("outer", 0.0), _members("outer", hints, None)),
        _joined("dress or legs", below),
        _part("legwear", attributes.get("group/legwear", 0.0), {"tights": 1.0}),
        *[_part(name, p, _single(name, sleeve, short_hem, with_top=top > 0.5)) for name, p in singles],
    ]
    lower = max(worn["trousers"], worn["skirt"], worn["shorts"], worn["dress"])
    bare_legs = max(1.0 - dress - sum(legs.values()), 0.0) * (1.0 - lower)
    bare_torso = (1.0 - top) * (1.0 - knit) * (1.0 - dress) * (1.0 - worn["dress"])
    shod = max([groups.get("footwear", 0.0), attributes.get("group/boots", 0.0), *_of_slot(singles, "footwear")])
    hidden, assumptions = _hidden(bare_torso, bare_legs, outer)
    if not _of_slot(singles, "footwear"):
        boots = attributes.get("group/boots", 0.0)
        parts.append(_part("footwear", 1.0, {"boots": boots, "shoes": 1.0 - boots}, seen=shod > 0.5))
    socks = 1.0 - max([attributes.get("group/legwear", 0.0), *_of_slot(singles, "legwear")])
    hidden += [
        _part("underwear", 1.0, {"underwear": 1.0}, seen=False),
        _part("socks", socks, {"socks": 1.0}, seen=False),
    ]
    assumptions.append("underwear and socks were assumed" if shod > 0.5 else "shoes, socks and underwear were assumed")
    return [part for part in [*parts, *hidden] if part.garments], assumptions


def _hidden(bare_torso: float, bare_legs: float, outer: float) -> tuple[list[Part], list[str]]:
    """What covers the parts that nobody saw: nobody sits in an office half dressed."""
    parts, assumptions = [], []
    if bare_torso > 0.02:
        parts.append(_part("hidden upper body", bare_torso, _HIDDEN_TOP, seen=False))
        # Squared: where part of the torso was recognised, a warm layer would mostly have been, too.
        parts.append(_part("hidden layer", bare_torso**2 * (1.0 - outer), _HIDDEN_WARM, seen=False))
    if bare_legs > 0.02:
        parts.append(_part("hidden legs", bare_legs, _HIDDEN_LEGS, seen=False))
    if bare_torso > 0.5:
        assumptions.append("the upper body was not seen: an indoor shirt or top was assumed")
    if bare_legs > 0.5:
        assumptions.append("the legs were not seen: mostly long trousers were assumed")
    return parts, assumptions


def _evidence(person: Person) -> tuple[Mixture, list[tuple[str, float]]]:
    """Probability of every group of garments, and the single garments that were named, each a layer of its own.

    The probability of a `Garment` already holds what both models say, so that the attribute model's group counts only
    for kinds that are not listed: those were too unlikely to be listed, or there was no detector.
    """
    groups: Mixture = {}
    singles: dict[str, float] = {}
    for garment in person.garments:
        for kind, p in {**garment.alternatives, garment.kind: garment.probability}.items():
            if isfinite(p) and p > 0.0 and (_group_of(kind) is not None or _slot_of(kind) is not None):
                if kind in _MEMBERS or kind == "footwear":
                    groups[kind] = max(groups.get(kind, 0.0), _sharpened(min(p, 1.0)))
                else:
                    singles[kind] = max(singles.get(kind, 0.0), min(p, 1.0))
    attributes = {name: min(max(p, 0.0), 1.0) for name, p in person.attributes.items() if isfinite(p)}
    said = {name.removeprefix("group/"): p for name, p in attributes.items() if name.startswith("group/")}
    if (either := said.pop("skirt-or-dress", None)) is not None:
        named = [attributes.get(f"garment/{kind}", 0.0) + groups.get(kind, 0.0) for kind in ("dress", "skirt")]
        share = _share(*named)
        said |= {"dress": either * share, "skirt": either * (1.0 - share)}
    named_groups = {_group_of(name) for name in singles}
    for group in _MEMBERS:
        if group in said and group not in groups and group not in named_groups:
            groups[group] = min(_UNLISTED * said[group], _LISTED) if person.garments else said[group]
    return groups, list(singles.items())


def _sharpened(p: float) -> float:
    """A mean of two models' probabilities is too timid: twice its log-odds.

    Chosen on 120 training photos of the Clothing Co-Parsing set, where the mean error of clo fell from 0.145 to 0.140.
    """
    return p * p / (p * p + (1.0 - p) * (1.0 - p))


def _hints(attributes: Mapping[str, float]) -> Mixture:
    """Probabilities of single garments by the attribute model."""
    hints: Mixture = {}
    for label, p in attributes.items():
        if label.startswith("garment/"):
            name = label.removeprefix("garment/")
            name = _OTHER_NAMES.get(name, name)
            hints[name] = max(hints.get(name, 0.0), p)
    return hints


@lru_cache(maxsize=1024)  # of a label that is no garment's, close names are looked for each time
def _slot_of(kind: str) -> str | None:
    try:
        return garment_clo(kind).slot
    except UsageError:
        return None


def _of_slot(singles: list[tuple[str, float]], slot: str) -> list[float]:
    return [p for name, p in singles if _slot_of(name) == slot]


def _single(name: str, sleeve: Sleeve | None, short_hem: float | None, *, with_top: bool) -> Mixture:
    """One named garment, its variant by sleeve or hem where that is known."""
    name = _OTHER_NAMES.get(name, name)
    if name == "skirt" or (name == "dress" and with_top):
        return _legs("skirt", {}, short_hem)
    if name == "coat":
        return {"coat": 0.5, "short coat": 0.5}
    if name in _SLEEVES:
        variants, usually = _SLEEVES[name]
        return dict(zip(variants, _blend(usually, sleeve), strict=True))
    return {garment_clo(name).name: 1.0}


def _share(a: float, b: float) -> float:
    return a / (a + b) if a + b > 0.05 else 0.6


@lru_cache(maxsize=1024)
def _group_of(kind: str) -> str | None:
    """The group of a garment; None for a label of which nothing is known, and for what is no such garment."""
    if kind in _MEMBERS or kind == "footwear":
        return kind
    try:
        row = garment_clo(_OTHER_NAMES.get(kind, kind))
    except UsageError:
        return None
    if row.slot == "lower":
        return "skirt" if "skirt" in row.name else "shorts" if "shorts" in row.name else "trousers"
    return row.slot if row.slot in _MEMBERS or row.slot == "footwear" else None


def _members(group: str, hints: Mapping[str, float], sleeve: Sleeve | None) -> Mixture:
    """Single garments of a group, with shares that sum to 1: by the attribute model's names, else the usual ones."""
    usual = _MEMBERS[group]
    shares = {name: hints.get(name, 0.0) + _USUAL_WEIGHT * share for name, share in usual.items()}
    total = sum(shares.values())
    mixture: Mixture = {}
    for name, share in shares.items():
        for row, p in _single(name, sleeve, None, with_top=False).items():
            mixture[row] = mixture.get(row, 0.0) + p * share / total
    return mixture


def _legs(kind: str, hints: Mapping[str, float], short_hem: float | None) -> Mixture:
    if kind != "skirt":
        return _members(kind, hints, None)
    short = 0.5 if short_hem is None else min(max(short_hem, 0.0), 1.0)
    return {"thin skirt": short, "skirt": 1.0 - short}


def _sleeves(attributes: Mapping[str, float], covered: float) -> Sleeve | None:
    """(long, short, none, weight): a sleeve seen on an outer layer says nothing about the one beneath."""
    if "sleeve/short" not in attributes and "sleeve/none" not in attributes:
        return None
    none = min(max(attributes.get("sleeve/none", 0.0), 0.0), 1.0)
    bare = min(max(attributes.get("sleeve/short", none), none), 1.0)
    return 1.0 - bare, bare - none, none, 1.0 - covered


def _blend(usually: tuple[float, float, float], sleeve: Sleeve | None) -> tuple[float, ...]:
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
