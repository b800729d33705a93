from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comfywear.errors import ComfyWearError, DeviceNotRunningError, StoreError, UsageError
from comfywear.feedback import ControlServer, ask, socket_path
from waiting import until


def vote(request: Mapping[str, Any]) -> Mapping[str, Any]:
    if request.get("level") == 9:
        raise UsageError("9 is no vote")
    if request.get("level") == 8:
        raise StoreError("the disk is full")
    return {"level": request["level"], "words": "behaglich – ü"}


@contextmanager
def serving(folder: Path) -> Iterator[threading.Thread]:
    stop = threading.Event()
    server = ControlServer(folder, {"vote": vote, "status": lambda _: {"large": "x" * 500_000}})
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    try:
        until(lambda: answers(folder))
        yield thread
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def answers(folder: Path) -> bool:
    try:
        return bool(ask(folder, {"verb": "status"}))
    except DeviceNotRunningError:
        return False


def test_a_request_is_answered(tmp_path: Path) -> None:
    with serving(tmp_path):
        assert ask(tmp_path, {"verb": "vote", "level": 4}) == {"ok": True, "level": 4, "words": "behaglich – ü"}
        assert len(ask(tmp_path, {"verb": "status"})["large"]) == 500_000
        assert stat.S_IMODE(socket_path(tmp_path).stat().st_mode) == 0o660
    assert not socket_path(tmp_path).exists()


def test_refusals_keep_their_meaning(tmp_path: Path) -> None:
    with serving(tmp_path):
        with pytest.raises(UsageError, match="9 is no vote"):
            ask(tmp_path, {"verb": "vote", "level": 9})
        with pytest.raises(ComfyWearError, match="the disk is full") as caught:
            ask(tmp_path, {"verb": "vote", "level": 8})
        assert caught.value.exit_code == 1
        with pytest.raises(UsageError, match="no verb 'dance'; there are: status, vote"):
            ask(tmp_path, {"verb": "dance"})


@pytest.mark.parametrize(
    "line", [b"\n", b"rubbish\n", b"[]\n", b"{}\n", b'{"verb": []}\n', b"\xff\n", b"[" * 60_000 + b"\n"]
)
def test_rubbish_is_answered_and_survived(tmp_path: Path, line: bytes) -> None:
    with serving(tmp_path), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(socket_path(tmp_path)))
        client.sendall(line)
        answer = json.loads(client.makefile().readline())
        assert (answer["ok"], answer["exit_code"]) == (False, 2)
        assert answers(tmp_path)


def test_a_client_that_says_nothing_too_much_or_goes_away_is_survived(tmp_path: Path) -> None:
    with serving(tmp_path):
        silent = socket.socket(socket.AF_UNIX)
        silent.connect(str(socket_path(tmp_path)))
        gone = socket.socket(socket.AF_UNIX)
        gone.connect(str(socket_path(tmp_path)))
        gone.sendall(b'{"verb": "status"}\n')
        gone.close()
        with socket.socket(socket.AF_UNIX) as endless:
            endless.connect(str(socket_path(tmp_path)))
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                endless.sendall(b"x" * 10_000_000)
        assert answers(tmp_path)
        silent.close()


def test_without_a_device_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeviceNotRunningError, match=r"no device runs .* comfywear run --config FILE"):
        ask(tmp_path / "nowhere", {"verb": "status"})


def test_the_socket_of_a_killed_device_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path(tmp_path)))
        dead.listen()
    with pytest.raises(DeviceNotRunningError):
        ask(tmp_path, {"verb": "status"})
    with serving(tmp_path):
        assert answers(tmp_path)


@pytest.mark.parametrize("left", ["socket", "file"])
def test_what_a_device_left_that_was_killed_while_it_began_to_listen_does_no_harm(tmp_path: Path, left: str) -> None:
    made = socket_path(tmp_path).with_suffix(".new")
    if left == "socket":
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(made))
    else:
        made.write_text("")
    with serving(tmp_path):
        assert ask(tmp_path, {"verb": "vote", "level": 4})["level"] == 4
        assert not made.exists()


def test_a_second_device_on_one_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path):
        with pytest.raises(UsageError, match="already runs"):
            ControlServer(tmp_path, {}).run(threading.Event())
        assert answers(tmp_path)


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    socket_path(tmp_path).write_text("precious")
    with pytest.raises(StoreError, match="in the way"):
        ControlServer(tmp_path, {}).run(threading.Event())
    assert socket_path(tmp_path).read_text() == "precious"


def test_a_path_that_is_too_long_is_refused_with_its_length(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="use a shorter state_dir"):
        socket_path(tmp_path / ("x" * 100))
    longest = Path("/tmp") / ("x" * (107 - len("/tmp//control.sock")))
    assert len(os.fsencode(socket_path(longest))) == 107


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["6"], 2, "6 is no vote: press 1 (uncomfortable) … 5 (comfortable)"),
        (["0"], 2, "0 is no vote"),
        (["four"], 2, "invalid int value"),
        ([], 2, "or take the last vote back with --undo"),
        (["4", "--undo"], 2, "or take the last vote back with --undo"),
        (["--undo"], 1, "no device runs with the state folder"),
        (["4"], 1, "no device runs with the state folder"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    result = comfywear("vote", *arguments, "--state-dir", str(tmp_path))
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_says_what_was_stored(tmp_path: Path) -> None:
    asked: list[Mapping[str, Any]] = []

    def store(request: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(dict(request))
        moment = {"climate": {"air_temp_c": 23.42, "humidity_pct": 45.2}, "clothing": {"clo": 0.621}}
        return {"vote": {"level": 4, "words": "comfortable", "zone": "desk", "id": "ab12", **moment}}

    stop = threading.Event()
    thread = threading.Thread(target=ControlServer(tmp_path, {"vote": store}).run, args=(stop,))
    thread.start()
    try:
        while not socket_path(tmp_path).exists():
            time.sleep(0.01)
        result = comfywear("vote", "4", "--zone", "desk", "--state-dir", str(tmp_path))
    finally:
        stop.set()
        thread.join(60)
    assert result.stdout == "4 (comfortable) stored for desk as ab12 with 23.4 °C, 45 %, 0.62 clo\n"
    assert asked == [{"verb": "vote", "level": 4, "zone": "desk", "source": "command"}]


def comfywear(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "comfywear.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
