"""The demo, run as a user runs it: a photo of a person becomes a message that a subscriber receives."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from comfywear.publishing.messages.kinds import read_message
from comfywear.publishing.messages.zone import ComfortMessage

pytestmark = pytest.mark.timeout(2 * 1000 + 100)


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "comfywear.cli", "demo", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=1000,  # of a machine on which the demo itself gives up
    )


def garments(output: str) -> list[tuple[str, str]]:
    """(garment, first colour) of the rows of the table."""
    return re.findall(r"^ {11}(\w+) +\d+ % +(\w+) \d+ %", output, re.MULTILINE)


@pytest.mark.parametrize("words", [[], ["--engine", "litert"]], ids=["onnxruntime", "litert"])
def test_a_photo_becomes_a_comfort_message_at_a_subscriber(tmp_path: Path, words: list[str]) -> None:
    ended = demo(tmp_path, *words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert re.search(r"^PERSON 1 +\d\.\d\d ± \d\.\d\d clo, skin 3\d\.\d °C \(modelled\)$", ended.stdout, re.MULTILINE)
    assert garments(ended.stdout)
    topic, payload = re.search(r"received on (\S+):\n(\{.*\})", ended.stdout).groups()  # type: ignore[union-attr]
    assert topic.startswith("comfywear/v1/demo/")
    message = read_message(payload.encode())
    assert isinstance(message, ComfortMessage)
    assert sum(message.probabilities) == pytest.approx(1, abs=0.001)
    assert message.inputs["clo"] is not None
    assert "4 of 5 (comfortable)" in ended.stdout
    picture = cv2.imread(str(tmp_path / "comfywear-demo.png"))
    assert picture is not None
    assert picture.std() > 10


def test_both_engines_name_the_same_garments(tmp_path: Path) -> None:
    named = [
        {garment for garment, _ in garments(demo(tmp_path, "--engine", engine).stdout)}
        for engine in ("onnxruntime", "litert")
    ]
    assert named[0] == named[1]
    assert named[0]


def test_a_broker_of_the_users_own_is_used(tmp_path: Path, mosquitto: Any) -> None:
    ended = demo(tmp_path, "--broker", f"127.0.0.1:{mosquitto.port}", "--frames", "5", "--out", "own.png")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (tmp_path / "own.png").is_file()
    assert json.loads(re.findall(r"^\{.*\}$", ended.stdout, re.MULTILINE)[-1])["schema"] == "comfywear/v1/comfort"


def test_an_empty_picture_is_said_to_hold_nobody(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((240, 320, 3), 128, np.uint8))
    ended = demo(tmp_path, "--source", "wall.png", "--frames", "3")
    assert ended.returncode == 1
    assert "nobody was recognised" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--source", "missing.jpg"], 1, "missing.jpg"),
        (["--source", "text.jpg"], 1, "text.jpg"),
        (["--source", "telescope://x"], 2, "telescope"),
        (["--broker", "127.0.0.1:1"], 1, "127.0.0.1:1"),
        (["--broker", "nonsense:port"], 2, "HOST:PORT"),
        (["--out", "picture.txt"], 2, "picture.txt"),
        (["--out", "text.jpg/picture.png"], 2, "its folder cannot be made"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    (tmp_path / "text.jpg").write_text("this is no photo")
    ended = demo(tmp_path, *words)
    assert ended.returncode == code, ended.stdout + ended.stderr
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("comfywear: ")
    assert said in last
    assert "Traceback" not in ended.stderr
