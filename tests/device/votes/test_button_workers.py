"""The device behind its buttons: nothing acknowledged is lost, nothing that failed looks as if it had been stored."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import tty
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.demo.consumer import Consumer
from comfywear.device.device import Device
from comfywear.errors import ComfyWearError, SettingsError, UsageError
from comfywear.feedback import Selection, ask
from comfywear.feedback.vote_files import read_votes
from comfywear.publishing.messages.vote import VoteMessage
from comfywear.records import Vote
from comfywear.system import clock
from comfywear_sensors.pty_replay import PtyReplay
from waiting import until

ANY_NUMBER = "[votes]\nrepeat_s = 0\nper_minute = 0\n"


def config(folder: Path, text: str, port: int | None = None) -> Path:
    path = folder / "device.toml"
    broker = f"[mqtt]\nhost = '127.0.0.1'\nport = {port}\ninterval_s = 0.5\n" if port else ""
    path.write_text(f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n{broker}{text}")
    return path


@contextmanager
def running(folder: Path, text: str, port: int | None = None) -> Iterator[Device]:
    with Device(settings_file.load(config(folder, text, port))) as device:
        yield device


@pytest.fixture
def box() -> Iterator[PtyReplay]:
    with PtyReplay(["3"]) as found:
        yield found


def with_box(box: PtyReplay) -> str:
    return f"[[buttons]]\nsource = 'serial://{box.path}'\n"


def answer(box: PtyReplay, seconds: float = 90.0) -> str:
    heard, deadline = b"", time.monotonic() + seconds
    while not heard.endswith(b"\n") and time.monotonic() < deadline:
        heard += box.received()
        time.sleep(0.005)
    return heard.decode().rstrip("\n")


def stored(folder: Path) -> list[Vote]:
    return list(read_votes(folder / "state" / "votes.sqlite"))


def test_a_press_on_a_box_reaches_store_and_broker_and_an_undo_does_too(
    tmp_path: Path, mosquitto: Any, box: PtyReplay
) -> None:
    with (
        Consumer("127.0.0.1", mosquitto.port, "comfywear/v1/home/d1/#") as consumer,
        running(tmp_path, with_box(box) + "[[sensors]]\nuri = 'fake://'\n", mosquitto.port) as device,
    ):
        until(lambda: device.estimates().get("room") is not None)
        box.write(b"4\n")
        assert answer(box) == "ok 4 comfortable"
        until(lambda: consumer.newest(VoteMessage) is not None)
        said = consumer.newest(VoteMessage)
        assert said is not None
        assert (said.level, said.source, said.undone) == (4, "box:sensor", False)
        box.write(b"undo\n")
        assert answer(box) == "ok undone 4 comfortable"
        until(lambda: (newest := consumer.newest(VoteMessage)) is not None and newest.undone)
        undone = consumer.newest(VoteMessage)
        assert undone is not None
        assert undone.id == said.id
    (vote,) = stored(tmp_path)
    assert vote.undone
    assert vote.models["comfywear"]
    assert vote.clothing is not None


def test_a_keypad_is_read_and_its_state_is_told(tmp_path: Path) -> None:
    ends = os.openpty()
    tty.setraw(ends[1])
    text = f"[[buttons]]\nsource = 'input://{os.ttyname(ends[1])}'\n"
    with running(tmp_path, text + "[[buttons]]\nsource = 'serial:///dev/nowhere'\n"):
        for value in (1, 0):
            os.write(ends[0], struct.pack("llHHi", 0, 0, 1, 6, value))
        until(lambda: [vote.level for vote in stored(tmp_path)] == [5])
        until(lambda: any(panel["accepted"] == 1 for panel in told(tmp_path)))
        pad, missing = told(tmp_path)
        assert (pad["state"], pad["accepted"]) == ("up", 1)
        assert missing["state"] == "down"
        assert "is it plugged in?" in missing["error"]
    for end in ends:
        os.close(end)


def told(folder: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = ask(folder / "state", {"verb": "status"})["buttons"]
    except ComfyWearError:
        return []
    return found


def test_a_press_during_start_up_is_not_lost(tmp_path: Path, box: PtyReplay) -> None:
    box.write(b"2\n")  # before anything runs
    device = Device(settings_file.load(config(tmp_path, with_box(box))))
    box.write(b"3\n")  # made, not started
    with device:
        box.write(b"4\n")
        until(lambda: [vote.level for vote in stored(tmp_path)] == [2, 3, 4])


def test_with_a_clock_that_is_not_set_a_press_counts_without_a_time(
    tmp_path: Path, box: PtyReplay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "clock_is_set", lambda unix_time_s: False)
    with running(tmp_path, with_box(box)):
        box.write(b"4\n")
        assert answer(box) == "ok 4 comfortable"
        monkeypatch.setattr(clock, "clock_is_set", lambda unix_time_s: True)
        box.write(b"undo\n5\n")
        until(lambda: len(stored(tmp_path)) == 2)
    first, second = stored(tmp_path)
    assert (first.ts, first.time_ok, first.undone) == (None, False, True)
    assert second.time_ok


def test_votes_are_undone_and_deleted_through_the_running_device(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path, ANY_NUMBER) as device:
        folder = tmp_path / "state"
        device.vote("room", 2, "page", person="anna")
        kept = device.vote("room", 3, "page")
        until(lambda: (folder / "control.sock").exists())
        wrong = ask(folder, {"verb": "vote", "level": 5})["vote"]
        assert main(["vote", "--undo", "--state-dir", str(folder)]) == 0
        assert f"5 (very comfortable) taken back for room: {wrong['id']}" in capsys.readouterr().out
        assert ask(folder, {"verb": "undo", "vote": kept.id})["vote"]["undone"] is True
        assert ask(folder, {"verb": "delete-votes", "person": "anna"}) == {"ok": True, "deleted": 1}
        with pytest.raises(UsageError, match="say which votes"):
            ask(folder, {"verb": "delete-votes"})
        with pytest.raises(UsageError, match="person is a text"):
            ask(folder, {"verb": "delete-votes", "person": 7})
        assert [vote.undone for vote in stored(tmp_path)] == [True, True]


def test_who_learns_from_votes_is_told_and_cannot_fail_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[tuple[str, Any]] = []

    def fails(vote: Vote) -> None:
        raise ZeroDivisionError

    with running(tmp_path, "") as device:
        device.voting.after_vote += [fails, lambda vote: heard.append(("vote", vote.id))]
        device.voting.after_undo.append(lambda vote: heard.append(("undo", vote.undone)))
        device.voting.after_delete.append(lambda ids: heard.append(("delete", ids)))
        vote = device.vote("room", 3, "page")
        assert device.vote("room", 3, "page").id == vote.id  # a double press: nobody is told twice
        device.undo(vote.id)
        assert device.voting.delete(Selection(zone="room")) == [vote.id]
    assert heard == [("vote", vote.id), ("undo", True), ("delete", [vote.id])]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[buttons]]\nsource = 'usb://1'\n", "names no buttons"),
        ("[[buttons]]\nsource = 'gpio://?pins=5,6,13,19,26'\nzone = 'attic'\n", "No zone is named 'attic'"),
        ("[[buttons]]\nsource = 'gpio://?pins=5,6'\n", "five numbers"),
        ("[[buttons]]\nzone = 'room'\n", "source"),
    ],
)
def test_buttons_that_cannot_be_meant_are_refused_with_their_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_file.load(config(tmp_path, text))


# A disk that is full.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A state folder with room for a megabyte."""
    folder = tmp_path / "state"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs (root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filler"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 1024)
    return path


def test_a_full_disk_answers_error_and_loses_nothing_that_was_acknowledged(
    tmp_path: Path, small_disk: Path, box: PtyReplay
) -> None:
    said: list[str] = []
    with running(tmp_path, ANY_NUMBER + with_box(box)):
        box.write(b"5\n")
        said.append(answer(box))
        filler = fill(small_disk)
        for number in range(200):
            box.write(b"%d\n" % (number % 5 + 1))
            said.append(answer(box))
            if said[-1].startswith("error"):
                break
        assert "cannot be used" in said[-1]
        assert "disk" in said[-1]
        assert [vote.level for vote in stored(tmp_path)] == [int(each[3]) for each in said if each.startswith("ok")]
        filler.unlink()
        box.write(b"4\n")
        said.append(answer(box))
        assert said[-1] == "ok 4 comfortable"
    acknowledged = [int(each[3]) for each in said if each.startswith("ok")]
    assert [vote.level for vote in stored(tmp_path)] == acknowledged


# kill -9.


class Killed:
    """A device as a process, killed while it answers; keeps what was acknowledged."""

    def __init__(self, folder: Path, box: PtyReplay) -> None:
        self._box = box
        self._state = folder / "state"
        self._command = [sys.executable, "-m", "comfywear.cli", "run", "--config"]
        self._command.append(str(config(folder, ANY_NUMBER + with_box(box))))
        self.ids: list[str] = []  # acknowledged over the control socket
        self.box_said: Counter[int] = Counter()  # acknowledged on the box, by level
        self.box_sent: Counter[int] = Counter()

    def round(self, draw: random.Random) -> None:
        device = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not self._press():
                assert device.poll() is None
                assert time.monotonic() < deadline, "the device does not take a vote"
                time.sleep(0.02)
            level = draw.randint(1, 5)
            timer = threading.Timer(draw.uniform(0, 0.02), device.kill)
            self._box.write(b"%d\n" % level)
            self.box_sent[level] += 1
            timer.start()
            while self._press():
                pass
            timer.join()
        finally:
            device.send_signal(signal.SIGKILL)
            device.wait(90)
        self._hear()

    def _press(self) -> bool:
        """Press over the control socket; False when it was not acknowledged."""
        try:
            vote = ask(self._state, {"verb": "vote", "level": 3, "source": "command"})["vote"]
        except ComfyWearError:
            return False
        self.ids.append(vote["id"])
        return True

    def _hear(self) -> None:
        for line in self._box.received().decode().splitlines():
            assert line.startswith("ok ")
            self.box_said[int(line[3])] += 1


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_every_acknowledged_vote_is_there_once_after_kill_9(tmp_path: Path, box: PtyReplay, rounds: int) -> None:
    draw, killed = random.Random(20261123), Killed(tmp_path, box)
    for _ in range(rounds):
        killed.round(draw)
    votes = stored(tmp_path)
    ids = [vote.id for vote in votes]
    assert len(killed.ids) >= rounds
    assert set(killed.ids) <= set(ids)
    assert len(ids) == len(set(ids))
    on_box = Counter(vote.level for vote in votes if vote.source.startswith("box:"))
    assert all(killed.box_said[level] <= on_box[level] <= killed.box_sent[level] for level in range(1, 6))
    commands = sum(vote.source == "command" for vote in votes)
    assert len(killed.ids) <= commands <= len(killed.ids) + rounds  # committed, but killed before the answer
    print(f"{rounds} rounds: {len(killed.ids)} + {killed.box_said.total()} acknowledged, {len(votes)} stored")
