"""Which looks are worth labelling: plain functions from what was seen to whom to keep, and why. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box, Detection, Person

PERSON = "person"
_MOST_PERSONS = 4  # of one vote
_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One frame of a camera with what was seen in it.

    Attributes:
        image: `(H, W, 3) uint8` BGR.
        monotonic_s: When.
        detections: Whatever was seen, however weakly.
        persons: Those who were followed.
        thresholds: By label.
        source: Which camera's it is.
    """

    image: NDArray[np.uint8]
    monotonic_s: float
    detections: Sequence[Detection]
    persons: Sequence[Person]
    thresholds: Mapping[str, float]
    source: str = ""

    def people(self) -> list[Box]:
        """The boxes of everybody, however weakly seen."""
        return [each.box for each in self.detections if each.label == PERSON] + [each.box for each in self.persons]

    def sure(self) -> list[Detection]:
        """The detections that are believed."""
        return [each for each in self.detections if each.score >= self.thresholds.get(each.label, 1.0)]


@dataclass(frozen=True, slots=True)
class Pick:
    """A person to keep, and why."""

    box: Box
    why: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is uncertain or looked for; as in the settings."""

    random_part: float = 0.001
    margin: float = 0.1
    classes: Sequence[str] = ()
    min_count: int = 10
    max_count: int = 1000


def by_chance(look: Look, wanted: Wanted, draw: random.Random) -> list[Pick]:
    """Anybody, of so small a part of the looks."""
    persons = _persons(look)
    if not persons or draw.random() >= wanted.random_part:
        return []
    return [Pick(draw.choice(persons), "by chance")]


def close_to_threshold(look: Look, wanted: Wanted, _: random.Random) -> list[Pick]:
    """The person with the detection that is nearest to its threshold, within the margin."""
    near = [
        (abs(each.score - limit), each, limit)
        for each in look.detections
        if (limit := look.thresholds.get(each.label)) is not None and abs(each.score - limit) <= wanted.margin
    ]
    for _distance, each, limit in sorted(near, key=lambda found: found[0]):
        box = _owner(look, each)
        if box is not None:
            return [Pick(box, f"{each.label} {each.score:.2f}, threshold {limit:.2f}")]
    return []


def contains_classes(look: Look, wanted: Wanted, _: random.Random) -> list[Pick]:
    """The person with the surest detection of a label that is looked for."""
    found = [each for each in look.sure() if each.label in wanted.classes]
    for each in sorted(found, key=lambda each: -each.score):
        box = _owner(look, each)
        if box is not None:
            return [Pick(box, f"{each.label} {each.score:.2f}")]
    return []


def number_of_detections(look: Look, wanted: Wanted, _: random.Random) -> list[Pick]:
    """The largest person of a look with so many detections."""
    count, persons = len(look.sure()), _persons(look)
    if not persons or not wanted.min_count <= count <= wanted.max_count:
        return []
    return [Pick(max(persons, key=_size), f"{count} detections")]


SAMPLERS: dict[str, Callable[[Look, Wanted, random.Random], list[Pick]]] = {
    "random": by_chance,
    "threshold": close_to_threshold,
    "classes": contains_classes,
    "count": number_of_detections,
}


def of_vote(look: Look, zone: str, level: int) -> list[Pick]:
    """The persons of the zone that somebody voted for, the largest first."""
    boxes = sorted((person.box for person in look.persons if person.zone == zone), key=_size, reverse=True)
    return [Pick(box, f"vote {level}") for box in boxes[:_MOST_PERSONS]]


def _persons(look: Look) -> list[Box]:
    return [each.box for each in look.sure() if each.label == PERSON]


def _owner(look: Look, found: Detection) -> Box | None:
    """The person that a detection is or lies on; None when there is nobody: no crop is made of a garment alone."""
    if found.label == PERSON:
        return found.box
    owners = [each.box for each in look.detections if each.label == PERSON and covered(found.box, each.box) > _OVERLAP]
    return max(owners, key=lambda box: covered(found.box, box), default=None)


def covered(box: Box, other: Box) -> float:
    """The part of `box` that lies within `other`, 0…1."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0.0) * max(height, 0.0) / size if (size := _size(box)) > 0 else 0.0


def _size(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
