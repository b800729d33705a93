"""What is known of each point: good, or in a word why not; never the last value for ever."""

from __future__ import annotations

import pytest

from comfywear import publishing
from comfywear.buildings.points import POINTS
from comfywear.buildings.readings import PATIENCE_S, Board, Reading, Validity, readings_of
from comfywear.records import Climate, Comfort, Occupancy

STAMP = publishing.Stamp("", "", None, None, False)
NOW_S = 1000.0
TWO = Occupancy("occupied", 2, 0.0)


def messages(
    air: Climate,
    *,
    vote: float | None = 0.3,
    occupied: Occupancy = TWO,
    unseen: str | None = None,
) -> dict[str, object]:
    comfort = Comfort((), vote, {}, 7.0 if vote else None, vote, 4 if vote else None, 0.5, None, "m", {})
    return {
        "climate": publishing.climate_message(air, STAMP),
        "people": publishing.people_message("desk", [], STAMP, missing_reason=unseen),
        "occupancy": publishing.occupancy_message("desk", occupied, STAMP),
        "comfort": publishing.comfort_message("desk", comfort, STAMP),
    }


FRESH = Climate("desk", "fresh", 23.1, 45.2, age_s=4.0)
STALE = Climate("desk", "stale", None, None, age_s=400.0, reason="silent")


def test_good_values_with_their_ages() -> None:
    found = readings_of(messages(FRESH), NOW_S, seen=True)
    assert found.keys() == {point.name for point in POINTS}
    assert found["air-temperature"] == Reading(23.1, Validity.GOOD, NOW_S - 4.0)
    assert found["air-temperature"].age_s(NOW_S + 6.0) == 10.0
    assert found["people"] == Reading(2.0, Validity.GOOD, NOW_S)
    assert found["occupied"].value == 1.0
    assert found["expected-vote"].value == 0.3
    assert found["comfort-level"].value == 4.0
    assert found["co2"] == Reading(None, Validity.UNUSED, None)


def test_a_stale_sensor_takes_the_comfort_with_it_and_not_the_people() -> None:
    found = readings_of(messages(STALE, vote=None), NOW_S, seen=True)
    for name in ("air-temperature", "humidity", "co2", "expected-vote", "comfort-level", "ppd"):
        assert (found[name].value, found[name].validity) == (None, Validity.STALE)
    assert found["air-temperature"].age_s(NOW_S) == 400.0
    assert found["people"].validity is Validity.GOOD


def test_without_a_sensor_it_is_gone() -> None:
    missing = readings_of(messages(Climate("desk", "missing", None, None), vote=None), NOW_S, seen=True)
    assert {missing[name].validity for name in ("air-temperature", "expected-vote")} == {Validity.GONE}
    assert missing["air-temperature"].age_s(NOW_S) is None


@pytest.mark.parametrize(
    ("unseen", "seen", "why"),
    [
        ("the cable is out", True, Validity.GONE),
        (None, True, Validity.NONE),
        ("there is no camera in the settings", False, Validity.UNUSED),
    ],
)
def test_who_is_there_is_not_known_without_a_picture(unseen: str | None, seen: bool, why: Validity) -> None:
    found = readings_of(messages(FRESH, occupied=Occupancy("unknown", 0, 0.0), unseen=unseen), NOW_S, seen=seen)
    for name in ("people", "occupied"):
        assert found[name] == Reading(None, why, None)
    assert found["air-temperature"].validity is Validity.GOOD


def test_an_empty_room_is_known_to_be_empty() -> None:
    found = readings_of(messages(FRESH, occupied=Occupancy("empty", 0, 0.0)), NOW_S, seen=True)
    assert (found["people"].value, found["occupied"].value) == (0.0, 0.0)


def test_air_outside_the_models_range_leaves_comfort_without_a_value() -> None:
    found = readings_of(messages(FRESH, vote=None), NOW_S, seen=True)
    assert (found["expected-vote"].value, found["expected-vote"].validity) == (None, Validity.NONE)


def test_what_nobody_hands_over_is_not_in_use_until_somebody_does() -> None:
    class Setpoint:
        preferred_c = 21.8

    said = messages(FRESH)
    assert readings_of(said, NOW_S, seen=True)["preferred-temperature"].validity is Validity.UNUSED
    found = readings_of({**said, "setpoint": Setpoint()}, NOW_S, seen=True)["preferred-temperature"]
    assert (found.value, found.validity) == (21.8, Validity.GOOD)


def test_a_board_that_nobody_fills_any_more_goes_stale() -> None:
    board = Board()
    assert board.look("desk", 0.0)["humidity"] == Reading(None, Validity.NONE)
    board.hand({"desk": readings_of(messages(FRESH), NOW_S, seen=True)}, NOW_S)
    assert board.look("desk", NOW_S + PATIENCE_S)["humidity"].validity is Validity.GOOD
    late = board.look("desk", NOW_S + PATIENCE_S + 1.0)
    assert (late["humidity"].value, late["humidity"].validity) == (None, Validity.STALE)
    assert late["co2"].validity is Validity.UNUSED
