"""The supervisor starts workers again, sees hung ones, and stops them all."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import supervisor
from comfywear.errors import SourceError
from comfywear.supervisor import Pulse, Supervisor
from waiting import until


def test_a_worker_that_raises_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.01)
    runs: list[int] = []

    def work(pulse: Pulse) -> None:
        runs.append(1)
        if len(runs) < 3:
            raise SourceError("no camera")
        while pulse.wait(0.01):
            pass

    keeper = Supervisor()
    keeper.add("camera", work)
    keeper.start()
    until(lambda: len(runs) == 3)
    health = keeper.health()["camera"]
    assert health.restarts == 2
    assert health.failure == "no camera"
    assert keeper.stop() == []


def test_a_failure_that_repeats_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.01)
    runs: list[int] = []

    def work(_: Pulse) -> None:
        runs.append(1)
        raise SourceError("no camera")

    keeper = Supervisor()
    keeper.add("camera", work)
    keeper.start()
    until(lambda: len(runs) >= 4)
    keeper.stop()
    assert len([record for record in caplog.records if "no camera" in record.message]) == 1


@given(st.integers(1, 10_000))
def test_pauses_grow_to_a_minute_and_then_to_a_long_rest_that_never_grows(failures: int) -> None:
    now, then = supervisor.pause_s(failures), supervisor.pause_s(failures + 1)
    assert supervisor.FIRST_PAUSE_S <= now <= then <= supervisor.RESTING_PAUSE_S
    assert (now > supervisor.LONGEST_PAUSE_S) == (failures >= supervisor.TIRED_AFTER)


def test_a_worker_that_fails_again_and_again_rests_and_comes_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.002)
    monkeypatch.setattr(supervisor, "RESTING_PAUSE_S", 0.3)
    runs: list[int] = []

    def work(pulse: Pulse) -> None:
        runs.append(1)
        if len(runs) <= supervisor.TIRED_AFTER:
            raise SourceError(f"no camera, attempt {len(runs)}")
        while pulse.wait(0.01):
            pass

    keeper = Supervisor()
    keeper.add("camera", work)
    keeper.start()
    until(lambda: keeper.health()["camera"].state == "resting")
    until(lambda: keeper.health()["camera"].state == "running" and len(runs) > supervisor.TIRED_AFTER)
    assert keeper.stop() == []
    assert "20 times in a row" in caplog.text


def test_a_worker_without_a_beat_counts_as_hung() -> None:
    release = threading.Event()
    keeper = Supervisor()
    keeper.add("stuck", lambda _: release.wait(5) and None, hang_after_s=0.05)
    keeper.add("alive", lambda pulse: _beat(pulse), hang_after_s=1.0)
    keeper.start()
    until(lambda: keeper.health()["stuck"].state == "hung")
    assert keeper.health()["alive"].state == "running"
    assert keeper.stop(timeout_s=0.05) == ["stuck"]
    release.set()


def _beat(pulse: Pulse) -> None:
    while pulse.wait(0.01):
        pass
