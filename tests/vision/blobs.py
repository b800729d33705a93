"""A detector that stands in: it finds white rectangles, and pictures of such."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection


class Blobs:
    """Finds each white rectangle of a picture, unless it is smaller than it can see; dimmer ones are bags.

    `sees` is the smallest height in parts of the picture's height, as for a net with a fixed input.
    """

    def __init__(self, sees: float = 0.0) -> None:
        self.thresholds = {"person": 0.3, "bag": 0.3}
        self.sees = sees
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, image: NDArray[np.uint8], *, threshold: float | None = None) -> list[Detection]:
        self.shapes.append(image.shape)
        found = []
        for level, label in ((255, "person"), (128, "bag")):
            mask = (image[:, :, 0] == level).astype(np.uint8)
            count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
            for x, y, w, h, _area in stats[1:count].tolist():
                score = min(h / image.shape[0], 1.0)
                if h / image.shape[0] >= self.sees and score >= (threshold or 0.0):
                    found.append(Detection((float(x), float(y), float(x + w), float(y + h)), score, label))
        return found


def room(*boxes: tuple[int, int, int, int], level: int = 255, size: tuple[int, int] = (480, 640)) -> NDArray[np.uint8]:
    image = np.zeros((*size, 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = level
    return image
