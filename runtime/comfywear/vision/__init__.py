"""What the device sees: cameras, detector, attributes, persons over time. Names are imported when they are used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfywear.vision.attributes import AttributeModel
    from comfywear.vision.camera import Camera, CameraState, open_camera, read_photo
    from comfywear.vision.composed import ComposedDetector, open_detector
    from comfywear.vision.detector import Detector
    from comfywear.vision.persons import PersonBook
    from comfywear.vision.sample import sample_answers
    from comfywear.vision.tracker import ByteTracker
    from comfywear.vision.zones import ZoneArea

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
    "ByteTracker": "comfywear.vision.tracker",
    "Camera": "comfywear.vision.camera",
    "CameraState": "comfywear.vision.camera",
    "ComposedDetector": "comfywear.vision.composed",
    "Detector": "comfywear.vision.detector",
    "PersonBook": "comfywear.vision.persons",
    "ZoneArea": "comfywear.vision.zones",
    "open_camera": "comfywear.vision.camera",
    "open_detector": "comfywear.vision.composed",
    "read_photo": "comfywear.vision.camera",
    "sample_answers": "comfywear.vision.sample",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
