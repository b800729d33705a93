"""A made office with somebody in it: a drawn room, and the demo's photograph of a person cut out behind the desk."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.demo.scene import sample_photo
from comfywear.vision import read_photo

__all__ = ["office"]

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 640, 480
_WALL, _SIDE, _FLOOR, _CEILING = (214, 222, 226), (196, 206, 212), (112, 134, 156), (234, 238, 240)
_DOOR, _WOOD, _DARK, _GLASS = (120, 150, 176), (96, 140, 184), (70, 64, 60), (232, 214, 190)
_BOOKS: tuple[Colour, ...] = ((60, 60, 170), (140, 90, 50), (70, 130, 80), (60, 150, 200), (110, 70, 110))


def office(*, person: bool = True) -> Image:
    """The room as a camera in its corner sees it, `(480, 640, 3) uint8` BGR, with somebody behind the desk or empty."""
    image = np.full((HEIGHT, WIDTH, 3), _WALL, np.uint8)
    _fill(image, [(0, 0), (640, 0), (520, 60), (120, 60)], _CEILING)
    _fill(image, [(0, 0), (120, 60), (120, 330), (0, 440)], _SIDE)
    _fill(image, [(640, 0), (520, 60), (520, 330), (640, 440)], _SIDE)
    _fill(image, [(0, 480), (0, 440), (120, 330), (520, 330), (640, 440), (640, 480)], _FLOOR)
    _fill(image, [(30, 100), (90, 118), (90, 356), (30, 412)], _DOOR)  # the door, in the wall at the left
    cv2.circle(image, (80, 250), 4, _DARK, -1, cv2.LINE_AA)
    for left in (180, 262):  # a window of two panes in the wall opposite
        cv2.rectangle(image, (left - 6, 94), (left + 82, 216), (250, 250, 250), -1)
        cv2.rectangle(image, (left, 100), (left + 76, 210), _GLASS, -1)
    _shelf(image)
    if person:
        _somebody(image)
    _fill(image, [(190, 330), (470, 330), (520, 366), (150, 366)], _WOOD)  # the desk
    _fill(image, [(150, 366), (520, 366), (520, 380), (150, 380)], (70, 110, 150))
    for left in (166, 490):
        cv2.rectangle(image, (left, 380), (left + 14, 470), (64, 100, 138), -1)
    cv2.rectangle(image, (412, 272), (478, 322), _DARK, -1)  # a screen on it
    cv2.rectangle(image, (440, 322), (450, 342), _DARK, -1)
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _shelf(image: Image) -> None:
    """A shelf with books at the right."""
    cv2.rectangle(image, (390, 90), (500, 250), _WOOD, -1)
    for row in range(3):
        top = 98 + 52 * row
        cv2.rectangle(image, (396, top), (494, top + 44), (60, 92, 124), -1)
        for index in range(11):
            left = 398 + index * 8
            tall = 30 + (index * 7 + row * 5) % 12
            cv2.rectangle(image, (left, top + 44 - tall), (left + 6, top + 44), _BOOKS[(index + row) % len(_BOOKS)], -1)


def _somebody(image: Image) -> None:
    """The person of the demo's photograph, cut out, behind the desk."""
    photo = read_photo(sample_photo())
    high = 230
    small = cv2.resize(photo, (high * photo.shape[1] // photo.shape[0], high), interpolation=cv2.INTER_AREA)
    tall, wide = small.shape[:2]
    mask = np.zeros((tall, wide), np.uint8)
    inside = (wide // 12, tall // 40, wide - wide // 6, tall - tall // 40)
    cv2.grabCut(small, mask, inside, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    alpha = cv2.GaussianBlur(np.where((mask == 1) | (mask == 3), 1.0, 0.0), (3, 3), 0)[:, :, None]
    left, top = 230, 352 - tall
    place = image[top : top + tall, left : left + wide]
    place[...] = (small * alpha + place * (1.0 - alpha)).astype(np.uint8)


def _fill(image: Image, corners: list[tuple[int, int]], colour: Colour) -> None:
    cv2.fillPoly(image, [np.array(corners, np.int32)], colour, cv2.LINE_AA)
