from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from comfywear.comfort.votes.asking import Question
from comfywear.device.zones.estimator import Estimator
from comfywear.learning import log
from comfywear.learning.asking import Asking
from comfywear.learning.log import LearningLog, LearningSnapshot
from comfywear.learning.usual_air import UsualAir
from comfywear.records import Climate
from comfywear.settings import ComfortSettings
from comfywear.settings.learning import LearningSettings
from comfywear.system.clock import WallTime


def test_a_reset_and_a_snapshot_at_once_are_both_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = log.save_json

    def slow(path: Path, value: object) -> None:
        time.sleep(0.05)  # a card's fsync
        real(path, value)

    monkeypatch.setattr(log, "save_json", slow)
    for number in range(5):
        book = LearningLog(tmp_path / str(number), ["room"])
        (tmp_path / str(number)).mkdir()
        go = threading.Barrier(2)

        def comfort(book: LearningLog = book, go: threading.Barrier = go) -> None:
            go.wait()
            book.snapshot("room", LearningSnapshot("2026-11-28T08:00:00.000+00:00", votes=5), force=True)

        def control(book: LearningLog = book, go: threading.Barrier = go) -> None:
            go.wait()
            book.ignore("room", "", "2026-11-28T09:00:00.000+00:00")

        both = [threading.Thread(target=each) for each in (comfort, control)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        fresh = LearningLog(tmp_path / str(number), ["room"])
        assert fresh.ignored("room")
        assert fresh.snapshots("room")


def test_the_end_of_a_question_loses_no_other_zones_question(tmp_path: Path) -> None:
    asking = Asking(tmp_path, ["a", "b"], LearningSettings(), lambda _: 0.0)
    held = threading.Event()
    with asking._lock:
        ending = threading.Thread(target=lambda: (held.set(), asking._end("a")))
        ending.start()
        assert held.wait(60)
        ending.join(0.2)
        assert ending.is_alive(), "it waits for who is changing what stands"
    ending.join(60)


def test_the_beginning_of_a_question_loses_no_other_zones_question(tmp_path: Path) -> None:
    noon = datetime.now().astimezone().replace(hour=12).astimezone(timezone.utc)
    asking = Asking(
        tmp_path, ["a", "b"], LearningSettings(), lambda _: 0.0, lambda: WallTime(noon.isoformat(), time_ok=True)
    )
    climate = Climate("b", "fresh", 23.0, 45.0)
    estimates = {"b": Estimator(ComfortSettings()).zone(climate, ())}

    class Entered:
        """The lock, before which another thread has just begun a question."""

        def __enter__(self) -> None:
            asking._standing = {"a": (Question("How is it?", "it is new"), 1e9)}

        def __exit__(self, *_: object) -> None:
            pass

    asking._lock = Entered()  # type: ignore[assignment]
    asking.tick(0.0, estimates, camera=False)
    assert asking.of("b") is not None
    assert asking.of("a") is not None


def test_what_is_usual_in_a_zone_outlives_a_start_without_it(tmp_path: Path) -> None:
    first = UsualAir(tmp_path, ["desk", "sofa"], 21.0)
    for minute in range(3000):
        first.note("desk", 22.0, minute * 60.0)
        first.note("sofa", 25.0, minute * 60.0)
    first.keep(1e9, now=True)
    without = UsualAir(tmp_path, ["desk"], 21.0)
    without.note("desk", 22.0, 0.0)
    without.keep(1e9, now=True)
    again = UsualAir(tmp_path, ["desk", "sofa"], 21.0)
    assert again.of("sofa") == first.of("sofa")
