"""A made room that two cameras see from opposite sides: photographs of people stand on its floor."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.demo.scene import sample_photo
from comfywear.vision import read_photo

Image = NDArray[np.uint8]

WIDE, HIGH = 1280, 960
_ROOM_M = (6.0, 4.0)
_NEAR, _FAR = 0.95, 0.55  # where the floor's near and far edge are, in parts of the picture's height


class Standing(NamedTuple):
    """Somebody: where on the floor, m, and in what colour of clothes (a shift of hue)."""

    x_m: float
    y_m: float
    hue: int = 0


def floor(side: str) -> list[tuple[float, float, float, float]]:
    """The four corners of the floor as the camera "south" or "north" has them in its picture."""
    corners = [(0.02, _NEAR), (0.98, _NEAR), (0.8, _FAR), (0.2, _FAR)]
    wide, deep = _ROOM_M
    metres = [(0.0, 0.0), (wide, 0.0), (wide, deep), (0.0, deep)]
    if side == "north":
        metres = [(wide - x, deep - y) for x, y in metres]
    return [(*corner, *place) for corner, place in zip(corners, metres, strict=True)]


def picture(side: str, people: list[Standing]) -> Image:
    """What the camera on a side sees, `(960, 1280, 3) uint8` BGR."""
    image = np.full((HIGH, WIDE, 3), 186, np.uint8)
    image[int(_FAR * HIGH) :] = (120, 140, 150)
    points = np.array(floor(side), np.float32)
    to_picture = cv2.getPerspectiveTransform(points[:, 2:].copy(), points[:, :2] * np.array([WIDE, HIGH], np.float32))
    photo = read_photo(sample_photo())
    spots = []
    for each in people:
        (spot,) = cv2.perspectiveTransform(np.array([[[each.x_m, each.y_m]]], np.float32), to_picture)[0]
        spots.append((float(spot[1]), float(spot[0]), each.hue))
    for y, x, hue in sorted(spots):  # who is nearer hides who is farther
        high = int(0.5 * y)
        wide = high * photo.shape[1] // photo.shape[0]
        left, top = round(x - wide / 2), round(y) - high
        seen = cv2.resize(_dyed(photo, hue), (wide, high), interpolation=cv2.INTER_AREA)
        from_x, to_x = max(-left, 0), min(wide, WIDE - left)
        image[top : top + high, left + from_x : left + to_x] = seen[:, from_x:to_x]
    return image


def _dyed(photo: Image, hue: int) -> Image:
    """The photograph in other colours."""
    if not hue:
        return photo
    dyed = cv2.cvtColor(photo, cv2.COLOR_BGR2HSV)
    dyed[:, :, 0] = hue
    dyed[:, :, 1] = np.maximum(dyed[:, :, 1], 150)
    return cv2.cvtColor(dyed, cv2.COLOR_HSV2BGR).astype(np.uint8)
