"""The camera's table: where pictures come from, how they are turned, and what nobody may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.errors import UsageError
from comfywear.settings.camera_uri import parse_camera_uri
from comfywear.settings.types import Fraction, Name, Positive, Section
from comfywear.texts import Text

__all__ = ["CameraSettings", "DewarpSettings", "MaskSettings", "NamedCameraSettings", "camera_faults"]

_SLOWEST_FPS, _FASTEST_FPS = 0.001, 1000.0


class MaskSettings(Section, frozen=True):
    """A part of the picture that nobody may see: black before any model, the page or a record gets the picture."""

    polygon: Annotated[
        list[tuple[Fraction, Fraction]],
        Meta(
            title="Polygon",
            description="Corners [x, y] in parts of the picture's width and height, as the zones' are.",
            min_length=3,
        ),
    ]
    name: Annotated[str, Meta(title="Name", description="What it hides, for whoever reads this file.")] = ""


class DewarpSettings(Section, frozen=True):
    """A fisheye picture (equidistant: as far from the middle as the angle says) becomes straight."""

    lens_deg: Annotated[
        Annotated[float, Meta(ge=60, le=220)],
        Meta(
            title="Lens",
            description="The angle that the lens sees across the picture's width (a round picture: across the circle).",
            extra={"unit": "°"},
        ),
    ]
    view_deg: Annotated[
        Annotated[float, Meta(ge=20, le=140)],
        Meta(
            title="View",
            description="The angle that is kept across the straight picture's width.",
            extra={"unit": "°"},
        ),
    ] = 100.0
    centre: Annotated[
        tuple[Fraction, Fraction],
        Meta(title="Middle", description="Of the lens, [x, y] in parts of the picture's width and height."),
    ] = (0.5, 0.5)
    k: Annotated[
        tuple[float, float, float, float],
        Meta(title="Distortion", description="k1 … k4 of OpenCV's fisheye model, from a calibration."),
    ] = (0.0, 0.0, 0.0, 0.0)


class CameraSettings(Section, frozen=True):
    """Where pictures come from. They never leave the device."""

    source: Annotated[
        str,
        Meta(
            title="Source",
            description="v4l2:///dev/video0, picamera://0, rtsp://host/path, http://host/stream (MJPEG or a picture), "
            "file:///clip.mp4, images:///folder, or the path of a photo (docs/vision.md). Empty = no camera: climate "
            "and votes only.",
        ),
    ] = ""
    fps: Annotated[
        Positive,
        Meta(title="Frame rate", description="Frames looked at in a second, at most.", extra={"unit": "1/s"}),
    ] = 2.0
    loop: Annotated[bool, Meta(title="Loop", description="Begin a recording again at its end.")] = False
    hold_s: Annotated[
        Annotated[float, Meta(ge=0, le=86_400)],
        Meta(
            title="Hold",
            description="How long each picture of a folder is shown that is another photo than the one before, not the "
            "next of a sequence: a person counts from the second look on. 0 = one look.",
            extra={"unit": "s"},
        ),
    ] = 3.0
    dewarp: Annotated[
        DewarpSettings | None,
        Meta(title="Dewarp", description="Straighten a fisheye picture: { lens_deg = 180 } and more (docs/vision.md)."),
    ] = None
    rotate: Annotated[
        Literal[0, 90, 180, 270],
        Meta(title="Rotate", description="Turn the picture clockwise.", extra={"unit": "°"}),
    ] = 0
    flip: Annotated[
        Literal["none", "horizontal", "vertical"],
        Meta(title="Flip", description="Mirror the turned picture: left and right, or top and bottom."),
    ] = "none"
    crop: Annotated[
        tuple[Fraction, Fraction, Fraction, Fraction],
        Meta(
            title="Crop",
            description="Keep the part [left, top, right, bottom] of the turned picture, in parts of its width and "
            "height. Masks and zones are parts of what is left.",
        ),
    ] = (0.0, 0.0, 1.0, 1.0)
    mask: Annotated[
        list[MaskSettings],
        Meta(
            title="Masks",
            description="[[camera.mask]] tables ([[cameras.mask]] below one of several), each with a polygon that is "
            "burnt black before anything sees the picture (docs/vision.md).",
        ),
    ] = msgspec.field(default_factory=list)
    mask_all_but: Annotated[
        bool,
        Meta(title="Mask all but", description="The polygons of the masks are what may be seen; the rest is black."),
    ] = False
    private: Annotated[
        bool,
        Meta(
            title="Private at first",
            description="The camera does not look until its privacy is switched off: by command, over MQTT, in Home "
            "Assistant or on the page (docs/vision.md). What was switched last counts over restarts.",
        ),
    ] = False


class NamedCameraSettings(CameraSettings, frozen=True, kw_only=True):
    """One of several cameras, in place of `[camera]`: its name, and every field of `[camera]`.

    Each has a process of its own, and a zone says which one sees it. What looks is shared by all (docs/vision.md).
    """

    name: Annotated[Name, Meta(title="Name", description="Stands in topics and in zones: letters, digits, _ and -.")]


def camera_faults(camera: CameraSettings) -> Iterator[tuple[str, str]]:
    """What one field alone cannot show: the field's path within the table and what is wrong with it."""
    if camera.source:
        try:
            parse_camera_uri(camera.source)
        except UsageError as error:
            yield "source", str(error)
    if not _SLOWEST_FPS <= camera.fps <= _FASTEST_FPS:
        yield (
            "fps",
            Text(
                "must be in {slowest_fps}…{fastest_fps} a second, not {fps}",
                slowest_fps=f"{_SLOWEST_FPS:g}",
                fastest_fps=f"{_FASTEST_FPS:g}",
                fps=f"{camera.fps:g}",
            ),
        )
    left, top, right, bottom = camera.crop
    if right - left < 0.01 or bottom - top < 0.01:
        yield "crop", Text("[left, top, right, bottom] leaves nothing of the picture")
    if camera.mask_all_but and not camera.mask:
        yield "mask_all_but", Text("without a [[camera.mask]] nothing may be seen at all")
