"""The history of the chart: kept over a restart, bounded, and sound after the clock was wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from comfywear.web import History, Point
from comfywear.web.history import KEEP_QUARTERS_S, KEEP_S, QUARTER_S


def test_points_survive_a_restart_in_order(tmp_path: Path) -> None:
    history = History(tmp_path / "page.sqlite")
    history.add([("desk", Point(120.0, 21.5, None, -0.2)), ("window", Point(120.0, 20.0, 40.0, None))])
    history.add([("desk", Point(180.0, 21.6, 44.0, -0.1))])
    history.close()
    again = History(tmp_path / "page.sqlite")
    assert again.since("desk", 0) == (Point(120.0, 21.5, None, -0.2), Point(180.0, 21.6, 44.0, -0.1))
    assert again.since("desk", 150) == (Point(180.0, 21.6, 44.0, -0.1),)
    again.close()


def test_old_points_go_and_so_do_those_of_a_clock_that_ran_ahead() -> None:
    history = History(None)
    for at in (0.0, KEEP_S, 50 * KEEP_S):
        history.add([("desk", Point(at, 20.0, 40.0, 0.0))])
    assert [point.unix_s for point in history.since("desk", 0)] == [50 * KEEP_S]
    history.add([("desk", Point(KEEP_S, 20.0, 40.0, 0.0))])
    assert [point.unix_s for point in history.since("desk", 0)] == [KEEP_S]
    history.add([])


def minutes(history: History, since_s: float, count: int, **values: float | None) -> None:
    for minute in range(count):
        at_s = since_s + 60.0 * minute
        named = {"air_temp_c": 20.0 + minute % 15, "humidity_pct": 40.0, "expected_vote": None, **values}
        history.add([("desk", Point(at_s, **named))])


def test_minutes_become_quarters_once_those_are_over_and_what_was_not_known_stays_so(tmp_path: Path) -> None:
    begin_s = 1000 * QUARTER_S
    history = History(tmp_path / "page.sqlite")
    minutes(history, begin_s, 30, pmv=0.5, occupied=1.0)
    assert [each.unix_s for each in history.quarters("desk", 0)] == [begin_s]
    minutes(history, begin_s + 2 * QUARTER_S, 1, occupied=0.0)
    first, second = history.quarters("desk", 0)
    assert first == Point(begin_s, 27.0, 40.0, None, 0.5, 1.0)
    assert second.unix_s == begin_s + QUARTER_S
    history.close()
    again = History(tmp_path / "page.sqlite")
    minutes(again, begin_s + 10 * QUARTER_S, 2)
    assert [each.unix_s - begin_s for each in again.quarters("desk", 0)] == [0, QUARTER_S, 2 * QUARTER_S]
    assert again.quarters("desk", begin_s + QUARTER_S) == again.quarters("desk", 0)[1:]
    again.close()


def test_quarters_are_averaged_to_hours_where_that_is_asked() -> None:
    history = History(None)
    minutes(history, 0.0, 136, pmv=0.5, occupied=1.0)
    assert [each.unix_s for each in history.quarters("desk", 0, 3600.0)] == [0.0, 3600.0, 7200.0]
    assert history.quarters("desk", 0, 3600.0)[0] == Point(0.0, 27.0, 40.0, None, 0.5, 1.0)
    assert history.quarters("window", 0) == ()


def test_quarters_last_for_two_months_and_those_of_a_clock_that_ran_ahead_go() -> None:
    history = History(None)
    minutes(history, 0.0, 20)
    minutes(history, KEEP_QUARTERS_S - QUARTER_S, 1)
    assert [each.unix_s for each in history.quarters("desk", 0)] == [0.0, QUARTER_S]
    minutes(history, KEEP_QUARTERS_S + QUARTER_S, 1)
    assert [each.unix_s for each in history.quarters("desk", 0)] == [QUARTER_S, KEEP_QUARTERS_S - QUARTER_S]
    minutes(history, 10 * QUARTER_S, 16)
    assert [each.unix_s for each in history.quarters("desk", 0)] == [QUARTER_S, 10 * QUARTER_S]


def test_a_file_of_an_earlier_version_goes_on_with_what_it_has(tmp_path: Path) -> None:
    columns = "zone TEXT NOT NULL, unix_s REAL NOT NULL, air_temp_c REAL, humidity_pct REAL, expected_vote REAL"
    with closing(sqlite3.connect(tmp_path / "page.sqlite")) as old, old:
        old.execute(f"CREATE TABLE points ({columns}, PRIMARY KEY (zone, unix_s)) WITHOUT ROWID")
        old.execute("INSERT INTO points VALUES ('desk', 60.0, 21.0, 40.0, 0.1)")
    history = History(tmp_path / "page.sqlite")
    assert history.since("desk", 0) == (Point(60.0, 21.0, 40.0, 0.1),)
    minutes(history, QUARTER_S, 1, pmv=0.2)
    (quarter,) = history.quarters("desk", 0)
    assert quarter == Point(0.0, 21.0, 40.0, 0.1)
