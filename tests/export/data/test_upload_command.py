"""`comfywear-export upload` through Roboflow's own client, against a stand-in for the service; never the network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import data_sets
import pytest
from PIL import Image
from roboflow_server import KEY, Roboflow

from comfywear_export.cli import main

pytest.importorskip("roboflow")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Roboflow]:
    import roboflow
    from roboflow.adapters import rfapi

    service = Roboflow()
    service.start()
    # In this process the client is imported before; in a child it takes the address from its environment.
    monkeypatch.setattr(roboflow, "API_URL", service.url)
    monkeypatch.setattr(rfapi, "API_URL", service.url)
    monkeypatch.setenv("API_URL", service.url)
    monkeypatch.setenv("ROBOFLOW_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ROBOFLOW_CONFIG_DIR", str(tmp_path / "no-config.json"))
    monkeypatch.chdir(tmp_path)
    yield service
    service.stop()


def captures(folder: Path, count: int = 3) -> Path:
    """Captures that differ from each other."""
    data_sets.captures(folder, count)
    for number, path in enumerate(sorted(folder.glob("*.jpg"))):
        Image.new("RGB", (80, 100), (20 * number, 0, 0)).save(path)
    return folder


def words(folder: Path, *more: str) -> list[str]:
    return ["upload", str(folder), "--project", "office/clothes", "--batch", "Week 47", *more]


def test_pictures_and_guesses_arrive_with_split_batch_and_boxes(
    service: Roboflow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = captures(tmp_path / "c")
    assert main(words(folder, "--split", "validation")) == 0
    assert "3 pictures and 3 annotations arrived" in capsys.readouterr().out
    assert {(row["split"], row["batch"]) for row in service.images.values()} == {("valid", "Week 47")}
    assert {row["data"] for row in service.images.values()} == {path.read_bytes() for path in folder.glob("*.jpg")}
    sent = next(iter(service.annotations.values()))
    assert (sent["prediction"], sent["job"], sent["name"]) == (True, "Week 47", "annotation.coco.json")
    assert [box["bbox"] for box in sent["coco"]["annotations"]] == [[8, 4, 60.5, 92], [12, 20, 40, 30]]
    assert [each["name"] for each in sent["coco"]["categories"]] == ["person", "top"]


def test_what_people_labelled_is_no_prediction_and_splits_are_kept(service: Roboflow, tmp_path: Path) -> None:
    folder = data_sets.deepfashion2(tmp_path / "d")
    Image.new("RGB", (80, 100)).save(folder / "train" / "image" / "000001.jpg")
    assert main(words(folder)) == 0
    assert sorted(row["split"] for row in service.images.values()) == ["train", "valid"]
    assert not any(each["prediction"] for each in service.annotations.values())


def test_a_dry_run_asks_nobody_and_needs_no_key(
    service: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ROBOFLOW_API_KEY")
    assert main(words(captures(tmp_path / "c"), "--dry-run", "--validation", "0.5")) == 0
    assert "would send 3 of 3 captures pictures" in capsys.readouterr().out
    assert service.requests == []
    assert not (tmp_path / "runs").exists()


def test_a_second_run_sends_only_what_is_new_or_was_changed(service: Roboflow, tmp_path: Path) -> None:
    folder = captures(tmp_path / "c")
    assert main(words(folder)) == 0
    before = len(service.requests)
    assert main(words(folder)) == 0
    assert len(service.requests) == before
    sidecar = folder / f"{1:032x}.json"
    sidecar.write_text(sidecar.read_text().replace("60.5", "50.5"))
    assert main(words(folder)) == 0
    assert sum("/upload" in line for line in service.requests) == 3
    corrected = [each["coco"]["annotations"][0]["bbox"][2] for each in service.annotations.values()]
    assert sorted(corrected) == [50.5, 60.5, 60.5]


def test_one_that_fails_does_not_stop_the_others_and_is_sent_by_the_next_run(
    service: Roboflow, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = captures(tmp_path / "c")
    service.fail = {f"{1:032x}.jpg"}
    assert main(words(folder)) == 1
    said = capfd.readouterr()
    assert f"{1:032x}.jpg: Roboflow: cannot now" in said.out
    assert KEY not in said.out + said.err
    assert len(service.annotations) == 2
    service.fail = set()
    assert main(words(folder)) == 0
    assert len(service.images) == len(service.annotations) == 3


@pytest.mark.parametrize("key", ["wrongKey", "NOTAKEY"])
def test_a_wrong_key_is_refused_at_once_and_never_shown(
    service: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], key: str
) -> None:
    monkeypatch.setenv("ROBOFLOW_API_KEY", key)
    assert main(words(captures(tmp_path / "c"))) != 0
    said = capfd.readouterr()
    assert key not in said.out + said.err
    assert "key" in said.err
    assert service.images == {}


def test_a_key_that_is_revoked_on_the_way_stops_the_run(
    service: Roboflow, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from comfywear_export.commands import upload

    opened = upload.open_project

    def open_then_revoke(*args: str) -> object:
        project = opened(*args)
        service.key = "another"
        return project

    monkeypatch.setattr(upload, "open_project", open_then_revoke)
    assert main(words(captures(tmp_path / "c"))) == 1
    said = capfd.readouterr()
    assert "not authorized" in said.err
    assert KEY not in said.err
    assert sum("/upload" in line for line in service.requests) == 3  # the first picture and its two retries


def test_a_key_of_a_file_is_for_its_owner_alone(
    service: Roboflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ROBOFLOW_API_KEY")
    folder, file = captures(tmp_path / "c"), tmp_path / "key"
    assert main(words(folder)) == 2
    assert "no key of Roboflow" in capsys.readouterr().err
    file.write_text(KEY + "\n")
    file.chmod(0o644)
    assert main(words(folder, "--key-file", str(file))) == 2
    assert "chmod 600" in capsys.readouterr().err
    file.chmod(0o600)
    assert main(words(folder, "--key-file", str(file))) == 0


def test_a_project_that_is_not_there_and_a_service_that_is_away_are_said(
    service: Roboflow, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = captures(tmp_path / "c")
    assert main(["upload", str(folder), "--project", "office/none", "--batch", "b"]) == 1
    assert "no such project" in capsys.readouterr().err
    assert main(["upload", str(folder), "--project", "clothes", "--batch", "b"]) == 2
    assert "WORKSPACE/PROJECT" in capsys.readouterr().err
    import roboflow

    monkeypatch.setattr(roboflow, "API_URL", "http://127.0.0.1:9")
    assert main(words(folder)) == 1
    error = capsys.readouterr().err
    assert "Roboflow:" in error
    assert KEY not in error


def test_the_ledger_of_another_batch_is_not_taken_and_a_line_that_was_cut_off_does_not_count(
    service: Roboflow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, ledger = captures(tmp_path / "c"), tmp_path / "ledger.jsonl"
    assert main(words(folder, "--ledger", str(ledger))) == 0
    assert main(["upload", str(folder), "--project", "office/clothes", "--batch", "x", "--ledger", str(ledger)]) == 2
    assert "the ledger of" in capsys.readouterr().err
    ledger.write_bytes(ledger.read_bytes()[:-30])
    assert main(words(folder, "--ledger", str(ledger))) == 0
    assert len(service.images) == len(service.annotations) == 3
    lines = [json.loads(line) for line in ledger.read_text().splitlines() if line.endswith("}")]
    assert sum("labels" in line for line in lines) == 3
    assert KEY not in ledger.read_text()


def test_after_kill_9_everything_arrives_once(service: Roboflow, tmp_path: Path) -> None:
    folder = captures(tmp_path / "c", count=12)
    service.delay_s = 0.05
    child = subprocess.Popen(
        [sys.executable, "-m", "comfywear_export.cli", *words(folder)], stdout=subprocess.DEVNULL, env=os.environ
    )
    deadline = time.monotonic() + 60
    while len(service.annotations) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    sent = len(service.annotations)
    assert 3 <= sent < 12
    service.delay_s = 0.0
    before = len(service.requests)
    assert main(words(folder)) == 0
    assert len(service.images) == len(service.annotations) == 12
    # At most the picture that was under way is sent a second time.
    assert sum("/upload" in line for line in service.requests[before:]) <= 12 - sent + 1
