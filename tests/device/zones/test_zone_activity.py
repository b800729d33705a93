"""The activity of a zone by the settings and by the hour, and where it goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings as settings_file
from comfywear.comfort import ThermalWear, pmv_ppd
from comfywear.demo.consumer import Consumer
from comfywear.device.device import Device
from comfywear.device.zones.activity import ZoneActivities, scheduled
from comfywear.device.zones.estimator import Around, Estimator
from comfywear.publishing.messages.zone import ActivityItem, ComfortMessage
from comfywear.records import Climate, Person, ZoneActivity
from comfywear.settings import ComfortSettings, Settings, ZoneSettings
from comfywear.settings.zones import DAYS, ScheduleSettings
from comfywear.vision.tracking.walking import Walked
from waiting import until

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001 - local time, wherever
AIR = Climate(zone="desk", state="fresh", air_temp_c=24.0, humidity_pct=45.0)
ANNA = Person(1, (10.0, 10.0, 60.0, 200.0), 0.9, (), {"group/trousers": 0.9, "group/top": 0.8}, 4.0, "desk")
WORK = ScheduleSettings(start="08:00", end="17:30", met=1.2, days=["mon", "tue", "wed", "thu", "fri"])
NIGHT = ScheduleSettings(start="22:00", end="06:00", met=1.6, days=["fri"])
CLOCK = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02d}:{minute % 60:02d}")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Day 0 is a Monday."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("when", "met"),
    [
        (at(0, 7, 59), None),
        (at(0, 8), 1.2),
        (at(4, 17, 29), 1.2),
        (at(4, 17, 30), None),
        (at(5, 12), None),  # Saturday
        (at(4, 22), 1.6),
        (at(5, 5, 59), 1.6),  # what began on Friday goes on until Saturday's morning
        (at(5, 6), None),
        (at(5, 22), None),
        (at(4, 3), None),  # Friday's small hours belong to Thursday
    ],
)
def test_an_entry_holds_on_its_days_from_start_to_end_and_over_midnight(when: datetime, met: float | None) -> None:
    found = scheduled([WORK, NIGHT], when)
    assert (found.met if found else None) == met


def test_the_first_entry_that_holds_counts_and_without_a_set_clock_none_does() -> None:
    lunch = ScheduleSettings(start="12:00", end="13:00", met=1.9)
    assert scheduled([lunch, WORK], at(1, 12, 30)) is lunch
    assert scheduled([WORK, lunch], at(1, 12, 30)) is WORK
    assert scheduled([WORK], None) is None


@given(CLOCK, st.one_of(CLOCK, st.just("24:00")), st.sets(st.sampled_from(DAYS)), st.integers(0, 7 * 1440 - 1))
def test_it_holds_just_as_long_as_the_clock_goes_from_start_to_end(
    start: str, end: str, days: set[Any], minute: int
) -> None:
    entry = ScheduleSettings(start=start, end=end, met=1.5, days=sorted(days))
    begins, ends = (60 * int(text[:2]) + int(text[3:]) for text in (start, end))
    lasts = ends - begins if ends > begins else ends - begins + 1440
    # Looked at the other way round: it began on one of its days, less than its length ago.
    began = [day for day in range(-1, 7) if DAYS[day % 7] in (days or set(DAYS))]
    expected = any(0 <= minute - (1440 * day + begins) < lasts for day in began)
    assert (scheduled([entry], MONDAY + timedelta(minutes=minute)) is not None) == expected


def activities(**zone: Any) -> ZoneActivities:
    return ZoneActivities(Settings(comfort=ComfortSettings(met=1.3), zones=[ZoneSettings(name="desk", **zone)]))


def test_the_schedule_goes_before_the_zone_and_the_zone_before_the_device() -> None:
    def said(made: ZoneActivities, when: datetime | None) -> tuple[float, str] | None:
        found = made.of("desk", when)
        return (found.met, found.source) if found else None

    assert said(activities(), at(0, 9)) is None
    assert said(activities(met=1.6), at(0, 9)) == (1.6, "zone")
    assert said(activities(met=1.6, schedule=[WORK]), at(0, 9)) == (1.2, "schedule")
    assert said(activities(met=1.6, schedule=[WORK]), at(6, 9)) == (1.6, "zone")
    assert said(activities(schedule=[WORK]), at(6, 9)) == (1.3, "settings")
    assert said(activities(schedule=[WORK]), None) == (1.3, "settings")


def test_activity_and_how_well_it_is_known_reach_pmv_and_the_skin() -> None:
    estimator = Estimator(ComfortSettings(met=1.2))
    plain = estimator.zone(AIR, [ANNA])
    busy = estimator.zone(AIR, [ANNA], around=Around(activity=ZoneActivity(2.0, 0.4, "zone")))
    sure = estimator.zone(AIR, [ANNA], around=Around(activity=ZoneActivity(1.2, None, "zone")))
    assert plain.activity == ZoneActivity(1.2, None, "settings")
    assert sure.comfort == plain.comfort, "a value that is taken as exact changes no figure"
    assert busy.comfort.inputs["met"] == 2.0
    assert (busy.comfort.pmv or 0.0) > (plain.comfort.pmv or 0.0)
    assert (busy.comfort.pmv_sd or 0.0) > (plain.comfort.pmv_sd or 0.0)
    skin, calm = busy.people[0].skin, plain.people[0].skin
    assert skin is not None
    assert calm is not None
    assert calm.activity_k is None
    more = ThermalWear().estimate(24.0, 45.0, busy.clothing, met=2.4, air_speed_m_s=0.1)
    assert skin.activity_k == pytest.approx(abs((more.skin_temp_c or 0.0) - (skin.skin_temp_c or 0.0)))


def test_the_spread_of_pmv_is_that_of_clothing_and_activity_together() -> None:
    from comfywear.comfort import Clothing, ComfyWear

    exact, worn = Clothing(0.6, 0.0), Clothing(0.6, 0.1)
    by_activity = ComfyWear().estimate(24.0, 45.0, exact, met=1.0, met_sd=0.2).pmv_sd or 0.0
    by_clothing = ComfyWear().estimate(24.0, 45.0, worn, met=1.0).pmv_sd or 0.0
    both = ComfyWear().estimate(24.0, 45.0, worn, met=1.0, met_sd=0.2).pmv_sd or 0.0
    assert both == pytest.approx((by_activity**2 + by_clothing**2) ** 0.5)
    assert by_activity > abs(
        pmv_ppd(24.0, 24.0, 0.1, 45.0, 1.1, 0.6).pmv - pmv_ppd(24.0, 24.0, 0.1, 45.0, 1.0, 0.6).pmv
    )


def test_the_message_says_the_activity_and_who_says_so(tmp_path: Path, mosquitto: Any) -> None:
    path = tmp_path / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n[mqtt]\nhost = '127.0.0.1'\n"
        f"port = {mosquitto.port}\ninterval_s = 0.5\n[[sensors]]\nuri = 'fake://room'\n"
        "[[zones]]\nname = 'desk'\nmet = 1.6\n"
        "[[zones.schedule]]\nstart = '06:00'\nend = '06:00'\nmet = 2.0\n"
    )
    with (
        Consumer("127.0.0.1", mosquitto.port, "comfywear/v1/home/d1/#") as consumer,
        Device(settings_file.load(path)),
    ):
        until(lambda: (said := consumer.newest(ComfortMessage)) is not None and said.expected_vote is not None)
        said = consumer.newest(ComfortMessage)
        assert said is not None
        assert said.activity == ActivityItem(met=2.0, met_sd=0.4, source="schedule")
        assert said.inputs["met"] == 2.0
        assert (said.pmv_sd or 0.0) > 0.3


def test_walking_that_the_camera_saw_adds_to_what_they_do_else() -> None:
    still, half = Walked(0.0, None), Walked(0.5, 4.0 / 3.6 / 1.7)
    assert activities().of("desk", None, still) == ZoneActivity(
        pytest.approx(1.3), pytest.approx(0.25), "camera", ("people of 1.7 m were seen walking 0% of the time",)
    )
    busy = activities(met=1.2).of("desk", None, half)
    assert busy is not None
    assert busy.met == pytest.approx(0.5 * 1.2 + 0.5 * 2.8, abs=0.026)  # ISO 7730: 4 km/h is 2.8 met
    assert busy.met_sd == pytest.approx(0.4, abs=0.03)
    at_work = activities(met=1.6, schedule=[WORK]).of("desk", at(0, 9), half)
    assert at_work is not None
    assert at_work.met == busy.met, "the schedule says what they do while they do not walk"


@given(st.floats(0, 1), st.one_of(st.none(), st.floats(0.2, 3)))
def test_who_walks_more_is_never_less_active_and_the_models_take_it(share: float, heights_s: float | None) -> None:
    some = activities().of("desk", None, Walked(share, heights_s))
    assert some is not None
    assert some.met >= 1.3 - 0.026
    assert 0.8 <= some.met <= 4.0
    assert some.met_sd is not None
    assert some.met_sd >= 0.2 * some.met - 0.03
