"""Cameras by URI, each in a process of its own that can be killed; photos in one call."""

from comfywear.vision.camera.photo import read_photo
from comfywear.vision.camera.process import Camera, CameraState, open_camera
from comfywear.vision.camera.uri import CameraUri, parse_camera_uri

__all__ = ["Camera", "CameraState", "CameraUri", "open_camera", "parse_camera_uri", "read_photo"]
