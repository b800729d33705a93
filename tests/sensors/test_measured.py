"""Numbers with units, in every way that sensors, brokers and loggers write them: read whole or refused."""

from __future__ import annotations

import json
import re
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfywear_sensors import NotAReading
from comfywear_sensors.lines import LineBuffer, line_parser
from comfywear_sensors.measured import number_of
from comfywear_sensors.payloads import parse_message, parse_number
from comfywear_sensors.quantities import quantity_of

DEGREES = ["°", "º", "*", "˚", "\ufffd", "ß", "Â°", "deg ", "deg", "degrees ", "degree ", "&deg;", ""]
CELSIUS = [
    *(sign + letter for sign in DEGREES for letter in ("C", "c")),
    "℃",
    "Celsius",
    "celsius",
    "deg. C",
    "\ufffd\ufffd",
]
FAHRENHEIT = [*(sign + letter for sign in DEGREES for letter in ("F", "f")), "℉", "Fahrenheit", "fahrenheit"]
PERCENT = ["%", "%RH", "RH%", "% RH", "%rH", "% r.H.", "% r.F.", "percent", "pct", "%", "% rel. humidity"]


@st.composite
def written(draw: st.DrawFn, low: int = -4000, high: int = 15000) -> tuple[float, str]:
    """A number and a way to write it: any count of decimals, an exponent, a plus or a true minus, a decimal comma."""
    digits = draw(st.integers(0, 14))
    mantissa = draw(st.integers(low * 10**digits // 100, high * 10**digits // 100))
    sign = "-" if mantissa < 0 else ""
    text = str(abs(mantissa)).rjust(digits + 1, "0")
    text = f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"
    value = float(text)
    match draw(st.sampled_from(["plain", "exponent", "plus", "minus", "comma"])):
        case "exponent":
            text = f"{value:.14e}"
        case "plus" if mantissa >= 0:
            text = f"+{text}"
        case "minus":
            text = text.replace("-", "\u2212")
        case "comma":
            text = text.replace(".", ",")
    return float(text.replace(",", ".").replace("\u2212", "-")), text


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-9, rel=1e-12)


@given(
    written(),
    st.sampled_from([("C", unit) for unit in CELSIUS] + [("F", unit) for unit in FAHRENHEIT]),
    st.sampled_from(["", " "]),
)
def test_a_temperature_comes_back_as_itself_in_every_spelling(
    number: tuple[float, str], unit: tuple[str, str], gap: str
) -> None:
    value, text = number
    expected = value if unit[0] == "C" else (value - 32.0) / 1.8
    assert number_of(f"{text}{gap}{unit[1]}", "air_temp_c") == near(expected)
    assert parse_number(f"\ufeff{text}{gap}{unit[1]}\r\n\x00".encode(), "air_temp_c") == {"air_temp_c": near(expected)}
    assert line_parser()(f"Temperature: {text}{gap}{unit[1]}") == {"air_temp_c": near(expected)}


@given(written(0, 10000), st.sampled_from(PERCENT))
def test_a_humidity_comes_back_as_itself_in_every_spelling(number: tuple[float, str], unit: str) -> None:
    value, text = number
    assert number_of(f'"{text} {unit}"', "humidity_pct") == near(value)
    assert line_parser()(f"Humidity = {text} {unit}") == {"humidity_pct": near(value)}
    assert json_humidity(text) == {"humidity_pct": near(value)}


def json_humidity(text: str) -> object:
    return parse_message(json.dumps({"humidity": text}).encode())


@given(written(0, 5000), written(0, 10000), st.sampled_from([*CELSIUS[:4], "℃"]), st.sampled_from(PERCENT))
def test_units_say_what_is_what_in_any_order(
    t: tuple[float, str], h: tuple[float, str], unit: str, percent: str
) -> None:
    expected = {"air_temp_c": near(t[0]), "humidity_pct": near(h[0])}
    assert line_parser()(f"{t[1]} {unit}, {h[1]} {percent}") == expected
    assert line_parser()(f"{h[1]} {percent} {t[1]} {unit}") == expected


@given(written(), st.text(alphabet="0123456789.,eExX_:/-", min_size=1, max_size=6))
@example((21.2999, "21.2999"), "99237060547")
@example((23.0, "23"), ",4")
@example((23.1, "23.1"), ".4")
def test_no_prefix_of_a_longer_number_is_taken_for_it(number: tuple[float, str], more: str) -> None:
    whole = number[1] + more
    try:
        meant = float(re.split(r"[,/](?!\d)", whole)[0].replace(",", ".").replace("\u2212", "-"))
    except ValueError:
        meant = None
    for read in (
        lambda: number_of(whole, "air_temp_c"),
        lambda: line_parser()(f"T: {whole}")["air_temp_c"],
        lambda: line_parser()(f"T: {whole} °C")["air_temp_c"],
        lambda: parse_message(json.dumps({"t": whole}).encode())["air_temp_c"],
    ):
        with suppress(NotAReading):
            assert read() == meant, whole
    if re.fullmatch(r"[+\-\u2212]?\d+([.,]\d+)?", whole):  # it is one number still, only longer
        assert number_of(whole, "air_temp_c") == meant


@pytest.mark.parametrize(
    "text",
    ["23.", "1.2.3", "12:30", "2026-01-14", "23.1x", "1.234,5", "1,234.5", "23.1.", "0x1F", "1_000", "5e", "--5"],
)
def test_what_only_begins_like_a_number_is_refused(text: str) -> None:
    with pytest.raises(NotAReading):
        number_of(text, "air_temp_c")
    with pytest.raises(NotAReading):
        line_parser()(f"T: {text}")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("23.1 °R", "air_temp_c"),
        ("23.1 Rankine", "air_temp_c"),
        ("45 %", "air_temp_c"),
        ("23 °C", "humidity_pct"),
        ("45 g/m³", "humidity_pct"),
        ("600 %", "co2_ppm"),
        ("1,234 ppm", "co2_ppm"),
        ("1,234", "illuminance_lx"),
    ],
)
def test_a_unit_that_is_not_known_or_does_not_fit_is_an_error(text: str, field: str) -> None:
    with pytest.raises(NotAReading):
        number_of(text, field)


