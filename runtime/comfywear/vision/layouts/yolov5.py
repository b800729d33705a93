"""YOLOv5 (Ultralytics, repository ultralytics/yolov5, export.py): three anchors a cell, objectness and classes.

One output, 1 x N x (5 + classes), N = 3 · Σ ⌈H/s⌉⌈W/s⌉ over the strides 8, 16, 32 (25,200 at 640): centre x, centre y,
width, height, objectness, and a probability a class, all after the sigmoid; the score is objectness times class. ONNX
files hold pixels of the input, TFLite files hold parts of it ("normalised"). Input: RGB, 0…1, letterboxed, grey 114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts.decoding import Options, Raw, from_centres, one_output

__all__ = ["decode"]


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    rows = one_output(outputs, "yolov5", (None, 5 + labels))
    boxes = from_centres(rows[:, :4])
    if options.get("normalised"):
        boxes = boxes * np.array([size[1], size[0], size[1], size[0]], np.float32)
    return Raw(boxes, rows[:, 5:] * rows[:, 4:5])
