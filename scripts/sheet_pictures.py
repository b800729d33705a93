"""The pictures of docs/detections.png: photographs in the public domain (or CC0) that packages carry, and drawings.

No photograph of an empty office is among them, so that one is drawn; the jacket over its chair is that of a photograph,
cut out without its wearer.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
from matplotlib import cbook
from skimage import data

WALL, FLOOR, WOOD, DARK, SKY = (214, 205, 190), (120, 104, 92), (168, 124, 82), (52, 54, 58), (196, 220, 240)
# Around the jacket of the first photograph (512 x 600 pixels), along its collar.
JACKET = (
    (196, 322), (150, 355), (62, 378), (36, 402), (20, 500), (10, 599), (511, 599), (511, 445), (482, 392), (350, 352),
    (330, 328), (318, 372), (298, 412), (262, 408), (222, 414), (206, 372),
)  # fmt: skip


def office() -> np.ndarray:
    """A drawn office with nobody in it: `(480, 640, 3) uint8` RGB."""
    image = np.empty((480, 640, 3), np.uint8)
    image[:330], image[330:] = WALL, FLOOR
    cv2.rectangle(image, (60, 50), (230, 210), SKY, -1)
    for x in (60, 145, 230):
        cv2.line(image, (x, 50), (x, 210), (240, 240, 238), 8)
    for y in (50, 210):
        cv2.line(image, (56, y), (234, y), (240, 240, 238), 8)
    cv2.rectangle(image, (470, 70), (610, 330), (150, 158, 150), -1)  # a cupboard
    cv2.line(image, (540, 70), (540, 330), (120, 128, 120), 3)
    cv2.rectangle(image, (20, 286), (300, 304), WOOD, -1)  # a desk with a screen and a keyboard
    for x in (34, 278):
        cv2.rectangle(image, (x, 304), (x + 12, 440), WOOD, -1)
    cv2.rectangle(image, (90, 190), (220, 270), DARK, -1)
    cv2.rectangle(image, (96, 196), (214, 264), (92, 116, 140), -1)
    cv2.rectangle(image, (148, 270), (162, 286), DARK, -1)
    cv2.rectangle(image, (110, 280), (200, 287), (230, 230, 228), -1)
    cv2.rectangle(image, (322, 230), (428, 350), DARK, -1)  # a chair
    cv2.rectangle(image, (312, 350), (438, 372), DARK, -1)
    cv2.line(image, (375, 372), (375, 440), DARK, 8)
    cv2.line(image, (330, 444), (420, 444), DARK, 8)
    light = np.linspace(1.06, 0.82, 640)[None, :, None] * np.linspace(1.0, 0.92, 480)[:, None, None]
    grain = np.random.default_rng(0).normal(0, 4, image.shape)
    return cv2.GaussianBlur((image * light + grain).clip(0, 255).astype(np.uint8), (3, 3), 0)


def with_jacket(room: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """The same with the jacket of a photograph over the chair."""
    alpha = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillPoly(alpha, [np.array(JACKET, np.int32)], (255,))
    top, size = min(y for _, y in JACKET), (156, 148)
    piece = cv2.resize(photo[top:600], size, interpolation=cv2.INTER_AREA)
    over = cv2.resize(alpha[top:600], size, interpolation=cv2.INTER_AREA)[..., None] / 255
    image = room.copy()
    part = image[214 : 214 + size[1], 297 : 297 + size[0]]
    part[:] = (piece * over + part * (1 - over)).astype(np.uint8)
    return image


def main() -> None:
    folder = Path(sys.argv[1])
    navy = iio.imread(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    # US Navy and NASA, public domain; Lav Varshney, CC0.
    iio.imwrite(folder / "1_Grace_Hopper_(US_Navy).png", navy)
    iio.imwrite(folder / "2_Eileen_Collins_(NASA).png", data.astronaut())
    iio.imwrite(folder / "3_Photographer_(Lav_Varshney,_CC0).png", data.camera())
    # Nobody is to be seen on these.
    iio.imwrite(folder / "4_An_empty_office_(drawn).png", office())
    iio.imwrite(folder / "5_Her_jacket_on_its_chair_(made).png", with_jacket(office(), navy))
    # CC0, Stefan van der Walt and Rachel Michetti; SpaceX, public domain.
    iio.imwrite(folder / "6_Cat_(S._van_der_Walt,_CC0).png", data.chelsea())
    iio.imwrite(folder / "7_Coffee_(Rachel_Michetti,_CC0).png", data.coffee())
    iio.imwrite(folder / "8_Rocket_(SpaceX).png", data.rocket())


if __name__ == "__main__":
    main()
