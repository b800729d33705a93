"""What was said of a zone, by quantity and time: read from messages, votes and a device's own history."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from comfywear.comfort.comfort_vote import pmv_anyway

__all__ = ["HOLD_S", "KINDS", "Advised", "Series", "VoteSeen", "ZoneLog"]

Array = NDArray[np.float64]

HOLD_S = 900.0
"""What was said counts until something else is said, and for so long at most."""
KINDS = ("climate", "comfort", "occupancy", "vote", "setpoint")
"""The kinds of messages that are read."""


class Series:
    """A quantity over time; NaN where it was said to be unknown."""

    def __init__(self) -> None:
        self._times, self._values = array("d"), array("d")

    def __len__(self) -> int:
        return len(self._times)

    def add(self, unix_s: float, value: float | None) -> None:
        """What it was from a moment on; None = unknown."""
        self._times.append(unix_s)
        self._values.append(nan if value is None else value)

    def at(self, moments: Array, hold_s: float = HOLD_S) -> Array:
        """The values at ascending Unix times; NaN where nothing was said within `hold_s` before."""
        times = np.frombuffer(self._times) if self._times else np.zeros(0)
        values = np.frombuffer(self._values) if self._values else np.zeros(0)
        if not len(times):
            return np.full(len(moments), nan)
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        index = np.searchsorted(times, moments, side="right") - 1
        found = values[np.maximum(index, 0)]
        said = (index >= 0) & (moments - times[np.maximum(index, 0)] < hold_s)
        return np.where(said, found, nan)


@dataclass(frozen=True, slots=True)
class VoteSeen:
    """A vote: Unix time, level 1…5; the level and the vote (−3…+3) that were expected, None where nothing was."""

    unix_s: float
    level: int
    expected_level: int | None
    expected_vote: float | None


@dataclass(frozen=True, slots=True)
class Advised:
    """What was advised first from a moment on; "" = nothing."""

    unix_s: float
    sentence: str


@dataclass(slots=True)
class ZoneLog:
    """All that was said of a zone.

    Attributes:
        site: The building.
        device: Whose zone it is.
        zone: Its name.
        title: What to show for it.
        air: Air temperature, °C.
        humidity: %.
        fresh: 1 while the sensor speaks, 0 while the device says that it is silent or missing.
        disagree: 1 while two sensors differ too much.
        pmv: Predicted mean vote, also beyond the range of the standard.
        expected: Expected vote of the device's model, −3…+3.
        occupied: 1 with people, 0 without.
        setpoint: What a thermostat was to be set to, °C.
        advised: In the order in which it was said.
        votes: By id; those that were taken back are not among them.
        undone: Ids of votes that were taken back.
        simulated: Whether a replayed recording stood for a sensor.
        disagreement: How two sensors last differed, in words.
        learnt_k: By how many K warmer than the model it is liked, as learnt from votes; None where it is not known.
        unread: Messages that are not what their kind says.
    """

    site: str
    device: str
    zone: str
    title: str = ""
    air: Series = field(default_factory=Series)
    humidity: Series = field(default_factory=Series)
    fresh: Series = field(default_factory=Series)
    disagree: Series = field(default_factory=Series)
    pmv: Series = field(default_factory=Series)
    expected: Series = field(default_factory=Series)
    occupied: Series = field(default_factory=Series)
    setpoint: Series = field(default_factory=Series)
    advised: list[Advised] = field(default_factory=list)
    votes: dict[str, VoteSeen] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    simulated: bool = False
    disagreement: str | None = None
    learnt_k: float | None = None
    unread: int = 0

    def take(self, kind: str, unix_s: float, payload: bytes) -> None:
        """Take a message in; one that is not what its kind says is counted and left out."""
        reader = _READERS.get(kind)
        if reader is None:
            return
        try:
            said = reader.decode(payload)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            self.unread += 1
            return
        if isinstance(said, _Climate):
            self._take_climate(unix_s, said)
        elif isinstance(said, _Comfort):
            self.pmv.add(unix_s, pmv_anyway(said.inputs) if said.pmv is None else said.pmv)
            self.expected.add(unix_s, said.expected_vote)
            self.advised.append(Advised(unix_s, said.advice[0] if said.advice else ""))
        elif isinstance(said, _Occupancy):
            known = {"occupied": 1.0, "empty": 0.0}
            self.occupied.add(unix_s, known.get(said.state))
        elif isinstance(said, _Setpoint):
            self.setpoint.add(unix_s, said.setpoint_c)
        elif isinstance(said, _Vote):
            self._take_vote(unix_s, said)

    def take_vote(self, vote_id: str, vote: VoteSeen, *, undone: bool = False) -> None:
        """Take a vote in, or its taking back, in any order."""
        if undone:
            self.undone.add(vote_id)
            self.votes.pop(vote_id, None)
        elif vote_id not in self.undone:
            self.votes[vote_id] = vote

    def _take_climate(self, unix_s: float, said: _Climate) -> None:
        fresh = said.state == "fresh"
        self.fresh.add(unix_s, float(fresh))
        self.air.add(unix_s, said.air_temp_c if fresh else None)
        self.humidity.add(unix_s, said.humidity_pct if fresh else None)
        self.disagree.add(unix_s, float(said.disagreement is not None))
        self.disagreement = said.disagreement or self.disagreement
        self.simulated = self.simulated or said.simulated

    def _take_vote(self, unix_s: float, said: _Vote) -> None:
        expected = said.comfort or _VoteComfort()
        seen = VoteSeen(unix_s, said.level, expected.level, expected.expected_vote)
        self.take_vote(said.id, seen, undone=said.undone)


# What no room is, and no thermostat is set to, is not believed.
_TempC = Annotated[float, Meta(ge=-60, le=100)] | None


class _Climate(msgspec.Struct):
    state: str
    air_temp_c: _TempC = None
    humidity_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    disagreement: str | None = None
    simulated: bool = False


class _Comfort(msgspec.Struct):
    expected_vote: float | None = None
    pmv: float | None = None
    inputs: dict[str, float | None] = {}
    advice: list[str] = []


class _Occupancy(msgspec.Struct):
    state: str


class _Setpoint(msgspec.Struct):
    setpoint_c: _TempC = None


class _VoteComfort(msgspec.Struct):
    expected_vote: float | None = None
    level: int | None = None


class _Vote(msgspec.Struct):
    id: str
    level: Annotated[int, Meta(ge=1, le=5)]
    undone: bool = False
    comfort: _VoteComfort | None = None


_READERS: Mapping[str, msgspec.json.Decoder[object]] = {
    "climate": msgspec.json.Decoder(_Climate),
    "comfort": msgspec.json.Decoder(_Comfort),
    "occupancy": msgspec.json.Decoder(_Occupancy),
    "setpoint": msgspec.json.Decoder(_Setpoint),
    "vote": msgspec.json.Decoder(_Vote),
}
