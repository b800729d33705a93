"""The view of a room in which one knows the room and nobody: the plate abstracted, and figures for persons.

Where the plate has the room, it is shown, whoever stands before it. Where it has not yet, only the coarse abstraction
of the frame is: long straight lines, and tones that melt over a tenth of the picture; and where somebody is found or
something moves, not even that, but what surrounds it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box, Person
from comfywear.vision.drawing.abstraction import Abstraction, abstracted, small_size
from comfywear.vision.drawing.figures import draw_figures
from comfywear.vision.drawing.plate import Plate
from comfywear.vision.motion import MotionMap

__all__ = ["RoomView", "first_view"]

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_KEEP_S = 4.0  # the room is drawn anew so often; figures in it with each frame
_RECENT_S = 20.0  # what moved within so long may be somebody


class RoomView:
    """What is shown of one camera. Its plate is in memory alone; any thread may call it.

    Attributes:
        plate: What is known of the room.
    """

    def __init__(self) -> None:
        self.plate = Plate()
        self._lock = threading.Lock()
        self._frame: Image | None = None
        self._people: Mask = np.zeros((0, 0), np.bool_)
        self._now_s = self._room_s = -math.inf
        self._size = (0, 0)
        self._drawing: Abstraction | None = None
        self._rooms: dict[bool, Image] = {}  # by whether it is dark

    def add(
        self, image: Image, now_s: float, people: Sequence[Box], motion: MotionMap, weak: Sequence[Box] = ()
    ) -> None:
        """Take a frame.

        Args:
            image: `(H, W, 3) uint8` BGR.
            now_s: On any clock that does not go back.
            people: Boxes of persons, pixels of `image`.
            motion: Has taken this frame and those before.
            weak: Boxes of what may be a person: none enters the plate, and none is hidden as long as nothing moves.
        """
        with self._lock:
            looked = self.plate.add(image, now_s, [*people, *weak], motion)
            self._frame, self._now_s = image, now_s
            recent_s = now_s - _RECENT_S if looked else math.inf
            perhaps = self.plate.perhaps_people(recent_s, people, motion)
            self._people = perhaps if looked else self._people | perhaps  # between looks only finds are added

    def draw(
        self,
        persons: Sequence[Person],
        comfort: Mapping[str, tuple[int | None, float | None]] | None = None,
        *,
        dark: bool = False,
    ) -> Image | None:
        """The view of the newest frame, `(H, W, 3) uint8` BGR; None before the first.

        Args:
            persons: Boxes in pixels of the frame.
            comfort: As of `draw_figures`.
            dark: For a dark page.
        """
        with self._lock:
            if self._frame is None:
                return None
            size = (self._frame.shape[1], self._frame.shape[0])
            if self._drawing is None or self._size != size or self._now_s - self._room_s >= _KEEP_S:
                self._drawing, self._size, self._room_s = self._abstracted(self._frame), size, self._now_s
                self._rooms.clear()
            if dark not in self._rooms:
                self._rooms[dark] = self._drawing.drawn(size, dark=dark)
            return draw_figures(self._rooms[dark], persons, comfort, dark=dark)

    def _abstracted(self, frame: Image) -> Abstraction:
        """The room without figures."""
        plate, known = self.plate, self.plate.known()
        small = np.asarray(cv2.resize(frame, plate.size, interpolation=cv2.INTER_AREA), np.uint8)
        cv2.copyTo(plate.picture, known.view(np.uint8), small)
        hidden = plate.pixels(self._people & ~plate.cells)
        return abstracted(small, known & ~_perhaps_skin(small), hidden)


def first_view(image: Image) -> Image:
    """What is shown of a frame `(H, W, 3) uint8` of which nothing else is known."""
    size = small_size(image.shape[1], image.shape[0])
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return abstracted(small).drawn((image.shape[1], image.shape[0]))


def _perhaps_skin(small: Image) -> Mask:
    """Where the colour is that of skin of any tone, with what is around it as far as hair would be."""
    parts = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)
    skin = cv2.inRange(parts, (30, 138, 80), (255, 175, 125))
    skin = cv2.morphologyEx(skin, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.dilate(skin, np.ones((9, 9), np.uint8)) > 0)
