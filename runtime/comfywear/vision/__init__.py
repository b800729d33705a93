"""What the device sees: cameras, detector, attributes, persons over time. Names are imported when they are used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfywear.vision.attributes import AttributeModel
    from comfywear.vision.camera import Camera, CameraState, open_camera, read_photo
    from comfywear.vision.detectors.composed import ComposedDetector, open_detector
    from comfywear.vision.detectors.detector import Detector
    from comfywear.vision.people.persons import PersonBook
    from comfywear.vision.people.zones import ZoneArea
    from comfywear.vision.sample import sample_answers
    from comfywear.vision.tracking.tracker import ByteTracker

__all__ = [
    "AttributeModel",
    "ByteTracker",
    "Camera",
    "CameraState",
    "ComposedDetector",
    "Detector",
    "PersonBook",
    "ZoneArea",
    "open_camera",
    "open_detector",
    "read_photo",
    "sample_answers",
]

_HOMES = {
    "AttributeModel": "comfywear.vision.attributes",
    "ByteTracker": "comfywear.vision.tracking.tracker",
    "Camera": "comfywear.vision.camera",
    "CameraState": "comfywear.vision.camera",
    "ComposedDetector": "comfywear.vision.detectors.composed",
    "Detector": "comfywear.vision.detectors.detector",
    "PersonBook": "comfywear.vision.people.persons",
    "ZoneArea": "comfywear.vision.people.zones",
    "open_camera": "comfywear.vision.camera",
    "open_detector": "comfywear.vision.detectors.composed",
    "read_photo": "comfywear.vision.camera",
    "sample_answers": "comfywear.vision.sample",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
