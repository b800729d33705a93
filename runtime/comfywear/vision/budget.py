"""What looking may cost: which frame is searched for persons, and how many of them are looked at. Pure: time is given.

Costs are measured, and the load of every level of shedding is computed from them. The level is the lowest whose load
fits the budget. What a level would cost does not depend on the level that is in force, so that the answer does not
feed back on itself; a level is left only after a while, and for a lower one only with room to spare.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from comfywear.errors import UsageError
from comfywear.texts import Text

__all__ = ["LEVELS", "LONGEST_GAP_S", "Budget", "BudgetItem", "Load", "Plan", "checked_headroom", "fair_shares"]

BudgetItem = Literal["frame", "detect", "look", "tile"]
"""What costs are kept for: following persons through a frame, a detection, a look at one person's clothes, one at a
tile of the picture."""


class Level(NamedTuple):
    """How often each kind of work is done.

    Detection in every `every`-th frame; clothes looked at again after `slower` times the interval, tiles of the picture
    after `farther` times theirs.
    """

    every: int
    slower: float
    farther: float = math.inf


LEVELS: tuple[Level, ...] = (
    Level(1, 1.0, 1.0),
    Level(1, 1.0, 4.0),
    Level(1, 1.0),
    Level(1, 2.0),
    Level(1, 4.0),
    *(Level(every, 4.0) for every in (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)),
)
"""In the order in which work is shed: closer looks, since whom they find is held while nothing moves there; then looks
at known clothes, which change seldom; then the tracker carries persons for longer."""

LONGEST_GAP_S = 2.0
"""Persons are searched for at least this often, whatever the budget says (if the camera gives frames that often)."""

_RISE_S, _FALL_S = 2.0, 10.0  # for so long the load must be too high, or low enough for less shedding
_SPARE = 0.85  # of the budget: what the load must fit into before less is shed
_TOLERATED = 1.1  # times the budget: what is not yet called too much
_JITTER = 1.02  # a camera that nominally gives two frames in the longest gap does, though its clock is a little slow
_TILE_PART = 0.5  # of the time between frames that may be spent before another tile is begun
_PATIENCE_S = 1.0  # a person who waits for longer is looked at before the next detection


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with one frame.

    Detect or carry on, at how many persons to look at most, and the interval's factor; then at how many tiles of the
    picture, and the factor on their interval.
    """

    detect: bool
    looks: int
    slower: float
    tiles: int = 0
    farther: float = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """How the budget is.

    Attributes:
        level: Index into `LEVELS`; 0 = nothing is shed.
        cpu_share: Part of all processors that looking takes at this level, as computed from measured costs.
        full_share: The same with nothing shed.
        limit: What it may take; infinite without a limit.
        every: Persons are searched for in every so many frames.
        shed: What is shed, in sentences.
        over: Why a target is not held, for a moment or since all is shed that can be; None when it is held.
    """

    level: int
    cpu_share: float
    full_share: float
    limit: float
    every: int
    shed: tuple[str, ...]
    over: str | None


class _Cost:
    """A running average of wall and processor seconds a piece; the first, which warms caches, is replaced."""

    def __init__(self, memory: float = 0.1) -> None:
        self._memory = memory  # the least weight of a new cost
        self.count, self.wall_s, self.cpu_s = 0, 0.0, 0.0

    def add(self, pieces: int, wall_s: float, cpu_s: float) -> None:
        weight = max(1.0 / max(self.count, 1), self._memory)
        self.count += 1
        self.wall_s += weight * (wall_s / pieces - self.wall_s)
        self.cpu_s += weight * (cpu_s / pieces - self.cpu_s)


