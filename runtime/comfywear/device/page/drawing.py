"""Zones, masks and lines of the page: what is drawn, what is wrong with a drawing, and how it is kept."""

from __future__ import annotations

from collections.abc import Sequence

from comfywear import web
from comfywear.device.sight.finds import Pictures
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.errors import UsageError
from comfywear.records import Frame, Person
from comfywear.settings import Settings
from comfywear.settings.drawing import changes_of, shapes_of
from comfywear.settings.shapes import DrawnShape, findings
from comfywear.settings.views import cameras_of, which_camera
from comfywear.texts import Text
from comfywear.vision.people.zones import ZoneArea, zone_of

__all__ = ["PageDrawings"]


class PageDrawings:
    """What `comfywear.web.Drawings` asks for.

    Args:
        file: The settings.
        running: Those that the device runs with.
        pictures: The newest frame of each camera with its persons.
    """

    def __init__(self, file: SettingsFile, running: Settings, pictures: Pictures) -> None:
        self._file, self._running, self._pictures = file, running, pictures

    def drawing(self, camera: str | None) -> web.Drawing:
        """What is drawn in a camera's picture now."""
        settings, _, version = self._file.read()
        name = which_camera(camera, list(cameras_of(settings)))
        all_but = cameras_of(settings)[name].mask_all_but
        return web.Drawing(name, version, all_but, tuple(shapes_of(settings, name)), settings == self._running)

    def check(self, camera: str | None, shapes: Sequence[DrawnShape]) -> web.CheckedDrawing:
        """What is wrong with the shapes of a picture, and who stands in its zones now."""
        pictures = self._pictures()
        name = camera or next(iter(pictures), "")
        counts = _counts(shapes, *pictures[name]) if name in pictures else None
        return web.CheckedDrawing(tuple(findings(shapes)), counts)

    def keep(self, camera: str | None, shapes: Sequence[DrawnShape], version: str) -> None:
        """Write the shapes of a picture into the settings; raises as `SettingsFile.change`."""
        settings, data, _ = self._file.read()
        name = which_camera(camera, list(cameras_of(settings)))
        if wrong := next((each for each in findings(shapes) if each.blocks), None):
            shape = shapes[wrong.shape]
            raise UsageError(
                Text(
                    "the {kind} {value} cannot be kept: {code}",
                    kind=shape.kind,
                    value=shape.name or wrong.shape + 1,
                    code=wrong.code,
                )
            )
        self._file.change(changes_of(settings, data, name, shapes), version)


def _counts(shapes: Sequence[DrawnShape], frame: Frame, persons: Sequence[Person]) -> tuple[int, ...]:
    """How many of those who are seen stand in each shape; of what is no zone, or no area yet, 0."""
    height, width = frame.image.shape[:2]
    zones = {
        str(index): ZoneArea(str(index), shape.points)
        for index, shape in enumerate(shapes)
        if shape.kind == "zone" and len(shape.points) not in (1, 2)
    }
    stand = [zone_of(person.box, width, height, list(zones.values())) for person in persons]
    return tuple(stand.count(str(index)) for index in range(len(shapes)))
