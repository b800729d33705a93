"""What each zone likes and what a thermostat should be set to for it, followed over time; thermostats do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from comfywear.records import Occupancy, Preferred, ZoneEstimate, ZoneSetpoint
from comfywear.settings.setpoint import SetpointSettings

if TYPE_CHECKING:
    from comfywear.comfort import Site

__all__ = ["Setpoints", "ZoneThermostats"]

# What people like does not change within seconds, and looking for the bands costs a millisecond.
_AGAIN_S = 10.0
# A wish between two steps does not swing between them: it must be nearer to the other one by this part of a step.
_SWING = 0.75


class ZoneThermostats(Protocol):
    """The thermostats that follow the setpoints."""

    def reported(self, zone: str) -> float | None:
        """What a thermostat of the zone says it is set to, °C; None where none does."""

    def tick(self, now_s: float, wanted: Mapping[str, ZoneSetpoint]) -> None:
        """Set them to what is wanted by zone, with manners."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A zone's setpoint, when it was looked at and when it last changed, and for whom it was."""

    said: ZoneSetpoint
    people: bool | None
    made_s: float
    changed_s: float


class Setpoints:
    """The setpoint of each zone.

    Args:
        settings: Limits and pace.
        liked: What a zone likes, from its estimate.
        site: What is known of a zone's place: its season.
        thermostats: Those that follow.
    """

    def __init__(
        self,
        settings: SetpointSettings,
        *,
        liked: Callable[[str, ZoneEstimate], Preferred],
        site: Callable[[str], Site],
        thermostats: ZoneThermostats,
    ) -> None:
        self._settings = settings
        self._liked = liked
        self._site = site
        self._thermostats = thermostats
        self._kept: dict[str, _Kept] = {}

    def of(self, zone: str) -> ZoneSetpoint | None:
        """The zone's newest; None before the first."""
        kept = self._kept.get(zone)
        return kept.said if kept else None

    def tick(
        self, now_s: float, estimates: Mapping[str, ZoneEstimate], occupied: Mapping[str, Occupancy] | None
    ) -> None:
        """Follow what is known at `now_s` (monotonic); `occupied` is None while nobody can look."""
        for zone, estimate in estimates.items():
            people = self._people(occupied.get(zone) if occupied else None, now_s)
            kept = self._kept.get(zone)
            if kept is None or people is not kept.people or not 0.0 <= now_s - kept.made_s < _AGAIN_S:
                self._kept[zone] = self._next(zone, estimate, kept, people, now_s)
        self._thermostats.tick(now_s, {zone: kept.said for zone, kept in self._kept.items()})

    def _people(self, occupancy: Occupancy | None, now_s: float) -> bool | None:
        """Whether somebody is there; None where nobody can say, or somebody left only now."""
        if occupancy is None or occupancy.state == "unknown":
            return None
        if occupancy.state == "occupied":
            return True
        return False if now_s - occupancy.since_s >= self._settings.empty_after_s else None

    def _next(self, zone: str, estimate: ZoneEstimate, kept: _Kept | None, people: bool | None, now_s: float) -> _Kept:
        from comfywear.comfort.setpoint import SetpointRules, setpoint

        chosen, liked = self._settings, self._liked(zone, estimate)
        heating = chosen.plant == "heating" or (chosen.plant == "auto" and self._site(zone).season != "warm")
        rules = SetpointRules(
            chosen.lowest_c, chosen.highest_c, chosen.empty_heating_c, chosen.empty_cooling_c, chosen.most_k,
            chosen.round_k,
        )  # fmt: skip
        before_c = kept.said.setpoint_c if kept else None
        there_as_before = kept is not None and (people is False) == (kept.people is False)
        reported_c = self._thermostats.reported(zone)
        present_c = before_c if reported_c is None else reported_c
        wanted = setpoint(
            liked, rules, people=people, heating=heating, present_c=present_c if there_as_before else None
        )
        value = wanted.value_c
        if kept is not None and there_as_before and value is not None and before_c is not None:
            soon = people is not False and now_s - kept.changed_s < chosen.every_s
            if soon or _within_a_swing(before_c, value, liked, chosen):
                value = before_c
        changed_s = now_s if kept is None or value != before_c else kept.changed_s
        return _Kept(ZoneSetpoint(liked, value, wanted.why, heating), people, now_s, changed_s)


def _within_a_swing(before_c: float, value_c: float, liked: Preferred, chosen: SetpointSettings) -> bool:
    """Whether what is liked lies just beyond the middle between the last setpoint and its neighbour."""
    one_step = abs(value_c - before_c) < 1.5 * chosen.round_k
    within = chosen.lowest_c <= before_c <= chosen.highest_c
    near = liked.preferred_c is not None and abs(liked.preferred_c - before_c) < _SWING * chosen.round_k
    return one_step and within and near
