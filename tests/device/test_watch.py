"""What a real device says when something does not work: in its health message, its log, its page and its metrics."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from listener import Listener

from comfywear import settings as settings_file
from comfywear.device import troubles
from comfywear.device import watch as watching
from comfywear.device.device import Device
from comfywear.device.troubles import Patience
from comfywear.errors import StoreError
from comfywear.publishing.messages.device import HealthMessage
from comfywear.publishing.messages.vote import VoteMessage
from comfywear.publishing.messages.zone import ClimateMessage
from comfywear.publishing.spool.file import FIRST
from waiting import until


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "TICK_S", 0.1)
    for name in troubles.PATIENCE:
        monkeypatch.setitem(troubles.PATIENCE, name, Patience(0.5, 0.5))  # type: ignore[arg-type]


@contextmanager
def running(folder: Path, port: int, text: str = "", state: Path | None = None) -> Iterator[Device]:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{state or folder / 'state'}'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n[[sensors]]\nuri = 'fake://'\n{text}"
    )
    with Device(settings_file.load(path)) as device:
        yield device


def health(consumer: Listener) -> dict[str, Any]:
    """The troubles of the newest health message by name, with the state."""
    message = consumer.newest(HealthMessage)
    if message is None:
        return {}
    return {"state": message.state, **{each.name: each for each in message.troubles}}


def test_a_broker_that_was_away_is_named_here_while_it_is_and_told_when_it_is_back(
    tmp_path: Path, make_mosquitto: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    broker = make_mosquitto(settings=f"persistence true\npersistence_location {tmp_path}/\n")
    broker.start()
    with Listener(broker.port, "away"):
        pass  # the broker knows it now, whoever comes back first
    broker.stop()
    with caplog.at_level(logging.INFO), running(tmp_path, broker.port, "[web]\nenabled = true\nport = 0\n") as device:
        until(lambda: [each.name for each in device.watch.book.now()] == ["no-broker"])
        page = device.page
        assert page is not None
        (said,) = page.now("room").troubles
        assert "no-broker" in said
        assert "nothing listens" in said
        assert "messages wait on this device" in said
        assert b'comfywear_trouble{about="",name="no-broker"} 1.0' in page.metrics()

        def said_so() -> bool:
            rows = device.link.spool.waiting(FIRST, 1000)
            return any(row.topic == device.topics.health and b'"degraded"' in row.payload for row in rows)

        until(said_so)  # a trouble that is over before the next message is due is told as an ended one alone
        broker.start()
        with Listener(broker.port, "away") as consumer:

            def heard(state: str) -> list[HealthMessage]:
                return [each for each in consumer.messages(HealthMessage) if each.state == state]

            message = until(lambda: next((each for each in heard("good") if each.ended), None))
            assert message is not None
            (ended,) = message.ended
            assert (ended.name, ended.lasted_s > 0) == ("no-broker", True)
            until(lambda: heard("degraded"))  # what was said while the broker was away was kept and came
    lines = [record.message for record in caplog.records if record.name == "comfywear.device.watch"]
    assert [line.split(":")[0].split(" after")[0] for line in lines] == ["trouble", "over"]


def test_with_a_full_disk_live_states_go_on_and_what_was_kept_back_comes_later(tmp_path: Path, mosquitto: Any) -> None:
    with (
        small_disk(tmp_path) as disk,
        running(tmp_path, mosquitto.port, state=disk / "state") as device,
        Listener(mosquitto.port) as consumer,
    ):

        def live() -> bool:
            air = consumer.newest(ClimateMessage)
            return air is not None and air.seq is None and air.state == "fresh"

        def kept() -> bool:
            air = consumer.newest(ClimateMessage)
            return air is not None and air.seq is not None

        until(lambda: health(consumer) == {"state": "good"})
        assert device.watch.summary().startswith("the last hour: up 0.0 h, 0 votes,")
        vote = device.vote("room", 4, "test")
        junk = disk / "junk"
        fill(junk, 900_000)  # what is left is for votes
        until(live)
        until(lambda: "disk-full" in health(consumer))
        message = health(consumer)["disk-full"]
        assert "MB free" in message.reason
        assert "make room" in message.do
        fill(junk, 0)
        consumer.heard.clear()
        until(live)
        assert votes_until_refused(device) < 100
        junk.unlink()
        until(lambda: health(consumer) == {"state": "good"})
        until(kept)
        numbers = [each.seq for each in consumer.messages(ClimateMessage) if each.seq is not None]
        assert len(set(numbers)) == len(numbers)
        assert device.vote("room", 2, "another").id != vote.id


def test_on_a_read_only_disk_a_device_runs_on_memory_and_says_so(tmp_path: Path, mosquitto: Any) -> None:
    with small_disk(tmp_path) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with (
            running(tmp_path, mosquitto.port, state=disk / "state") as device,
            Listener(mosquitto.port) as consumer,
        ):
            until(lambda: "no-storage" in health(consumer))
            assert "messages are kept in memory alone; votes are kept" in health(consumer)["no-storage"].reason
            until(lambda: consumer.newest(ClimateMessage) is not None)
            vote = device.vote("room", 4, "test")
            until(lambda: vote.id in {each.id for each in consumer.messages(VoteMessage)})


@pytest.mark.slow
def test_above_its_memory_looking_is_opened_anew_and_goes_on(
    tmp_path: Path, mosquitto: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from comfywear.demo.scene import sample_photo

    text = (
        f"[camera]\nsource = '{sample_photo()}'\nfps = 20\nloop = true\n"
        "[vision]\nprecision = 'int8'\n[budget]\nmemory_mb = 5\n"
    )
    with running(tmp_path, mosquitto.port, text) as device:
        vision = device.vision
        assert vision is not None
        until(lambda: device.metrics()["vision_reopened"] == 1, 60)
        frames = vision.frames
        until(lambda: vision.frames >= frames + 3 and "opened anew" in caplog.text, 60)
        until(lambda: [each.name for each in device.watch.book.now()] == ["memory"])
        assert device.metrics()["restarts"] == 0
        assert vision.sight().missing is None
        changes = [(change.kind, change.track_id) for change in vision.changes()]
        assert len({track for kind, track in changes if kind == "entered"}) == len(changes) - sum(
            kind == "left" for kind, _ in changes
        ), "no number comes twice"


def votes_until_refused(device: Device) -> int:
    """How many votes are taken until nothing at all is left; each refusal is one that says why."""
    for taken in range(100):
        try:
            device.vote("room", 3, f"test {taken}")
        except StoreError as error:
            assert "disk has room" in str(error)
            return taken
    return 100


def fill(path: Path, left: int) -> None:
    """Write until the disk takes no more, but for `left` bytes."""
    disk = os.statvfs(path.parent)
    with path.open("ab", buffering=0) as file:
        try:
            file.write(bytes(disk.f_bavail * disk.f_frsize - left))
        except OSError:
            assert left == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 20 MB; skips where this user may not mount one."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system (root)")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
