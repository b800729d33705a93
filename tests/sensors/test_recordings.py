"""Exports of loggers, apps and Home Assistant play as they are, or the file is refused with the option that reads it.

The headers are those of the real exports; the values are our own.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_sensors import NotAReading, SensorError, open_reader
from comfywear_sensors.recordings import HowToRead, load_recording
from comfywear_sensors.times import read_times

START = 1_768_418_400.0  # 2026-01-14 19:20:00 UTC

EXPORTS = {
    "govee": (
        "\ufeffTimestamp for sample frequency every 15 min min, Temperature_Celsius,Relative_Humidity\n"
        "2026-01-14 19:20:00,21.5,45.2\n2026-01-14 19:35:00,22.5,46\n"
    ),
    "govee in °F with dust": (
        "Timestamp for sample frequency every 1 min min, PM2.5(µg/m³), Temperature_Fahrenheit, Relative_Humidity\n"
        "2026-01-14 19:20:00, 0, 70.7, 45.2\n2026-01-14 19:35:00, 0, 72.5, 46\n"
    ),
    "switchbot": (
        "Date,Temperature_Celsius(℃),Relative_Humidity(%),DPT(℃),VPD(kPa),Abs Humidity(g/m³),Light_Value\n"
        "2026-01-14 19:20,21.5,45.2,9.0,1.4,8.4,1\n2026-01-14 19:35,22.5,46,9.1,1.4,8.4,2\n"
    ),
    "switchbot, newer": (
        '"Timestamp","Temperature_Celsius(°C)","Relative_Humidity(%)","CO2(ppm)","DPT_Celsius(°C)","VPD(kPa)"\n'
        '"2026-01-14 19:20:00","21.5","45.2","612","9.0","1.4"\n"2026-01-14 19:35:00","22.5","46","613","9.1","1.4"\n'
    ),
    "yolink with units in the cells": (
        "Device Id,Time,Temperature(℃),Humidity(%RH)\n"
        "d88b,2026/01/14 12:20:00-0700,21.5℃,45.2\nd88b,2026/01/14 12:35:00-0700,22.5℃,46.0\n"
    ),
    "xiaomi": (
        "Timestamp,Temperature(℃),Humidity(%),Battery(%)\n"
        "2026-01-14 19:20:00,21.5,45.2,99\n2026-01-14 19:35:00,22.5,46,99\n"
    ),
    "xiaomi's hourly extremes": (
        "Time,Min temperature,Min humidity,Max temperature,Max humidity\n"
        "2026-01-14 19:20:00,21.0,45.0,22.0,45.4\n2026-01-14 19:35:00,22.0,44,23.0,48\n"
    ),
    "inkbird, newest first, AM and PM": (
        "Time,Temperature(°F),Humidity(%RH)\n1/14/2026 7:35:00 PM,72.5,46\n1/14/2026 7:20:00 PM,70.7,45.2\n"
    ),
    "sensirion": (
        "# EdfVersion=4.0\n# Type=float,Format=.2f\nEpoch_UTC\tLocal_Date_Time\tT\tRH\n"
        "1768418400.0\t2026-01-14T20:20:00\t21.5\t45.2\n1768419300.0\t2026-01-14T20:35:00\t22.5\t46\n"
    ),
    "temp stick": (
        "Timestamp,Temperature (F),Humidity (%)\n2026-01-14 19:20:00,70.7,45.2\n2026-01-14 19:35:00,72.5,46\n"
    ),
    "aranet": (
        "Time(dd/mm/yyyy),Carbon dioxide(ppm),Temperature(°C),Relative humidity(%),Atmospheric pressure(hPa)\n"
        "14/01/2026 7:20:00 PM,612,21.5,45.2,1013\n14/01/2026 7:35:00 PM,612,22.5,46,1013\n"
    ),
    "hobo": (
        "Plot Title: Room\n"
        '"#","Date Time, GMT-05:00","Temp, °F (LGR S/N: 1, SEN S/N: 2)","RH, % (LGR S/N: 1, SEN S/N: 2)"\n'
        "1,01/14/26 02:20:00 PM,70.7,45.2\n2,01/14/26 02:35:00 PM,72.5,46\n"
    ),
    "german, date and time apart": (
        "Datum;Uhrzeit;Temperatur in °C;rel. Luftfeuchte (%)\n"
        "14.01.2026;19:20:00;21,5;45,2\n14.01.2026;19:35:00;22,5;46\n"
    ),
    "a time column under no known name": (
        "Wann;Temperatur;Feuchte\n14.01.2026 19:20;21,5;45,2\n14.01.2026 19:35;22,5;46\n"
    ),
    "seconds since 1970": "time,temperature,humidity\n1768418400,21.5,45.2\n1768419300,22.5,46\n",
    "milliseconds": "time,temperature,humidity\n1768418400000,21.5,45.2\n1768419300000,22.5,46\n",
    "json lines": (
        '{"time":1768418400,"temperature":21.5,"humidity":"45,2"}\n'
        '{"time":1768419300,"temperature":22.5,"humidity":46}\n'
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_plays_as_it_is(name: str, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(EXPORTS[name], "utf-8")
    rows = load_recording(file)
    assert [time for time, _ in rows] == [START, START + 900.0]
    assert [row["air_temp_c"] for _, row in rows] == pytest.approx([21.5, 22.5], abs=1e-9)
    assert [row["humidity_pct"] for _, row in rows] == pytest.approx([45.2, 46.0], abs=1e-9)
    with open_reader(f"replay://{file}?speed=0") as reader:
        assert reader.read().wall_time_s == START


def test_home_assistants_history_is_read_by_the_names_of_its_entities(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(
        "entity_id,state,last_changed\n"
        "sensor.desk_temperature,21.5,2026-01-14T19:20:00.000Z\n"
        "sensor.desk_temperature,unavailable,2026-01-14T19:21:00.000Z\n"
        "sensor.desk_humidity,45.2,2026-01-14T19:20:05.000Z\n"
        "sensor.desk_dew_point_temperature,9.0,2026-01-14T19:20:05.000Z\n"
    )
    assert load_recording(file) == [(START, {"air_temp_c": 21.5}), (START + 5.0, {"humidity_pct": 45.2})]
    file.write_text(
        "entity_id,state,last_changed\nsensor.a_temperature,21,2026-01-14\nsensor.b_temperature,25,2026-01-14\n"
    )
    with pytest.raises(SensorError, match=r"sensor\.a_temperature and sensor\.b_temperature are both"):
        load_recording(file)


def test_home_assistants_statistics_have_their_unit_in_a_column(tmp_path: Path) -> None:
    file = tmp_path / "statistics.csv"
    file.write_text("statistic_id,start,unit,mean,min,max\nsensor.desk_temperature,14.01.2026 19:20,°F,70.7,70,71\n")
    assert load_recording(file) == [(START, {"air_temp_c": pytest.approx(21.5)})]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("time,temperature\n01/02/2026 19:20,21\n", "format="),
        ("time,temperature\n26/01/14 19:20,21\n", "format="),
        ("time,temperature\nthe 5th at ten,21\n", "time="),
        ("time,temperature\n2026-01-14 19:20,21\n2026-13-14 19:20,21\n", "time="),
        ("time,temperature\n2026-01-14 19:20,21,5\n", "decimal commas"),
        ("time;temperature\n2026-01-14 19:20;1.234,5\n", "line 2"),
        ("time,temperature\n2026-01-14 19:20,21.5x\n", "line 2"),
        ("time,Temperature(°R)\n2026-01-14 19:20,530\n", "columns="),
        ("time,temperature,temperature\n2026-01-14 19:20,21,22\n", "columns="),
        ("a,b\n1,2\n", "columns="),
    ],
)
def test_a_file_that_is_not_understood_whole_names_the_option(content: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "room.csv"
    file.write_text(content)
    with pytest.raises(SensorError, match=words):
        load_recording(file)


def test_options_say_what_the_file_leaves_open(tmp_path: Path) -> None:
    file = tmp_path / "room.csv"
    file.write_text("when;a;b\n01/02/2026 19:20;21,5;x\n")
    how = HowToRead(columns=("when", "temperature", "note"), time="when", form="mdy")
    assert load_recording(file, how) == [(read_times(["2026-01-02 19:20"])[0], {"air_temp_c": 21.5})]
    how = HowToRead(columns=("when", "temperature", "note"), form="%d/%m/%Y %H:%M", time="when")
    assert load_recording(file, how)[0][0] == read_times(["2026-02-01 19:20"])[0]
    with pytest.raises(SensorError, match="there is no column 'then'"):
        load_recording(file, HowToRead(columns=("when", "temperature", "note"), time="then"))
    file.write_text("2026-01-14 19:20:00,21.5\n")
    with open_reader(f"replay://{file}?columns=time,temperature&speed=0") as reader:
        assert (reader.read().air_temp_c) == 21.5


def test_a_file_in_utf_16_is_text_too(tmp_path: Path) -> None:
    file = tmp_path / "room.csv"
    file.write_bytes("No.\tTime\tTemperature°C\tHumidity%RH\n1\t2026-01-14 19:20:00\t21.5\t45.2\n".encode("utf-16"))
    assert load_recording(file) == [(START, {"air_temp_c": 21.5, "humidity_pct": 45.2})]


EARLIEST = datetime(2001, 1, 1)  # noqa: DTZ001 - loggers write no zone


@given(st.lists(st.datetimes(min_value=EARLIEST), min_size=1), st.sampled_from(["dmy", "mdy", "ymd"]))
def test_a_column_of_times_is_read_as_it_was_written_or_refused(moments: list[datetime], order: str) -> None:
    pattern = {"dmy": "%d/%m/%Y %H:%M:%S", "mdy": "%m/%d/%Y %I:%M:%S %p", "ymd": "%Y-%m-%d %H:%M:%S"}[order]
    written = [moment.strftime(pattern) for moment in moments]
    sure = read_times(written, order)
    assert sure == read_times(written, pattern)
    try:
        assert read_times(written) == sure
    except NotAReading as error:
        assert "in front" in str(error)


def test_months_may_have_names() -> None:
    for text in ("14 Jan 2026 19:20", "Jan 14, 2026 7:20:00 PM", "14-Jan-26 19:20:00", "2026-01-14T20:20:00+01:00"):
        assert read_times([text]) == [START]
    with pytest.raises(NotAReading):
        read_times(["14 anf 2026 19:20"])


def test_times_of_day_go_on_after_midnight() -> None:
    assert read_times(["23:59:30", "00:00:30"]) == [86370.0, 86430.0]
    assert read_times([10, "20.5", ""]) == [10.0, 20.5, None]


def test_a_pattern_without_a_date_goes_on_through_midnight() -> None:
    assert read_times(["23:59:30", "00:00:30"], "%H:%M:%S") == [86370.0, 86430.0]
    assert read_times(["11.59 PM", "12.01 AM"], "%I.%M %p") == [86340.0, 86460.0]


def test_a_zone_in_the_cell_goes_before_the_one_in_the_header() -> None:
    pattern, header = "%Y-%m-%d %H:%M %z", "Time, GMT-05:00"
    assert read_times(["1970-01-01 02:00 +0100"], pattern, header) == [3600.0]
    assert read_times(["1970-01-01 02:00"], "%Y-%m-%d %H:%M", header) == [7 * 3600.0]
