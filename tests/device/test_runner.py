"""The whole device with a real broker: commands answered, Home Assistant told, settings read again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from comfywear import cli
from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.device.mqtt import homeassistant as discovery
from comfywear.device.runner import Runner
from comfywear.errors import UsageError
from comfywear.publishing import Topics
from comfywear.publishing.homeassistant.discovery import config_topic
from comfywear.system.supervisor import WorkerHealth
from waiting import until

BASE = "comfywear/v1/home/d1"


class Client:
    """Plain paho: everything that comes, newest by topic, and everything in order."""

    def __init__(self, port: int) -> None:
        self.came: list[paho.MQTTMessage] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = lambda _c, _u, message: self.came.append(message)
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe([("comfywear/#", 1), ("homeassistant/#", 1)])
        assert ready.wait(60)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, topic: str, payload: bytes, **properties: Any) -> None:
        carried = Properties(PacketTypes.PUBLISH)
        for name, value in properties.items():
            setattr(carried, name, value)
        self._client.publish(topic, payload, qos=1, properties=carried).wait_for_publish(60)

    def all(self, topic: str) -> list[Any]:
        return [json.loads(m.payload) if m.payload else None for m in list(self.came) if m.topic == topic]

    def newest(self, topic: str) -> Any:
        found = self.all(topic)
        return found[-1] if found else None


@pytest.fixture
def client(mosquitto: Any) -> Iterator[Client]:
    made = Client(mosquitto.port)
    yield made
    made.close()


def write(folder: Path, port: int, text: str = "") -> Path:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n{text}"
    )
    return path


@contextmanager
def running(folder: Path, port: int, text: str = "") -> Iterator[Device]:
    with Device(settings_file.load(write(folder, port, text))) as device:
        yield device


CONFIG = config_topic("homeassistant", Topics("home", "d1"))


def test_a_command_is_carried_out_and_answered_and_the_name_is_shown_everywhere(
    tmp_path: Path, mosquitto: Any, client: Client
) -> None:
    with running(tmp_path, mosquitto.port):
        until(lambda: client.newest(f"{BASE}/meta") and client.newest(CONFIG))
        assert client.newest(f"{BASE}/meta")["commands"] == [
            "identify",
            "ask-now",
            "reload",
            "set-zone-name",
            "privacy",
            "models-pull",
            "models-rollback",
            "program-upgrade",
            "finds-list",
            "finds-reject",
            "finds-miss",
            "finds-undo",
        ]
        client.send(
            f"{BASE}/cmd/set-zone-name",
            b'{"name": "Lab", "id": "7"}',
            ResponseTopic=f"{BASE}/reply/me",
            CorrelationData=b"c",
        )
        until(lambda: client.newest(f"{BASE}/reply/me"))
        reply = client.newest(f"{BASE}/reply/me")
        assert (reply["ok"], reply["id"], reply["result"]) == (True, "7", {"zone": "room", "name": "Lab"})
        (message,) = [m for m in client.came if m.topic == f"{BASE}/reply/me"]
        assert message.properties.CorrelationData == b"c"
        until(lambda: client.newest(f"{BASE}/meta")["zone_names"] == {"room": "Lab"})
        until(lambda: client.newest(CONFIG)["device"]["name"] == "Lab (d1)")
        client.send(f"{BASE}/cmd/ask-now", b"{}")
        until(lambda: client.newest(f"{BASE}/zone/room/ask")["requested"])
        client.send(f"{BASE}/zone/room/vote/set", b"4")
        until(lambda: client.newest(f"{BASE}/zone/room/ask")["question"] is None)


def test_malformed_commands_do_not_stop_the_device(tmp_path: Path, mosquitto: Any, client: Client) -> None:
    with running(tmp_path, mosquitto.port) as device:
        until(lambda: client.newest(f"{BASE}/meta"))  # it is subscribed by then
        for name in ("identify", "x", "set-zone-name"):
            for payload in (b"\xff\x00", b"[" * 4000, b'{"id": 1}', b"x" * 9000, b"null"):
                client.send(f"{BASE}/cmd/{name}", payload)
        until(lambda: device.commands.refused == 15)
        time.sleep(1.1)
        client.send(f"{BASE}/cmd/identify", b"{}")
        until(lambda: device.commands.carried_out == 1)
        assert all(health.restarts == 0 for health in device.health().values())


def test_home_assistant_is_told_again_when_it_starts_and_then_every_state(
    tmp_path: Path, mosquitto: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(discovery.Discovery.__init__.__kwdefaults__, "wait_s", (0.1, 0.2))
    with running(tmp_path, mosquitto.port):
        until(lambda: client.newest(CONFIG) and client.newest(f"{BASE}/meta"))
        told, metas = len(client.all(CONFIG)), len(client.all(f"{BASE}/meta"))
        client.send("homeassistant/status", b"online")
        until(lambda: len(client.all(CONFIG)) == told + 1)
        until(lambda: len(client.all(f"{BASE}/meta")) == metas + 1)


def test_a_zone_that_is_gone_is_taken_back_and_switching_off_takes_back_everything(
    tmp_path: Path, mosquitto: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(discovery.Discovery.__init__.__kwdefaults__, "wait_s", (0.1, 0.2))
    monkeypatch.setitem(discovery.Discovery.__init__.__kwdefaults__, "pause_s", 0.3)
    sofa = config_topic("homeassistant", Topics("home", "d1"), "b")
    state = f"{BASE}/zone/b/climate"
    note = tmp_path / "state" / "homeassistant.json"
    with running(tmp_path, mosquitto.port, "[[zones]]\nname = 'a'\n[[zones]]\nname = 'b'\n"):
        until(lambda: client.newest(sofa) and client.newest(state))
        until(lambda: note.exists() and b"temperature-b" in note.read_bytes())
    with running(tmp_path, mosquitto.port, "[[zones]]\nname = 'a'\n"):
        until(lambda: client.all(sofa)[-1] is None)
        until(lambda: client.all(state)[-1] is None)  # nobody hears of an air that nobody measures
        until(lambda: "temperature-a" in client.newest(CONFIG)["components"])
        assert b"temperature-b" in note.read_bytes(), "nobody may have been there to hear it"
        before = len(client.all(sofa))
        client.send("homeassistant/status", b"online")
        until(lambda: b"temperature-b" not in note.read_bytes())
        until(lambda: len(client.all(sofa)) == before + 2)
        whole, cleared = client.all(sofa)[-2:]
        assert whole["components"]["temperature-b"]["unique_id"] == "comfywear_d1_temperature-b"
        assert "temperature-a" not in whole["components"]
        assert cleared is None
    with running(tmp_path, mosquitto.port, "[[zones]]\nname = 'a'\n[homeassistant]\nenabled = false\n"):
        until(lambda: client.newest(CONFIG) is None)


def test_forget_removes_what_was_told_and_not_beside_a_running_device(
    tmp_path: Path, mosquitto: Any, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path, mosquitto.port):
        until(lambda: client.newest(CONFIG) and client.newest(f"{BASE}/zone/room/climate"))
        forget = ["homeassistant", "forget", "--config", str(tmp_path / "device.toml")]
        assert cli.main(forget) == 2
        assert "would describe itself again" in capsys.readouterr().err
    kept = {message.topic for message in client.came if message.topic.startswith(f"{BASE}/")}
    assert cli.main(["forget", *forget[2:]]) == 0
    until(lambda: client.newest(CONFIG) is None)
    late = Client(mosquitto.port)
    late.send(f"{BASE}/cmd/identify", b"{}")
    until(lambda: late.came)
    assert [message.topic for message in late.came if message.retain] == []
    assert f"{BASE}/zone/room/climate" in kept
    late.close()


def test_show_prints_what_would_be_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, 1883)
    assert cli.main(["homeassistant", "show", "--config", str(path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["topic"] == CONFIG
    assert "temperature-room" in shown["message"]["components"]


def test_a_process_reads_its_settings_again_by_command(tmp_path: Path, mosquitto: Any, client: Client) -> None:
    path = write(tmp_path, mosquitto.port)
    process = subprocess.Popen([sys.executable, "-m", "comfywear.cli", "run", "--config", str(path)])
    try:
        until(lambda: client.newest(f"{BASE}/meta"), 60)
        good = path.read_text()
        path.write_text(good + "[[zones]]\nnam = 'x'\n")
        client.send(f"{BASE}/cmd/reload", b"{}")
        until(lambda: client.newest(f"{BASE}/reply/reload"))
        assert "device.toml:9: zones[1].nam" in client.newest(f"{BASE}/reply/reload")["error"]
        path.write_text(good + "[[zones]]\nname = 'x'\n")
        client.send(f"{BASE}/cmd/reload", b"{}")
        until(lambda: client.newest(f"{BASE}/reply/reload")["ok"])
        until(lambda: client.newest(f"{BASE}/meta")["zones"] == ["x"], 60)
        assert [state["state"] for state in client.all(f"{BASE}/status")][:2] == ["online", "offline"]
        path.write_text(good)
        process.send_signal(signal.SIGHUP)
        until(lambda: client.newest(f"{BASE}/meta")["zones"] == ["room"], 60)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0


class Fake:
    """A device of no rooms."""

    def __init__(self, made: list[str], site: str) -> None:
        self.made, self.site = made, site

    def __enter__(self) -> Any:
        self.made.append(f"start {self.site}")
        return self

    def health(self) -> dict[str, WorkerHealth]:
        return {}

    def __exit__(self, *_: object) -> None:
        self.made.append(f"stop {self.site}")


@pytest.mark.parametrize(
    ("error", "said"),
    [(UsageError("cannot be"), "stay: cannot be"), (KeyError("clo"), "stay: KeyError: 'clo'")],
    ids=["refused", "a fault of ours"],
)
def test_settings_that_turn_out_not_to_work_leave_the_earlier_ones(
    error: Exception, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, 1883)
    made: list[str] = []

    def make(settings: settings_file.Settings, *, reload: Callable[[], None]) -> Any:
        if settings.zones[0].name == "bad":
            raise error
        return Fake(made, settings.zones[0].name)

    runner = Runner(path, settings_file.load(path), make)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    until(lambda: made == ["start room"])
    path.write_text(path.read_text() + "[[zones]]\nname = 'bad'\n")
    runner.reload()
    until(lambda: made == ["start room", "stop room", "start room"])
    assert said in caplog.text
    path.write_text(path.read_text().replace("'d1'", "'d2'"))
    with pytest.raises(UsageError, match=r"device\.id changes from d1 to d2"):
        runner.reload()
    runner.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert made[-1] == "stop room"


def test_a_device_whose_new_settings_fail_half_way_goes_on_with_the_earlier_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What the failed one had opened is free again: the lock of the state folder, and the stores."""
    path = write(tmp_path, 1, "[web]\nenabled = true\nport = 0\n")
    made: list[Device] = []

    def make(settings: settings_file.Settings, *, reload: Callable[[], None]) -> Device:
        made.append(Device(settings, reload=reload))
        return made[-1]

    runner = Runner(path, settings_file.load(path), make)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    until(lambda: made and made[0].page and made[0].page.server.url)
    path.write_text(path.read_text() + f"token_file = '{tmp_path / 'none'}'\n")
    runner.reload()
    until(lambda: len(made) == 2 and made[1].page and made[1].page.server.url)
    assert "the earlier ones stay" in caplog.text
    assert "none: cannot be read" in caplog.text
    assert made[1].vote("room", 4, "test").level == 4
    runner.stop()
    thread.join(60)
    assert not thread.is_alive()
