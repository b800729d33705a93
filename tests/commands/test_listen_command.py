from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from peers import TOPICS, Consumer
from samples import MESSAGES

from comfywear.commands.listen import broker, broker_place
from comfywear.errors import UsageError
from comfywear.publishing.broker.listener import Listener


def listen(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "comfywear.cli", "listen", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def payload(name: str, seq: int) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(MESSAGES[name], seq=seq))


def test_messages_are_shown_readably_and_gaps_are_noticed(mosquitto: Any) -> None:
    with Consumer(mosquitto.port) as sender:
        sender.send(TOPICS.meta, payload("meta", 1), retain=True)
        listening = listen("--broker", f"127.0.0.1:{mosquitto.port}", "--count", "4", "--seconds", "20")
        assert listening.stdout
        assert listening.stdout.readline() == "03:04:05  dev: comfywear 0.1, zones desk\n"
        sender.send(TOPICS.climate("desk"), payload("climate", 5))
        sender.send(TOPICS.climate("desk"), payload("climate", 8))
        sender.send(TOPICS.comfort("desk"), b"\x1b[31m not a message")
    output, errors = listening.communicate(timeout=90)
    assert (listening.returncode, errors) == (0, "")
    lines = output.splitlines()
    assert lines.count("03:04:05  desk: 23.4 °C, 46 %") == 2
    assert lines.index("dev: messages 6–7 did not come (yet)") == lines.index("03:04:05  desk: 23.4 °C, 46 %") + 1
    assert "not a comfywear message" in lines[-1]
    assert "\x1b" not in output


def test_json_is_a_line_a_message(mosquitto: Any) -> None:
    with Consumer(mosquitto.port) as sender:
        sender.send(TOPICS.climate("desk"), payload("climate", 1), retain=True)
        output, _ = listen("--broker", f"127.0.0.1:{mosquitto.port}", "--count", "1", "--json").communicate(timeout=90)
    found = json.loads(output)
    assert (found["topic"], found["retained"]) == (TOPICS.climate("desk"), True)
    assert found["message"]["air_temp_c"] == 23.43


def test_too_few_messages_in_the_time_is_a_failure(mosquitto: Any) -> None:
    listening = listen("--broker", f"127.0.0.1:{mosquitto.port}", "--count", "1", "--seconds", "0.3")
    assert listening.communicate(timeout=90) == ("", "")
    assert listening.returncode == 1


def test_a_broker_that_is_not_there_is_said_in_one_line() -> None:
    listening = listen("--broker", "127.0.0.1:1")
    assert listening.communicate(timeout=90) == ("", "comfywear: nothing listens on 127.0.0.1:1\n")
    assert listening.returncode == 1


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("broker.local", ("broker.local", 1883)),
        ("10.0.0.1:8883", ("10.0.0.1", 8883)),
        ("[::1]:1884", ("::1", 1884)),
        ("::1", ("::1", 1883)),
    ],
)
def test_places_are_read(place: str, found: tuple[str, int]) -> None:
    assert broker_place(place) == found


@pytest.mark.parametrize("place", ["", ":1883", "a:b", "a:0", "a:70000", "[::1]:x", "a:-1", "a:¹", f"a:{'1' * 5000}"])
def test_places_that_are_none_are_refused(place: str) -> None:
    with pytest.raises(UsageError, match="write HOST or HOST:PORT"):
        broker_place(place)


def test_the_settings_name_the_broker_and_how_to_get_in(tmp_path: Path) -> None:
    file = tmp_path / "comfywear.toml"
    file.write_text('[mqtt]\nhost = "b"\nport = 8883\nusername = "u"\npassword_file = "p"\ntls = true\n')
    assert broker(None, str(file)).username == "u"
    assert (broker(None, str(file)).host, broker("c:1", str(file)).host, broker("c:1", str(file)).tls) == (
        "b",
        "c",
        True,
    )
    file.write_text("")
    with pytest.raises(UsageError, match="names no broker"):
        broker(None, str(file))


def test_a_broker_on_which_nothing_is_said_is_said_once(mosquitto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfywear.publishing.broker.listener.QUIET_S", 0.2)
    said: list[str] = []
    listener = Listener(broker(f"127.0.0.1:{mosquitto.port}", None))
    assert list(listener.messages(seconds=1.5, quiet=lambda: said.append("quiet"))) == []
    assert said == ["quiet"]
    with Consumer(mosquitto.port) as sender:
        sender.send(TOPICS.meta, payload("meta", 1), retain=True)
        monkeypatch.setattr("comfywear.publishing.broker.listener.QUIET_S", 1e9)
        assert len(list(listener.messages(seconds=1.5, quiet=lambda: said.append("quiet")))) == 1
    assert said == ["quiet"]
