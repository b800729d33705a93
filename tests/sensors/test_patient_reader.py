"""The reader that never gives up, on a clock moved by hand."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest
from hand_clock import HandClock

from comfywear_sensors import (
    BadSensorURI,
    EndOfRecording,
    NotAReading,
    PatientReader,
    ReaderTimeout,
    Reading,
    SensorError,
)


class Scripted:
    """A reader that gives or raises what a list says; the last entry repeats."""

    def __init__(self, clock: HandClock, script: list[float | Exception], polled: bool = True) -> None:
        self.source, self.polled, self.closed, self.timeouts = "test://", polled, 0, []
        self._clock, self._script = clock, script

    def read(self, timeout_s: float = 5.0) -> Reading:
        self.timeouts.append(timeout_s)
        entry = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(entry, Exception):
            if isinstance(entry, ReaderTimeout):
                self._clock.sleep(timeout_s)
            raise entry
        return Reading(entry, 40.0, self._clock.monotonic(), self.source)

    def close(self) -> None:
        self.closed += 1
        raise OSError("already gone")


def patient(clock: HandClock, reader: Scripted | SensorError, **settings: object) -> tuple[PatientReader, list[float]]:
    opened: list[float] = []

    def opener(uri: str) -> Scripted:
        opened.append(clock.now_s)
        if isinstance(reader, SensorError):
            raise reader
        return reader

    return PatientReader("test://", clock=clock, opener=opener, jitter=lambda: 0.0, **settings), opened


def run(sensor: PatientReader, clock: HandClock, seconds: float) -> list[float | None]:
    end_s, readings = clock.now_s + seconds, []
    while clock.now_s < end_s:
        before_s = clock.now_s
        reading = sensor.poll(1.0)
        if reading:
            readings.append(reading.air_temp_c)
        assert reading or clock.now_s > before_s or sensor.state in ("down", "ended")
    return readings


def test_a_polled_sensor_is_asked_at_its_pace(clock: HandClock) -> None:
    sensor, _ = patient(clock, Scripted(clock, [20.0]), every_s=5.0)
    assert len(run(sensor, clock, 50.0)) in (10, 11)
    assert (sensor.state, sensor.error, sensor.faults) == ("up", None, 0)


def test_pauses_double_up_to_the_longest_and_jitter_shortens_them(clock: HandClock) -> None:
    sensor, opened = patient(clock, SensorError("gone"), retry_s=(1.0, 8.0))
    run(sensor, clock, 40.0)
    assert [round(b - a) for a, b in pairwise(opened)] == [1, 2, 4, 8, 8, 8, 8]
    hasty = PatientReader("test://", clock=clock, retry_s=(8.0, 8.0), jitter=lambda: 1.0, opener=sensor._open)
    hasty.poll(1.0)
    assert hasty._due_s - clock.now_s == pytest.approx(4.0)


def test_damaged_answers_do_not_close_the_door_until_it_has_been_silent_long(clock: HandClock) -> None:
    reader = Scripted(clock, [20.0, NotAReading("bad CRC"), 20.1, ReaderTimeout("no answer")])
    sensor, opened = patient(clock, reader, silent_after_s=30.0)
    assert run(sensor, clock, 3.0) == [20.0, 20.1]
    assert (sensor.state, len(opened), reader.closed) == ("up", 1, 0)
    run(sensor, clock, 60.0)
    assert (sensor.state, sensor.error) == ("silent", "no answer")
    assert len(opened) > 1


def test_one_line_for_each_change_of_state(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sensor, _ = patient(clock, Scripted(clock, [20.0, SensorError("x: gone"), SensorError("x: gone"), 20.0]))
    run(sensor, clock, 60.0)
    assert [record.message for record in caplog.records] == [
        "sensor up: test://",
        "sensor down: x: gone",
        "sensor up: test://",
    ]


def test_a_fault_of_our_own_does_not_end_the_worker(clock: HandClock) -> None:
    sensor, _ = patient(clock, Scripted(clock, [ZeroDivisionError("oops"), 20.0]))
    assert sensor.poll() is None
    assert (sensor.state, sensor.faults) == ("down", 1)
    assert "ZeroDivisionError: oops" in str(sensor.error)
    assert run(sensor, clock, 5.0)


def test_a_loose_plug_does_not_start_again_with_short_pauses(clock: HandClock) -> None:
    flapping: list[float | Exception] = [20.0, 20.0, SensorError("gone")] * 200
    sensor, opened = patient(clock, Scripted(clock, flapping), every_s=0.1, retry_s=(1.0, 16.0))
    run(sensor, clock, 100.0)
    gaps = [b - a for a, b in pairwise(opened)]
    assert gaps[-1] > 8.0 > 2.0 > gaps[0]


def test_the_end_of_a_recording_is_a_state_not_a_loop(clock: HandClock) -> None:
    sensor, opened = patient(clock, Scripted(clock, [EndOfRecording("over")], polled=False))
    run(sensor, clock, 100.0)
    assert (sensor.state, len(opened)) == ("ended", 1)


def test_only_nonsense_raises_and_at_once() -> None:
    with pytest.raises(BadSensorURI):
        PatientReader("ttyUSB0")
    sensor = PatientReader("serial:///dev/ttyUSB0?bad=1")
    assert sensor.poll(0.01) is None
    assert (sensor.state, sensor.hopeless) == ("down", True)


def test_a_quiet_door_stays_open_however_long_nothing_comes(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    reader = Scripted(clock, [20.0, ReaderTimeout("no reading in 1 s")], polled=False)
    sensor, opened = patient(clock, reader)
    assert run(sensor, clock, 7 * 86_400.0 / 100) == [20.0]
    assert (sensor.state, sensor.error, sensor.faults, reader.closed, len(opened)) == ("up", None, 0, 0, 1)
    assert sensor.said == "no reading in 1 s"
    assert sensor.quiet_s() > 6000.0
    assert [record.levelname for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_door_that_was_lost_and_is_open_again_waits_without_a_fault(clock: HandClock) -> None:
    script: list[float | Exception] = [20.0, SensorError("the broker is gone"), ReaderTimeout("no reading in 1 s")]
    sensor, opened = patient(clock, Scripted(clock, script, polled=False))
    run(sensor, clock, 300.0)
    assert (sensor.state, sensor.error, len(opened)) == ("waiting", None, 2)


def test_pauses_are_short_again_after_a_good_reading(clock: HandClock) -> None:
    gone = SensorError("gone")
    script: list[float | Exception] = [*[gone] * 6, 20.0, gone, gone, 20.0]
    sensor, opened = patient(clock, Scripted(clock, script), every_s=1.0)
    run(sensor, clock, 90.0)
    gaps = [round(b - a) for a, b in pairwise(opened)]
    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert gaps[6:] == [2, 2]  # the reading, a second until the next question, then pauses of 1 and 2 s again
