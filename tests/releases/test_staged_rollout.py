"""Staged roll-outs over real devices, a real web server, broker and collector: a bad model stops at its first share."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made import working
from repositories import Market
from servers import Server

from children import Child
from comfywear import settings as settings_file
from comfywear.device.device import Device
from comfywear.releases import Releases
from comfywear_models.repository import ANCHOR
from comfywear_models.rollouts import place_of
from waiting import until

SHARE = 0.2


class Fleet:
    """Devices that ask the repository every few seconds, and the collector that looks after roll-outs."""

    def __init__(self, folder: Path, market: Market, port: int, size: int) -> None:
        self.folder, self.market, self.port = folder, market, port
        self.names = [f"d{number}" for number in range(size)]
        cv2.imwrite(str(folder / "light.png"), np.full((48, 64, 3), 255, np.uint8))

    def config(self, name: str, check_s: float) -> Path:
        path = self.folder / f"{name}.toml"
        path.write_text(
            f"[device]\nid = '{name}'\nstate_dir = '{self.folder / name}'\n"
            f"[mqtt]\nhost = '127.0.0.1'\nport = {self.port}\n[web]\nenabled = false\n"
            "[vision]\ndetector = 'tiny'\nattributes = ''\nengine = 'onnxruntime'\nthreads = 1\n"
            f"[camera]\nsource = 'file://{self.folder / 'light.png'}'\nfps = 5\nloop = true\n"
            f"[updates]\nroot = '{self.market.keys / ANCHOR}'\nrepository = '{self.market.server.url}'\n"
            f"check_s = {check_s}\ntrial_s = 0.5\nslower_at_most = 10\n"
        )
        return path

    def collector(self) -> Child:
        words = ["collect", "--db", self.folder / "c.db", "--broker", f"127.0.0.1:{self.port}"]
        words += ["--rollouts", self.market.server.folder, "--rollout-keys", self.market.keys, "--halt-above", "0.2"]
        return Child([sys.executable, "-m", "comfywear.cli", *map(str, words)])

    def took(self, version: str) -> set[str]:
        """Who ever took a release over."""
        return {
            name
            for name in self.names
            for entry in Releases(self.folder / name / "releases").slots("tiny").history
            if (entry.what, entry.version) == ("taken over", version)
        }

    def in_service(self, version: str) -> set[str]:
        """Where a release is in service, and has stood its trial."""
        found = ((name, Releases(self.folder / name / "releases").slots("tiny")) for name in self.names)
        return {name for name, slots in found if slots.version == version and slots.trial is None}

    def ask_again(self) -> None:
        """Wait until the devices have asked the repository as often as if each did so three times."""
        before = self._questions()
        until(lambda: self._questions() - before >= 3 * len(self.names), 300)

    def _questions(self) -> int:
        return self.market.server.asked.count("metadata/timestamp.json")

    def first(self, version: str) -> set[str]:
        return {name for name in self.names if place_of("tiny", version, name) < SHARE}


@pytest.fixture
def market(tmp_path: Path, server: Server) -> Market:
    return Market(tmp_path, server)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_bad_model_stops_after_the_first_share_of_twenty_devices(
    tmp_path: Path, mosquitto: Any, market: Market
) -> None:
    """It passes the gate of each device (the built-in sample is dark), and is slow in the light room."""
    fleet = Fleet(tmp_path, market, mosquitto.port, 20)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}")

    market.offer("2")
    with ExitStack() as stack:
        stack.callback(stack.enter_context(fleet.collector()).terminate)
        for name in fleet.names:
            stack.enter_context(Device(settings_file.load(fleet.config(name, 6))))
        until(lambda: fleet.in_service("2") == set(fleet.names), 600)
        say("2 is in service on all 20 devices")

        bad = working(market.folder / "made" / "tiny-3.onnx", above=250)
        market.offer("3", bad, share=SHARE)
        first = fleet.first("3")
        assert 0 < len(first) < 10
        until(lambda: market.repository.rollouts()["tiny"].halted, 300)
        say(f"3 stopped by itself: {market.repository.rollouts()['tiny'].halted}; its first share: {sorted(first)}")
        fleet.ask_again()
        until(lambda: fleet.in_service("2") == set(fleet.names), 300)
        assert fleet.took("3") <= first
        say(f"3 was taken by {sorted(fleet.took('3'))} and by nobody else; 2 is in service on all 20 devices")

        market.offer("4", share=SHARE)
        until(lambda: fleet.in_service("4") == fleet.first("4"), 300)
        fleet.ask_again()
        assert fleet.took("4") == fleet.first("4")
        assert market.repository.rollouts()["tiny"].halted == ""
        say(f"4 is in service on its first share: {sorted(fleet.first('4'))}")
        market.repository.roll_out("tiny", 1.0)
        until(lambda: fleet.in_service("4") == set(fleet.names), 600)
        assert market.repository.rollouts()["tiny"].halted == ""
        say("4 went on by command: in service on all 20 devices")


def test_a_device_asks_by_itself_and_takes_no_release_twice_that_it_rolled_back(
    tmp_path: Path, mosquitto: Any, market: Market
) -> None:
    fleet = Fleet(tmp_path, market, mosquitto.port, 1)
    market.offer("2")
    releases = Releases(tmp_path / "d0" / "releases")
    with Device(settings_file.load(fleet.config("d0", 1))):
        until(lambda: fleet.in_service("2"))
        releases.roll_back("tiny", "it sees ghosts")
        asked = len(market.server.asked)
        until(lambda: len(market.server.asked) > asked + 3)
        assert releases.slots("tiny").version == "shipped"
        market.offer("3")
        until(lambda: fleet.in_service("3"))


def test_a_mirror_that_was_mended_is_believed_again(tmp_path: Path, mosquitto: Any, market: Market) -> None:
    """What a mirror altered says nothing of the release: a device tries it again by itself."""
    fleet = Fleet(tmp_path, market, mosquitto.port, 1)
    market.offer("2")
    (file,) = (market.server.folder / "targets/tiny").glob("*.onnx")
    content = file.read_bytes()
    file.write_bytes(bytes(len(content)))
    releases = Releases(tmp_path / "d0" / "releases")
    with Device(settings_file.load(fleet.config("d0", 1))):
        until(lambda: any("wrong hash" in entry.reason for entry in releases.slots("tiny").history))
        file.write_bytes(content)
        until(lambda: fleet.in_service("2"))
