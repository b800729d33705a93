"""`comfywear-export label reid` as a user runs it: it outlives kill -9, and refuses what it cannot use."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.feedback.capture.folder import SCHEMA
from comfywear_export.cli import main
from comfywear_export.dral.policies import Judge
from comfywear_export.dral.qlearning import QNet
from comfywear_export.dral.rounds import FEATURES


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures of noise in different colours, one of them in a folder of its own."""
    folder = tmp_path_factory.mktemp("crops")
    (folder / "later").mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        image = rng.integers(0, 60, (96, 64, 3)) + np.array([30 * number, 90, 150 - 20 * number])
        name = f"later/{number}.png" if number == 5 else f"{number}.jpg"
        cv2.imwrite(str(folder / name), image.astype(np.uint8))
    (folder / "notes.txt").write_text("no picture")
    return folder


class Labelling:
    """The command, asking in a terminal that is a pipe."""

    def __init__(self, crops: Path, out: Path) -> None:
        self.out = out
        words = ["label", "reid", str(crops), "--out", str(out), "--terminal", "--questions", "3"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "comfywear_export.cli", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def type(self, key: str, lines: int) -> None:
        """Answer, and wait until the answer is in the file."""
        assert self.process.stdin is not None
        self.process.stdin.write(key + "\n")
        self.process.stdin.flush()
        deadline = time.monotonic() + 120
        while len(read(self.out)) < lines:
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)


def read(out: Path) -> list[dict[str, str]]:
    if not out.is_file():
        return []
    return [json.loads(line) for line in out.read_text().split("\n")[:-1]]


def test_answers_outlive_kill_9_and_no_question_comes_twice(crops: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    first = Labelling(crops, out)
    first.type("y", 1)
    first.type("n", 2)
    first.process.send_signal(signal.SIGKILL)
    first.process.communicate()
    with out.open("ab") as file:
        file.write(b'{"schema": "comfywear/v1/reid-an')  # as if it had been cut off in the midst of a line
    second = Labelling(crops, out)
    said, _ = second.process.communicate("n\n" * 40, timeout=120)
    assert second.process.returncode == 0
    assert "nothing is left to ask" in said
    answers = read(out)
    pairs = [frozenset((each["query"], each["item"])) for each in answers]
    assert len(pairs) == len(set(pairs)) > 6
    assert [each["answer"] for each in answers[:2]] == ["same", "different"]
    assert "later/5.png" in {name for pair in pairs for name in pair}
    assert f"1 the same, {len(answers) - 1} not, 0 skipped" in said


def test_what_it_cannot_use_is_refused_in_one_line(
    crops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "broken" / name).write_bytes(b"no picture")
    (tmp_path / "wrong.json").write_text('{"judge": [1, 2]}')
    out = ["--out", str(tmp_path / "a.jsonl"), "--terminal"]
    for words, code, said in (
        (["nowhere", *out], 2, "no such folder"),
        ([str(tmp_path / "empty"), *out], 2, "two pictures"),
        ([str(tmp_path / "broken"), *out], 2, "can be read"),
        ([str(crops), "--out", str(tmp_path / "no" / "a.jsonl")], 1, "no such folder"),
        ([str(crops), *out, "--pool", "3"], 2, "as many as are asked about"),
        ([str(crops), *out, "--policy", "dral"], 2, "policy.json"),
        ([str(crops), *out, "--policy", "greedy", "--learnt", str(tmp_path / "wrong.json")], 2, "policy.json"),
        ([str(crops), *out, "--policy", "greedy", "--learnt", str(tmp_path / "none.json")], 2, "cannot be read"),
    ):
        assert main(["label", "reid", *words]) == code, words
        shown = capsys.readouterr().err
        assert said in shown
        assert "Traceback" not in shown
    assert not (tmp_path / "a.jsonl").is_file() or read(tmp_path / "a.jsonl") == []


def test_captures_are_asked_about_by_a_policy_that_was_learnt(
    crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    captures = tmp_path / "captures"
    captures.mkdir()
    for number in range(3):
        (captures / f"{number}.jpg").write_bytes((crops / f"{number}.jpg").read_bytes())
        sidecar = {"schema": SCHEMA, "id": str(number), "image": {"file_name": f"{number}.jpg"}, "annotations": []}
        (captures / f"{number}.json").write_text(json.dumps(sidecar))
    (captures / "stray.jpg").write_bytes((crops / "3.jpg").read_bytes())
    (captures / "away.json").write_text(json.dumps({"schema": SCHEMA, "image": {"file_name": "../secret.jpg"}}))
    judge = Judge(np.zeros(len(FEATURES) + 1))
    net = QNet.new(judge, np.random.default_rng(0))
    learnt = {"judge": judge.weights.tolist(), "dral": [w.tolist() for w in net.weights]}
    (tmp_path / "policy.json").write_text(json.dumps(learnt))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    words = ["--out", str(tmp_path / "a.jsonl"), "--terminal", "--policy", "dral"]
    assert main(["label", "reid", str(captures), *words, "--learnt", str(tmp_path / "policy.json")]) == 0
    assert "picture 1 of 3" in capsys.readouterr().out
    assert (tmp_path / "a.jsonl.vectors.npz").is_file()