@pytest.mark.parametrize("text", ["nan", "", "--", "unavailable", "None", "Err"])
def test_a_value_without_a_digit_says_nothing(text: str) -> None:
    assert number_of(text, "air_temp_c") is None


def test_kelvin_and_kilometres_an_hour_are_converted() -> None:
    assert number_of("295.15 K", "air_temp_c") == 22.0
    assert number_of("3.6 km/h", "air_speed_m_s") == 1.0


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"Temperature: 23,4 \xc2\xb0C\tHumidity: 45,2 %", (23.4, 45.2)),
        (b"Temp: 58.1 \xb0F\tHumidity: 45.0 %", (14.5, 45.0)),
        (b"Temp: 58.1 \xbaF\tHumidity: 45.0 %", (14.5, 45.0)),
        (b"Temp: 58.1 \xdfF\tHumidity: 45.0 %", (14.5, 45.0)),
        (b"Temp: 58.1 deg F\tHumidity: 45.0 %", (14.5, 45.0)),
        (b"Temp: 58.1 Fahrenheit, Humidity: 45.0 percent", (14.5, 45.0)),
        (b"27.4\xa1\xe6,67.7%", (27.4, 67.7)),  # GBK
        (b"81.5\xa8\x48,67.7%", (27.5, 67.7)),  # ℉ in GBK
        (b"20.5\x81\x8e, 50 %", (20.5, 50.0)),  # Shift-JIS
        (b"\xef\xbb\xbfT:23.1,H:45.2\x00", (23.1, 45.2)),
        ("Température : 21,5 °C Humidité : 40 %".encode(), (21.5, 40.0)),
        ("温度：23.1℃ 湿度：45.2%".encode(), (23.1, 45.2)),
        (b"Status: OK Humidity: 45.2 % Temperature: 23.1 *C", (23.1, 45.2)),
        (b"Dew point: 9.0 C Humidity: 45.2 % Temperature: 23.1 C Pressure: 1013.25 hPa", (23.1, 45.2)),
        (b"Temperature (\xc2\xb0F): 58.1, RH (%): 45", (14.5, 45.0)),
    ],
)
def test_lines_of_the_field_in_any_encoding(line: bytes, expected: tuple[float, float]) -> None:
    (text,) = LineBuffer(skip_first=False).feed(line + b"\r\n")
    said = line_parser()(text)
    assert (said["air_temp_c"], said["humidity_pct"]) == near(expected)


