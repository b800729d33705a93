"""Whom only a closer look finds: held between such looks while nothing moved there. Pure: time is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from comfywear.records import Box, Detection
from comfywear.vision.boxes import iou
from comfywear.vision.far_look import Tile
from comfywear.vision.layouts.nms import box_iou

__all__ = ["PERSON", "HeldFinds"]

PERSON = "person"
_SAME = 0.45  # IoU from which two finds are of one person
_INSIDE = 0.6  # part of a garment's box that lies in its wearer's
_MOVED = 0.03  # part of a person's box that moved: they may have left
_MOST_MISSES, _MISSES_MOVED = 4, 2  # closer looks that may miss somebody still, and somebody where something moved
_UNSEEN_S = 15.0  # for so long somebody where something moved is held without a closer look

Moved = Callable[[Box, float], float]
"""`(box, since_s)` → the part of the box that moved since, 0…1."""


@dataclass(slots=True)
class _Held:
    person: Detection
    garments: tuple[Detection, ...]
    confirmed_s: float
    misses: int = 0
    moved_s: float | None = None


class HeldFinds:
    """Persons that were found in tiles, with their garments.

    Somebody is held while nothing moves in their box, also when a few closer looks miss them. Where something moved,
    the tile is wanted for a look: two looks that miss them there, or 15 s without a look, and they are let go.

    Args:
        believed: Score above which a person is believed; a weaker one, down to a third, keeps who is held.
    """

    def __init__(self, believed: float) -> None:
        self._believed = believed
        self._held: list[_Held] = []

    def __len__(self) -> int:
        """How many are held."""
        return len(self._held)

    def emptied(self) -> HeldFinds:
        """Another with the same threshold that holds nobody."""
        return HeldFinds(self._believed)

    def take(
        self, tile: Tile, size: tuple[int, int], finds: Sequence[Detection], quick: Sequence[Detection], now_s: float
    ) -> int:
        """Take what a closer look at `tile` found, beside the last quick look; returns how many persons are new.

        Args:
            tile: Which part was looked at.
            size: Width and height of the picture.
            finds: Of the closer look, in pixels of the picture.
            quick: What the last look at the whole picture found.
            now_s: Monotonic.
        """
        seen = [find for find in finds if find.label == PERSON and find.score >= self._believed / 3.0]
        garments = [find for find in finds if find.label != PERSON]
        free = sorted(range(len(seen)), key=lambda i: -seen[i].score)
        for held in self._held:
            best = max(free, key=lambda i: iou(seen[i].box, held.person.box), default=None)
            if best is not None and iou(seen[best].box, held.person.box) >= _SAME:
                free.remove(best)
                score = max(seen[best].score, self._believed * 1.1)  # it was believed; the tracker must not drop it
                held.person = Detection(seen[best].box, score, PERSON)
                held.garments = _worn(held.person.box, garments)
                held.confirmed_s, held.misses, held.moved_s = now_s, 0, None
            elif _whole_in(held.person.box, tile, size):
                held.misses += 1
        known = [find.box for find in quick if find.label == PERSON and find.score >= self._believed]
        new = 0
        for i in free:
            person = seen[i]
            if person.score < self._believed or any(iou(person.box, box) >= _SAME for box in known):
                continue
            known.append(person.box)
            self._held.append(_Held(person, _worn(person.box, garments), now_s))
            new += 1
        return new

    def settle(self, moved: Moved, now_s: float) -> list[Box]:
        """Let those go who have left; returns the boxes of those who may have, to be looked at again."""
        kept, doubtful = [], []
        for held in self._held:
            if held.moved_s is None and moved(held.person.box, held.confirmed_s) >= _MOVED:
                held.moved_s, held.misses = now_s, 0
            if held.misses >= (_MOST_MISSES if held.moved_s is None else _MISSES_MOVED):
                continue
            if held.moved_s is not None:
                if now_s - held.moved_s > _UNSEEN_S and not held.misses:
                    continue
                doubtful.append(held.person.box)
            kept.append(held)
        self._held = kept
        return doubtful

    def beside(self, quick: Sequence[Detection]) -> list[Detection]:
        """The finds that are held and not among those of a quick look: persons, then their garments."""
        seen = np.array([f.box for f in quick if f.label == PERSON and f.score >= self._believed], np.float32)
        carried = self._held
        if len(seen) and carried:
            overlaps = box_iou(np.array([held.person.box for held in carried], np.float32), seen)
            carried = [held for held, row in zip(carried, overlaps, strict=True) if row.max() < _SAME]
        return [held.person for held in carried] + [garment for held in carried for garment in held.garments]


def _worn(box: Box, garments: Sequence[Detection]) -> tuple[Detection, ...]:
    return tuple(garment for garment in garments if _part_inside(garment.box, box) >= _INSIDE)


def _part_inside(box: Box, other: Box) -> float:
    width = max(min(box[2], other[2]) - max(box[0], other[0]), 0.0)
    height = max(min(box[3], other[3]) - max(box[1], other[1]), 0.0)
    return width * height / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def _whole_in(box: Box, tile: Tile, size: tuple[int, int]) -> bool:
    """Whether a look at the tile could have seen all of the box, clear of the borders that cut."""
    aside, above = 0.02 * (tile.right - tile.left), 0.02 * (tile.bottom - tile.top)
    return (
        (tile.left == 0 or box[0] > tile.left + aside)
        and (tile.top == 0 or box[1] > tile.top + above)
        and (tile.right == size[0] or box[2] < tile.right - aside)
        and (tile.bottom == size[1] or box[3] < tile.bottom - above)
    )
