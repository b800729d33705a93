"""Looking that fails: nobody is left over, no number is given twice, no model stays."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.records import Detection, Frame
from comfywear.settings import Settings
from comfywear.system.supervisor import Pulse

SETTINGS = msgspec.convert({"camera": {"source": "file:///x", "fps": 5.0}}, Settings)


class Finder:
    """Finds one person in each frame, and raises at the 25th."""

    labels = ("person",)
    thresholds = {"person": 0.3}  # noqa: RUF012 - as a detector has them

    def __init__(self) -> None:
        self.frames = 0

    @property
    def parts(self) -> list[tuple[str, Any]]:
        return []

    def detect(self, image: Any, threshold: float | None = None) -> list[Detection]:
        self.frames += 1
        if self.frames == 25:
            raise RuntimeError("driver hiccup")
        return [Detection((100.0, 100.0, 200.0, 400.0), 0.9, "person")]


class Camera:
    """Frames five times a second on its own clock, until `stop`."""

    state = None

    def __init__(self, frames: int, stop: threading.Event) -> None:
        self._left, self._stop, self._number = frames, stop, 0

    def close(self) -> None:
        pass

    def latest(self, _: float) -> Frame | None:
        self._number += 1
        if self._number > self._left:
            self._stop.set()
            return None
        return Frame(np.zeros((480, 640, 3), np.uint8), self._number, 1000 + self._number * 0.2, "made")


def looking(monkeypatch: pytest.MonkeyPatch, load: Callable[[], Any], frames: int) -> tuple[VisionWorker, Pulse]:
    stop = threading.Event()
    monkeypatch.setattr("comfywear.vision.camera.open_configured", lambda *_, **__: Camera(frames, stop))
    found = VisionWorker(SETTINGS)
    monkeypatch.setattr(found, "_open_models", lambda *_: (load(), None))
    monkeypatch.setattr(found, "_note_camera", lambda *_: None)
    return found, Pulse(stop, time.monotonic)


def test_after_a_failure_who_was_there_has_left_and_the_next_person_has_another_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finder = Finder()
    found, pulse = looking(monkeypatch, lambda: finder, 40)
    with pytest.raises(RuntimeError, match="driver hiccup"):
        found.work(pulse)
    assert found.models == []
    assert [list(persons) for persons in found.sight().persons.values()] == [[]]
    found.work(pulse)
    said = [(change.kind, change.track_id) for change in found.changes()]
    assert said == [("entered", 1), ("left", 1), ("entered", 2), ("left", 2)]


def test_no_model_of_a_failed_look_stays_while_new_ones_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Finder]] = []
    older: list[int] = []

    def load() -> Finder:
        gc.collect()
        older.append(sum(each() is not None for each in alive))
        made = Finder()
        made.frames = 24  # the next frame fails
        alive.append(weakref.ref(made))
        return made

    found, pulse = looking(monkeypatch, load, 40)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            found.work(pulse)
    assert older == [0, 0]


def test_a_failure_leaves_no_empty_room_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    found, pulse = looking(monkeypatch, Finder, 40)
    monkeypatch.setattr(found, "_leave", lambda: None)
    with pytest.raises(RuntimeError, match="driver hiccup"):
        found.work(pulse)
    assert found._zones.occupancies()["room"].state == "occupied", "somebody was there"
    monkeypatch.undo()
    found._leave()
    assert found.sight().occupied == {}, "not known, which is not empty"


class Passing(Finder):
    """Finds somebody who stands for a minute and a half and then walks to and fro, 0.5 body heights a second."""

    def detect(self, image: Any, threshold: float | None = None) -> list[Detection]:
        self.frames += 1
        at_s = max(0.2 * self.frames - 90.0, 0.0)
        lap = at_s % 6.0
        x = 50.0 + 100.0 * (lap if lap < 3.0 else 6.0 - lap)
        return [Detection((x, 100.0, x + 80.0, 300.0), 0.9, "person")]


@pytest.mark.parametrize("asked", [True, False])
def test_how_much_people_walk_is_seen_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, asked: bool) -> None:
    chosen = msgspec.convert(
        {
            "camera": {"source": "file:///x", "fps": 5.0},
            "comfort": {"walking": asked},
            "vision": {"still_h": 0, "far_look_s": 0},
        },
        Settings,
    )
    monkeypatch.setattr("test_vision_worker.SETTINGS", chosen)
    finder = Passing()
    found, pulse = looking(monkeypatch, lambda: finder, 440)
    found.work(pulse)
    standing = found.walked("room", 1088.0)
    found, pulse = looking(monkeypatch, lambda: Passing(), 1800)
    found.work(pulse)
    walking = found.walked("room", 1360.0)
    if not asked:
        assert (standing, walking) == (None, None)
        return
    assert standing == (0.0, None)
    assert walking is not None
    assert 0.5 < walking.share < 0.9  # they turn round, which is no straight line, and stood before
    assert walking.heights_s == pytest.approx(0.5, abs=0.08)