@pytest.mark.parametrize("line", ["40,78", "T: 23,4", "23,4", "23,45", "T: 23,4, H: 45,2", "45,2 %"])
def test_a_comma_that_may_mean_two_things_is_refused_with_the_option(line: str) -> None:
    with pytest.raises(NotAReading, match="decimal=comma"):
        line_parser()(line)
    with pytest.raises(NotAReading):
        parse_message(line.encode())


def test_the_option_settles_a_comma() -> None:
    assert line_parser(decimal="point")("40,78") == {"air_temp_c": 40.0, "humidity_pct": 78.0}
    assert line_parser(decimal="comma")("T: 23,4, H: 45,2") == {"air_temp_c": 23.4, "humidity_pct": 45.2}
    assert parse_number(b"40,78", "humidity_pct") == {"humidity_pct": 40.78}
    assert line_parser("csv", columns=["temperature"], decimal="comma")("40,78") == {"air_temp_c": 40.78}
    with pytest.raises(NotAReading, match="decimal=comma says otherwise"):
        parse_number(b"1.5", "humidity_pct", decimal="comma")
    with pytest.raises(NotAReading, match="temperature_topic"):
        parse_message(b"22.95176696777344")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"21.299999237060547,45.299999237060547", (21.299999237060547, 45.299999237060547)),
        (b'{"temperature":"21.299999237060547","humidity":"45.2 %"}', (21.299999237060547, 45.2)),
        (b'{"tmp":{"value":72.5,"units":"F","is_valid":true},"hum":{"value":45}}', (22.5, 45.0)),  # Shelly H&T
        (b'{"tC":21.5,"tF":70.7,"rh":45}', (21.5, 45.0)),
        (b'{"SHT3X":{"Temperature":294.65,"Humidity":45},"TempUnit":"K"}', (21.5, 45.0)),
        ("20.6 ℃ 45%".encode(), (20.6, 45.0)),
        (b'{"t":"23,4","h":"45,2"}', (23.4, 45.2)),
    ],
)
def test_payloads_of_the_field(payload: bytes, expected: tuple[float, float]) -> None:
    said = parse_message(payload)
    assert (said["air_temp_c"], said["humidity_pct"]) == near(expected)


def test_two_that_mean_the_same_and_differ_are_refused() -> None:
    with pytest.raises(NotAReading, match="twice"):
        line_parser()("Temperature: 23.1 C Temperature: 29.4 C")
    with pytest.raises(NotAReading, match="TempUnit"):
        parse_message(b'{"AM2301":{"Temperature":23},"TempUnit":"R"}')


@pytest.mark.parametrize(
    ("name", "field", "unit"),
    [
        ("Temperature_Celsius(℃)", "air_temp_c", "C"),
        ("Relative_Humidity(%)", "humidity_pct", "%"),
        ("Temperature°F", "air_temp_c", "F"),
        ("Temp, °F (LGR S/N: 1, SEN S/N: 2)", "air_temp_c", "F"),
        ("Temperatur in °C", "air_temp_c", "C"),
        ("Humidity%RH", "humidity_pct", "%"),
        ("rel. Luftfeuchte [%]", "humidity_pct", "%"),
        ("Carbon dioxide(ppm)", "co2_ppm", "ppm"),
        ("tempf", "air_temp_c", "F"),
        ("temperature", "air_temp_c", None),
    ],
)
def test_names_say_quantity_and_unit(name: str, field: str, unit: str | None) -> None:
    meant = quantity_of(name)
    assert meant is not None
    assert (meant.field, meant.unit) == (field, unit)


def test_a_unit_in_a_name_must_fit() -> None:
    for name in ("Temperature (%)", "Humidity(°C)", "Temperature(°R)"):
        with pytest.raises(NotAReading, match="no unit that is known"):
            quantity_of(name)


@pytest.mark.parametrize("name", ["Dew point", "DPT(℃)", "Battery(%)", "pressure", "time", "VPD(kPa)", "heat index"])
def test_other_names_are_strangers(name: str) -> None:
    assert quantity_of(name) is None
