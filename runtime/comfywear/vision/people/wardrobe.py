"""Whose garment is whose, and what a person wears: evidence becomes garments that can be worn together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box, ColourShare, Detection, Garment
from comfywear.vision.boxes import iou
from comfywear.vision.tracking.association import Association

__all__ = ["GarmentRules", "combine", "group_probability", "owners", "resolve", "wearers"]

Floats32 = NDArray[np.float32]

# The attribute group that says the same as a kind of the detector. Skirts and dresses share one.
_GROUPS = {kind: f"group/{kind}" for kind in ("top", "knit", "outer", "trousers", "shorts", "bag", "hat")} | {
    "skirt": "group/skirt-or-dress",
    "dress": "group/skirt-or-dress",
}
_LOWER = ("trousers", "skirt", "shorts")
_TORSO = ("outer", "knit", "top")
# Things that are carried or stick out are allowed to lie further outside of the person's box.
_CONTAINED = {"bag": 0.4, "hat": 0.5}
_NOWHERE = 9.0


@dataclass(frozen=True, slots=True)
class GarmentRules:
    """Numbers of the rules by which garments are believed.

    Attributes:
        contained: Part of a garment's box that must lie inside the person's box (widened by 5 %); bags 0.4, hats 0.5.
        attribute_weight: Weight of the attribute model's group against the detector, where it knows the group.
        pooled: Share of the attribute model's probability in what a find of the detector is worth.
        double: Power by which a person's further finds of a kind fall behind the best.
        listed: Garments of a lower probability are not listed.
        same_box: Two kinds of torso garment whose boxes overlap (IoU) more than this are one garment with two names.
    """

    contained: float = 0.6
    attribute_weight: float = 0.7
    pooled: float = 0.3
    double: float = 1.5
    listed: float = 0.35
    same_box: float = 0.75


def owners(persons: Sequence[Box], garments: Sequence[Detection], rules: GarmentRules) -> list[int]:
    """The index in `persons` of whoever wears each of `garments`; −1 for a garment that nobody wears.

    A person wears one garment of a kind. Of all ways to give the garments of a kind to the persons that contain them,
    the one counts that agrees best with containment, nearness to the person's vertical axis and the detector's score.
    """
    found = [-1] * len(garments)
    if not persons or not garments:
        return found
    score = np.array([garment.score for garment in garments], np.float32)
    cost = (2.0 - 0.5 * score - _fit(persons, garments, rules)).astype(np.float32)
    kinds: dict[str, list[int]] = {}
    for index, garment in enumerate(garments):
        kinds.setdefault(garment.label, []).append(index)
    association = Association()
    for these in kinds.values():
        rows, columns = association.assign(cost[:, these], 4.0)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            found[these[column]] = row
    return found


def wearers(persons: Sequence[Box], garments: Sequence[Detection], rules: GarmentRules) -> list[int]:
    """Who contains each of `garments` best, as `owners` does, but several of a kind may be one person's."""
    if not persons or not garments:
        return [-1] * len(garments)
    fit = _fit(persons, garments, rules)
    return [int(best) if value > -_NOWHERE else -1 for best, value in zip(fit.argmax(0), fit.max(0), strict=True)]


def _fit(persons: Sequence[Box], garments: Sequence[Detection], rules: GarmentRules) -> Floats32:
    """How well each garment lies in each person `(P, G)`, at most 1; −`_NOWHERE` where it does not."""
    person = np.array(persons, np.float32).reshape(-1, 4)
    box = np.array([garment.box for garment in garments], np.float32).reshape(-1, 4)
    inside, aside = _containment(person, box)
    least = np.array([_CONTAINED.get(garment.label, rules.contained) for garment in garments])
    return np.where(inside >= least, inside - 0.5 * aside, np.float32(-_NOWHERE)).astype(np.float32)


