"""Estimates of a zone: what is made again, and what is kept for a moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comfywear.comfort import Site
from comfywear.estimates import AGAIN_S, Estimator, Newest
from comfywear.records import Climate, Person
from comfywear.settings import ComfortSettings

AIR = Climate(zone="desk", state="fresh", air_temp_c=23.0, humidity_pct=45.0)
ANNA = Person(1, (10.0, 10.0, 60.0, 200.0), 0.9, (), {"group/trousers": 0.9, "group/top": 0.8}, 4.0, "desk")
BERT = replace(ANNA, track_id=2, attributes={"group/shorts": 0.9, "group/top": 0.8})


@pytest.fixture
def newest() -> Newest:
    return Newest(Estimator(ComfortSettings()))


def test_a_moment_later_the_same_people_in_slightly_other_air_are_not_estimated_again(newest: Newest) -> None:
    first = newest.zone("desk", 10.0, AIR, [ANNA, BERT])
    moved, warmer = replace(ANNA, box=(30.0, 10.0, 80.0, 200.0)), replace(AIR, air_temp_c=23.1)
    then = newest.zone("desk", 10.0 + 0.9 * AGAIN_S, warmer, [moved, BERT])
    assert then.comfort is first.comfort
    assert [each.clothing for each in then.people] == [each.clothing for each in first.people]
    assert [each.person for each in then.people] == [moved, BERT]
    assert then.climate is warmer


def test_after_a_while_the_estimate_is_that_of_the_air_and_people_of_now(newest: Newest) -> None:
    newest.zone("desk", 10.0, AIR, [ANNA])
    warmer = replace(AIR, air_temp_c=27.0)
    then = newest.zone("desk", 10.0 + AGAIN_S, warmer, [ANNA])
    assert then == Estimator(ComfortSettings()).zone(warmer, [ANNA])


@pytest.mark.parametrize(
    "changed",
    [
        {"persons": []},
        {"persons": [BERT]},
        {"persons": [ANNA, BERT]},
        {"persons": [replace(ANNA, looks=2, attributes={"group/shorts": 0.9})]},
        {"climate": replace(AIR, state="stale", air_temp_c=None, humidity_pct=None)},
        {"climate": replace(AIR, humidity_pct=None)},
        {"site": Site(season="warm", usual_temp_c=28.0)},
        {"now_s": 3.0},
    ],
    ids=["left", "another", "entered", "looked at", "no air", "no humidity", "usual", "clock"],
)
def test_what_matters_is_estimated_at_once(newest: Newest, changed: dict[str, object]) -> None:
    given = {"climate": AIR, "persons": [ANNA]}
    newest.zone("desk", 10.0, **given)  # type: ignore[arg-type]  # read as keywords
    now = {"now_s": 10.1, **given, "climate": replace(AIR, air_temp_c=26.0), **changed}
    expected = {key: value for key, value in now.items() if key != "now_s"}
    assert newest.zone("desk", **now) == Estimator(ComfortSettings()).zone(**expected)  # type: ignore[arg-type]


def test_zones_do_not_share_an_estimate(newest: Newest) -> None:
    newest.zone("desk", 10.0, AIR, [ANNA])
    hot = replace(AIR, zone="sofa", air_temp_c=31.0)
    assert newest.zone("sofa", 10.0, hot, [ANNA]) == Estimator(ComfortSettings()).zone(hot, [ANNA])
