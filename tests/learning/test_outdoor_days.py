"""The running mean outdoors: daily means by local time, kept over restarts, and not known until enough days are."""

from __future__ import annotations

import itertools
import json
import math
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.comfort import running_mean
from comfywear.errors import StoreError
from comfywear.learning.outdoor_days import FILE_NAME, LEAST_DAYS, OutdoorDays

MONDAY = datetime(2026, 3, 2, tzinfo=timezone.utc)
SECONDS = itertools.count(0.0, 1800.0)  # monotonic, whatever the wall clock does
environment = pytest.importorskip("pythermalcomfort.environment", reason="the oracle pythermalcomfort is not installed")


def live(days: OutdoorDays, means: list[float], start: datetime = MONDAY, swing_k: float = 4.0) -> None:
    """Days with these means and a night that is colder, a note every half an hour."""
    for number, mean in enumerate(means):
        for half_hour in range(48):
            moment = start + timedelta(days=number, minutes=30 * half_hour)
            air = mean - swing_k * math.cos(math.tau * half_hour / 48)
            days.note(air, next(SECONDS), moment)
    end = start + timedelta(days=len(means))
    days.note(None, next(SECONDS), end)


def test_it_is_not_known_before_the_seventh_day_is_over(tmp_path: Path) -> None:
    days = OutdoorDays(tmp_path)
    live(days, [10.0] * (LEAST_DAYS - 1))
    assert (days.days(), days.running_mean_c()) == (6, None)
    live(days, [10.0], start=MONDAY + timedelta(days=6))
    assert days.days() == 7
    assert days.running_mean_c() == pytest.approx(10.0)


def test_it_is_that_of_pythermalcomfort(tmp_path: Path) -> None:
    days = OutdoorDays(tmp_path)
    means = [3.0, 5.5, 12.0, 8.0, -2.0, 0.5, 14.0, 11.0, 9.0]
    live(days, means)
    theirs = environment.running_mean_outdoor_temperature(list(reversed(means)), alpha=0.8)
    assert days.running_mean_c() == pytest.approx(theirs, abs=0.051)  # theirs is rounded


def test_the_days_outlive_a_restart_also_one_in_the_middle_of_a_day(tmp_path: Path) -> None:
    days = OutdoorDays(tmp_path)
    live(days, [4.0 + number for number in range(8)])
    noon = MONDAY + timedelta(days=8, hours=12)
    days.note(30.0, next(SECONDS), noon)
    days.keep(0.0)
    days.keep(600.0)
    again = OutdoorDays(tmp_path)
    assert again.running_mean_c() == days.running_mean_c()
    assert json.loads((tmp_path / FILE_NAME).read_text())["hours"]["12"]["mean_c"] == 30.0


def test_a_day_of_which_the_nights_or_afternoons_are_missing_has_no_mean(tmp_path: Path) -> None:
    days = OutdoorDays(tmp_path)
    live(days, [10.0] * 7)
    start = MONDAY + timedelta(days=7)
    for hour in range(17):
        moment = start + timedelta(hours=hour)
        days.note(40.0, next(SECONDS), moment)
    later = start + timedelta(days=1)
    days.note(None, next(SECONDS), later)
    assert days.days() == 7  # of the last ten: the eighth does not count
    assert days.running_mean_c() == pytest.approx(10.0)


def test_after_days_without_a_reading_it_is_not_known_until_there_are_seven_of_ten_again(tmp_path: Path) -> None:
    days = OutdoorDays(tmp_path)
    live(days, [10.0] * 20)
    back = MONDAY + timedelta(days=24)
    days.note(5.0, next(SECONDS), back)
    assert (days.days(), days.running_mean_c()) == (6, None)
    live(days, [5.0], start=back)
    assert days.days() == 6
    live(days, [5.0], start=back + timedelta(days=1))
    assert days.days() == 6
    live(days, [5.0, 5.0], start=back + timedelta(days=2))
    assert days.days() == 6
    live(days, [5.0], start=back + timedelta(days=4))
    assert days.days() == 6
    live(days, [5.0, 5.0], start=back + timedelta(days=5))
    assert days.days() == 7
    assert days.running_mean_c() == pytest.approx(5.0, abs=0.6)


def test_without_a_set_clock_nothing_is_noted_and_what_was_kept_holds(tmp_path: Path) -> None:
    days = OutdoorDays(tmp_path)
    live(days, [10.0] * 8)
    days.note(50.0, next(SECONDS), None)
    assert days.running_mean_c() == pytest.approx(10.0)


def test_a_clock_that_was_ahead_leaves_no_days_that_are_yet_to_come(tmp_path: Path) -> None:
    days = OutdoorDays(tmp_path)
    live(days, [30.0] * 8, start=MONDAY + timedelta(days=400))
    live(days, [10.0] * 3)
    assert (days.days(), days.running_mean_c()) == (3, None)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"days": {"soon": 3}, "today": "x"}', '{"days": {"2026-03-01": 1e999}}', '{"hours": {"31": {}}}'],
)
def test_a_file_that_is_not_what_it_should_be_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    days = OutdoorDays(tmp_path)
    live(days, [10.0] * 7)
    assert days.running_mean_c() == pytest.approx(10.0)


def test_a_full_disk_is_said_and_the_days_go_on_in_memory(tmp_path: Path) -> None:
    def full(path: Path, value: object) -> None:
        raise StoreError("no space")

    days = OutdoorDays(tmp_path, full)
    live(days, [10.0] * 7)
    days.keep(0.0)
    with pytest.raises(StoreError):
        days.keep(600.0)
    assert days.running_mean_c() == pytest.approx(10.0)


@given(st.lists(st.one_of(st.none(), st.floats(-50, 50)), min_size=1, max_size=40))
def test_days_that_are_not_known_leave_a_mean_between_those_that_are(days: list[float | None]) -> None:
    known = [each for each in days if each is not None]
    mean = running_mean([math.nan if each is None else each for each in days])
    assert math.isnan(mean) if not known else min(known) - 1e-9 <= mean <= max(known) + 1e-9


def test_a_gap_counts_for_nothing_and_the_days_beside_it_as_before() -> None:
    assert running_mean([10.0, math.nan, 20.0]) == pytest.approx((10.0 + 0.64 * 20.0) / 1.64)
