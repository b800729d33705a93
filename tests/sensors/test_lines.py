"""Lines that sensors send, from the field and at random."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_sensors import BadSensorURI, NotAReading
from comfywear_sensors.gate import DEFAULT_LIMITS, Gate
from comfywear_sensors.lines import LINE_FORMATS, MAX_LINE_BYTES, LineBuffer, line_parser, understood
from comfywear_sensors.quantities import reading_of

DHT = "Humidity: 45.20 %\tTemperature: 23.10 *C 73.58 *F\tHeat index: 22.72 *C 72.90 *F"


@pytest.mark.parametrize(
    ("line", "temperature", "humidity"),
    [
        (DHT, 23.1, 45.2),
        ("27.4℃,67.7%", 27.4, 67.7),
        ("-3.5℃,67.7%", -3.5, 67.7),
        (b"27.4\xa1\xe6,67.7%".decode("utf-8", "replace"), 27.4, 67.7),  # the same sign in GBK
        ("81.5℉,67.7%", 27.5, 67.7),
        ("23.1,45.2", 23.1, 45.2),
        (" 23.1 , 45.2 ", 23.1, 45.2),
        ("23,1;45,2", 23.1, 45.2),
        ("23.1\t45.2", 23.1, 45.2),
        ("−2.5,45.2", -2.5, 45.2),
        ('{"temperature": 23.1, "humidity": 45.2}', 23.1, 45.2),
        ('{"t": "23.1", "rh": 45}', 23.1, 45.0),
        ('{"temp_f": 73.58, "hum": 45.2}', 23.1, 45.2),
        ('{"temp_f": 99, "temp_c": 23.1, "hum": 45.2}', 23.1, 45.2),
        ('{"AM2301":{"Temperature":23.3,"Humidity":33.8,"DewPoint":6.4},"TempUnit":"C"}', 23.3, 33.8),
        ('{"AM2301":{"Temperature":73.4,"Humidity":33.8},"TempUnit":"F"}', 23.0, 33.8),
        ('{"DHT11":{"Temperature":23,"Humidity":33},"ESP32":{"Temperature":53.3}}', 23.0, 33.0),
        ("Temp=23.1*C  Humidity=45.2%", 23.1, 45.2),
        ("T: 73.58 F, RH: 45.2 %", 23.1, 45.2),
    ],
)
def test_lines_of_the_field_are_read_exactly(line: str, temperature: float, humidity: float) -> None:
    assert line_parser()(line) == pytest.approx({"air_temp_c": temperature, "humidity_pct": humidity}, abs=1e-9)


@pytest.mark.parametrize(
    "line",
    [
        "DHTxx test!",
        "Failed to read from DHT sensor!",
        "",
        "23.1",
        "23.1,45.2,1",
        "23.1,",
        "nan,nan",
        "Humidity: nan %\tTemperature: nan *C",
        '{"temperature": NaN}',
        '{"temperature": true}',
        '{"temperature": ' + "9" * 400 + "}",
        '{"temperature": 23.1',
        "[" * 4000,
        '{"A":{"Temperature":20},"B":{"Temperature":21}}',
        "\x00\x01\xff",
        "۲۳,۴۵",
    ],
)
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(NotAReading):
        line_parser()(line)


def test_a_cut_label_does_not_become_another_number() -> None:
    assert line_parser()(DHT[10:]) == {"air_temp_c": 23.1}


def test_the_unit_of_the_settings_stands_where_the_line_is_silent() -> None:
    assert line_parser(unit="F")("73.58,45.2") == pytest.approx({"air_temp_c": 23.1, "humidity_pct": 45.2})
    assert line_parser(unit="F")("23.1℃,45.2%")["air_temp_c"] == 23.1


def test_columns_can_be_named() -> None:
    parse = line_parser("csv", columns=["id", "humidity", "temperature"])
    assert parse("7,45.2,23.1") == {"humidity_pct": 45.2, "air_temp_c": 23.1}
    with pytest.raises(NotAReading):
        parse("7,45.2")


def test_a_pattern_of_the_user_reads_his_lines() -> None:
    parse = line_parser(pattern=r"T(?P<temperature>[-\d.]+)H(?P<humidity>[\d.]+)")
    assert parse("#1 T23.1H45.2!") == {"air_temp_c": 23.1, "humidity_pct": 45.2}
    with pytest.raises(NotAReading):
        parse("T--H-")


@pytest.mark.parametrize("pattern", ["T(", "T(.*)", "(?P<colour>.*)"])
def test_a_pattern_that_cannot_work_is_refused_at_once(pattern: str) -> None:
    with pytest.raises(BadSensorURI, match="pattern="):
        line_parser(pattern=pattern)


def test_half_lines_wait_for_their_other_half_and_the_first_is_dropped() -> None:
    buffer = LineBuffer()
    assert buffer.feed(b"3.1,45.2\r\n23.") == []
    assert buffer.feed(b"2,45") == []
    assert buffer.feed(b".1\r\n") == ["23.2,45.1"]


def test_noise_without_an_end_is_dropped_and_the_line_after_it_too() -> None:
    buffer = LineBuffer(skip_first=False)
    assert buffer.feed(b"\xff" * (MAX_LINE_BYTES + 1)) == []
    assert buffer.feed(b"1,2\n3,4\n") == ["3,4"]


def _admitted(values: dict[str, float]) -> dict[str, float]:
    return Gate().admit(reading_of(values, 0.0, "test")) if values else {}


def _check(line: str) -> None:
    for parse in PARSERS:
        values = understood(line, parse)
        for name, value in (values or {}).items():
            assert math.isfinite(value), name
        for name, value in _admitted(values or {}).items():
            assert DEFAULT_LIMITS[name].low <= value <= DEFAULT_LIMITS[name].high


PARSERS = [line_parser(kind) for kind in LINE_FORMATS] + [
    line_parser("csv", columns=["time", "temperature", "co2"]),
    line_parser(pattern=r"(?P<temperature>\S+) (?P<humidity>\S+)"),
]
_PIECES = [
    *'0123456789.,;:=-+%{}[]"\\ \t℃FCe',
    *("Temperature", "Humidity", '"t":', '"rh":', "nan", "Infinity", "1e999", "null", "true", "-40", "85.0", "9" * 20),
]


def _random_line(dice: random.Random) -> str:
    if dice.random() < 0.5:
        return "".join(dice.choices(_PIECES, k=dice.randrange(1, 20)))
    lines = (DHT, "27.4℃,67.7%", "23.1,45.2", '{"AM2301":{"Temperature":23.3,"Humidity":33.8},"TempUnit":"C"}')
    line = list(dice.choice(lines).encode())
    for _ in range(dice.randrange(1, 4)):
        line[dice.randrange(len(line))] = dice.randrange(256)
    return bytes(line).decode("utf-8", "replace")


def test_a_hundred_thousand_random_lines_raise_nothing_else_and_let_nothing_bad_in() -> None:
    dice = random.Random(7)
    for _ in range(100_000):
        _check(_random_line(dice))


@given(st.text() | st.from_regex(r"[A-Za-z]+ ?[:=] ?-?\d+(\.\d+)? ?[*°]?[CF%]?", fullmatch=True))
def test_any_text_is_a_reading_or_refused(line: str) -> None:
    _check(line)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda child: (
            st.lists(child)
            | st.dictionaries(st.sampled_from(["temperature", "t", "AM2301", "TempUnit", "co2", "x"]), child)
        ),
    )
)
def test_any_json_is_a_reading_or_refused(document: object) -> None:
    import json

    _check(json.dumps(document))


@given(st.lists(st.sampled_from([b"23.1,45.2", b"27.4,67.7", b"19.0,30.1"]), min_size=2), st.data())
def test_lines_survive_any_cutting_into_pieces(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"\r\n".join(lines) + b"\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    buffer = LineBuffer()
    got = [
        line
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for line in buffer.feed(stream[start:end])
    ]
    assert [line.encode() for line in got] == lines[1:]
