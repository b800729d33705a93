"""Recordings: formats, pace, end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hand_clock import HandClock
from hypothesis import given
from hypothesis import strategies as st

from comfywear_sensors import EndOfRecording, NotAReading, ReaderTimeout, SensorError, open_reader
from comfywear_sensors.times import read_times

CSV = """time,temperature,humidity
2026-01-01T00:00:00Z,20.0,40
2026-01-01T00:01:00Z,20.5,41
2026-01-01T00:00:30Z,21,42
"""


def test_rows_come_at_their_times_marked_as_simulated(tmp_path: Path, clock: HandClock) -> None:
    file = tmp_path / "room.csv"
    file.write_text(CSV)
    reader = open_reader(f"replay://{file}?speed=60", clock=clock)
    first = reader.read()
    assert (first.air_temp_c, first.humidity_pct, first.simulated, first.wall_time_s) == (
        20.0,
        40.0,
        True,
        1767225600.0,
    )
    with pytest.raises(ReaderTimeout, match=r"due in 0\.6 s"):
        reader.read(0.4)
    assert reader.read().monotonic_s == pytest.approx(1001.0)
    assert reader.read().monotonic_s == pytest.approx(1001.0)  # the recorder's clock went back: no gap
    with pytest.raises(EndOfRecording, match="loop=1"):
        reader.read()


def test_a_loop_starts_again(tmp_path: Path, clock: HandClock) -> None:
    file = tmp_path / "room.csv"
    file.write_text("temperature;humidity\n20,5;40\n20,6;41\n".replace(",", "."))
    reader = open_reader(f"replay://{file}?loop=1&every=2", clock=clock)
    assert [reader.read().air_temp_c for _ in range(4)] == [20.5, 20.6, 20.5, 20.6]
    assert clock.now_s == pytest.approx(1006.0)


def test_json_lines_and_fahrenheit(tmp_path: Path, clock: HandClock) -> None:
    file = tmp_path / "room.jsonl"
    file.write_text('{"ts": 10, "temperature_f": 73.58, "rh": 45.2}\nnonsense\n{"ts": 15, "t": 22}\n')
    reader = open_reader(f"replay://{file}?speed=0", clock=clock)
    assert reader.read().air_temp_c == 23.1
    assert reader.read().air_temp_c == 22.0
    assert clock.now_s == 1000.0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"time,temperature\n1,warm\n", b"{}\n[1]\n"])
def test_a_file_that_holds_no_reading_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "room.csv"
    file.write_bytes(content)
    with pytest.raises(SensorError, match=r"recording cannot be read|no row with a temperature"):
        open_reader(f"replay://{file}")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SensorError, match=r"nowhere\.csv: the recording cannot be read: No such file"):
        open_reader("replay:///nowhere.csv")


@given(st.text() | st.floats() | st.none() | st.booleans() | st.datetimes().map(str))
def test_any_time_is_seconds_or_nothing(value: object) -> None:
    try:
        (parsed,) = read_times([value])
    except NotAReading:
        return
    assert parsed is None or isinstance(parsed, float)


@given(st.binary(max_size=200) | st.text().map(lambda text: ("time,temperature\n" + text).encode("utf-8", "replace")))
def test_any_file_is_a_recording_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(content)
    try:
        reader = open_reader(f"replay://{file}?speed=0")
    except SensorError:
        return
    assert reader.read().simulated
