"""Months: what is one, when it begins and ends, which hours it has."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.report import Month, time_zone

NOW = datetime(2027, 3, 15, 12, 30, tzinfo=timezone.utc)
BERLIN = ZoneInfo("Europe/Berlin")


@given(st.text() | st.from_regex(r"\d{4}-\d{2}", fullmatch=True))
def test_any_text_is_a_month_or_refused_in_words(text: str) -> None:
    try:
        month = Month.of(text, timezone.utc, NOW)
    except UsageError as error:
        assert "--month" in str(error)
    else:
        assert str(month) == (text.strip() or "2027-02")
        assert month.begin <= NOW


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2027-13", "is no month"),
        ("2027-1", "is no month"),
        ("January", "is no month"),
        ("२०२७-०१", "is no month"),
        ("1999-01", "before 2020"),
        ("2027-04", "has not begun"),
    ],
)
def test_what_is_no_month_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Month.of(text, timezone.utc, NOW)


def test_without_a_month_it_is_the_last_whole_one_where_the_report_is_made_for() -> None:
    assert str(Month.of("", timezone.utc, NOW)) == "2027-02"
    at_midnight = datetime(2027, 2, 28, 23, 30, tzinfo=timezone.utc)
    assert str(Month.of("", timezone.utc, at_midnight)) == "2027-01"
    assert str(Month.of("", BERLIN, at_midnight)) == "2027-02"


def test_a_month_that_is_not_over_ends_now() -> None:
    month = Month.of("2027-03", timezone.utc, NOW)
    assert not month.over
    assert len(month.hours()) == 14 * 24 + 13
    assert Month.of("2027-02", timezone.utc, NOW).over


@pytest.mark.parametrize(("text", "days", "hours"), [("2026-03", 31, 743), ("2026-10", 31, 745), ("2024-02", 29, 696)])
def test_summer_time_takes_an_hour_and_gives_it_back(text: str, days: int, hours: int) -> None:
    month = Month.of(text, BERLIN, NOW)
    assert (month.days, len(month.hours())) == (days, hours)
    assert {day for _, day, _ in month.hours()} == set(range(1, days + 1))


def test_the_hours_are_those_of_this_machines_clock_where_no_zone_is_named() -> None:
    month = Month.of("2027-01", time_zone(""), NOW)
    for at_s, day, hour in month.hours()[::37]:
        local = datetime.fromtimestamp(at_s).astimezone()
        assert (local.day, local.hour) == (day, hour)
    assert month.end - month.begin >= timedelta(days=30)


@pytest.mark.parametrize("name", ["Nowhere/Land", "../etc/passwd", "/etc/localtime", "Europe"])
def test_a_time_zone_that_is_none_is_refused_in_words(name: str) -> None:
    with pytest.raises(UsageError, match="Europe/Berlin"):
        time_zone(name)
