"""One frame after the other within the budget: what is shed, who is known again, who came and left."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from comfywear.device.sight.frame_step import FrameStep
from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.device.zones.presence import ZonePresence
from comfywear.errors import UsageError
from comfywear.records import Detection, Frame, PresenceChange
from comfywear.settings import BudgetSettings, CameraSettings, Settings, VisionSettings
from comfywear.settings.web import WebSettings


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


class Step(FrameStep):
    """A step whose persons are counted, as the worker does it."""

    def __init__(self, settings: Settings, finder: Finder, first_id: int = 1) -> None:
        super().__init__(settings, finder, Model(), first_id=first_id)
        self.zones = ZonePresence(msgspec.structs.replace(settings, camera=CameraSettings(source="file:///x")))


def show(step: Step, frames: int, first_s: float = 100.0) -> list[PresenceChange]:
    image = np.zeros((480, 640, 3), np.uint8)
    for index in range(frames):
        frame = Frame(image, index, first_s + index / 2, "made")
        step.zones.take("camera", frame, step.take(frame))
    return step.zones.changes()


def test_without_a_budget_every_frame_is_searched() -> None:
    finder = Finder()
    step = Step(Settings(), finder)
    changes = show(step, 30)
    assert finder.calls == 30
    assert [(c.kind, c.track_id) for c in changes] == [("entered", 1)]
    assert step.zones.counts() == {"room": 1}
    assert step.load().shed == ()


def test_who_looks_on_begins_with_numbers_that_nobody_had_and_everybody_has_left() -> None:
    step = Step(Settings(), Finder())
    show(step, 12)
    step.zones.clear()
    left, next_id = step.zones.changes(), step.next_id
    assert [(change.kind, change.track_id, change.count) for change in left] == [("left", 1, 0)]
    after = show(Step(Settings(), Finder(), next_id), 12, first_s=200.0)
    assert [(change.kind, change.track_id) for change in after] == [("entered", 2)]


def test_a_hot_processor_puts_work_off_and_the_person_stays() -> None:
    finder = Finder(work=200_000)
    step = Step(Settings(), finder)
    step.budget.headroom = 0.0
    changes = show(step, 60)
    assert 15 <= finder.calls < 30  # once in two seconds at least
    assert [(c.kind, c.track_id) for c in changes] == [("entered", 1)]
    assert "persons are searched for in one of 4 frames" in step.load().shed
    assert len(step.take(Frame(np.zeros((480, 640, 3), np.uint8), 60, 130.0, "made"))) == 1


def test_who_comes_back_is_the_same_only_while_the_switch_is_on() -> None:
    for on, ids in ((True, [1, 1]), (False, [1, 2])):
        finder = Finder()
        step = Step(Settings(vision=VisionSettings(reidentify=on)), finder)
        changes = show(step, 10)
        finder.there = False
        changes += show(step, 60, 105.0)
        finder.there = True
        changes += show(step, 10, 135.0)
        assert [c.track_id for c in changes if c.kind == "entered"] == ids
        assert [c.kind for c in changes] == ["entered", "left", "entered"]


def test_a_find_that_never_moved_fades_from_the_counts_with_a_reason_in_the_journal_and_comes_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    step = Step(Settings(vision=VisionSettings(still_h=0.1)), Finder())
    changes = show(step, 710)
    assert [(c.kind, c.count) for c in changes] == [("entered", 1)]
    changes = show(step, 60, 455.0)
    assert [(c.kind, c.count) for c in changes] == [("left", 0)]
    assert step.zones.counts() == {"room": 0}
    assert caplog.text.count("(100, 100, 200, 400) is not counted any more: nothing moved there for 0.1 h") == 1
    moved = np.zeros((480, 640, 3), np.uint8)
    moved[200:300, 120:160] = 200
    persons = step.take(Frame(moved, 0, 485.5, "made"))
    assert len(persons) == 1
    assert "is counted again: something moved there" in caplog.text


def test_the_headroom_may_come_before_the_models_are_loaded_and_must_be_a_share() -> None:
    vision = VisionWorker(Settings(camera=CameraSettings(source="file:///x"), budget=BudgetSettings(cpu_share=0.5)))
    vision.headroom = 0.4
    assert vision.headroom == 0.4
    assert vision.budget_metrics() == {}
    assert vision.sight().shed("room") == ()
    with pytest.raises(UsageError, match="0 to 1"):
        vision.headroom = 2.0


def test_the_room_enters_the_view_but_for_where_somebody_is_found_even_weakly() -> None:
    class Unsure(Finder):
        def detect(self, image: np.ndarray, *, threshold: float | None = None) -> list[Detection]:
            return [Detection((100, 100, 200, 400), 0.12, "person")]

    step = Step(Settings(web=WebSettings(enabled=True)), Unsure())
    show(step, 500)
    assert step.view is not None
    known = step.view.plate.known()
    assert known[:, 200:].all()
    assert not known[60:180, 55:95].any()


@pytest.mark.parametrize(
    "web", [WebSettings(), WebSettings(enabled=True, view="sketch"), WebSettings(enabled=True, sketch=False)]
)
def test_where_nobody_wants_to_see_the_room_none_is_remembered(web: WebSettings) -> None:
    assert Step(Settings(web=web), Finder()).view is None
