"""A release in service: watched at work, kept when it is as fast as it must be, taken back when it is not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from made import put_into_service, release, settings, working
from tiny_onnx import write_onnx

from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.doctor import machine as checkup
from comfywear.errors import ModelError
from comfywear.releases import InService, Releases, Slot, store
from comfywear.releases.store import MOST_STARTS
from comfywear.releases.trial import LEAST_LOOKS, TrialWatch
from comfywear.settings import CameraSettings, DeviceSettings, Settings
from comfywear.system.supervisor import Pulse
from comfywear_models import find
from waiting import until


def feed(watch: TrialWatch, costs_ms: list[float], every_s: float = 1.0) -> Any:
    """The verdict after looks that cost so much, each `every_s` after the other; None without one."""
    seconds = 0.0
    for number, cost_ms in enumerate(costs_ms, 1):
        seconds += cost_ms / 1e3
        if verdict := watch.add(seconds, number, number * every_s):
            return verdict
    return None


def test_a_model_is_kept_when_its_time_is_over() -> None:
    verdict = feed(TrialWatch(10.0, 60.0, 0.0), [9.0] * 61)
    assert (verdict.good, verdict.said) == (True, "9 ms a picture at work")


def test_a_slow_model_is_known_after_few_looks() -> None:
    assert feed(TrialWatch(10.0, 60.0, 0.0), [11.0] * (LEAST_LOOKS - 1)) is None
    verdict = feed(TrialWatch(10.0, 60.0, 0.0), [11.0] * LEAST_LOOKS)
    assert (verdict.good, verdict.said) == (False, "too slow at work: 11 ms a picture, 10 ms is the limit")


def test_single_slow_pictures_are_nothing() -> None:
    assert feed(TrialWatch(10.0, 60.0, 0.0), [9.0, 9.0, 500.0] * 20 + [9.0]).good


def test_a_model_that_is_not_needed_stays_on_trial() -> None:
    watch = TrialWatch(10.0, 60.0, 0.0)
    assert feed(watch, [9.0] * (LEAST_LOOKS - 1)) is None
    assert watch.add(1.0, LEAST_LOOKS - 1, 1e6) is None


def test_without_a_model_to_compare_with_any_time_will_do() -> None:
    assert feed(TrialWatch(None, 60.0, 0.0), [1e4] * 61).good


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    found = Releases(tmp_path / "state" / "releases")
    put_into_service(found, "1", tmp_path / "made")
    return found


def take_over(releases: Releases, folder: Path, file: Path | None = None, limit_ms: float = 1e4) -> Slot:
    """Version 2, on trial."""
    release(folder, "2", file)
    slot = Slot("2", "2-0", "2026-11-25T00:00:00Z")
    staged = folder.parent / "staged"
    staged.mkdir()
    for path in (folder / "tiny.card.json", folder / "tiny-2.onnx"):
        path.rename(staged / path.name)
    releases.take_over("tiny", slot, staged, limit_ms)
    return slot


def test_a_model_that_ends_the_device_again_and_again_is_rolled_back(releases: Releases, tmp_path: Path) -> None:
    take_over(releases, tmp_path / "made")
    for _ in range(MOST_STARTS):
        crashed = InService(releases, ["tiny"], 60.0)
        crashed.begin()
        assert find(crashed.card_of("tiny"))[0].version == "2"
    InService(releases, ["tiny"], 60.0).begin()
    assert releases.slots("tiny").version == "1"
    assert "ended 3 times with it without an orderly stop" in releases.slots("tiny").history[-1].reason


def test_orderly_stops_do_not_count(releases: Releases, tmp_path: Path) -> None:
    take_over(releases, tmp_path / "made")
    for _ in range(MOST_STARTS + 2):
        orderly = InService(releases, ["tiny"], 60.0)
        orderly.begin()
        orderly.end()
    assert releases.slots("tiny").version == "2"


def test_a_release_that_cannot_be_loaded_gives_way(releases: Releases, tmp_path: Path) -> None:
    slot = take_over(releases, tmp_path / "made")
    service = InService(releases, ["tiny"], 60.0)
    service.begin()
    with pytest.raises(ModelError), service.loading("tiny"):
        raise ModelError("no engine")
    service.begin()
    assert find(service.card_of("tiny"))[0].version == "1"
    assert not releases.path("tiny", slot).exists()
    assert releases.slots("tiny").history[-1].reason == "it cannot be loaded: no engine"


def test_a_card_that_is_damaged_is_passed_over(releases: Releases, tmp_path: Path) -> None:
    slot = take_over(releases, tmp_path / "made")
    (releases.path("tiny", slot) / "tiny.card.json").write_bytes(b"\0\0\0")
    assert find(releases.card_of("tiny"))[0].version == "1"
    InService(releases, ["tiny"], 60.0).begin()
    assert releases.slots("tiny").version == "1"
    assert "not a model card" in releases.slots("tiny").history[-1].reason
    (releases.folder / "tiny" / "slots.json").write_bytes(b"{")
    assert releases.card_of("tiny") == "tiny"


def test_a_release_gives_way_to_a_later_model_that_came_with_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases = Releases(tmp_path / "state" / "releases")
    put_into_service(releases, "4", tmp_path / "made")
    monkeypatch.setattr(store, "shipped_version", lambda name: "3.9")
    assert find(releases.card_of("tiny"))[0].version == "4"
    monkeypatch.setattr(store, "shipped_version", lambda name: "4.1")
    assert releases.card_of("tiny") == "tiny"
    InService(releases, ["tiny"], 60.0).begin()
    assert releases.slots("tiny").version == "shipped"
    assert releases.slots("tiny").history[-1].reason == "the program came with a later version since: 4.1"


def test_what_is_in_service_is_checked_by_doctor(releases: Releases, tmp_path: Path) -> None:
    take_over(releases, tmp_path / "made")
    releases.roll_back("tiny", "it sees ghosts")
    (found,) = checkup.releases(tmp_path / "state")
    assert (found.state, found.said) == ("note", "1 is in service; 2 was rolled back: it sees ghosts")
    (Path(releases.card_of("tiny")).parent / "tiny-1.onnx").write_bytes(b"damaged")
    (found,) = checkup.releases(tmp_path / "state")
    assert (found.state, found.do) == ("fault", "comfywear models rollback tiny")


def test_the_verdict_on_one_release_never_meets_another(releases: Releases, tmp_path: Path) -> None:
    """Another one was taken over by a command while the device still ran the one before."""
    service = InService(releases, ["tiny"], 0.0, clock=lambda: 0.0)
    take_over(releases, tmp_path / "made", limit_ms=0.001)
    service.begin()
    source = Path(releases.card_of("tiny"))
    card, content = find(source)[0], source.read_bytes()
    newest = Slot("3", "3-0", "2026-11-26T00:00:00Z")
    staged = tmp_path / "staged"
    staged.mkdir()
    (staged / source.name).write_bytes(content)
    releases.take_over("tiny", newest, staged, None)
    for number in range(1, LEAST_LOOKS + 1):
        service.look([("detector", SimpleNamespace(card=card, engine_s=float(number), pictures=number))])
    assert releases.slots("tiny").current == newest


def test_where_nothing_can_be_written_the_old_model_comes_back_all_the_same(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over(releases, tmp_path / "made")
    service = InService(releases, ["tiny"], 60.0)
    service.begin()
    (releases.folder / "lock").unlink()
    (releases.folder / "lock").mkdir()  # as good as a disk that takes nothing
    with pytest.raises(RuntimeError), service.at_work():
        raise RuntimeError("bad numbers")
    service.begin()
    assert find(service.card_of("tiny"))[0].version == "1"


# The real thing: a camera, an engine, the vision worker.


@contextmanager
def vision(folder: Path, photo: np.ndarray) -> Iterator[VisionWorker]:
    path = folder / "photo.png"
    cv2.imwrite(str(path), photo)
    wanted = msgspec.structs.replace(
        settings(trial_s=0.5),
        device=DeviceSettings(state_dir=str(folder / "state")),
        camera=CameraSettings(source=f"file://{path}", fps=60, loop=True),
    )
    assert isinstance(wanted, Settings)
    made, stop = VisionWorker(wanted), threading.Event()

    def live() -> None:
        while not stop.is_set():
            with suppress(Exception):
                made.work(Pulse(stop, time.monotonic))
            stop.wait(0.05)

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        stop.set()
        thread.join(60)


DARK, LIGHT = np.full((48, 64, 3), 60, np.uint8), np.full((48, 64, 3), 255, np.uint8)


def running_version(made: VisionWorker) -> str:
    return made.models[0][1].card.version if made.models else ""


def test_a_model_that_is_slow_at_work_is_rolled_back_while_the_device_runs(releases: Releases, tmp_path: Path) -> None:
    """It is quick on the built-in sample, and slow when the room is light."""
    file = working(tmp_path / "made" / "tiny-2.onnx", above=250, size=400)
    take_over(releases, tmp_path / "made", file, limit_ms=0.3)
    with vision(tmp_path, LIGHT) as made:
        until(lambda: releases.slots("tiny").version == "1")
        assert "too slow at work" in releases.slots("tiny").history[-1].reason
        until(lambda: running_version(made) == "1" and made.sight().missing is None)


def test_a_model_that_fails_at_work_is_rolled_back_while_the_device_runs(releases: Releases, tmp_path: Path) -> None:
    """Its outputs are not those of a detector: seen with the first frame."""
    file = write_onnx(
        tmp_path / "made" / "tiny-2.onnx", ("float32", (1, 32, 32, 3)), {"odd": np.zeros((1, 3, 3), np.float32)}
    )
    take_over(releases, tmp_path / "made", file)
    with vision(tmp_path, DARK) as made:
        until(lambda: running_version(made) == "1" and made.sight().missing is None)
    entry = json.loads((releases.folder / "tiny" / "slots.json").read_text())["history"][-1]
    assert entry["what"] == "rolled back"
    assert "an error at work: ModelError" in entry["reason"]