class Budget:
    """Holds a target latency, a processor share, or both.

    Args:
        interval_s: How often a person's clothes are looked at when nothing is shed.
        latency_s: A frame should be done after so long; infinite = no target. Looks are put off into later frames to
            hold it, and a detection gives way for a look when the two do not fit into one frame.
        cpu_share: Part of all processors that looking may take, above 0 to 1; 1 = no limit.
        cores: How many processors there are.
        most_looks: Persons looked at in one frame at most.
        turns: Cameras that take turns: closer looks leave the others their part of the time between frames.
    """

    def __init__(
        self,
        *,
        interval_s: float = 10.0,
        latency_s: float = math.inf,
        cpu_share: float = 1.0,
        cores: int = 1,
        most_looks: int = 8,
        turns: int = 1,
    ) -> None:
        if not (interval_s > 0.0 and latency_s > 0.0 and 0.0 < cpu_share <= 1.0 and min(cores, most_looks, turns) >= 1):
            raise UsageError(
                "a budget needs interval_s > 0, latency_s > 0, 0 < cpu_share ≤ 1, cores, most_looks and turns ≥ 1"
            )
        self._interval_s, self._latency_s = interval_s, latency_s
        self._cores, self._most, self._turns = cores, most_looks, turns
        self.cpu_share = cpu_share
        """Part of all processors that it may take; another one may be given at any time."""
        self._costs: dict[BudgetItem, _Cost] = {
            "frame": _Cost(),
            "detect": _Cost(),
            "look": _Cost(),
            "tile": _Cost(),
        }
        self._period = _Cost(memory=0.02)  # longer than the turns of detection
        self._headroom = 1.0
        self._level = 0
        self._last_s = self._detected_s = -math.inf
        self._frames_since = 0
        self._longest = 1  # frames from one detection to the next at most; held where jitter would make it flip
        self._gave_way = False
        self._persons = 0
        self._tiles_per_s = 0.0
        self._tiled_s = -math.inf
        self._over_since: float | None = None
        self._calm_since: float | None = None
        self._calm = 0

    @property
    def headroom(self) -> float:
        """0…1 from outside, such as from a hot processor: scales what looking may take, also where there is no limit.

        It is a factor on the share of the settings, or on what looking takes with nothing shed if that is less, so
        that 0.5 halves the work that is done. 0 sheds all that can be shed.
        """
        return self._headroom

    @headroom.setter
    def headroom(self, value: float) -> None:
        self._headroom = checked_headroom(value)

    @property
    def farther(self) -> float:
        """The factor on the interval of closer looks that is in force; infinite = none."""
        return LEVELS[self._level].farther

    def plan(
        self,
        now_s: float,
        persons: int = 0,
        waiting: int = 0,
        waited_s: float = 0.0,
        *,
        tiles: int = 0,
        tiles_per_s: float = 0.0,
    ) -> Plan:
        """What to do with the frame of `now_s`.

        Args:
            now_s: Monotonic time of the frame.
            persons: Present in the last frame.
            waiting: How many of them are due for a look.
            waited_s: For how long the first of those has been.
            tiles: Tiles of the picture that are due for a look.
            tiles_per_s: Looks at tiles in a second when nothing is shed.
        """
        self._tiles_per_s = tiles_per_s
        if self._last_s < now_s < math.inf and self._last_s > -math.inf:
            longest_s = 5.0 * self._period.wall_s if self._period.count > 2 else math.inf  # a camera that was gone
            self._period.add(1, min(now_s - self._last_s, longest_s), 0.0)
            fitting = _JITTER * LONGEST_GAP_S / self._period.wall_s
            if not 0.88 * self._longest <= fitting < 1.12 * (self._longest + 1):
                self._longest = max(int(fitting), 1)
        self._last_s, self._persons = now_s, persons
        self._choose(now_s)
        self._frames_since += 1
        level = LEVELS[self._level]
        gap_s = now_s - self._detected_s
        due = self._frames_since >= self._longest or gap_s >= LONGEST_GAP_S
        detect = self._frames_since >= level.every or due
        looks = self._room(detect)
        if waiting and not looks and waited_s > _PATIENCE_S:
            if detect and not self._gave_way and not due:
                detect, self._gave_way = False, True
                looks = max(self._room(detect), 1)
            elif not detect or (waited_s > 3.0 * _PATIENCE_S and self._longest == 1):
                looks = 1  # too few frames for detection ever to give way
        allowed = self._tiles(detect, min(looks, waiting), tiles) if level.farther < math.inf else 0
        if tiles and level.farther < math.inf and not allowed and not waiting and not due:
            if detect and now_s - self._tiled_s > LONGEST_GAP_S and not self._gave_way:
                detect, self._gave_way = False, True  # a tile and a detection do not fit into one frame
            allowed = 0 if detect else 1
        if allowed:
            self._tiled_s = now_s
        if detect:
            self._detected_s, self._frames_since, self._gave_way = now_s, 0, False
        return Plan(detect, looks, level.slower, allowed, level.farther if tiles_per_s else 1.0)

    def spent(self, work: BudgetItem, wall_s: float, cpu_s: float, pieces: int = 1) -> None:
        """Note what `pieces` of some work took: on the wall's clock, and of all processors together."""
        if pieces > 0 and math.isfinite(wall_s) and math.isfinite(cpu_s):
            self._costs[work].add(pieces, max(wall_s, 0.0), max(cpu_s, 0.0))

    def load(self) -> Load:
        """How the budget is now."""
        level, limit, share = LEVELS[self._level], self._limit(), self._share(self._level)
        shed: list[str] = []
        if level.farther > 1.0 and self._tiles_per_s:
            seldom = Text("far people are looked at {times} times as seldom", times=f"{level.farther:g}")
            shed.append(Text("far people are not looked at") if math.isinf(level.farther) else seldom)
        if level.slower > 1.0:
            shed.append(Text("clothes are looked at every {slower} s", slower=f"{level.slower * self._interval_s:g}"))
        if level.every > 1:
            shed.append(Text("persons are searched for in one of {every} frames", every=level.every))
        if self._headroom < 1.0 and shed:
            shed.append(Text("headroom {headroom}", headroom=f"{self._headroom:.2f}"))
        return Load(self._level, share, self._share(0), limit, level.every, tuple(shed), self._over(share, limit))

    def _over(self, share: float, limit: float) -> str | None:
        alone_s = self._costs["frame"].wall_s + self._costs["detect"].wall_s
        if alone_s > self._latency_s:
            return Text(
                "one detection alone takes {alone} ms of {most} ms",
                alone=f"{1e3 * alone_s:.0f}",
                most=f"{1e3 * self._latency_s:.0f}",
            )
        if share > _TOLERATED * limit:
            return Text(
                "looking takes {share} % of all processors and should take {limit} %",
                share=f"{100 * share:.1f}",
                limit=f"{100 * limit:.1f}",
            )
        return None

    def _room(self, detect: bool) -> int:
        """At how many persons there is time to look in a frame with or without a detection."""
        if math.isinf(self._latency_s):
            return self._most
        look_s = self._costs["look"].wall_s
        if not self._costs["look"].count:
            return 1
        room_s = self._latency_s - self._costs["frame"].wall_s - (self._costs["detect"].wall_s if detect else 0.0)
        return max(min(int(room_s / max(look_s, 1e-9)), self._most), 0)

    def _tiles(self, detect: bool, looks: int, due: int) -> int:
        """At how many of the tiles that are due there is time to look in a frame."""
        if not self._costs["tile"].count:
            return min(due, 1)
        cost = self._costs
        target_s = (
            min(self._latency_s, _TILE_PART * self._period.wall_s / self._turns)
            if self._period.count
            else self._latency_s
        )
        spent_s = cost["frame"].wall_s + (cost["detect"].wall_s if detect else 0.0) + looks * cost["look"].wall_s
        fit = max(int((target_s - spent_s) / max(cost["tile"].wall_s, 1e-9)), 0) if target_s < math.inf else due
        # Without a latency to hold, one at a time is always looked at: a slow device spreads them over frames.
        return min(due, max(fit, 1) if math.isinf(self._latency_s) else fit)

    def _share(self, level: int) -> float:
        """Part of all processors that a level takes."""
        if not self._period.count:
            return 0.0
        every, slower, farther = LEVELS[level]
        frames = 1.0 / self._period.wall_s
        detections = frames / min(every, self._longest)
        looks = self._persons / (self._interval_s * slower)
        cost = self._costs
        tiles = self._tiles_per_s / farther
        spent_s = (
            frames * cost["frame"].cpu_s
            + detections * cost["detect"].cpu_s
            + looks * cost["look"].cpu_s
            + tiles * cost["tile"].cpu_s
        )
        return spent_s / self._cores

    def _limit(self) -> float:
        if self._headroom < 1.0:
            return self._headroom * min(self.cpu_share, self._share(0))
        return self.cpu_share if self.cpu_share < 1.0 else math.inf

    def _fitting(self, limit: float, of_least: float) -> int:
        """The lowest level whose load fits, or is at most `of_least` times the least load that there is."""
        loads = [self._share(level) for level in range(len(LEVELS))]
        enough = max(limit, of_least * min(loads))
        return next(i for i, load in enumerate(loads) if load <= enough)

    def _choose(self, now_s: float) -> None:
        """Move to the level that fits once it has been asked for long enough."""
        limit = self._limit()
        least, calm = self._fitting(limit, 1.05 / _SPARE), self._fitting(_SPARE * limit, 1.05)
        if least > self._level:
            self._over_since = now_s if self._over_since is None else self._over_since
            if now_s - self._over_since >= _RISE_S:
                self._level, self._over_since, self._calm_since = self._fitting(limit, 1.05), None, None
            return
        self._over_since = None
        if calm >= self._level:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since, self._calm = now_s, calm
        else:
            self._calm = max(self._calm, calm)
            if now_s - self._calm_since >= _FALL_S:
                self._level, self._calm_since = self._calm, None


def checked_headroom(value: float) -> float:
    """`value` itself; UsageError unless it is a number from 0 to 1."""
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"headroom is a number from 0 to 1, not {value}")
    return value


def fair_shares(whole: float, wanted: Sequence[float]) -> list[float]:
    """How `whole` is divided: nobody gets less than an equal part of it unless they want less (max-min fairness).

    What nobody wants is divided equally on top, so that the parts sum to `whole`.
    """
    shares, left = [0.0] * len(wanted), whole
    for others, index in zip(
        range(len(wanted), 0, -1), sorted(range(len(wanted)), key=lambda i: wanted[i]), strict=True
    ):
        shares[index] = min(wanted[index], left / others)
        left -= shares[index]
    return [share + left / len(wanted) for share in shares]
