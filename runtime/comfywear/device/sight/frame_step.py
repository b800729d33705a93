"""One frame, from picture to persons, within the budget: detect or carry on, follow, look at clothes."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from comfywear.records import Box, Detection, Frame, Person
from comfywear.settings import Settings
from comfywear.settings.views import cameras_of, views_of
from comfywear.vision.budget import Budget, Load, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfywear.vision.corrections import Correction
    from comfywear.vision.far_look import Finder
    from comfywear.vision.people.persons import Predictor
    from comfywear.vision.tracking.reid import Description

_log = logging.getLogger(__name__)

# Detections down to this score are used: the tracker carries on with weak ones (ByteTrack), and garments are averaged.
WEAK = 0.1


OnLook = Callable[[Frame, Sequence[Detection], Sequence[Person], "Mapping[str, float]"], None]
"""Hears of each frame in which was looked: the frame, all detections down to `WEAK`, the persons, the thresholds."""


class FrameStep:
    """What is done with each frame of a camera; holds everything that is remembered from one to the next.

    Args:
        settings: Of the device.
        detector: Finds persons and garments.
        attributes: Says more of each person; None = nothing does.
        on_look: Hears of each frame in which was looked.
        camera: Whose frames they are, as in the settings; the first where none is named.
        first_id: The number of the first person.
        id_step: From one person's number to the next.
        corrections: Those that hold for this camera.

    Attributes:
        budget: What looking may take.
        view: What is shown of the room; None where nobody wants to see it.
    """

    def __init__(
        self,
        settings: Settings,
        detector: Finder,
        attributes: Predictor | None,
        on_look: OnLook | None = None,
        *,
        camera: str = "",
        first_id: int = 1,
        id_step: int = 1,
        corrections: Callable[[], Sequence[Correction]] = tuple,
    ) -> None:
        from comfywear.vision import PersonBook, ZoneArea
        from comfywear.vision.corrections import CorrectedFinds
        from comfywear.vision.drawing.room_view import RoomView
        from comfywear.vision.far_finder import FarFinder
        from comfywear.vision.motion import MotionMap
        from comfywear.vision.still_finds import StillFinds
        from comfywear.vision.tracking.reid import Gallery

        vision, budget = settings.vision, settings.budget
        self._detector, self._attributes = detector, attributes
        self._on_look = on_look
        turns = max(len(cameras_of(settings)), 1)
        zones = [ZoneArea(zone, view.polygon) for zone, view in views_of(settings, camera).items()]
        self._motion = MotionMap()
        every_s = None if vision.far_look_s == "auto" else vision.far_look_s
        self._far = FarFinder(detector, zones, every_s, threshold=WEAK, turns=turns) if every_s != 0 else None
        self._still = StillFinds(3600.0 * vision.still_h) if vision.still_h else None
        self._corrections, self._corrected = corrections, CorrectedFinds()
        self._believed = 1.1 * detector.thresholds.get("person", 0.3)
        self._quick: Sequence[Detection] = ()
        self._found: Sequence[Box] = ()
        wanted = settings.web.enabled or settings.homeassistant.view
        self.view = RoomView() if wanted and settings.web.shown_view == "room" else None
        self._book = PersonBook(
            zones=zones,
            attribute_interval_s=vision.attribute_interval_s,
            thresholds=detector.thresholds,
            frame_rate=cameras_of(settings).get(camera, settings.camera).fps,
            gallery=Gallery(60.0 * vision.reidentify_min) if vision.reidentify else None,
            first_id=first_id,
            id_step=id_step,
        )
        self.budget = Budget(
            interval_s=vision.attribute_interval_s,
            latency_s=1e-3 * budget.latency_ms / turns or math.inf,  # a frame waits for the turns of the others
            cpu_share=budget.cpu_share,
            cores=len(os.sched_getaffinity(0)),
            turns=turns,
        )
        self._slower = 1.0
        self._persons: Sequence[Person] = ()

    def take(self, frame: Frame, *, coloured: bool = True) -> list[Person]:
        """The persons in `frame`; it is not `coloured` where it shows no true colours, as in infrared light."""
        now_s = frame.monotonic_s
        watch = _Stopwatch()
        self._motion.add(frame.image, now_s)
        self._corrected.begin(frame.image, now_s, self._corrections(), self._motion)
        tiles = self._far.begin(frame, self._motion, farther=self.budget.farther) if self._far else 0
        plan = self.budget.plan(
            now_s,
            len(self._persons),
            *self._book.waiting(now_s, self._slower),
            tiles=tiles,
            tiles_per_s=self._far.per_s if self._far else 0.0,
        )
        self._slower = plan.slower
        before = watch.lap()
        detections = self._detect(frame, plan, watch)
        self._book.follow(frame, detections)
        follow = watch.lap()
        looks = self._book.look(frame, self._attributes, most=plan.looks, slower=plan.slower, coloured=coloured)
        look = watch.lap()
        persons = [person for person in self._book.persons(frame) if not self._corrected.excluded(person.box)]
        persons = self._without_still(frame, persons)
        if detections is not None:
            boxes = [each.box for each in detections if each.label == "person"]
            self._found = [box for box in boxes if not self._corrected.excluded(box)]
        if self.view is not None:
            self.view.add(frame.image, now_s, [person.box for person in persons], self._motion, self._found)
        rest = watch.lap()
        self.budget.spent("look", *look, pieces=looks)
        self.budget.spent(
            "frame", *(sum(parts) for parts in zip(before, follow, rest, *([] if looks else [look]), strict=True))
        )
        self._persons = persons
        if self._on_look is not None and detections is not None:
            self._on_look(frame, detections, persons, self._detector.thresholds)
        return persons

    def _detect(self, frame: Frame, plan: Plan, watch: _Stopwatch) -> list[Detection] | None:
        """What a quick look found and what closer looks hold; None where nobody looked at the whole picture."""
        if plan.detect:
            found = self._detector.detect(frame.image, threshold=WEAK)
            height, width = frame.image.shape[:2]
            self._quick = self._corrected.believed(found, width, height, self._believed)
            self.budget.spent("detect", *watch.lap())
        if self._far is None:
            return list(self._quick) if plan.detect else None
        looked = self._far.look(frame, self._quick, plan.tiles)
        self.budget.spent("tile", *watch.lap(), pieces=looked)
        return self._far.together(self._quick) if plan.detect else None

    def _without_still(self, frame: Frame, persons: list[Person]) -> list[Person]:
        """The persons without what has not moved for hours; the journal says what goes and what comes back."""
        if self._still is None:
            return persons
        boxes = [person.box for person in persons]
        for change in self._still.update(frame.image, frame.monotonic_s, boxes, self._motion):
            place, hours = ", ".join(f"{side:.0f}" for side in change.box), change.still_s / 3600.0
            if change.kind == "faded":
                _log.info("a find at (%s) is not counted any more: nothing moved there for %.1f h", place, hours)
            else:
                _log.info("a find at (%s) is counted again: something moved there after %.1f h", place, hours)
        return [person for person in persons if not self._still.faded(person.box)]

    def description(self, person: int) -> Description | None:
        """As `PersonBook.description`."""
        return self._book.description(person)

    @property
    def next_id(self) -> int:
        """The number of the next person, for who looks on."""
        return self._book.next_id

    def load(self) -> Load:
        """How the budget is."""
        return self.budget.load()


class _Stopwatch:
    """Wall and processor seconds since the last lap; those of engine threads are in the second."""

    def __init__(self) -> None:
        self._last = (time.perf_counter(), time.process_time())

    def lap(self) -> tuple[float, float]:
        now = (time.perf_counter(), time.process_time())
        passed = (now[0] - self._last[0], now[1] - self._last[1])
        self._last = now
        return passed
