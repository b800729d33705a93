"""Cameras by URI, each in a process of its own that can be killed; photos in one call."""

from comfywear.settings.camera_uri import CameraUri, parse_camera_uri
from comfywear.vision.camera.photo import read_photo
from comfywear.vision.camera.process import Camera, CameraState, open_camera, open_configured
from comfywear.vision.camera.view import View, view_of

__all__ = [
    "Camera",
    "CameraState",
    "CameraUri",
    "View",
    "open_camera",
    "open_configured",
    "parse_camera_uri",
    "read_photo",
    "view_of",
]
