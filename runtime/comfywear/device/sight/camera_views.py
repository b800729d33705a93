"""What is shown of the cameras, on the page and elsewhere: the view of the newest frame, drawn once for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from comfywear.device.sight.vision_worker import VisionWorker
from comfywear.records import Frame, Person, ZoneEstimate
from comfywear.settings import CameraSettings, Settings

__all__ = ["CameraViews"]

JPEG_QUALITY = 80
_DIM = 0.6  # of a sketch, which is nearly of one brightness, on a dark page


class CameraViews:
    """The views of a device's cameras; any thread may ask.

    Args:
        settings: Of the device.
        vision: Looks at the cameras; None without one.
        private: Says of a camera why it may not look, and None while it may.
        estimates: The newest estimate of each zone.
    """

    def __init__(
        self,
        settings: Settings,
        vision: VisionWorker | None,
        private: Callable[[str], str | None],
        estimates: Callable[[], Mapping[str, ZoneEstimate]],
    ) -> None:
        self._settings, self._vision, self._private, self._estimates = settings, vision, private, estimates
        self._lock = threading.Lock()
        self._drawn: dict[tuple[str, bool], tuple[int, bytes]] = {}  # by camera and dark: the frame and its view

    @property
    def cameras(self) -> Sequence[str]:
        """Those of which something may be shown; none where the settings show nothing."""
        return [] if self._vision is None or self._settings.web.shown_view == "off" else list(self._vision.cameras)

    def shows(self, camera: str) -> bool:
        """Whether there is anything to show of a camera now: it may look, and gives pictures."""
        return self._picture(camera) is not None

    def jpeg(self, camera: str, *, dark: bool = False) -> bytes | None:
        """The view of a camera in JPEG, for a light page or a dark one; None where there is nothing to show."""
        picture = self._picture(camera)
        if picture is None or self._vision is None:
            with self._lock:  # of a camera that may not look nothing is kept
                for scheme in (False, True):
                    self._drawn.pop((camera, scheme), None)
            return None
        frame, persons = picture
        with self._lock:  # one drawing a frame, however many look
            drawn = self._drawn.get((camera, dark))
            if drawn is None or drawn[0] != frame.index:
                room = self._settings.web.shown_view == "room"
                image = self._room(camera, persons, dark) if room else _sketch(frame, persons, dark)
                if image is None:
                    return None
                jpeg = _jpeg(image, self._vision.cameras[camera].settings)
                drawn = self._drawn[camera, dark] = (frame.index, jpeg)
            return drawn[1]

    def _picture(self, camera: str) -> tuple[Frame, tuple[Person, ...]] | None:
        if self._vision is None or self._settings.web.shown_view == "off" or self._private(camera):
            return None
        return self._vision.pictures().get(camera)

    def _room(self, camera: str, persons: Sequence[Person], dark: bool) -> Any | None:
        """The room with figures; None while nobody looks."""
        step = self._vision.cameras[camera].step if self._vision else None
        if step is None or step.view is None:
            return None
        comfort = {zone: (each.comfort.level, each.comfort.expected_vote) for zone, each in self._estimates().items()}
        return step.view.draw(persons, comfort, dark=dark)


def _sketch(frame: Frame, persons: Sequence[Person], dark: bool) -> Any:
    import cv2

    from comfywear.vision.drawing.sketch import sketch

    drawn = sketch(frame.image, [person.box for person in persons])
    return cv2.convertScaleAbs(drawn, alpha=_DIM) if dark else drawn


def _jpeg(image: Any, camera: CameraSettings) -> bytes:
    import cv2

    from comfywear.vision.drawing.hatching import hatched

    _, encoded = cv2.imencode(".jpg", hatched(image, camera), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()