def _containment(person: Floats32, box: Floats32) -> tuple[Floats32, Floats32]:
    """Part of each box inside each widened person `(P, G)`, and its distance from the axis in person widths."""
    margin = 0.05 * (person[:, 2:] - person[:, :2])
    low = np.maximum((person[:, :2] - margin)[:, None], box[None, :, :2])
    high = np.minimum((person[:, 2:] + margin)[:, None], box[None, :, 2:])
    sides = np.maximum(high - low, 0.0)
    shared = sides[..., 0] * sides[..., 1]
    area = np.maximum((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]), 1e-6)
    width = np.maximum(person[:, 2] - person[:, 0], 1e-6)
    axis = 0.5 * (person[:, 0] + person[:, 2])
    aside = np.abs(axis[:, None] - 0.5 * (box[:, 0] + box[:, 2])[None]) / width[:, None]
    return shared / area, aside


def combine(detected: Mapping[str, float], attributes: Mapping[str, float], rules: GarmentRules) -> dict[str, float]:
    """Probability of each kind: the detector's averaged evidence and the attribute model's group, weighted.

    A kind without a group (footwear), or a person without attributes, has the detector's evidence alone.
    """
    kinds = set(detected) | {kind for kind, group in _GROUPS.items() if group in attributes}
    out = {}
    for kind in kinds:
        seen, said = detected.get(kind, 0.0), group_probability(kind, attributes, detected)
        out[kind] = seen if said is None else rules.attribute_weight * said + (1.0 - rules.attribute_weight) * seen
    return out


def group_probability(
    kind: str, attributes: Mapping[str, float], detected: Mapping[str, float] | None = None
) -> float | None:
    """What the attribute model's groups say of a kind, 0…1; None where they do not know it.

    The group of skirts and dresses is divided by what else speaks for either: `detected`, and the single garments.
    """
    said = attributes.get(_GROUPS.get(kind, ""))
    if said is None or kind not in ("skirt", "dress"):
        return said
    seen = detected or {}
    for_each = {k: seen.get(k, 0.0) + attributes.get(f"garment/{k}", 0.0) for k in ("skirt", "dress")}
    total = sum(for_each.values())
    return said * (for_each[kind] / total if total > 0.0 else 0.5)


def resolve(
    probabilities: Mapping[str, float],
    boxes: Mapping[str, Box],
    colours: Mapping[str, tuple[ColourShare, ...]],
    rules: GarmentRules,
) -> tuple[Garment, ...]:
    """What is worn, likeliest first, without garments that exclude each other; the losers are alternatives.

    Trousers, skirt and shorts exclude each other, and a dress excludes all three; if they add up to more than 1 they
    are scaled to 1. Torso garments are layers and may all be worn, unless two of them have the same box: then the
    likelier is the garment and the other its alternative name.
    """
    p = dict(probabilities)
    alternatives: dict[str, dict[str, float]] = {}
    legs = [kind for kind in (*_LOWER, "dress") if p.get(kind, 0.0) > 0.0]
    total = sum(p[kind] for kind in legs)
    for kind in legs:
        p[kind] /= max(total, 1.0)
    _absorb(p, alternatives, legs)
    for index, kind in enumerate(_TORSO):
        for other in (*_TORSO[index + 1 :], "dress"):
            if {kind, other} <= p.keys() & boxes.keys() and iou(boxes[kind], boxes[other]) > rules.same_box:
                _absorb(p, alternatives, [kind, other])
    listed = sorted((kind for kind in p if p[kind] >= rules.listed), key=lambda kind: -p[kind])
    return tuple(
        Garment(kind, min(p[kind], 1.0), boxes.get(kind), colours.get(kind, ()), alternatives.get(kind, {}))
        for kind in listed
    )


def _absorb(p: dict[str, float], alternatives: dict[str, dict[str, float]], kinds: Sequence[str]) -> None:
    """Keep the likeliest of `kinds`; the others leave `p` and become its alternatives."""
    if len(kinds) < 2:
        return
    best = max(kinds, key=lambda kind: p[kind])
    for kind in kinds:
        if kind != best:
            mine = alternatives.setdefault(best, {})
            mine.update(alternatives.pop(kind, {}))
            mine[kind] = min(p.pop(kind), 1.0)
