from __future__ import annotations

import gc
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from comfywear import clock


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
