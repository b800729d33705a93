"""When which tile is looked at: at an interval, sooner where the room changed, seldom where nobody new shows. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from comfywear.vision.far_look import Tile
from comfywear.vision.people.zones import ZoneArea

__all__ = ["FarSchedule", "tiles_in_zones"]

_SHARE = 0.1  # auto: part of the time that looks at tiles may take while they find somebody
_SOONEST_S, _LATEST_S = 5.0, 60.0  # auto: bounds of the interval while they do
_SLOWER, _SLOWEST = 1.5, 6.0  # auto: factor on a tile's interval after a look that found nobody new, and its bound
_FIRST_COST_S = 0.2
_GRID = 24  # points in a row at which a tile and a zone are compared


class FarSchedule:
    """Which tiles are due.

    Args:
        tiles: How many there are.
        every_s: Each is looked at this often; None = by what a look costs (they take a tenth of the time, at intervals
            of 5 to 60 s) and by what it finds: up to six times as seldom where nobody new shows.
        turns: Cameras that share that tenth.
    """

    def __init__(self, tiles: int, every_s: float | None = None, *, turns: int = 1) -> None:
        self._every_s, self._share = every_s, _SHARE / turns
        self._cost_s = _FIRST_COST_S
        self._looked_s = [-math.inf] * tiles
        self._factor = [1.0] * tiles  # on the interval
        self._busy = [1.0] * tiles  # on the interval where something changed
        self._changed: frozenset[int] = frozenset()

    def due(
        self, now_s: float, changed: Collection[int] = (), wanted: Collection[int] = (), *, farther: float = 1.0
    ) -> list[int]:
        """The tiles to look at, the longest waiting first.

        Args:
            now_s: Monotonic.
            changed: Tiles in which something moved since they were looked at: at half the interval of the settings, or
                what it costs; auto becomes slower where things move all the time and nobody new shows.
            wanted: Tiles where somebody who was found may have left: at half the interval, whatever was found.
            farther: Factor on all intervals; infinite = none is looked at.
        """
        self._changed = frozenset(changed)
        if math.isinf(farther):
            return []
        found = []
        for tile, looked_s in enumerate(self._looked_s):
            interval_s = 0.5 * self._base_s() if tile in wanted else self._interval_s(tile)
            if now_s - looked_s >= interval_s * farther:
                found.append(tile)
        return sorted(found, key=lambda tile: self._looked_s[tile])

    def looked(self, tile: int, now_s: float, *, new: int, cost_s: float) -> None:
        """Note a look: at whom for the first time, and what it took."""
        first = self._looked_s[tile] == -math.inf and self._cost_s == _FIRST_COST_S
        self._looked_s[tile] = now_s
        if self._every_s is None:
            self._factor[tile] = 1.0 if new else min(_SLOWER * self._factor[tile], _SLOWEST)
            vain = tile in self._changed and not new
            self._busy[tile] = min(_SLOWER * self._busy[tile], _SLOWEST) if vain else 1.0
        self._cost_s += (1.0 if first else 0.1) * (cost_s - self._cost_s)

    def looked_s(self, tile: int) -> float:
        """When a tile was last looked at; −inf for never."""
        return self._looked_s[tile]

    def per_s(self) -> float:
        """Looks at tiles in a second with nothing shed, as things were when it was last asked what is due."""
        return sum(1.0 / self._interval_s(tile) for tile in range(len(self._looked_s)))

    def _interval_s(self, tile: int) -> float:
        usual_s = self._factor[tile] * self._base_s()
        return min(0.5 * self._busy[tile] * self._base_s(), usual_s) if tile in self._changed else usual_s

    def _base_s(self) -> float:
        if self._every_s is not None:
            return self._every_s
        return min(max(len(self._looked_s) * self._cost_s / self._share, _SOONEST_S), _LATEST_S)


def tiles_in_zones(tiles: Sequence[Tile], width: int, height: int, zones: Sequence[ZoneArea]) -> list[Tile]:
    """Those of the tiles of a picture that touch a zone; who stands in none of the zones is nobody's."""
    return [tile for tile in tiles if any(_touches(tile, width, height, zone) for zone in zones)]


def _touches(tile: Tile, width: int, height: int, zone: ZoneArea) -> bool:
    if not zone.polygon:
        return True
    if any(tile.left <= x * width <= tile.right and tile.top <= y * height <= tile.bottom for x, y in zone.polygon):
        return True
    across, down = (tile.right - tile.left) / _GRID, (tile.bottom - tile.top) / _GRID
    return any(
        zone.contains((tile.left + (column + 0.5) * across) / width, (tile.top + (row + 0.5) * down) / height)
        for row in range(_GRID)
        for column in range(_GRID)
    )
