"""Who of one camera's persons is the same as who of another's, by where they stand and what they wear. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from comfywear.vision.people.floor import Place
from comfywear.vision.tracking.association import Association
from comfywear.vision.tracking.reid import THRESHOLD, Description, distance

__all__ = ["SamePersons", "Seen"]

_REACH_M = 1.0  # two places that are no farther apart may be one person's: feet are seen to within half a metre or so
_WALK_M_S = 1.4  # and somebody walks on between the frames of two cameras
_STRANGERS = 2.5 * THRESHOLD  # on the same spot, yet too unlike in what they wear
_KEPT = 1.5  # factor on both limits for two who were one person before
_DOUBT_S = 3.0  # for so long they must be apart until they are two again
_FORGET_S = 60.0  # somebody who was not seen for so long has no partner any more


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody as one camera sees them.

    Attributes:
        id: In this camera; no other camera gives it.
        since_s: Monotonic time since which they are seen.
        place: On the floor; None where that is not known.
        look: What they wear; None before the first look.
    """

    id: int
    since_s: float
    place: Place | None = None
    look: Description | None = None


class SamePersons:
    """Pairs of persons of two views, and the number that each pair has.

    Args:
        first_fresh: A number that no camera gives, for somebody whose own was given to another meanwhile.
        step: From one such number to the next.
    """

    def __init__(self, first_fresh: int, step: int) -> None:
        self._fresh, self._step = first_fresh, step
        self._partner: dict[int, int] = {}
        self._number: dict[int, int] = {}
        self._seen_s: dict[int, float] = {}
        self._apart_since_s: dict[frozenset[int], float] = {}
        self._association = Association()

    def number(self, person: int) -> int:
        """The number of a person of a camera: their own, or that which they share with their like in the other view."""
        return self._number.get(person, person)

    def partner(self, person: int) -> int | None:
        """Who the same person is in the other view; None where nobody is known to be."""
        return self._partner.get(person)

    def update(
        self,
        mine: Sequence[Seen],
        others: Sequence[Seen],
        now_s: float,
        apart_s: float = 0.0,
        settled: Collection[int] = (),
    ) -> list[tuple[int, int]]:
        """Take who is in a zone that two cameras see.

        Args:
            mine: Seen by one of them.
            others: Seen by the other.
            now_s: Monotonic.
            apart_s: Between the two pictures.
            settled: Who of them is paired with nobody anew.

        Returns:
            Numbers `(gone, kept)` that turned out to be one person's.
        """
        ids = {each.id for each in (*mine, *others)}
        self._seen_s |= dict.fromkeys(ids, now_s)
        self._claim(ids)
        by_id = {each.id: each for each in others}
        for one in mine:
            other = by_id.get(self._partner.get(one.id, 0))
            if other is not None:
                self._doubt(one, other, now_s, apart_s)
        free = [one for one in mine if self._partner.get(one.id) not in by_id and one.id not in settled]
        taken = {self._partner.get(one.id) for one in mine}.union(settled)
        left = [other for other in others if other.id not in taken]
        costs = np.array([[_cost(one, other, apart_s) for other in left] for one in free], np.float32)
        merged = []
        for row, column in zip(*self._association.assign(costs.reshape(len(free), len(left)), 1.0), strict=True):
            merged += self._join(free[row], left[column])
        self._forget(now_s)
        return merged

    def _join(self, one: Seen, other: Seen) -> list[tuple[int, int]]:
        """Two are one person: the number of who was seen first holds."""
        first, second = sorted((one, other), key=lambda each: (each.since_s, each.id))
        for each in (first, second):
            self._partner.pop(self._partner.pop(each.id, 0), None)
        self._partner |= {first.id: second.id, second.id: first.id}
        kept, gone = self.number(first.id), self.number(second.id)
        self._number[first.id] = self._number[second.id] = kept
        return [] if kept == gone else [(gone, kept)]

    def _doubt(self, one: Seen, other: Seen, now_s: float, apart_s: float) -> None:
        """Part a pair that has been too far apart, or too unlike, for a while."""
        pair = frozenset((one.id, other.id))
        cost = _cost(one, other, apart_s, _KEPT)
        if cost < 1.0 or (math.isinf(cost) and not _comparable(one, other)):
            self._apart_since_s.pop(pair, None)
        elif now_s - self._apart_since_s.setdefault(pair, now_s) >= _DOUBT_S:
            del self._apart_since_s[pair], self._partner[one.id], self._partner[other.id]
            shared = self.number(one.id)
            newer = one if one.since_s > other.since_s else other
            leaves = other if shared == one.id else one if shared == other.id else newer
            self._number.pop(leaves.id, None)
            self._claim({one.id, other.id})

    def _claim(self, ids: Collection[int]) -> None:
        """Nobody has the number of another: who comes back to find theirs given away gets one that nobody had."""
        owners: dict[int, int] = {}
        for person in sorted(ids, key=lambda each: (each not in self._partner, each)):
            owner = owners.setdefault(self.number(person), person)
            if owner != person and self._partner.get(person) != owner:
                self._number[person], self._fresh = self._fresh, self._fresh + self._step

    def _forget(self, now_s: float) -> None:
        gone = [person for person, seen_s in self._seen_s.items() if now_s - seen_s > _FORGET_S]
        for person in gone:
            del self._seen_s[person]
            self._number.pop(person, None)
            self._partner.pop(self._partner.pop(person, 0), None)
        self._apart_since_s = {
            pair: since_s for pair, since_s in self._apart_since_s.items() if pair <= self._seen_s.keys()
        }


def _comparable(one: Seen, other: Seen) -> bool:
    """Whether there is anything by which two can be told to be the same or not."""
    return (one.place is not None and other.place is not None) or (one.look is not None and other.look is not None)


def _cost(one: Seen, other: Seen, apart_s: float, factor: float = 1.0) -> float:
    """How unlikely it is that two are the same, from 0; 1 and more = they are not."""
    looks = None if one.look is None or other.look is None else distance(one.look, other.look)
    if one.place is None or other.place is None:
        return math.inf if looks is None else looks / (factor * THRESHOLD)
    reach_m = factor * (_REACH_M + _WALK_M_S * apart_s)
    away = math.dist(one.place, other.place) / reach_m
    if away >= 1.0 or (looks is not None and looks >= factor * _STRANGERS):
        return math.inf
    return 0.5 * away + 0.5 * (0.5 if looks is None else looks / (factor * _STRANGERS))
