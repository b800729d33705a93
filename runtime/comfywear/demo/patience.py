"""How long the demo waits: while the device makes progress, however slow the machine; and what it says meanwhile."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LONGEST_S", "STILL_S", "Course", "DemoPatience"]

LONGEST_S = 900.0
"""Nobody waits longer for a demo, whatever still goes on."""
STILL_S = 60.0
"""A device that looks at no frame for so long, or of which nothing is heard after the frames, is not waited for."""
FAULT_S = 25.0
"""A camera, or models, of which a fault was said before the first frame may come back within so long."""
GRACE_FRAMES, GRACE_MESSAGES = 12, 6
"""After the frames that were asked for, until it is believed that nobody is there: 6 s on a machine that keeps up."""
_SAY_EVERY_S = 15.0


class Course(NamedTuple):
    """How far the device is.

    Attributes:
        frames: Looked at.
        messages: On people, or on comfort, whichever were fewer, that the consumer received.
        starting: Models are being loaded or the camera is being opened, and no fault was said.
        lacking: Why there is no picture; None while there is one.
    """

    frames: int
    messages: int
    starting: bool
    lacking: str | None


class DemoPatience:
    """Asked again and again whether to wait on; it reads no clock.

    Args:
        wanted: Frames that were asked for.
        now_s: Monotonic seconds, as in all that follows.
    """

    def __init__(self, wanted: int, now_s: float) -> None:
        self._wanted = wanted
        self._began_s = self._said_s = self._moved_s = self._heard_s = now_s
        self._course = Course(0, 0, True, None)
        self._fault_s: float | None = None
        self._grace: Course | None = None

    def waits(self, course: Course, now_s: float) -> bool:
        """Whether what is still missing may come, at `now_s`."""
        before, self._course = self._course, course
        enough = course.frames >= self._wanted
        if not enough or course.messages > before.messages:
            self._heard_s = now_s
        if course.frames > before.frames:
            self._moved_s, self._fault_s = now_s, None
        elif course.frames == 0 and course.starting and self._fault_s is None:
            self._moved_s = now_s
        elif course.frames == 0 and self._fault_s is None:
            self._fault_s = now_s
        if self._fault_s is not None and now_s - self._fault_s > FAULT_S:
            return False
        if now_s - min(self._moved_s, self._heard_s) > STILL_S or now_s - self._began_s > LONGEST_S:
            return False
        if enough and self._grace is None:
            self._grace = course
        return self._grace is None or (
            course.frames < self._grace.frames + GRACE_FRAMES or course.messages < self._grace.messages + GRACE_MESSAGES
        )

    def words(self, now_s: float) -> str | None:
        """What is waited for, every quarter of a minute; None in between."""
        if now_s - self._said_s < _SAY_EVERY_S:
            return None
        self._said_s = now_s
        course, waited = self._course, f"{now_s - self._began_s:.0f} s so far"
        if course.frames < self._wanted and course.lacking:
            return f"{course.lacking} ({waited})"
        if course.frames < self._wanted:
            return f"{course.frames} of {self._wanted} frames looked at ({waited}: this machine is slow, or busy)"
        return f"{course.frames} frames looked at; a message on a person's clothing has not arrived yet ({waited})"
