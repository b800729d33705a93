"""Finished boxes, one a row: YOLOv10 and YOLO26 end to end, and other files that suppress doubles themselves.

One output, 1 x N x 6: x1, y1, x2, y2 in pixels of the input (parts of it when "normalised"), score, class number
(repositories THU-MIG/yolov10 and ultralytics/ultralytics). Input of those: RGB, 0…1, letterboxed, grey 114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts.decoding import Options, Raw, most_likely, one_output

__all__ = ["decode"]


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    rows = one_output(outputs, "rows", (None, 6))
    boxes = rows[:, :4]
    if options.get("normalised"):
        boxes = boxes * np.array([size[1], size[0], size[1], size[0]], np.float32)
    return most_likely(boxes, np.rint(rows[:, 5]), rows[:, 4], labels)
