"""YOLOv8 and YOLO11 (Ultralytics, repository ultralytics/ultralytics): no anchors, no objectness, channels first.

One output, 1 x (4 + classes) x N, N = Σ ⌈H/s⌉⌈W/s⌉ over the strides 8, 16, 32 (8,400 at 640): centre x, centre y,
width, height, then a probability a class. ONNX files hold pixels of the input, TFLite files parts of it ("normalised").
Some converters put the channels last ("transposed"). Input: RGB, 0…1, letterboxed, grey 114.
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
    if options.get("transposed"):
        rows = one_output(outputs, "yolov8", (None, 4 + labels))
    else:
        rows = one_output(outputs, "yolov8", (4 + labels, None)).T
    boxes = from_centres(rows[:, :4])
    if options.get("normalised"):
        boxes = boxes * np.array([size[1], size[0], size[1], size[0]], np.float32)
    return Raw(boxes, np.ascontiguousarray(rows[:, 4:]))
