from __future__ import annotations

import gc
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from comfywear.system import clock


def test_a_clock_that_starts_in_1970_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 60.0)
    assert clock.wall_time() == (None, False)


@pytest.fixture(autouse=True)
def _without_timesyncd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "_SET_BY_TIMESYNCD", tmp_path / "synchronized")


def test_a_plausible_time_of_unknown_origin_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_kernel_is_synchronised", lambda: False)
    monkeypatch.setattr(clock, "_has_hardware_clock", lambda: False)
    monkeypatch.setattr(time, "time", lambda: datetime(2027, 1, 1, tzinfo=timezone.utc).timestamp())
    assert clock.wall_time() == (None, False)


@pytest.mark.parametrize(("synchronised", "hardware"), [(True, False), (False, True)])
def test_a_time_from_the_network_or_a_hardware_clock_is_believed(
    monkeypatch: pytest.MonkeyPatch, synchronised: bool, hardware: bool
) -> None:
    monkeypatch.setattr(clock, "_kernel_is_synchronised", lambda: synchronised)
    monkeypatch.setattr(clock, "_has_hardware_clock", lambda: hardware)
    monkeypatch.setattr(time, "time", lambda: datetime(2027, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc).timestamp())
    assert clock.wall_time() == ("2027-01-02T03:04:05.678+00:00", True)


def test_where_the_kernel_may_not_be_asked_the_time_service_s_file_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clock, "_kernel_is_synchronised", lambda: False)
    monkeypatch.setattr(clock, "_has_hardware_clock", lambda: False)
    now_s = datetime(2027, 1, 1, tzinfo=timezone.utc).timestamp()
    assert not clock.clock_is_set(now_s)
    (tmp_path / "synchronized").touch()
    assert clock.clock_is_set(now_s)


def test_the_kernel_can_be_asked() -> None:
    assert clock._kernel_is_synchronised() in (True, False)


def test_asking_the_kernel_often_leaves_nothing_for_the_collector() -> None:
    clock._kernel_is_synchronised()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(100):
            clock._kernel_is_synchronised()
        assert len(gc.get_objects()) < before + 50
    finally:
        gc.enable()


def test_a_moment_is_said_the_same_again_and_not_before_the_clock_is_set() -> None:
    says = [
        clock.WallTime(None, False),
        clock.WallTime("2027-01-02T03:04:05.600+00:00", True),
        clock.WallTime("2027-01-02T03:05:00.000+00:00", True),
    ]
    moments = clock.WallMoments(lambda: says.pop(0))
    assert moments.of(100.0, 160.0) is None
    assert moments.of(100.0, 165.0) == "2027-01-02T03:03:00+00:00"
    assert moments.of(100.0, 220.9) == "2027-01-02T03:03:00+00:00"
    assert moments.of(200.0, 220.0) == "2027-01-02T03:04:40+00:00"


def test_a_moment_that_is_still_said_is_the_same_however_many_others_there_were() -> None:
    slewing = [0.0]

    def slow_clock() -> clock.WallTime:
        slewing[0] += 0.5
        return clock.WallTime(f"2027-01-02T03:0{int(slewing[0]) // 60}:{slewing[0] % 60:06.3f}+00:00", True)

    moments = clock.WallMoments(slow_clock)
    started = moments.of(0.0, 0.0)
    for number in range(1, 500):
        moments.of(float(number), float(number))
        assert moments.of(0.0, float(number)) == started


def test_a_jump_of_ten_years_makes_nothing_old_until_it_has_lasted_for_a_day() -> None:
    wall, monotonic = [1e9], [0.0]
    steady = clock.SteadyTime(lambda: wall[0], lambda: monotonic[0])

    def passing(seconds: float) -> float:
        wall[0] += seconds
        monotonic[0] += seconds
        return steady()

    assert passing(60) == 1e9 + 60
    wall[0] += 10 * 365 * 86_400.0
    assert passing(60) == 1e9 + 120
    assert passing(3600) == 1e9 + 3720
    wall[0] -= 10 * 365 * 86_400.0  # put right again
    assert passing(60) == wall[0]
    wall[0] += 7200.0  # and one that is true
    for _ in range(25):
        passing(3600)
    assert steady() == wall[0]
    wall[0] -= 86_400.0  # back is believed at once: it makes nothing old
    assert passing(1) == wall[0]
