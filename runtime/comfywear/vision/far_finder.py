"""Looks at tiles when they are due, and keeps whom it found in sight between looks."""

from __future__ import annotations

import time
from collections.abc import Sequence

from comfywear.records import Detection, Frame
from comfywear.vision.detectors.company import among
from comfywear.vision.far_look import Finder, Tile, close_finder, company_of, merged, tile_finds, tiles_of
from comfywear.vision.far_schedule import FarSchedule, tiles_in_zones
from comfywear.vision.held_finds import PERSON, HeldFinds
from comfywear.vision.motion import MotionMap
from comfywear.vision.people.zones import ZoneArea

__all__ = ["FarFinder"]

_TILES = 2
_PAYS = 1.25  # auto: the frame has so many times the pixels of the detector's input, side by side
_CHANGED = 0.002  # part of a tile that moved: a person at the far end of a room


class FarFinder:
    """The closer looks of one camera.

    Args:
        detector: The one that looks at whole pictures; one that does not say the size of its input (`side`) is taken
            as seeing everything, and `auto` looks no closer.
        zones: Tiles that touch none of them are not looked at.
        every_s: See `FarSchedule`; None = auto.
        threshold: Down to which score finds are used.
        turns: Cameras that share the time for closer looks.
    """

    def __init__(
        self,
        detector: Finder,
        zones: Sequence[ZoneArea],
        every_s: float | None = None,
        *,
        threshold: float = 0.1,
        turns: int = 1,
    ) -> None:
        self._detector = close_finder(detector)
        self._labels, self._company = tuple(detector.thresholds), company_of(self._detector)
        self._zones, self._every_s, self._threshold, self._turns = zones, every_s, threshold, turns
        self._held = HeldFinds(detector.thresholds.get(PERSON, 0.3))
        self._size = (0, 0)
        self._tiles: list[Tile] = []
        self._schedule = FarSchedule(0)
        self._due: list[int] = []
        self.per_s = 0.0
        """Looks at tiles in a second that are wanted."""

    def begin(self, frame: Frame, motion: MotionMap, *, farther: float = 1.0) -> int:
        """How many tiles are due in `frame`, which `motion` has taken already; `farther` is a factor on intervals."""
        height, width = frame.image.shape[:2]
        if (width, height) != self._size:
            self._resize(width, height)
        now_s = frame.monotonic_s
        doubtful = self._held.settle(motion.moved, now_s)
        changed, wanted = set(), set()
        for index, tile in enumerate(self._tiles):
            since_s = self._schedule.looked_s(index)
            box = (float(tile.left), float(tile.top), float(tile.right), float(tile.bottom))
            if motion.flashed_s > since_s or motion.moved(box, since_s) >= _CHANGED:
                changed.add(index)
            if any(_middle_in(find, tile) for find in doubtful):
                wanted.add(index)
        self._due = self._schedule.due(now_s, changed, wanted, farther=farther)
        self.per_s = self._schedule.per_s()
        return len(self._due)

    def look(self, frame: Frame, quick: Sequence[Detection], most: int) -> int:
        """Look at `most` of the tiles that are due; returns at how many.

        Args:
            frame: As for `begin`.
            quick: What the last look at the whole picture found.
            most: Tiles at most.
        """
        chosen = self._due[:most]
        for index in chosen:
            began_s = time.perf_counter()
            finds = tile_finds(self._detector, frame.image, self._tiles[index], threshold=self._threshold)
            cost_s = time.perf_counter() - began_s
            if self._company:
                known = merged([*self._held.beside(quick), *quick, *finds], self._labels)
                finds = among(finds, known, self._company)
            new = self._held.take(self._tiles[index], self._size, finds, quick, frame.monotonic_s)
            self._schedule.looked(index, frame.monotonic_s, new=new, cost_s=cost_s)
        return len(chosen)

    def together(self, quick: Sequence[Detection]) -> list[Detection]:
        """A quick look's finds with those that are held beside them (`HeldFinds.beside`), in each other's company."""
        found = [*quick, *self._held.beside(quick)]
        return among(found, found, self._company)

    def _resize(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._held = self._held.emptied()
        pays = self._every_s is not None or max(width, height) >= _PAYS * getattr(
            self._detector, "side", max(width, height)
        )
        whole = tiles_of(width, height, _TILES) if pays and min(width, height) >= _TILES else []
        self._tiles = tiles_in_zones(whole, width, height, self._zones)
        self._schedule = FarSchedule(len(self._tiles), self._every_s, turns=self._turns)


def _middle_in(box: tuple[float, float, float, float], tile: Tile) -> bool:
    x, y = 0.5 * (box[0] + box[2]), 0.5 * (box[1] + box[3])
    return tile.left <= x < tile.right and tile.top <= y < tile.bottom
