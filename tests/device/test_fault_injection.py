"""The whole device while each file operation, SQLite call and socket call in turn fails once, and then for a while."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from injection import Injection, injected

from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.errors import ComfyWearError
from comfywear.feedback import ask
from comfywear.settings import Settings
from waiting import until

QUICK_PLACES = 8


class Consumer:
    """Hears the votes that arrive at the broker."""

    def __init__(self, port: int) -> None:
        self.ids: set[str] = set()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _c, _u, message: self.ids.add(json.loads(message.payload)["id"])
        self._client.on_connect = lambda client, *_: client.subscribe("comfywear/v1/+/+/zone/+/vote", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()


class Life:
    """What people and programs do with a device; remembers the votes that it accepted."""

    def __init__(self, device: Device, folder: Path) -> None:
        self.device, self.folder = device, folder
        self.accepted: set[str] = set()
        self.refused = 0
        self._level = 0

    def go_on(self) -> bool:
        """Returns whether everything was taken."""
        before = self.refused
        self._level = self._level % 5 + 1
        try:
            vote = self.device.voting.vote(None, self._level, "test")
            self.accepted.add(vote.id)
        except ComfyWearError:
            self.refused += 1
        for request in (
            {"verb": "status"},
            {"verb": "learning-show"},
            {"verb": "vote", "level": 3, "source": "socket"},
        ):
            try:
                answer = ask(self.folder, request)
                if "vote" in answer:
                    self.accepted.add(answer["vote"]["id"])
            except ComfyWearError:
                self.refused += 1
        return self.refused == before


def written(folder: Path, port: int) -> Path:
    config = folder / "device.toml"
    config.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[[sensors]]\nuri = 'fake://'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n"
        "[votes]\nrepeat_s = 0\nper_minute = 0\n[web]\nenabled = true\nport = 0\n"
    )
    return config


@pytest.mark.parametrize("places", [QUICK_PLACES, pytest.param(None, marks=pytest.mark.slow)])
def test_whatever_fails_the_device_goes_on_and_loses_nothing_that_it_accepted(
    tmp_path: Path, mosquitto: Any, monkeypatch: pytest.MonkeyPatch, places: int | None
) -> None:
    settings = settings_file.load(written(tmp_path, mosquitto.port))
    consumer = Consumer(mosquitto.port)
    with injected(monkeypatch) as injection:
        with Device(settings) as device:
            life = Life(device, tmp_path / "state")
            until(lambda: device.link.connected)
            started = set(injection.seen)
            began_s = time.monotonic()
            while time.monotonic() - began_s < 3:
                assert life.go_on(), "something is refused that nothing was failed for"
                time.sleep(0.1)
            failed = fail_each(injection, life, started, places)
            injection.disarm()
            until(lambda: device.link.connected)
            until(life.go_on)
            assert life.accepted
            until(lambda: life.accepted <= consumer.ids)
            health = device.health()
        raw = {name: each.failure for name, each in health.items() if each.failure and is_raw(each.failure)}
        assert raw == {}, "an error of a library crossed a room"
        assert {name for name, each in health.items() if each.state in ("hung", "resting")} == set()
        starts = fail_starts(injection, settings, sorted(set(injection.seen) - failed), places)
    with Device(settings) as device:
        assert life.accepted <= {vote.id for vote in device.voting.store.newest(1_000_000)}
    assert failed, "nothing was failed at work"
    assert starts, "nothing was failed at the start"
    print(
        f"{len(injection.seen)} places; {len(failed)} failed at work and {len(starts)} at the start, "
        f"{sum(injection.hits.values())} failures; {len(life.accepted)} votes accepted, 0 lost, "
        f"{life.refused} requests refused"
    )


def fail_each(injection: Injection, life: Life, started: set[str], places: int | None) -> set[str]:
    """Fail the places that come by at work in turn, also those that only a failure brings about; returns which."""
    tried: set[str] = set()
    draw = random.Random(20261129)
    while open_ := sorted(place for place, times in injection.seen.items() if place not in tried and times > 2):
        if places is not None and len(tried) >= places:
            break
        place = draw.choice(open_) if places is not None else open_[0]
        for for_s in (0.0, 1.0):
            injection.arm(place, for_s)
            before, until_s = injection.hits[place], time.monotonic() + 2.0 + for_s
            while time.monotonic() < until_s and not (for_s == 0.0 and injection.hits[place] > before):
                life.go_on()
                time.sleep(0.02)
            injection.disarm()
        tried.add(place)
    return {place for place in tried if injection.hits[place]}


def fail_starts(injection: Injection, settings: Settings, open_: list[str], places: int | None) -> set[str]:
    """Fail each place once while a device starts: it runs, or says in its own words why it does not."""
    for place in open_ if places is None else open_[:places]:
        injection.arm(place)
        try:
            with Device(settings) as device:
                until(lambda: injection.hits[place] or device.link.connected)  # noqa: B023 - used at once
        except ComfyWearError:
            pass
        injection.disarm()
    return {place for place in open_ if injection.hits[place]}


def is_raw(failure: str) -> bool:
    """Whether a worker's failure is an error of a library or of Python, as the supervisor names those."""
    kind, colon, _ = failure.partition(":")
    return bool(colon) and " " not in kind and kind.endswith(("Error", "Exception"))
