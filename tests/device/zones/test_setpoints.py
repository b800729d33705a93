"""What a thermostat should be set to, followed over time: people, pace, setback, seasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from comfywear.comfort import Site
from comfywear.device.zones.estimator import Estimator
from comfywear.device.zones.setpoints import Setpoints
from comfywear.records import Climate, Occupancy, Preferred, ZoneEstimate, ZoneSetpoint
from comfywear.settings import ComfortSettings
from comfywear.settings.setpoint import SetpointSettings

ESTIMATE = Estimator(ComfortSettings()).zone(Climate("desk", "fresh", 23.0, 45.0), ())
THERE: Mapping[str, Occupancy] = {"desk": Occupancy("occupied", 2, 0.0)}


def gone(since_s: float) -> Mapping[str, Occupancy]:
    return {"desk": Occupancy("empty", 0, since_s)}


@dataclass
class Room:
    """A zone that likes what `liked` says, with or without a thermostat that says what it is set to."""

    liked: float | None = 21.8
    says: float | None = None
    season: Literal["warm", "cool"] | None = None
    chosen: SetpointSettings = field(default_factory=SetpointSettings)
    told: list[float | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.setpoints = Setpoints(
            self.chosen, liked=self._liked, site=lambda _: Site(season=self.season), thermostats=self
        )

    def _liked(self, zone: str, estimate: ZoneEstimate) -> Preferred:
        assert (zone, estimate) == ("desk", ESTIMATE)
        return Preferred(self.liked, reason=None if self.liked is not None else "the air is not known")

    def reported(self, zone: str) -> float | None:
        return self.says

    def tick(self, now_s: float, wanted: Mapping[str, ZoneSetpoint]) -> None:
        self.told.append(wanted["desk"].setpoint_c)

    def at(self, now_s: float, occupied: Mapping[str, Occupancy] | None = THERE) -> ZoneSetpoint:
        self.setpoints.tick(now_s, {"desk": ESTIMATE}, occupied)
        found = self.setpoints.of("desk")
        assert found is not None
        return found


def test_the_nearest_step_to_what_is_liked_is_advised_and_handed_to_the_thermostats() -> None:
    room = Room(liked=21.8)
    assert room.setpoints.of("desk") is None
    found = room.at(0.0)
    assert (found.setpoint_c, found.why) == (22.0, "21.8 °C would please most")
    assert room.told == [22.0]


def test_it_moves_by_a_step_at_a_time_and_not_before_its_pause_is_over() -> None:
    room = Room(liked=21.0)
    assert room.at(0.0).setpoint_c == 21.0
    room.liked = 24.0
    assert room.at(20.0).setpoint_c == 21.0
    assert room.at(899.0).setpoint_c == 21.0
    assert room.at(910.0).setpoint_c == 22.0
    assert room.at(930.0).setpoint_c == 22.0
    assert room.at(1820.0).setpoint_c == 23.0


def test_a_wish_between_two_steps_does_not_swing_between_them() -> None:
    room = Room(liked=21.7)
    assert room.at(0.0).setpoint_c == 21.5
    for minute, liked in enumerate((21.8, 21.7, 21.85, 21.6), start=1):
        room.liked = liked
        assert room.at(1000.0 * minute).setpoint_c == 21.5
    room.liked = 21.95
    assert room.at(9000.0).setpoint_c == 22.0


def test_an_empty_zone_is_set_back_after_a_while_in_one_step_and_comes_back_in_one() -> None:
    room = Room(liked=22.0)
    room.at(0.0)
    assert room.at(100.0, gone(since_s=90.0)).setpoint_c == 22.0
    assert room.at(989.0, gone(since_s=90.0)).setpoint_c == 22.0
    back = room.at(995.0, gone(since_s=90.0))
    assert (back.setpoint_c, back.why) == (17.0, "nobody is there")
    assert room.at(1000.0, THERE).setpoint_c == 22.0


@pytest.mark.parametrize("occupied", [None, {}, {"desk": Occupancy("unknown", 0, 0.0)}])
def test_where_nobody_can_look_it_is_never_set_back(occupied: Mapping[str, Occupancy] | None) -> None:
    room = Room(liked=22.0)
    for hour in range(24):
        assert room.at(3600.0 * hour, occupied).setpoint_c == 22.0


@pytest.mark.parametrize(
    ("plant", "season", "empty_c"),
    [
        ("auto", "warm", 28.0),
        ("auto", "cool", 17.0),
        ("auto", None, 17.0),
        ("cooling", "cool", 28.0),
        ("heating", "warm", 17.0),
    ],
)
def test_an_empty_zone_is_set_back_as_the_season_or_the_settings_say(
    plant: Literal["auto", "heating", "cooling"], season: Literal["warm", "cool"] | None, empty_c: float
) -> None:
    room = Room(season=season, chosen=SetpointSettings(plant=plant))
    found = room.at(5000.0, gone(since_s=0.0))
    assert (found.setpoint_c, found.heating) == (empty_c, empty_c == 17.0)


def test_the_step_is_counted_from_what_the_thermostat_is_set_to() -> None:
    room = Room(liked=22.0, says=22.0)
    room.at(0.0)
    room.says = 25.0  # somebody turned it
    assert room.at(1000.0).setpoint_c == 24.0


def test_what_is_not_known_leaves_the_thermostat_as_it_is_and_says_why() -> None:
    room = Room(liked=22.0)
    room.at(0.0)
    room.liked = None
    found = room.at(20.0)
    assert (found.setpoint_c, found.why) == (None, "the air is not known")
    room.liked = 26.0
    assert room.at(40.0).setpoint_c == 26.0


@pytest.mark.parametrize("liked", [-50.0, 12.0, 40.0, 300.0])
def test_whatever_is_liked_it_keeps_within_the_limits(liked: float) -> None:
    assert 19.0 <= (Room(liked=liked).at(0.0).setpoint_c or 0.0) <= 27.0
