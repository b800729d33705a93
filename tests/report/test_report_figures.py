"""The figures of a month, from messages as devices make them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_month import BEGIN, DAYS, said

from comfywear.comfort import pmv_ppd
from comfywear.report import Month, ZoneLog, ZoneMonth, figure
from comfywear.report.figures import BOUNDS, CATEGORIES, category_of
from comfywear.report.zone_log import HOLD_S, Series

MONTH = Month.of("2026-01", timezone.utc, datetime(2027, 1, 1, tzinfo=timezone.utc))


@pytest.fixture(scope="module")
def office() -> ZoneMonth:
    log = ZoneLog("house", "office-1", "desk")
    for received in said():
        entry = received.item
        log.take(entry.kind, entry.ts.timestamp(), entry.payload.encode())  # type: ignore[union-attr]
    return figure(log, MONTH)


def at(day: int, hour: float = 0.0) -> float:
    return (BEGIN + timedelta(days=day - 1, hours=hour)).timestamp()


def test_the_hours_with_people_are_those_that_the_camera_said(office: ZoneMonth) -> None:
    workdays = sum((BEGIN + timedelta(days=day)).weekday() < 5 for day in range(DAYS))
    assert workdays == 22
    assert office.looked
    assert office.occupied_h == pytest.approx(21 * 9.0, abs=0.6)  # one of them began after the power cut
    assert sum(office.categories.values()) == pytest.approx(office.occupied_h)
    assert office.hours == 31 * 24


def test_the_categories_are_those_of_the_pmv_in_the_messages(office: ZoneMonth) -> None:
    assert office.categories["unknown"] == pytest.approx(4.6, abs=0.5)
    by_cell = {(cell.day, cell.hour): cell.category for cell in office.cells}
    assert by_cell[20, 8] == "beyond"
    assert by_cell[22, 10] == "unknown"
    assert by_cell[6, 14] in ("I", "II")
    assert by_cell[27, 10] == "unknown"


def test_the_worst_hours_are_on_the_days_that_were_made_bad(office: ZoneMonth) -> None:
    days = [datetime.fromtimestamp(hour.unix_s, timezone.utc).day for hour in office.worst]
    assert set(days) <= {14, 15, 20}
    sizes = [abs(hour.pmv) for hour in office.worst]
    assert sizes == sorted(sizes, reverse=True)
    assert all(hour.ppd_pct > 10 for hour in office.worst)


def test_the_sensors_gaps_silence_and_disagreement_are_counted(office: ZoneMonth) -> None:
    health = office.sensors
    assert health.gaps == 1
    assert health.longest_gap_h == pytest.approx(15.0, abs=0.3)
    assert health.silent_h == pytest.approx(5.0)
    assert health.disagree_h == pytest.approx(2.0)
    assert health.disagreement == "desk and wall differ by 3.1 K"
    assert health.coverage == pytest.approx(1 - (5 + 14.9) / 744, abs=0.002)


def test_votes_stand_beside_what_was_expected_of_them(office: ZoneMonth) -> None:
    votes = office.votes
    assert len(votes.votes) == votes.compared == sum(map(sum, votes.table)) > 20
    assert votes.close == 1.0
    assert votes.mean == pytest.approx(np.mean([vote.level for vote in votes.votes]))


def test_the_setpoint_of_the_month_is_what_was_said(office: ZoneMonth) -> None:
    assert office.setpoint is not None
    assert (office.setpoint.low_c, office.setpoint.high_c) == (18.0, 23.5)
    assert office.setpoint.changes == 2 * 21, "up and down on each workday but the one of the power cut"


def test_advice_is_counted_in_hours_with_people_whatever_its_numbers(office: ZoneMonth) -> None:
    whats = [each.what for each in office.advice]
    assert len(whats) == len(set(whats)) >= 2
    assert sum(each.hours for each in office.advice) <= office.occupied_h
    for each in office.advice:
        assert each.before is not None
        assert each.after is not None
        assert each.after > each.before


def test_a_vote_that_was_taken_back_counts_no_more_in_whatever_order_it_comes() -> None:
    first = json.dumps({"id": "a", "level": 2}).encode()
    back = json.dumps({"id": "a", "level": 2, "undone": True}).encode()
    for order in ((first, back), (back, first)):
        log = ZoneLog("house", "d", "desk")
        for payload in order:
            log.take("vote", at(3, 9), payload)
        assert figure(log, MONTH).votes.votes == ()


def test_without_a_camera_all_hours_that_are_known_count_and_that_is_said() -> None:
    log = ZoneLog("house", "d", "desk")
    for minute in range(0, 600, 10):
        moment = at(5, 8) + minute * 60
        log.take("climate", moment, b'{"state": "fresh", "air_temp_c": 21.0, "humidity_pct": 40.0}')
        log.take("comfort", moment, b'{"pmv": 0.3, "expected_vote": 0.1}')
    found = figure(log, MONTH)
    assert not found.looked
    assert found.occupied_h == pytest.approx(10.0, abs=0.1)
    assert found.categories["II"] == found.occupied_h
    assert found.sensors.camera is None


def test_a_setpoint_is_followed_where_it_is_said() -> None:
    log = ZoneLog("house", "d", "desk")
    for minute in range(0, 240, 10):
        value = 21.0 if minute < 120 else 22.5
        log.take("setpoint", at(5, 8) + minute * 60, json.dumps({"setpoint_c": value}).encode())
    found = figure(log, MONTH).setpoint
    assert found is not None
    assert (found.low_c, found.high_c, found.changes) == (21.0, 22.5, 1)
    assert found.mean_c == pytest.approx(21.75, abs=0.05)
    assert figure(ZoneLog("house", "d", "desk"), MONTH).setpoint is None


def test_where_the_standard_gives_no_pmv_the_air_still_counts_as_beyond() -> None:
    log = ZoneLog("house", "d", "desk")
    inputs = {"air_temp_c": 12.0, "humidity_pct": 40.0, "clo": 0.6}
    log.take("comfort", at(5, 8), json.dumps({"pmv": None, "inputs": inputs}).encode())
    assert pmv_ppd(12.0, 12.0, 0.1, 40.0, 1.1, 0.6).pmv != pmv_ppd(12.0, 12.0, 0.1, 40.0, 1.1, 0.6).pmv
    assert figure(log, MONTH).categories["beyond"] == pytest.approx(HOLD_S / 3600)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"state": 3}', b"\xff", b"[" * 5000, b"null"])
def test_what_is_no_message_of_its_kind_is_counted_and_left_out(payload: bytes) -> None:
    log = ZoneLog("house", "d", "desk")
    for kind in ("climate", "comfort", "occupancy", "vote", "setpoint"):
        log.take(kind, at(5), payload)
    log.take("nonsense", at(5), payload)
    found = figure(log, MONTH)
    assert found.sensors.unread >= 3
    assert found.occupied_h == pytest.approx(0.0, abs=0.26)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("climate", b'{"state": "fresh", "air_temp_c": 1e9}'),
        ("climate", b'{"state": "fresh", "air_temp_c": 20.0, "humidity_pct": -5}'),
        ("setpoint", b'{"setpoint_c": 4000}'),
        ("vote", b'{"id": "a", "level": 9}'),
    ],
)
def test_a_number_that_cannot_be_is_left_out(kind: str, payload: bytes) -> None:
    log = ZoneLog("house", "d", "desk")
    log.take(kind, at(5), payload)
    found = figure(log, MONTH)
    assert found.sensors.unread == 1
    assert (found.days[4].mean_c, found.setpoint, found.votes.votes) == (None, None, ())


@given(st.floats(-4, 4))
def test_a_category_is_the_best_whose_bound_holds(pmv: float) -> None:
    name = category_of(pmv)
    assert name in CATEGORIES
    assert (name == "beyond") == (abs(pmv) > 1.0)
    better = list(BOUNDS.values())[: CATEGORIES.index(name)]
    assert all(abs(pmv) > bound for bound in better)


@given(st.lists(st.tuples(st.floats(0, 5000), st.floats(-50, 50) | st.none()), max_size=20), st.floats(0, 6000))
def test_a_value_holds_until_the_next_and_no_longer_than_it_may(
    said: list[tuple[float, float | None]], moment: float
) -> None:
    series = Series()
    for unix_s, value in said:
        series.add(unix_s, value)
    before = [pair for pair in sorted(said, key=lambda pair: pair[0]) if pair[0] <= moment]
    expected = before[-1][1] if before and moment - before[-1][0] < HOLD_S else None
    (found,) = series.at(np.array([moment]))
    assert (found != found and expected is None) or found == expected
