"""Capture for re-annotation: crops of people with their faces hidden, kept only where the owner switched it on."""

from comfywear.feedback.capture.capturer import Capturer, CaptureState
from comfywear.feedback.capture.folder import CaptureFolder, as_coco, read_captures
from comfywear.feedback.capture.samplers import SAMPLERS, Look, Wanted

__all__ = ["SAMPLERS", "CaptureFolder", "CaptureState", "Capturer", "Look", "Wanted", "as_coco", "read_captures"]
