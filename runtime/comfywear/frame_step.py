"""One frame, from picture to persons, within the budget: detect or carry on, follow, look at clothes, count."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection, Frame, Person, PresenceChange
from comfywear.settings import Settings
from comfywear.vision.budget import Budget, Load
from comfywear.vision.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfywear.vision.persons import Predictor

# Detections down to this score are used: the tracker carries on with weak ones (ByteTrack), and garments are averaged.
WEAK = 0.1


OnLook = Callable[[Frame, Sequence[Detection], Sequence[Person], "Mapping[str, float]"], None]
"""Hears of each frame in which was looked: the frame, all detections down to `WEAK`, the persons, the thresholds."""


class Finder(Protocol):
    """A detector."""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Score above which each label is believed."""

    def detect(self, image: NDArray[np.uint8], *, threshold: float | None = None) -> list[Detection]:
        """What is in a frame."""


class FrameStep:
    """What is done with each frame; holds everything that is remembered from one to the next."""

    def __init__(
        self,
        settings: Settings,
        detector: Finder,
        attributes: Predictor | None,
        on_look: OnLook | None = None,
        *,
        first_id: int = 1,
    ) -> None:
        from comfywear.vision import PersonBook, ZoneArea
        from comfywear.vision.reid import Gallery

        vision, budget = settings.vision, settings.budget
        self._detector, self._attributes = detector, attributes
        self._on_look = on_look
        self._book = PersonBook(
            zones=[ZoneArea(zone.name, tuple(zone.polygon)) for zone in settings.zones],
            attribute_interval_s=vision.attribute_interval_s,
            thresholds=detector.thresholds,
            frame_rate=settings.camera.fps,
            gallery=Gallery(60.0 * vision.reidentify_min) if vision.reidentify else None,
            first_id=first_id,
        )
        self._presence = Presence([zone.name for zone in settings.zones])
        self.budget = Budget(
            interval_s=vision.attribute_interval_s,
            latency_s=1e-3 * budget.latency_ms or math.inf,
            cpu_share=budget.cpu_share,
            cores=len(os.sched_getaffinity(0)),
        )
        self._slower = 1.0
        self._persons: Sequence[Person] = ()

    def take(self, frame: Frame) -> tuple[list[Person], list[PresenceChange]]:
        """The persons in `frame`, and who entered or left a zone with it."""
        now_s = frame.monotonic_s
        plan = self.budget.plan(now_s, len(self._persons), *self._book.waiting(now_s, self._slower))
        self._slower = plan.slower
        watch = _Watch()
        detections = self._detector.detect(frame.image, threshold=WEAK) if plan.detect else None
        if plan.detect:
            self.budget.spent("detect", *watch.lap())
        self._book.follow(frame, detections)
        follow = watch.lap()
        looks = self._book.look(frame, self._attributes, most=plan.looks, slower=plan.slower)
        look = watch.lap()
        persons = self._book.persons(frame)
        changes = self._presence.update(persons, now_s)
        rest = watch.lap()
        self.budget.spent("look", *look, pieces=looks)
        self.budget.spent(
            "frame", *(sum(parts) for parts in zip(follow, rest, *([] if looks else [look]), strict=True))
        )
        self._persons = persons
        if self._on_look is not None and detections is not None:
            self._on_look(frame, detections, persons, self._detector.thresholds)
        return persons, changes

    def close(self) -> tuple[list[PresenceChange], int]:
        """The end of looking: everybody leaves; and the number of the next person, for who looks on."""
        return self._presence.clear(), self._book.next_id

    def counts(self) -> dict[str, int]:
        """Persons in each zone, debounced."""
        return self._presence.counts()

    def load(self) -> Load:
        """How the budget is."""
        return self.budget.load()


class _Watch:
    """Wall and processor seconds since the last lap; those of engine threads are in the second."""

    def __init__(self) -> None:
        self._last = (time.perf_counter(), time.process_time())

    def lap(self) -> tuple[float, float]:
        now = (time.perf_counter(), time.process_time())
        passed = (now[0] - self._last[0], now[1] - self._last[1])
        self._last = now
        return passed
