"""Cameras and sensors before there are settings: which are there, and what they say at this moment."""

from __future__ import annotations

import time
from collections.abc import Sequence

from comfywear.errors import ComfyWearError
from comfywear.settings import CameraSettings
from comfywear.vision.camera import open_configured
from comfywear.vision.camera.picamera import modules
from comfywear.vision.camera.process import Camera
from comfywear.vision.camera.v4l2 import video_devices
from comfywear.web.setup_form import FoundDoor, SensorNow
from comfywear_sensors import BadSensorURI, PatientReader
from comfywear_sensors.discover import find_sensors
from comfywear_sensors.gate import no_room
from comfywear_sensors.redaction import redact

__all__ = ["LiveCamera", "LiveSensors", "found_cameras", "found_sensors"]

FIRST_PICTURE_S = 8.0
WAIT_S = 0.6


def found_cameras() -> list[FoundDoor]:
    """USB cameras and camera modules."""
    found = []
    for device in video_devices():
        sizes = [f"{kind} {size[0]} × {size[1]}" if size else kind for kind, size in device.formats]
        found.append(FoundDoor(f"v4l2://{device.path}", f"{device.name}: {', '.join(sizes)}"))
    return found + [FoundDoor(f"picamera://{each.number}", f"{each.name}, {each.words}") for each in modules()]


def found_sensors() -> list[FoundDoor]:
    """What is plugged in."""
    return [FoundDoor(each.uri, each.note) for each in find_sensors()]


class LiveCamera:
    """The camera of a draft, opened while its sketch is looked at; used by one thread at a time."""

    def __init__(self) -> None:
        self.asked_s = 0.0
        self._named: CameraSettings | None = None
        self._opened: Camera | None = None

    def sketch(self, camera: CameraSettings) -> bytes | None:
        """What it sees now in JPEG; None without a picture."""
        import cv2

        from comfywear.vision.drawing.sketch import sketch

        self.asked_s = time.monotonic()
        first = camera != self._named or self._opened is None
        if first:
            self.close()
            try:
                self._opened = open_configured(camera)
            except ComfyWearError:
                return None
            self._named = camera
        assert self._opened is not None
        frame = self._opened.latest(FIRST_PICTURE_S if first else WAIT_S)
        self.asked_s = time.monotonic()
        if frame is None:
            return None
        _, encoded = cv2.imencode(".jpg", sketch(frame.image, []))
        return encoded.tobytes()

    def close(self) -> None:
        """Let go of it."""
        if self._opened is not None:
            self._opened.close()
        self._opened = self._named = None


class LiveSensors:
    """The sensors of a draft, opened while their values are looked at; used by one thread at a time."""

    def __init__(self) -> None:
        self.asked_s = 0.0
        self._readers: dict[str, PatientReader] = {}
        self._last: dict[str, SensorNow] = {}

    def now(self, uris: Sequence[str]) -> list[SensorNow]:
        """What each says, or why it says nothing."""
        self.asked_s = time.monotonic()
        for uri in self._readers.keys() - set(uris):
            self._readers.pop(uri).close()
        return [self._of(uri) for uri in uris]

    def _of(self, uri: str) -> SensorNow:
        shown = redact(uri)
        if uri not in self._readers:
            self._last.pop(uri, None)
            try:
                self._readers[uri] = PatientReader(uri, every_s=0.5, retry_s=(0.5, 5.0))
            except BadSensorURI as error:
                return SensorNow(shown, None, None, redact(str(error)), False)
        reader = self._readers[uri]
        if reading := reader.poll(WAIT_S):
            why = no_room(reading)
            self._last[uri] = SensorNow(
                shown, reading.air_temp_c, reading.humidity_pct, why, bool(why and "unit=F" in why)
            )
        said = reader.error or reader.said
        if said or uri not in self._last:
            return SensorNow(shown, None, None, redact(said or "nothing has come yet"), False)
        return self._last[uri]

    def close(self) -> None:
        """Let go of them."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
