"""Secrets are cut from any text by what they are."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfywear_sensors.redaction import is_secret_name, redact

MARK = "Zq7Marker"
_around = st.text(alphabet="@/:#?&% =+.;,aZ0é~!$*()-_|", max_size=8)
passwords = st.builds(lambda before, after: f"{before}{MARK}{after}", _around, _around).filter(
    lambda word: "://" not in word
)
names = st.sampled_from(
    [
        "user",
        "username",
        "usr",
        "login",
        "pass",
        "passwd",
        "password",
        "PASSWORD",
        "Pwd",
        "pw",
        "token",
        "access_token",
        "authtoken",
        "userpwd",
        "key",
        "api_key",
        "apikey",
        "auth",
        "sig",
        "signature",
        "secret",
        "client_secret",
        "accessToken",
        "mqttPassword",
        "loginpas",
    ]
)
values = st.text(alphabet="abcXYZ019.-+%!*~", max_size=8).map(lambda noise: f"{noise}{MARK}")
schemes = st.sampled_from(["rtsp", "rtsps", "http", "https", "mqtt", "mqtts", "rtmp", "modbus", "RTSP"])
sentences = st.sampled_from(
    ["{}", "the camera {} is gone", "{}: no answer; look at its cable", '{{"uri": "{}"}}', "({})"]
)


@given(schemes, passwords, sentences)
@example("rtsp", f"p@ss/w:o#r d{MARK}", "{}")
@example("mqtt", f"/{MARK}", "{}")
def test_a_password_is_cut_whatever_it_holds(scheme: str, password: str, sentence: str) -> None:
    text = sentence.format(f"{scheme}://admin:{password}@10.0.0.5:554/live")
    assert MARK not in redact(text)
    assert "@10.0.0.5:554/live" in redact(text)


@given(schemes, passwords, passwords)
def test_every_address_of_a_line_is_cut(scheme: str, first: str, second: str) -> None:
    said = redact(f"tried {scheme}://a:{first}@one/x and {scheme}://b:{second}@two/y, in vain")
    assert MARK not in said
    assert "@one/x and " in said
    assert "@two/y, in vain" in said


@given(schemes, passwords)
def test_an_encoded_password_and_an_encoded_address_are_cut(scheme: str, password: str) -> None:
    address = f"{scheme}://admin:{quote(password, safe='')}@host/live"
    assert MARK not in redact(f"{address} is gone")
    assert MARK not in redact(f"http://gateway/stream?src={quote(address, safe='')}")


@given(names, values, st.sampled_from("?&;_/"))
def test_a_parameter_with_a_secret_name_is_cut_and_its_neighbours_stay(name: str, value: str, sign: str) -> None:
    joint = "_" if sign == "_" else "&"
    said = redact(f"http://host/{sign}{name}={value}{joint}fps=3 is gone")
    assert MARK not in said
    assert said.endswith(f"{joint}fps=3 is gone")


@given(names, st.text(max_size=20).map(lambda text: f"{text}{MARK}{text}"))
def test_a_secret_is_cut_from_json_and_toml(name: str, value: str) -> None:
    said = redact(json.dumps({"host": "broker", name: value, "port": 1883}))
    assert MARK not in said
    assert json.loads(said)["port"] == 1883
    assert MARK not in redact(f"{name} = {json.dumps(value)}")


@given(st.text())
def test_cutting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "iio://dht11@4?root=/sys/bus/iio",
        "serial:///dev/serial/by-id/usb-A@B:C@D",
        "images:///home/ann@work/photos",
        "mqtt://broker/tele/office?password_file=/etc/comfywear/mqtt&unit=F",
        "see rtsp://camera/live and ask admin@site.example",
        "wrong user or password: look at mqtt.password_file",
        "comfywear/v1/home/desk/zone/a/vote: monkey=3, hotkey:4",
        "2026-01-14T19:20:00+01:00 23.1 °C, 45 %",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"rtsp://10.0.0.5:554/user=admin_password={MARK}_channel=1_stream=0.sdp?",
        f"rtsp://10.0.0.5/user=admin&password={MARK}&channel=1&stream=0.sdp?",
        f"http://cam/cgi-bin/snap.cgi?loginuse=admin&loginpas={MARK}",
        f"https://{MARK}@host/stream",
        f"https://:{MARK}@host/stream",
        f"admin:{MARK}@192.0.2.5:81/stream",
        f"Authorization: Basic {MARK}==",
        f"the header said Bearer {MARK}",
        f"{{'password': '{MARK}', 'port': 1}}",
        f"mqtt://host/t?password=two words {MARK}&unit=F",
        f"iio://ann:{MARK}@name",
    ],
)
def test_ways_in_which_secrets_are_really_written_are_cut(text: str) -> None:
    assert MARK not in redact(text)


def test_a_name_tells_whether_its_value_is_secret() -> None:
    assert all(is_secret_name(name) for name in ("password", "API_KEY", "x-api-key", "accessToken", "user"))
    assert not any(is_secret_name(name) for name in ("password_file", "monkey", "ca", "unit", "keyboard", "userinfo"))
