"""The twelve made rooms beside their views: what a device with the shipped models shows after minutes.

`.venv/bin/python bench/view_sheet.py [FILE]` (default docs/views.png).
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from made_rooms import ROOMS
from numpy.typing import NDArray

from comfywear.device.sight.frame_step import WEAK
from comfywear.records import Frame, Person
from comfywear.vision import AttributeModel, Detector, PersonBook
from comfywear.vision.drawing.plate import SETTLE_S
from comfywear.vision.drawing.room_view import RoomView
from comfywear.vision.drawing.sheet import contact_sheet
from comfywear.vision.motion import MotionMap

Image = NDArray[np.uint8]

_DARK = ("a library", "a living room")  # drawn for a dark page


def shown(image: Image, detector: Detector, attributes: AttributeModel, *, dark: bool) -> Image:
    """The view of a room that the camera has seen for minutes, `(H, W, 3) uint8` BGR, and who is found in it."""
    finds, book = detector.detect(image, threshold=WEAK), PersonBook(thresholds=detector.thresholds)
    persons: list[Person] = []
    for second in range(3):  # whoever is seen once may be nobody
        persons = book.update(Frame(image, second, float(second), "made"), finds, attributes)
    weak = [each.box for each in finds if each.label == "person"]
    view, motion, now_s = RoomView(), MotionMap(), 0.0
    while now_s <= SETTLE_S + 5:
        motion.add(image, now_s)
        view.add(image, now_s, [each.box for each in persons], motion, weak)
        now_s += 10.0
    drawn = view.draw(persons, dark=dark)
    assert drawn is not None
    return drawn


def main() -> int:
    """Write the sheet."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/views.png")
    detector, attributes = Detector.load("detector"), AttributeModel.load("attributes")
    pairs = []
    for name, make in ROOMS.items():
        image = make().drawn()
        drawn = shown(image, detector, attributes, dark=name in _DARK)
        pairs.append((name, np.hstack([image, np.full((image.shape[0], 6, 3), 40, np.uint8), drawn])))
    cv2.imwrite(str(path), contact_sheet(pairs, width=1200, height=152), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return 0


if __name__ == "__main__":
    sys.exit(main())
