"""The history of the chart: kept over a restart, bounded, and sound after the clock was wrong."""

from __future__ import annotations

from pathlib import Path

from comfywear.web import History, Point
from comfywear.web.history import KEEP_S


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
