"""What is printed can be read: URIs of any name, passwords of any letters, and words for what cannot be meant."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfywear.cli import main
from comfywear_sensors import BadSensorURI, check_uri, open_reader, redact, source_of
from comfywear_sensors.discover import find_sensors
from comfywear_sensors.uri import SensorURI, format_uri

MARK = "Zq7Marker"
ODD = [
    "dht11@4",
    "sht 3x",
    "a#b",
    "50%",
    "fühler",
    "a&b=c",
    "x+y",
    'q"uote',
    "温度",
    "a:b@c",
    "back\\slash",
    "%41",
    "…",
]
names = st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@example("iio", "[", "0", "0")
@example("hwmon", "[]", "0", "0")
@example("mqtt", "a[b]:1", "0", "0")
@example("mqtt", "[:]", "0", "0")
@example("mqtt", "[fe80::1]:1883", "0", "0")
@given(st.sampled_from(["iio", "hwmon", "w1", "mqtt", "serial", "fake"]), names, names, names)
def test_a_uri_of_any_names_reads_back_as_they_are(scheme: str, host: str, path: str, value: str) -> None:
    uri = SensorURI(format_uri(scheme, host=host, path=f"/{path}/x", options={"root": value, "topic": value}))
    assert (uri.host, uri.path, uri.text("root"), uri.user) == (host, f"/{path}/x", value, None)
    assert uri.source == source_of(uri.source)
    assert redact(uri.source) == uri.source or "=" in value + path + host


@pytest.mark.parametrize("name", ODD)
def test_sensors_list_prints_what_open_reader_reads(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, channel in (
        ("sys/bus/iio/devices/iio:device0", "in_temp_input"),
        ("sys/class/hwmon/hwmon1", "temp1_input"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "name").write_text(f"{name}\n", "utf-8")
        (tmp_path / folder / channel).write_text("23000\n")
    (tmp_path / "dev/serial/by-id").mkdir(parents=True)
    (tmp_path / "dev/ttyACM0").write_text("")
    (tmp_path / f"dev/serial/by-id/{name}").symlink_to(tmp_path / "dev/ttyACM0")
    iio, hwmon = (found for found in find_sensors(tmp_path) if found.uri.startswith(("iio", "hwmon")))
    for found, root in ((iio, "sys/bus/iio/devices"), (hwmon, "sys/class/hwmon")):
        where = format_uri("x", options={"root": str(tmp_path / root)}).partition("?")[2]
        with open_reader(f"{found.uri}?{where}") as reader:
            assert reader.read().air_temp_c == 23.0
        assert check_uri(found.uri).source == found.uri
    (port,) = (found.uri for found in find_sensors(tmp_path) if found.uri.startswith("serial"))
    assert check_uri(port).path == f"/dev/serial/by-id/{name}"
    assert main(["sensors", "list", "--root", str(tmp_path)]) == 0
    assert f'uri = "{port}"' in capsys.readouterr().out


def test_a_name_with_an_at_sign_may_stand_as_it_is(tmp_path: Path) -> None:
    device = tmp_path / "iio:device0"
    device.mkdir()
    (device / "name").write_text("dht11@4\n")
    (device / "in_temp_input").write_text("23000\n")
    for host in ("dht11@4", "dht11%404", "iio:device0"):
        with open_reader(f"iio://{host}?root={tmp_path}") as reader:
            assert reader.read().air_temp_c == 23.0


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_any_password_works_percent_encoded_and_is_never_shown(password: str) -> None:
    secret = f"{password}{MARK}"
    uri = SensorURI(f"mqtt://ann:{quote(secret, safe='')}@broker:1883/t?unit=F")
    assert (uri.user, uri.password, uri.host) == ("ann", secret, "broker:1883")
    assert uri.source == "mqtt://broker:1883/t?unit=F"


@given(st.text(alphabet="@/:#?&%+[] aZ0é", max_size=6), st.text(alphabet="@/:#?&%+[] aZ0é", max_size=6))
def test_a_raw_password_works_or_the_error_says_how_to_write_it(before: str, after: str) -> None:
    secret = f"{before}{MARK}{after}"
    try:
        uri = check_uri(f"mqtt://ann:{secret}@broker/tele/office")
    except BadSensorURI as error:
        assert MARK not in str(error)
        assert "%40" in str(error) or "%23" in str(error)
    else:
        assert (uri.host, uri.path) == ("broker", "/tele/office")
        assert MARK not in uri.source


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("serial:///dev/ttyUSB0?boud=9600", "did you mean baud?"),
        ("serial:///dev/ttyUSB0?baud=abc", "baud=abc should be a number from 50"),
        ("serial:///dev/serial/by-id/usb-…", "comfywear sensors list"),
        ("serial:///dev/ttyUSB0?format=xml", "is not one of auto"),
        ("serial:///dev/ttyUSB0?columns=a,b", "none of them is a quantity"),
        ("modbus:///dev/ttyUSB0?preset=xymd", "is not one of xy-md02"),
        ("modbus:///dev/ttyUSB0?temperature=input:x", "is not a register"),
        ("modbus://?preset=xy-md02", "name the port or the gateway"),
        ("mqtt://broker", "write mqtt://BROKER/TOPIC"),
        ("mqtt://broker/t?tempature_topic=x", "did you mean temperature_topic?"),
        ("iio://", "name one device"),
        ("i2c://1/sht9x", "chips: sht3x"),
        ("replay:///room.csv?format=soon", "is not one of"),
        ("replay:///room.csv?speeed=2", "did you mean speed?"),
        ("fake://room?noise=lots", "noise=lots should be a number"),
        ("http://sensor/x", "no sensor is read by http://"),
        ("iio://ann:secret@dht", "has no user and password"),
        ("serial://ann:x/secret@port", "has no user and password"),
        ("ann:secret://broker/t", "is not a sensor URI"),
        ("mqtt:///ann:secret@broker/t", "an @ stands behind"),
    ],
)
def test_what_cannot_be_meant_is_said_without_opening_anything(uri: str, words: str) -> None:
    with pytest.raises(BadSensorURI) as refused:
        check_uri(uri)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_right_uri_is_checked_without_opening_anything() -> None:
    for uri in (
        "serial:///dev/nowhere?baud=115200&decimal=comma",
        "modbus://192.0.2.1:502?preset=xy-md02",
        "mqtts://broker.example/tele/x/SENSOR?password_file=/nowhere&ca=/nowhere",
        "replay:///nowhere.csv?format=dmy&time=When",
        "i2c://9/sht4x",
    ):
        assert check_uri(uri).source == uri


def test_a_sensor_can_be_used_in_a_with_and_is_given_back() -> None:
    closed = []
    with open_reader("fake://room") as reader:
        reader.close = lambda: closed.append(1)  # type: ignore[method-assign]  # to see it called
        assert reader.read().simulated
    assert closed == [1]
