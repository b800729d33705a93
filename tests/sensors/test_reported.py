"""What people reported of other programs that read such things: in our own words, each with where it was reported."""

from __future__ import annotations

import pytest

from comfywear_sensors.errors import NotAReading
from comfywear_sensors.lines import line_parser
from comfywear_sensors.payloads import parse_message, parse_number
from comfywear_sensors.redaction import redact

LINES = {
    "a date, gas and a space before a comma (twartzek/bme680-raspberry#3)": (
        "2019-03-04 07:08:09 T: 21.37 degC, P: 990.12 hPa, H: 47.11 %rH , G: 8123 ohms",
        21.37,
        47.11,
    ),
    "the degree sign read as Latin-1 (abeggled/openbridgeserver#40)": (
        "Temperature: 19.5 Â°C, Humidity: 52 %",
        19.5,
        52.0,
    ),
    "cells in quotes with decimal commas (markummitchell/engauge-digitizer#364)": ('"21,7", "48,3"', 21.7, 48.3),
    "a file of two columns in Czech (markummitchell/engauge-digitizer#364)": ("21,7;48,3", 21.7, 48.3),
    "humidity without a unit of its own (krzychb/OnlineHumidifier#7)": (
        "{Humidity:44.10, Temperature:20.90}",
        20.9,
        44.1,
    ),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_was_reported_is_read_whole(case: str) -> None:
    line, temperature, humidity = LINES[case]
    said = line_parser()(line)
    assert (said["air_temp_c"], said["humidity_pct"]) == pytest.approx((temperature, humidity), abs=1e-9)


def test_of_the_lines_of_a_loop_those_that_mean_the_air_are_read_and_the_others_are_no_reading() -> None:
    """A node that prints a line a quantity, some twice (emoncms/development#4)."""
    read = line_parser()
    assert read("Temperature: 19.85") == {"air_temp_c": 19.85}
    assert read("Humidity: 51.02") == {"humidity_pct": 51.02}
    assert read("Lux: 17.5312") == {"illuminance_lx": 17.5312}
    for line in ("TempBMP: 20.10", "Pressure: 99907", "Dewpoint: 9.40", "date: 2014/05/06 15:18:45", "AltSea: -12.5 m"):
        with pytest.raises(NotAReading):
            read(line)


def test_columns_of_a_line_of_numbers_are_named_by_whoever_knows_them() -> None:
    """Two tanks on one line (theyosh/TerrariumPI#124)."""
    line = "1\t46\t40.70\t24.50\t17.56"
    with pytest.raises(NotAReading):
        line_parser()(line)
    columns = ["number", "distance", "humidity", "temperature", "water"]
    assert line_parser("csv", columns=columns)(line) == {"humidity_pct": 40.7, "air_temp_c": 24.5}


def test_one_quoted_cell_is_one_number() -> None:
    """A history in which a number with a decimal comma stands in quotes (home-assistant/core#116985)."""
    assert parse_number(b'"21,5"', "air_temp_c") == {"air_temp_c": 21.5}
    with pytest.raises(NotAReading):
        parse_message(b'"21,5"')


def test_thousands_are_not_taken_for_units() -> None:
    """A comma for thousands (emoncms/emoncms#222)."""
    with pytest.raises(NotAReading):
        parse_number(b"1,013.25", "air_temp_c")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://nvr/recordings/a.mp4?token=eyJhbGciOiJIUzI1", "http://nvr/recordings/a.mp4?token=…"),  # open-nvr#64
        (
            "http://eye:8765/picture/1/current/?_username=me&_signature=2ae8bbd9",
            "http://eye:8765/picture/1/current/?_username=…&_signature=…",
        ),  # motioneye#751
        ("rtsp://root:example@2345@#353@192.168.1.9/s", "rtsp://…@192.168.1.9/s"),  # nager/Nager.VideoStream#1
        ("rtsp://admin:pass##X@10.0.0.7:554/cam?channel=1&subtype=1", "rtsp://…@10.0.0.7:554/cam?channel=1&subtype=1"),
        ("could not open rtsp://user1:P@ssword@10.0.0.8/stream1", "could not open rtsp://…@10.0.0.8/stream1"),
    ],
)  # deepch/vdk#26, bluenviron/mediamtx#2069
def test_secrets_in_addresses_that_were_reported_are_cut(address: str, shown: str) -> None:
    assert redact(address) == shown
