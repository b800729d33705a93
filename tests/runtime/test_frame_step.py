"""One frame after the other within the budget: what is shed, who is known again, who came and left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from comfywear.errors import UsageError
from comfywear.frame_step import FrameStep
from comfywear.looking import Looking
from comfywear.records import Detection, Frame, PresenceChange
from comfywear.settings import BudgetSettings, Settings, VisionSettings


class Finder:
    """A detector that finds one person, or nobody, and burns some time of the processor."""

    thresholds = {"person": 0.3}  # noqa: RUF012  # a constant

    def __init__(self, work: int = 0) -> None:
        self.calls, self.work, self.there = 0, work, True

    def detect(self, image: np.ndarray, *, threshold: float | None = None) -> list[Detection]:
        self.calls += 1
        sum(range(self.work))
        return [Detection((100, 100, 200, 400), 0.9, "person")] if self.there else []


class Model:
    labels = ("group/top",)

    def predict(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        return np.full((len(crops), 1), 0.9, np.float32)


def show(step: FrameStep, frames: int, first_s: float = 100.0) -> list[PresenceChange]:
    image = np.zeros((480, 640, 3), np.uint8)
    out = []
    for index in range(frames):
        out += step.take(Frame(image, index, first_s + index / 2, "made"))[1]
    return out


def test_without_a_budget_every_frame_is_searched() -> None:
    finder = Finder()
    step = FrameStep(Settings(), finder, Model())
    changes = show(step, 30)
    assert finder.calls == 30
    assert [(c.kind, c.track_id) for c in changes] == [("entered", 1)]
    assert step.counts() == {"room": 1}
    assert step.load().shed == ()


def test_who_looks_on_begins_with_numbers_that_nobody_had_and_everybody_has_left() -> None:
    step = FrameStep(Settings(), Finder(), Model())
    show(step, 12)
    left, next_id = step.close()
    assert [(change.kind, change.track_id, change.count) for change in left] == [("left", 1, 0)]
    after = show(FrameStep(Settings(), Finder(), Model(), first_id=next_id), 12, first_s=200.0)
    assert [(change.kind, change.track_id) for change in after] == [("entered", 2)]


def test_a_hot_processor_puts_work_off_and_the_person_stays() -> None:
    finder = Finder(work=200_000)
    step = FrameStep(Settings(), finder, Model())
    step.budget.headroom = 0.0
    changes = show(step, 60)
    assert 15 <= finder.calls < 30  # once in two seconds at least
    assert [(c.kind, c.track_id) for c in changes] == [("entered", 1)]
    assert "persons are searched for in one of 4 frames" in step.load().shed
    assert len(step.take(Frame(np.zeros((480, 640, 3), np.uint8), 60, 130.0, "made"))[0]) == 1


def test_who_comes_back_is_the_same_only_while_the_switch_is_on() -> None:
    for on, ids in ((True, [1, 1]), (False, [1, 2])):
        finder = Finder()
        step = FrameStep(Settings(vision=VisionSettings(reidentify=on)), finder, Model())
        changes = show(step, 10)
        finder.there = False
        changes += show(step, 60, 105.0)
        finder.there = True
        changes += show(step, 10, 135.0)
        assert [c.track_id for c in changes if c.kind == "entered"] == ids
        assert [c.kind for c in changes] == ["entered", "left", "entered"]


def test_the_headroom_may_come_before_the_models_are_loaded_and_must_be_a_share() -> None:
    looking = Looking(Settings(budget=BudgetSettings(cpu_share=0.5)))
    looking.headroom = 0.4
    assert looking.headroom == 0.4
    assert looking.budget_metrics() == {}
    assert looking.sight().shed() == ()
    with pytest.raises(UsageError, match="0 to 1"):
        looking.headroom = 2.0
