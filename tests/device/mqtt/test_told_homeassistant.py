"""Discovery at a real broker, heard by a stand-in that keeps Home Assistant's rules about what it knows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from peers import ACCEPT, Consumer, StandIn

from comfywear import cli
from comfywear.device.mqtt.homeassistant import FILE_NAME, Discovery, Told
from comfywear.publishing import BrokerSettings, Pace, Publisher, Spool, Topics
from comfywear.publishing.homeassistant.discovery import Facts, config_topic, discovery, earlier_topic, platforms
from comfywear.system.json_file import load_json, save_json
from waiting import until

TOPICS = Topics("home", "d1")
FACTS = Facts("1", 30.0, 60.0, words={4: "good"})


class House:
    """As Home Assistant does it: an entity is added by its own topic and key, once; a key that was never heard since
    the start removes nothing; a registry that outlives restarts remembers every entity until it is removed."""

    def __init__(self, port: int, registry: set[str], birth: str = "homeassistant/status") -> None:
        self.registry = registry
        self.refused: list[str] = []
        self.replayed = 0
        self._known: dict[tuple[str, str], str] = {}
        self._birth = birth
        self._ready = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = lambda _c, _u, message: self._hear(message.topic, message.payload)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> House:  # noqa: PYI034 - Self is not in Python 3.10
        self._client.loop_start()
        self._client.subscribe("homeassistant/device/#", qos=1)
        assert self._ready.wait(60)
        time.sleep(0.2)  # what is retained comes first
        self._client.publish(self._birth, b"online", qos=1).wait_for_publish(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def entities(self) -> set[str]:
        return set(self._known.values())

    def _hear(self, topic: str, payload: bytes) -> None:
        said: Mapping[str, Any] = json.loads(payload)["components"] if payload else {}
        if not payload:
            said = {key: {"platform": ""} for where, key in list(self._known) if where == topic}
        for key, each in said.items():
            if "unique_id" not in each:
                if gone := self._known.pop((topic, key), None):
                    self.registry.discard(gone)
            elif (topic, key) not in self._known:
                if each["unique_id"] in self._known.values():
                    self.refused.append(f"{each['unique_id']} of {topic} is there already")
                    continue
                self._known[topic, key] = each["unique_id"]
                self.registry.add(each["unique_id"])


class Describing:
    """A device that only describes itself."""

    def __init__(self, port: int, folder: Path, prefix: str = "homeassistant") -> None:
        self.publisher = Publisher(
            BrokerSettings("127.0.0.1", port), TOPICS, Spool(None, "d1"), pace=Pace(0.05, 0.2, will_delay_s=0)
        )
        self.zones: dict[str, str] = {}
        self.again = 0
        self._make: Callable[[], Discovery] = lambda: Discovery(
            self.publisher,
            folder,
            enabled=True,
            prefix=prefix,
            describe=lambda told: discovery(prefix, TOPICS, self.zones, FACTS, told),
            again=self._say_again,
            wait_s=(0.0, 0.0),
            pause_s=0.5,
        )

    def _say_again(self) -> None:
        self.again += 1

    @contextmanager
    def running(self, **zones: str) -> Iterator[Discovery]:
        self.zones = zones
        told, stop = self._make(), threading.Event()

        def tick() -> None:
            while not stop.wait(0.02):
                told.tick(time.monotonic())

        threads = [threading.Thread(target=tick), threading.Thread(target=self.publisher.run, args=(stop,))]
        for thread in threads:
            thread.start()
        try:
            yield told
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)


def unique(**zones: str) -> set[str]:
    return {
        each["unique_id"]
        for message in discovery("homeassistant", TOPICS, zones, FACTS).values()
        for each in message["components"].values()
    }


def told_in(folder: Path) -> Told:
    return load_json(folder / FILE_NAME, Told())


def test_a_zone_renamed_while_home_assistant_is_off_leaves_no_dead_entity(mosquitto: Any, tmp_path: Path) -> None:
    registry: set[str] = set()
    with House(mosquitto.port, registry) as house, Describing(mosquitto.port, tmp_path).running(a="a", b="b"):
        until(lambda: house.entities() == unique(a="a", b="b"))
    with Describing(mosquitto.port, tmp_path).running(a="a", c="c"):  # nobody is there to hear it
        until(lambda: config_topic("homeassistant", TOPICS, "c") in told_in(tmp_path).topics)
    assert {each for each in registry if each.endswith("-b")}
    device = Describing(mosquitto.port, tmp_path)
    with device.running(a="a", c="c"), House(mosquitto.port, registry) as house:
        until(lambda: registry == unique(a="a", c="c"))
        until(lambda: not told_in(tmp_path).gone)
        assert house.entities() == unique(a="a", c="c")
        assert house.refused == []
        assert device.again


def test_entities_that_move_to_another_device_are_never_there_twice(mosquitto: Any, tmp_path: Path) -> None:
    registry: set[str] = set()
    with House(mosquitto.port, registry) as house:
        for zones in ({"a": "a"}, {"a": "a", "b": "b"}, {"a": "a"}):
            with Describing(mosquitto.port, tmp_path).running(**zones):
                until(lambda zones=zones: house.entities() == unique(**zones))  # type: ignore[misc]
        assert house.refused == []
        assert registry == unique(a="a")


def test_what_an_earlier_version_told_is_taken_back_once(mosquitto: Any, tmp_path: Path) -> None:
    before = earlier_topic("homeassistant", TOPICS)
    (message,) = discovery("homeassistant", TOPICS, {"a": "a"}, FACTS).values()
    setup = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    setup.connect("127.0.0.1", mosquitto.port)
    setup.loop_start()
    setup.publish(before, json.dumps(message), qos=1, retain=True).wait_for_publish(60)
    setup.loop_stop()
    (tmp_path / FILE_NAME).write_text(json.dumps({"topic": before, "components": platforms(message)}))
    registry: set[str] = set()
    with House(mosquitto.port, registry) as house:
        until(lambda: house.entities() == unique(a="a"))
        with Describing(mosquitto.port, tmp_path).running(a="a"):
            until(lambda: set(told_in(tmp_path).topics) == {config_topic("homeassistant", TOPICS)})
            until(lambda: house.entities() == unique(a="a"))
        assert house.refused == []


@pytest.mark.parametrize("birth", ["ha/status", "homeassistant/status"])
def test_with_another_prefix_both_births_are_heard(mosquitto: Any, tmp_path: Path, birth: str) -> None:
    device = Describing(mosquitto.port, tmp_path, prefix="ha")
    with device.running(a="a"):
        until(lambda: config_topic("ha", TOPICS) in told_in(tmp_path).topics)
        with House(mosquitto.port, set(), birth):
            until(lambda: device.again == 1)


def test_after_a_changed_description_every_state_goes_out_again(mosquitto: Any, tmp_path: Path) -> None:
    device = Describing(mosquitto.port, tmp_path)
    with device.running(a="a") as told:
        until(lambda: told_in(tmp_path).topics)
        assert device.again == 0
        device.zones = {"a": "Lab"}
        told.change()
        until(lambda: device.again == 1)


def test_a_told_file_that_holds_both_forms_is_read_as_one(tmp_path: Path) -> None:
    save_json(tmp_path / FILE_NAME, Told("x", {"k": "sensor"}, {"y": {"l": "event"}}))
    assert told_in(tmp_path).all() == {"x": {"k": "sensor"}, "y": {"l": "event"}}


def test_a_device_forgotten_while_home_assistant_is_off_is_buried_at_its_start(
    mosquitto: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfywear.commands.homeassistant._SETTLE_S", 0.5)
    registry: set[str] = set()
    with House(mosquitto.port, registry), Describing(mosquitto.port, tmp_path).running(a="a", b="b"):
        until(lambda: registry == unique(a="a", b="b"))
    settings = tmp_path / "device.toml"
    settings.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path}'\n[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\n"
        "[[zones]]\nname = 'a'\n[[zones]]\nname = 'b'\n"
    )
    assert cli.main(["forget", "--config", str(settings)]) == 0
    with House(mosquitto.port, registry) as house:
        assert house.entities() == set()
    assert registry, "an empty message removes nothing that was not heard of since the start"
    ended: list[int] = []
    waiting = threading.Thread(
        target=lambda: ended.append(cli.main(["forget", "--config", str(settings), "--wait", "60"]))
    )
    waiting.start()
    while waiting.is_alive():  # it may not listen yet at the first start
        with House(mosquitto.port, registry):
            waiting.join(4)
    assert ended == [0]
    assert registry == set()


@pytest.mark.parametrize("prefix", ["homeassistant", "house"])
def test_a_broker_that_lets_nobody_listen_for_home_assistant_is_said_at_once(
    prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "device.toml"
    denials = b"".join(b"\x90\x04\x00" + bytes([mid]) + b"\x00\x87" for mid in (1, 2))  # SUBACK: not authorised
    with StandIn(lambda level: ACCEPT[level] + denials) as broker:
        settings.write_text(
            f"[device]\nid = 'd1'\nstate_dir = '{tmp_path}'\n[mqtt]\nhost = '127.0.0.1'\nport = {broker.port}\n"
            f"[homeassistant]\nprefix = '{prefix}'\n[[zones]]\nname = 'a'\n"
        )
        assert cli.main(["forget", "--config", str(settings), "--wait", "100000"]) == 1
    said = capsys.readouterr().err
    assert "refuses the subscription to " in said
    assert "homeassistant/status: not authorised" in said
    assert "nothing was cleared" in said
    assert broker.published == [[]]


def test_forget_clears_each_camera_also_where_the_state_folder_is_lost(mosquitto: Any, tmp_path: Path) -> None:
    settings = tmp_path / "device.toml"
    settings.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'lost'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\n"
        + "".join(f"[[cameras]]\nname = '{name}'\nsource = 'rtsp://127.0.0.1:1/{name}'\n" for name in ("door", "wall"))
        + "[[zones]]\nname = 'a'\ncamera = 'door'\n[[zones]]\nname = 'b'\ncamera = 'wall'\n"
    )
    topics = {TOPICS.camera("door"), TOPICS.camera("wall"), TOPICS.setpoint("a"), TOPICS.climate("a")}
    with Consumer(mosquitto.port) as sender:
        for topic in topics:
            sender.send(topic, b'{"schema": "any"}', retain=True)
        assert cli.main(["forget", "--config", str(settings)]) == 0
        sender.send(f"{TOPICS.base}/last", b'{"schema": "any"}', retain=True)
    with Consumer(mosquitto.port) as late:
        until(lambda: any(topic.endswith("/last") and kept for topic, _, kept in late.came))
        assert topics & {topic for topic, _, kept in late.came if kept} == set()
