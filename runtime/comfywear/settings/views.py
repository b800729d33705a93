"""Which cameras there are, what each sees of the zones, and what is wrong with what the settings say of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from comfywear.errors import UsageError
from comfywear.settings.camera import CameraSettings, NamedCameraSettings
from comfywear.settings.polygons import PicturePoint, doubled_area
from comfywear.texts import Text

if TYPE_CHECKING:
    from comfywear.settings.zones import ViewSettings, ZoneSettings

__all__ = [
    "ONLY",
    "ZoneView",
    "camera_list_faults",
    "cameras_of",
    "view_faults",
    "views_of",
    "which_camera",
    "zones_of",
]

ONLY = "camera"
"""The name of the camera of `[camera]`."""

Floor = tuple[tuple[float, float, float, float], ...]

_LEAST_AREA = 1e-4  # of the triangle of three floor points, in parts of the picture and in square metres


class SeeingSettings(Protocol):
    """What of the settings says who sees what."""

    @property
    def camera(self) -> CameraSettings:
        """The single camera."""

    @property
    def cameras(self) -> Sequence[NamedCameraSettings]:
        """Several."""

    @property
    def zones(self) -> Sequence[ZoneSettings]:
        """The zones."""


class ZoneView(NamedTuple):
    """What a camera sees of a zone.

    Attributes:
        polygon: Corners (x, y) in parts of the picture's width and height; empty = the whole picture.
        floor: Four points of the floor, (x, y) in the picture and where they are, m; empty = not known.
    """

    polygon: tuple[PicturePoint, ...] = ()
    floor: Floor = ()


def cameras_of(settings: SeeingSettings) -> dict[str, CameraSettings]:
    """The cameras by name; empty where there is none."""
    if settings.cameras:
        return {camera.name: camera for camera in settings.cameras}
    return {ONLY: settings.camera} if settings.camera.source else {}


def views_of(settings: SeeingSettings, camera: str = "") -> dict[str, ZoneView]:
    """What `camera` ("" = the only one) sees, by zone in the order of the settings."""
    several = len(settings.cameras) > 1
    found: dict[str, ZoneView] = {}
    for zone in settings.zones:
        if zone.views:
            views = {view.camera: view for view in zone.views}
            if camera in views:
                found[zone.name] = ZoneView(tuple(views[camera].polygon), tuple(views[camera].floor))
        elif not several or zone.camera == camera:
            found[zone.name] = ZoneView(tuple(zone.polygon))
    return found


def which_camera(camera: str | None, cameras: Sequence[str], unsaid: str = Text("say which camera")) -> str:
    """The camera that is meant; None means the only one.

    Raises:
        UsageError: When there is no such camera, or it must be said (`unsaid` is how).
    """
    if camera is None and len(cameras) == 1:
        return cameras[0]
    if camera is None or camera not in cameras:
        said = unsaid if camera is None else Text("no camera is named {camera}", camera=repr(camera))
        raise UsageError(Text("{said}; the cameras are: {names}", said=said, names=", ".join(cameras) or "none"))
    return camera


def zones_of(settings: SeeingSettings) -> dict[str, tuple[str, ...]]:
    """The cameras that see each zone, in the order of the settings; none without a camera."""
    seen = {name: views_of(settings, name) for name in cameras_of(settings)}
    return {zone.name: tuple(name for name, views in seen.items() if zone.name in views) for zone in settings.zones}


def camera_list_faults(camera: CameraSettings, cameras: Sequence[NamedCameraSettings]) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: both kinds of tables, names twice, no source."""
    if cameras and camera != CameraSettings():
        yield "camera", Text("[camera] is for a single camera: put it among the [[cameras]], with a name")
    names = [each.name for each in cameras]
    for index, each in enumerate(cameras):
        if each.name in names[:index]:
            yield f"cameras[{index}].name", Text("Two cameras are named {name}", name=repr(each.name))
        if not each.source:
            yield f"cameras[{index}].source", Text("A camera of several needs a source")


def view_faults(zones: Sequence[ZoneSettings], cameras: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The field's path and what is wrong with it: which cameras see a zone, and by which points.

    Args:
        zones: Of the settings.
        cameras: The names that there are.
    """
    known = ", ".join(cameras) or "none"
    for index, zone in enumerate(zones):
        path = f"zones[{index}]"
        named = [(f"{path}.camera", zone.camera)] if zone.camera else []
        named += [(f"{path}.views[{number}].camera", view.camera) for number, view in enumerate(zone.views)]
        for field, name in named:
            if name not in cameras:
                yield field, Text("No camera is named {name}; the cameras are: {known}", name=repr(name), known=known)
        if not zone.views:
            if len(cameras) > 1 and not zone.camera:
                yield f"{path}.name", Text("Say which camera sees this zone: camera = one of {known}", known=known)
            continue
        if zone.camera or zone.polygon:
            field = "camera" if zone.camera else "polygon"
            yield f"{path}.{field}", Text("A zone with [[zones.views]] has its cameras and polygons there")
        if len({view.camera for view in zone.views}) != 2 or len(zone.views) != 2:
            said = Text(
                "[[zones.views]] are for a zone that two cameras see: one for each (a single one is camera = …)"
            )
            yield f"{path}.views", said
        for number, view in enumerate(zone.views):
            if fault := _floor_fault(view):
                yield f"{path}.views[{number}].floor", fault
        if len({bool(view.floor) for view in zone.views}) > 1:
            yield f"{path}.views", Text("The floor points of one view alone say nothing: give them in both")
    for index, name in enumerate(cameras):
        if len(cameras) > 1 and not any(name in (zone.camera, *(view.camera for view in zone.views)) for zone in zones):
            said = Text(
                "No zone is seen by it: give a zone camera = {name}, or one of its [[zones.views]]", name=repr(name)
            )
            yield f"cameras[{index}].name", said


def _floor_fault(view: ViewSettings) -> str | None:
    if len(view.floor) not in (0, 4):
        return Text("Four floor points are wanted, each [x, y, metres, metres], not {floor}", floor=len(view.floor))
    for left_out in range(len(view.floor)):
        three = [point for number, point in enumerate(view.floor) if number != left_out]
        for part in ([point[:2] for point in three], [point[2:] for point in three]):
            if doubled_area(*part) < 2 * _LEAST_AREA:
                return Text("Three of the four floor points lie on a line: choose the corners of a wide rectangle")
    return None
