"""The BACnet objects of zones: which they are, and what they show of a value that is none."""

from __future__ import annotations

import math

import pytest
from boards import GOOD, readings

from comfywear.buildings.bacnet_objects import Shown, plan, shown
from comfywear.buildings.points import POINTS
from comfywear.buildings.readings import Reading, Validity

BY_NAME = {point.name: point for point in POINTS}


def test_instances_follow_from_the_numbers_alone() -> None:
    before = {(each.type, each.instance): each.name for each in plan({2: "door"})}
    after = {(each.type, each.instance): each.name for each in plan({1: "desk", 2: "door", 40: "hall"})}
    assert before[("analog-input", 201)] == "door air-temperature"
    assert before[("binary-input", 205)] == "door occupied"
    assert before[("multi-state-input", 207)] == "door comfort-level"
    assert before.items() <= after.items()
    assert len(set(after.values())) == len(after) == 3 * len(POINTS)


@pytest.mark.parametrize(
    ("name", "value", "present"),
    [
        ("air-temperature", 23.1, 23.1),
        ("occupied", 1.0, "active"),
        ("occupied", 0.0, "inactive"),
        ("comfort-level", 4.0, 4),
    ],
)
def test_good_values(name: str, value: float, present: float | str) -> None:
    assert shown(BY_NAME[name], Reading(value, Validity.GOOD, 0.0)) == Shown(present, "no-fault-detected", False)


@pytest.mark.parametrize(
    ("why", "reliability", "out_of_service"),
    [
        (Validity.STALE, "communication-failure", False),
        (Validity.GONE, "no-sensor", False),
        (Validity.NONE, "unreliable-other", False),
        (Validity.UNUSED, "no-fault-detected", True),
    ],
)
def test_what_has_no_value_says_why_and_keeps_no_old_one(why: Validity, reliability: str, out_of_service: bool) -> None:
    found = {point.name: shown(point, Reading(None, why)) for point in POINTS}
    assert {each[1:] for each in found.values()} == {(reliability, out_of_service)}
    assert math.isnan(float(found["air-temperature"].value))
    assert found["comfort-level"].value == 6
    assert found["occupied"].value == "inactive"


def test_every_point_can_be_shown() -> None:
    made = readings(GOOD)
    assert all(shown(point, made[point.name]) for point in POINTS)
