"""Estimates of a zone: what is made again, and what is kept for a moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comfywear.comfort import Site, Sunshine, set_tmp
from comfywear.device.zones.estimator import AGAIN_S, KEPT_S, Around, Estimator, Newest
from comfywear.records import Climate, ColourShare, Garment, Person
from comfywear.settings import ComfortSettings

AIR = Climate(zone="desk", state="fresh", air_temp_c=23.0, humidity_pct=45.0)
ANNA = Person(1, (10.0, 10.0, 60.0, 200.0), 0.9, (), {"group/trousers": 0.9, "group/top": 0.8}, 4.0, "desk")
SUN = Sunshine(600.0, altitude_deg=40.0, diffuse_w_m2=100.0)
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


def test_the_comfort_of_a_zone_where_nobody_is_seen_follows_the_air(newest: Newest) -> None:
    newest.zone("desk", 10.0, AIR, [])
    for now_s, air_temp_c in ((10.0 + AGAIN_S, 27.0), (10.0 + 2 * AGAIN_S, 31.0)):
        air = replace(AIR, air_temp_c=air_temp_c)
        assert newest.zone("desk", now_s, air, []) == Estimator(ComfortSettings()).zone(air, [])
    first = newest.zone("desk", 100.0, AIR, [])
    assert newest.zone("desk", 100.0 + AGAIN_S, AIR, []).comfort is first.comfort, "the same air costs nothing"
    assert newest.zone("desk", 100.0 + KEPT_S, AIR, []).comfort is not first.comfort


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
        {"around": Around(sun=SUN)},
        {"now_s": 3.0},
    ],
    ids=["left", "another", "entered", "looked at", "no air", "no humidity", "usual", "sun", "clock"],
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


def test_the_standard_effective_temperature_stands_beside_the_vote_and_only_where_it_is_defined() -> None:
    estimator = Estimator(ComfortSettings(met=1.1, air_speed_m_s=0.1))
    found = estimator.zone(AIR, [ANNA])
    wanted = set_tmp(23.0, 23.0, 0.1, 45.0, 1.1, found.clothing.clo)
    assert found.comfort.set_c == pytest.approx(wanted)
    radiant = estimator.zone(replace(AIR, radiant_temp_c=30.0), [ANNA]).comfort.set_c
    assert radiant is not None
    assert radiant > wanted + 1
    assert estimator.zone(replace(AIR, humidity_pct=None), [ANNA]).comfort.set_c is None
    assert estimator.zone(replace(AIR, air_temp_c=55.0), [ANNA]).comfort.set_c is None


def test_in_the_sun_the_colour_of_the_clothes_counts_and_both_models_feel_it() -> None:
    estimator = Estimator(ComfortSettings())

    def wearing(name: str) -> Person:
        return replace(ANNA, garments=(Garment("top", 0.9, colours=(ColourShare(name, 1.0, (0, 0, 0)),)),))

    shade = estimator.zone(AIR, [wearing("black")])
    white, black = (estimator.zone(AIR, [wearing(name)], around=Around(sun=SUN)) for name in ("white", "black"))
    skin = [found.people[0].skin.skin_temp_c for found in (shade, white, black)]  # type: ignore[union-attr]
    assert skin == sorted(skin)  # type: ignore[type-var]
    warmer_k = SUN.delta_mrt(0.77)
    assert black.comfort.inputs["radiant_temp_c"] == pytest.approx(23.0 + warmer_k)
    votes = [found.comfort.pmv for found in (shade, white, black)]
    assert votes == sorted(votes)  # type: ignore[type-var]
    assert black.comfort.set_c == pytest.approx(set_tmp(23.0, 23.0 + warmer_k, 0.1, 45.0, 1.1, black.clothing.clo))
    said = (
        f"the sun adds {warmer_k:.1f} K to the mean radiant temperature (absorptance 0.77), on walls as warm as the air"
    )
    assert said in black.comfort.assumptions
    assert not any("the sun" in each for each in shade.comfort.assumptions)


def test_without_anybody_in_sight_the_sun_falls_on_clothes_of_no_known_colour() -> None:
    found = Estimator(ComfortSettings()).zone(replace(AIR, radiant_temp_c=25.0), [], around=Around(sun=SUN))
    assert found.comfort.inputs["radiant_temp_c"] == pytest.approx(25.0 + SUN.delta_mrt(0.7))


def test_what_did_not_change_is_not_estimated_again_and_after_a_while_all_is(
    newest: Newest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    plain = Estimator._person
    monkeypatch.setattr(
        Estimator, "_person", lambda self, air, who, *more: (made.append(who.track_id), plain(self, air, who, *more))[1]
    )
    coat, bare = Garment("outer", 0.9), Garment("outer", 0.6)
    for step in range(60):
        bert = replace(BERT, garments=(coat if step < 30 else bare,))
        air = replace(AIR, air_temp_c=23.0 + 0.0003 * step)
        then = newest.zone("desk", 10.0 + step * 0.1, air, [ANNA, bert])
    assert made == [1, 2, 2]
    assert then.clothing == Estimator(ComfortSettings()).zone(air, [ANNA, bert]).clothing
    made.clear()
    newest.zone("desk", 10.0 + KEPT_S, air, [ANNA, bert])
    assert made == [1, 2]
    newest.zone("desk", 12.0 + KEPT_S, replace(air, air_temp_c=23.3), [ANNA, bert])
    assert made == [1, 2, 1, 2]
