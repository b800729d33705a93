"""One camera of the device: its newest frame, who is in it, and why there is no picture while there is none."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from comfywear.records import CameraCondition, Frame, Person
from comfywear.settings import CameraSettings
from comfywear.texts import Text
from comfywear.vision.budget import Load
from comfywear.vision.light_state import LightState

if TYPE_CHECKING:
    from comfywear.device.sight.frame_step import FrameStep

__all__ = ["DARK", "FORGET_AFTER_S", "CameraSight"]

_log = logging.getLogger(__name__)

# Persons of the last frame count as present for so long when the camera falls silent.
FORGET_AFTER_S = 10.0
DARK = Text("too dark to see")
"""Why nobody is seen in the dark."""


class CameraSight:
    """What is known of one camera; the vision worker fills it, any thread may ask.

    Attributes:
        name: As in the settings.
        settings: Of the camera.
        step: What is done with its frames; None while nobody looks.
        next_id: The number of the next person, for who looks on.
        light: Whether it is light enough, and whether there are colours.
        frames: Looked at since the start.
        looked_s: Seconds that this took since the models were loaded.

    Args:
        name: As in the settings.
        settings: Of the camera.
        title: What the journal calls it after "no picture"; "" for the only one.
        first_id: The number of the first person.
    """

    def __init__(self, name: str, settings: CameraSettings, *, title: str = "", first_id: int = 1) -> None:
        self.name, self.settings = name, settings
        self._title = f" from {title}" if title else ""
        self.step: FrameStep | None = None
        self.next_id = first_id
        self.light = LightState()
        self.frames, self.looked_s = 0, 0.0
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._persons: tuple[Person, ...] = ()
        self._load: Load | None = None
        self._missing: str | None = Text("the models are being loaded")
        self._state: CameraCondition = "missing"
        self._seen_s = time.monotonic()
        self._starting_s: float | None = self._seen_s

    def took(self, frame: Frame, persons: Sequence[Person], load: Load, took_s: float) -> None:
        """A frame was looked at."""
        with self._lock:
            self._frame, self._persons, self._load, self._missing = frame, tuple(persons), load, None
            self._state = "running"
            self._starting_s = None
            self._seen_s = time.monotonic()
            self.frames += 1
            self.looked_s += took_s

    def say(self, missing: str, level: int = logging.WARNING) -> None:
        """Take a new reason for which there is no picture; one log line for each change."""
        with self._lock:
            if missing != self._missing:
                _log.log(level, "no picture%s: %s", self._title, missing)
            self._missing, self._state = missing, "missing"
            if level > logging.INFO:
                self._starting_s = None
            elif self._starting_s is None:
                self._starting_s = time.monotonic()

    def dim(self) -> None:
        """Frames come that are too dark to see anybody in: the persons of the last one are let go."""
        with self._lock:
            if self._state != "dark":
                _log.info("no picture%s: %s", self._title, DARK)
            self._frame, self._persons, self._missing, self._state = None, (), DARK, "dark"
            self._starting_s = None
            self._seen_s = time.monotonic()

    def hide(self, reason: str) -> bool:
        """Nobody may look: the newest frame and its persons are let go. False where that was said already."""
        self.leave()
        with self._lock:
            if (reason, self._state) == (self._missing, "private"):
                return False
            self._frame, self._load, self._missing, self._state = None, None, reason, "private"
            self.light = LightState()
            self._starting_s = None
        _log.info("no picture%s: %s", self._title, reason)
        return True

    def state(self) -> CameraCondition:
        """What it gives."""
        state = self._state
        return "missing" if state in ("running", "dark") and self._silent_s() > FORGET_AFTER_S else state

    def missing(self) -> str | None:
        """Why there is no picture; None while there is one."""
        with self._lock:
            silent_s = self._silent_s()
            if self._state in ("running", "dark") and silent_s > FORGET_AFTER_S:
                return Text("no frame for {seconds} s", seconds=f"{silent_s:.0f}")
            return self._missing

    def _silent_s(self) -> float:
        return time.monotonic() - self._seen_s

    def starting_s(self) -> float | None:
        """For how many seconds looking has been starting, without a fault; None when it looks or something is wrong."""
        since_s = self._starting_s
        return None if since_s is None else time.monotonic() - since_s

    def persons(self) -> tuple[Person, ...]:
        """Those of the newest frame."""
        return self._persons

    def picture(self) -> tuple[Frame, tuple[Person, ...]] | None:
        """The newest frame with its persons, for showing on this device; None before the first."""
        with self._lock:
            return (self._frame, self._persons) if self._frame is not None else None

    def load(self) -> Load | None:
        """How the budget is; None before the first frame."""
        return self._load

    def leave(self) -> bool:
        """Nobody looks any more: the persons of the last frame are let go. False where nobody had looked."""
        step, self.step = self.step, None
        if step is None:
            return False
        self.next_id = step.next_id
        with self._lock:
            self._persons = ()
        return True
