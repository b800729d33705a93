"""The supervisor starts workers again, sees hung ones, and stops them all."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import ComfyWearError, SourceError
from comfywear.system import supervisor
from comfywear.system.supervisor import Pulse, Supervisor, attend
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


def test_a_double_name_is_refused() -> None:
    supervisor = Supervisor()
    supervisor.add("a", lambda pulse: None)
    with pytest.raises(ValueError, match="two workers are named 'a'"):
        supervisor.add("a", lambda pulse: None)


def test_what_takes_long_is_attended_with_signs_of_life() -> None:
    beats: list[float] = []
    done = threading.Event()

    def slow() -> str:
        done.wait(10)
        return "found"

    def beat() -> None:
        beats.append(0)
        if len(beats) == 3:
            done.set()

    assert attend(slow, threading.Event(), beat) == "found"
    assert len(beats) >= 3
    with pytest.raises(KeyError):
        attend(lambda: {}["missing"], threading.Event(), lambda: None)


def test_what_never_ends_is_given_up_and_let_go_of_when_it_ends_after_all() -> None:
    hang, let_go = threading.Event(), threading.Event()

    def hung() -> str:
        hang.wait(20)
        return "late"

    with pytest.raises(ComfyWearError, match="no answer within 0 s"):
        attend(hung, threading.Event(), lambda: None, late=lambda _: let_go.set(), patience_s=0.1)
    hang.set()
    assert let_go.wait(60)
    stopped = threading.Event()
    stopped.set()
    hang.clear()
    with pytest.raises(ComfyWearError, match="stopped"):
        attend(hung, stopped, lambda: None)
    hang.set()
