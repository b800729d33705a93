"""Twelve made rooms, as a camera high on a wall sees them: boxes in perspective, light, grain and cut-out people.

The people are photographs in the public domain that Python packages carry (docs/models.md); all else is drawn here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from comfywear.demo.scene import sample_photo
from comfywear.vision import read_photo

__all__ = ["ROOMS", "MadeRoom"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Colour = tuple[int, int, int]
Span = tuple[float, float, float]

WIDTH, HEIGHT = 640, 480
WOOD, PALE, DARK, WHITE, STEEL = (96, 142, 186), (168, 196, 214), (66, 62, 60), (238, 240, 240), (164, 160, 156)
GREEN, BLUE, RED, YELLOW, GREY = (92, 136, 84), (160, 112, 62), (64, 66, 168), (80, 186, 220), (140, 142, 144)
GLASS, DOOR = (236, 222, 200), (112, 146, 172)
_TONES: Mapping[str, float] = {"top": 1.08, "front": 0.86, "left": 0.74, "right": 0.96}


@dataclass
class MadeRoom:
    """A room of `size` m (wide, deep, high) with a camera in the middle of its front wall, turned by `yaw` degrees.

    x runs to the right, y away from the camera, z up.
    """

    size: Span = (5.0, 6.0, 2.7)
    wall: Colour = (212, 222, 226)
    floor: Colour = (116, 138, 160)
    yaw: float = 0.0
    _boxes: list[tuple[Floats, Colour]] = field(default_factory=list)
    _flat: list[tuple[list[Span], Colour]] = field(default_factory=list)
    _people: list[tuple[str, Span, float]] = field(default_factory=list)

    def box(self, low: Span, high: Span, colour: Colour) -> None:
        """A cuboid between two corners."""
        self._boxes.append((np.array([low, high], float), colour))

    def on_wall(self, wall: str, along: float, wide: float, low: float, high: float, colour: Colour) -> None:
        """A rectangle on the wall `left`, `right` or `back`, `along` m from its nearer or left end."""
        width, depth, _ = self.size
        ends = [along, along + wide]
        at = {"left": lambda s, z: (0.0, s, z), "right": lambda s, z: (width, s, z), "back": lambda s, z: (s, depth, z)}
        corners = [at[wall](ends[0], low), at[wall](ends[1], low), at[wall](ends[1], high), at[wall](ends[0], high)]
        self._flat.append((corners, colour))

    def door(self, wall: str, along: float, colour: Colour = DOOR) -> None:
        """A door with its frame and handle."""
        self.on_wall(wall, along - 0.08, 1.06, 0.0, 2.08, WHITE)
        self.on_wall(wall, along, 0.9, 0.0, 2.0, colour)
        self.on_wall(wall, along + 0.74, 0.1, 0.96, 1.04, DARK)

    def window(self, wall: str, along: float, wide: float = 1.4) -> None:
        """A window of two panes."""
        self.on_wall(wall, along, wide, 0.9, 2.2, WHITE)
        for pane in range(2):
            self.on_wall(wall, along + 0.06 + pane * wide / 2, wide / 2 - 0.12, 0.97, 2.13, GLASS)

    def table(self, x: float, y: float, wide: float, deep: float, colour: Colour = WOOD, high: float = 0.74) -> None:
        """A table whose nearer left corner is at (x, y)."""
        for left in (x, x + wide - 0.06):
            for near in (y, y + deep - 0.06):
                self.box((left, near, 0), (left + 0.06, near + 0.06, high), DARK)
        self.box((x, y, high - 0.04), (x + wide, y + deep, high), colour)

    def chair(self, x: float, y: float, colour: Colour = DARK, *, back: bool = True) -> None:
        """A chair on (x, y), whose back is away from the camera or, with `back` false, none."""
        self.box((x - 0.22, y - 0.22, 0.4), (x + 0.22, y + 0.22, 0.47), colour)
        self.box((x - 0.03, y - 0.03, 0), (x + 0.03, y + 0.03, 0.4), STEEL)
        if back:
            self.box((x - 0.22, y + 0.18, 0.47), (x + 0.22, y + 0.24, 0.95), colour)

    def screen(self, x: float, y: float, high: float = 0.74) -> None:
        """A screen on a table."""
        self.box((x - 0.3, y, high + 0.08), (x + 0.3, y + 0.05, high + 0.45), DARK)

    def shelf(self, wall: str, along: float, wide: float, high: float = 1.9, colour: Colour = WOOD) -> None:
        """Shelves with books in many colours, as they look from the front."""
        width, depth, _ = self.size
        if wall == "back":
            self.box((along, depth - 0.3, 0), (along + wide, depth, high), colour)
        else:
            x = (0.0, 0.3) if wall == "left" else (width - 0.3, width)
            self.box((x[0], along, 0), (x[1], along + wide, high), colour)
        chance = np.random.default_rng(round(100 * along))
        for row in range(int(high / 0.42)):
            at, low = along + 0.06, 0.1 + 0.42 * row
            while at < along + wide - 0.12:
                thick, tall = chance.uniform(0.04, 0.09), chance.uniform(0.2, 0.32)
                dye = (RED, BLUE, GREEN, YELLOW, PALE, DARK)[int(chance.integers(6))]
                if wall == "back":
                    self.box((at, depth - 0.32, low), (at + thick, depth - 0.3, low + tall), dye)
                else:
                    x_face = (0.3, 0.32) if wall == "left" else (width - 0.32, width - 0.3)
                    self.box((x_face[0], at, low), (x_face[1], at + thick, low + tall), dye)
                at += thick + 0.01

    def somebody(self, who: str, x: float, y: float, high: float = 1.2, above: float = 0.55) -> None:
        """The upper body of somebody who sits or stands at (x, y), from `above` m over the floor on."""
        self._people.append((who, (x, y, above), high))

    def drawn(self, *, people: bool = True) -> Image:
        """The picture, `(480, 640, 3) uint8` BGR."""
        image = np.full((HEIGHT, WIDTH, 3), self.wall, np.uint8)
        width, depth, high = self.size
        near = 0.35
        self._quad(image, [(0, near, 0), (width, near, 0), (width, depth, 0), (0, depth, 0)], self.floor)
        self._quad(
            image, [(0, near, high), (width, near, high), (width, depth, high), (0, depth, high)], (236, 238, 240)
        )
        for x, tone in ((0.0, 0.86), (width, 0.93)):
            side = [(x, near, 0.0), (x, depth, 0.0), (x, depth, high), (x, near, high)]
            self._quad(image, side, _times(self.wall, tone))
        for corners, colour in self._flat:
            self._quad(image, corners, colour)
        self._shadows(image)
        things: list[tuple[float, Callable[[], None]]] = []
        for corners, colour in self._boxes:
            away = float(np.hypot(*(corners.mean(axis=0)[:2] - (width / 2, 0.0))))
            things.append((away, lambda c=corners, dye=colour: self._cuboid(image, c, dye)))  # type: ignore[misc]
        for who, place, tall in self._people if people else ():
            away = float(np.hypot(place[0] - width / 2, place[1]))
            things.append((away, lambda w=who, p=place, t=tall: self._person(image, w, p, t)))  # type: ignore[misc]
        for _, draw in sorted(things, key=lambda each: -each[0]):
            draw()
        light = np.linspace(1.04, 0.88, WIDTH)[None, :, None] * np.linspace(1.03, 0.93, HEIGHT)[:, None, None]
        grain = np.random.default_rng(0).normal(0, 3, image.shape)
        return np.clip(image * light + grain, 0, 255).astype(np.uint8)

    def _at(self, points: Floats) -> Floats:
        """Where points `(N, 3)` are in the picture, and how far away `(N, 3)`: x, y, depth."""
        turn, down = np.radians(self.yaw), np.radians(21)
        place = points - np.array([self.size[0] / 2, 0.0, 2.25])
        x = place[:, 0] * np.cos(turn) - place[:, 1] * np.sin(turn)
        y = place[:, 0] * np.sin(turn) + place[:, 1] * np.cos(turn)
        far, up = y * np.cos(down) - place[:, 2] * np.sin(down), y * np.sin(down) + place[:, 2] * np.cos(down)
        far = np.maximum(far, 0.05)
        return np.stack([WIDTH / 2 + 390 * x / far, HEIGHT / 2 - 390 * up / far, far], axis=1)

    def _quad(self, image: Image, corners: list[Span], colour: Colour) -> None:
        """A flat piece, cut into strips so that what is beside the camera is drawn too."""
        at = self._at(np.array(corners, float))[:, :2]
        cv2.fillPoly(image, [np.round(np.clip(at, -20000, 20000) * 4).astype(np.int32)], colour, cv2.LINE_AA, 2)

    def _cuboid(self, image: Image, corners: Floats, colour: Colour) -> None:
        (x1, y1, z1), (x2, y2, z2) = corners.tolist()
        eye = self.size[0] / 2
        if eye > x2:
            self._quad(image, [(x2, y1, z1), (x2, y2, z1), (x2, y2, z2), (x2, y1, z2)], _times(colour, _TONES["right"]))
        elif eye < x1:
            self._quad(image, [(x1, y1, z1), (x1, y2, z1), (x1, y2, z2), (x1, y1, z2)], _times(colour, _TONES["left"]))
        self._quad(image, [(x1, y1, z1), (x2, y1, z1), (x2, y1, z2), (x1, y1, z2)], _times(colour, _TONES["front"]))
        if z2 < 2.25:
            self._quad(image, [(x1, y1, z2), (x2, y1, z2), (x2, y2, z2), (x1, y2, z2)], _times(colour, _TONES["top"]))

    def _shadows(self, image: Image) -> None:
        dark = np.zeros((HEIGHT, WIDTH), np.uint8)
        for corners, _ in self._boxes:
            (x1, y1, z1), (x2, y2, _) = corners.tolist()
            if z1 < 0.8:
                grown = [(x1 - 0.08, y1 - 0.08, 0), (x2 + 0.16, y1 - 0.08, 0), (x2 + 0.16, y2, 0), (x1 - 0.08, y2, 0)]
                at = self._at(np.array(grown, float))[:, :2]
                cv2.fillPoly(dark, [np.round(np.clip(at, -20000, 20000)).astype(np.int32)], (90,))
        share = 1.0 - cv2.GaussianBlur(dark, (0, 0), 6).astype(float)[:, :, None] / 255.0
        image[...] = (image * share).astype(np.uint8)

    def _person(self, image: Image, who: str, place: Span, tall: float) -> None:
        (x, foot, _), (_, crown, _) = self._at(np.array([place, (place[0], place[1], place[2] + tall)]))
        high = max(round(foot - crown), 8)
        cut, alpha = _cut_out(who)
        wide = max(high * cut.shape[1] // cut.shape[0], 4)
        small = cv2.resize(cut, (wide, high), interpolation=cv2.INTER_AREA)
        share = cv2.resize(alpha, (wide, high), interpolation=cv2.INTER_AREA)[:, :, None]
        left, top = round(x - wide / 2), round(crown)
        rows, columns = slice(max(top, 0), min(top + high, HEIGHT)), slice(max(left, 0), min(left + wide, WIDTH))
        inside = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
        image[rows, columns] = (small[inside] * share[inside] + image[rows, columns] * (1 - share[inside])).astype(
            np.uint8
        )


def _times(colour: Colour, tone: float) -> Colour:
    blue, green, red = (min(round(each * tone), 255) for each in colour)
    return blue, green, red


@cache
def _cut_out(who: str) -> tuple[Image, NDArray[np.float32]]:
    """The upper body of a photograph, BGR, and how much of each pixel is theirs."""
    photo = read_photo(sample_photo()) if who == "hopper" else np.ascontiguousarray(data.astronaut()[:, :450, ::-1])
    high = 400
    small = cv2.resize(photo, (high * photo.shape[1] // photo.shape[0], high), interpolation=cv2.INTER_AREA)
    tall, wide = small.shape[:2]
    mask = np.zeros((tall, wide), np.uint8)
    inside = (wide // 12, tall // 40, wide - wide // 6, tall - tall // 40)
    cv2.grabCut(small, mask, inside, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    alpha = cv2.GaussianBlur(np.where((mask == 1) | (mask == 3), 1.0, 0.0).astype(np.float32), (3, 3), 0)
    return np.asarray(small, np.uint8), alpha


def _office() -> MadeRoom:
    room = MadeRoom(yaw=-6)
    room.door("left", 3.6)
    room.window("back", 1.9)
    room.shelf("right", 3.4, 1.4)
    room.table(1.6, 2.5, 1.9, 0.8)
    room.screen(3.0, 3.0)
    room.somebody("hopper", 2.3, 3.35, 1.25, 0.3)
    return room


def _two_desks() -> MadeRoom:
    room = MadeRoom(size=(6, 6, 2.7), wall=(220, 226, 214), floor=(132, 132, 128))
    room.window("back", 0.7)
    room.window("back", 3.6)
    room.door("right", 4.4, BLUE)
    for x in (0.8, 3.6):
        room.table(x, 3.2, 1.6, 0.8, PALE)
        room.screen(x + 0.8, 3.6)
        room.chair(x + 0.8, 2.7, BLUE)
    room.box((2.75, 5.5, 0), (3.35, 6, 1.3), GREY)
    room.somebody("astronaut", 4.1, 4.1, 1.1, 0.45)
    return room


def _meeting() -> MadeRoom:
    room = MadeRoom(size=(5.4, 6.4, 2.8), floor=(92, 96, 118))
    room.on_wall("back", 1.5, 2.4, 0.9, 2.2, DARK)
    room.on_wall("back", 1.56, 2.28, 0.96, 2.14, (210, 190, 150))
    room.door("left", 4.6)
    room.table(1.7, 2.4, 2.0, 2.6, WOOD)
    for y in (2.7, 3.6, 4.5):
        room.chair(1.3, y, RED)
        room.chair(4.1, y, RED)
    room.window("right", 3.0, 2.0)
    return room


def _classroom() -> MadeRoom:
    room = MadeRoom(size=(7, 7.5, 3.0), wall=(206, 224, 222), floor=(120, 150, 172))
    room.on_wall("back", 1.6, 3.6, 0.95, 2.15, (70, 92, 60))
    room.on_wall("back", 1.5, 3.8, 0.85, 0.95, WOOD)
    room.door("right", 6.2)
    room.window("left", 2.4, 1.6)
    room.window("left", 4.6, 1.6)
    for y in (2.4, 3.9, 5.2):
        for x in (1.0, 3.0, 5.0):
            room.table(x, y, 1.2, 0.5, PALE, 0.7)
    room.somebody("hopper", 5.6, 6.9, 1.3, 0.3)
    return room


def _kitchen() -> MadeRoom:
    room = MadeRoom(size=(4, 4.8, 2.6), wall=(214, 228, 232), floor=(178, 186, 188), yaw=5)
    room.box((0, 4.2, 0), (3.1, 4.8, 0.9), WHITE)
    room.box((0, 4.45, 1.5), (2.4, 4.8, 2.2), WHITE)
    room.box((1.0, 4.19, 0.1), (1.6, 4.2, 0.7), DARK)
    room.box((3.2, 4.1, 0), (3.95, 4.8, 1.9), STEEL)
    room.on_wall("back", 0.2, 2.7, 0.95, 1.45, (150, 180, 150))
    room.door("left", 2.2, WHITE)
    room.table(1.5, 2.2, 1.1, 0.9, WOOD)
    room.chair(2.9, 2.6, RED)
    return room


def _living() -> MadeRoom:
    room = MadeRoom(size=(5.2, 5.6, 2.6), wall=(190, 206, 222), floor=(90, 118, 150))
    room.window("back", 0.5, 1.8)
    room.door("back", 3.9, WHITE)
    room.box((0.1, 2.4, 0), (0.95, 4.5, 0.42), GREEN)
    room.box((0.1, 2.4, 0.42), (0.35, 4.5, 0.85), GREEN)
    room.table(1.8, 2.9, 1.1, 0.7, WOOD, 0.42)
    room.box((4.75, 2.8, 0), (5.2, 4.4, 0.5), DARK)
    room.on_wall("right", 2.9, 1.4, 0.75, 1.55, DARK)
    room.somebody("astronaut", 0.75, 3.5, 0.8, 0.4)
    return room


def _bedroom() -> MadeRoom:
    room = MadeRoom(size=(4.4, 5, 2.6), wall=(226, 214, 206), floor=(104, 130, 150), yaw=-4)
    room.box((1.2, 2.6, 0), (2.8, 4.6, 0.45), WHITE)
    room.box((1.2, 2.6, 0.45), (2.8, 3.9, 0.52), BLUE)
    room.box((1.1, 4.6, 0), (2.9, 4.7, 1.0), WOOD)
    room.box((3.1, 4.3, 0), (3.6, 4.8, 0.5), WOOD)
    room.window("left", 2.8, 1.3)
    room.door("right", 3.0)
    return room


def _corridor() -> MadeRoom:
    room = MadeRoom(size=(2.6, 9, 2.6), wall=(204, 220, 226), floor=(140, 142, 140))
    for y in (2.4, 4.4, 6.4):
        room.door("left", y, BLUE)
    room.door("right", 5.0, BLUE)
    room.on_wall("back", 0.75, 1.1, 0, 2.1, GLASS)
    room.box((2.2, 2.6, 0), (2.6, 4.4, 1.6), STEEL)
    return room


def _workshop() -> MadeRoom:
    room = MadeRoom(size=(6, 6.5, 3.2), wall=(190, 198, 200), floor=(124, 126, 128), yaw=4)
    room.on_wall("back", 3.2, 2.4, 0, 2.6, GREY)
    for z in (0.6, 1.2, 1.8):
        room.on_wall("back", 3.2, 2.4, z, z + 0.04, DARK)
    room.box((0, 3.2, 0), (0.8, 6.0, 0.9), WOOD)
    room.on_wall("left", 3.2, 2.8, 1.2, 1.9, PALE)
    room.box((2.6, 3.6, 0), (3.7, 4.4, 1.0), GREEN)
    room.box((2.9, 3.8, 1.0), (3.4, 4.2, 1.5), STEEL)
    room.box((5.3, 2.6, 0), (6, 3.6, 1.8), RED)
    return room


def _shop() -> MadeRoom:
    room = MadeRoom(size=(6, 7, 3.0), wall=(222, 230, 232), floor=(196, 200, 202))
    for x in (0.5, 2.5, 4.5):
        room.box((x, 3.0, 0), (x + 0.7, 6.2, 1.5), PALE)
        for z in (0.25, 0.7, 1.15):
            for index, y in enumerate(np.arange(3.05, 6.1, 0.32)):
                dye = (RED, YELLOW, GREEN, BLUE)[(index + round(10 * z)) % 4]
                side = x + 0.7 if x < 3 else x - 0.02
                room.box((side, y, z), (side + 0.02, y + 0.26, z + 0.28), dye)
    room.door("back", 3.6, GLASS)
    room.box((0.2, 1.9, 0), (1.4, 2.5, 0.95), DARK)
    return room


def _waiting() -> MadeRoom:
    room = MadeRoom(size=(5, 5.5, 2.7), wall=(214, 226, 214), floor=(150, 160, 168))
    for y in (2.4, 3.1, 3.8):
        room.chair(0.6, y, GREEN)
        room.chair(4.4, y, GREEN)
    room.door("back", 0.6)
    room.on_wall("back", 2.4, 1.2, 1.1, 1.9, BLUE)
    room.on_wall("back", 2.5, 1.0, 1.2, 1.8, PALE)
    room.table(2.0, 3.0, 1.0, 0.6, PALE, 0.45)
    room.box((4.2, 4.9, 0), (4.7, 5.4, 0.4), RED)
    room.box((4.3, 5.0, 0.4), (4.6, 5.3, 1.3), GREEN)
    room.somebody("astronaut", 0.6, 3.1, 0.85, 0.4)
    return room


def _library() -> MadeRoom:
    room = MadeRoom(size=(6, 6.4, 2.9), wall=(206, 216, 220), floor=(86, 104, 132))
    room.shelf("left", 2.4, 3.6, 2.2)
    room.shelf("back", 0.6, 3.2, 2.2)
    room.door("back", 4.4)
    room.table(2.4, 3.0, 1.5, 2.0, WOOD)
    room.window("right", 3.0, 1.6)
    room.chair(4.4, 3.6)
    room.somebody("hopper", 2.1, 4.6, 0.85, 0.5)
    return room


ROOMS: Mapping[str, Callable[[], MadeRoom]] = {
    "an office": _office,
    "two desks": _two_desks,
    "a meeting room": _meeting,
    "a classroom": _classroom,
    "a kitchen": _kitchen,
    "a living room": _living,
    "a bedroom": _bedroom,
    "a corridor": _corridor,
    "a workshop": _workshop,
    "a shop": _shop,
    "a waiting room": _waiting,
    "a library": _library,
}
