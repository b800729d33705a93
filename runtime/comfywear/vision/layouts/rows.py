"""Finished boxes, one a row: files that suppress doubles themselves.

One output, 1 x N x 6 or N x 6: x1, y1, x2, y2 in pixels of the input (parts of it when "normalised"), score, class
number (YOLOv10, YOLO26, Ultralytics with nms=True: repositories THU-MIG/yolov10 and ultralytics/ultralytics); what
stands behind (points of a pose, numbers of a mask) is left out. Others name their "columns": YOLOv7 has batch, box,
class, score (WongKinYiu/yolov7, models/experimental.py), YOLO-NAS in flat format batch, box, score, class
(Deci-AI/super-gradients), Caffe's and OpenVINO's DetectionOutput image, class, score, box in parts of the input,
PaddleDetection class, score, box. Input of most: RGB, 0…1, letterboxed, grey 114.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.decoding import Floats32, Options, Raw, in_pixels, most_likely

__all__ = ["COLUMNS", "OTHER_COLUMNS", "decode", "table_of"]

_BOX = ("x1", "y1", "x2", "y2")
COLUMNS = (*_BOX, "score", "class")
OTHER_COLUMNS = (
    ("batch", *_BOX, "class", "score"),
    ("batch", *_BOX, "score", "class"),
    ("batch", "class", "score", *_BOX),
    ("class", "score", *_BOX),
)


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    columns = tuple(options.get("columns", COLUMNS))
    table = table_of(outputs)
    if table is None or table.shape[1] < len(columns):
        raise ModelError(
            f"the graph's outputs are {[o.shape for o in outputs]}; layout rows means 1 x any x {len(columns)}"
        )
    boxes = in_pixels(table[:, [columns.index(side) for side in _BOX]], size, options)
    classes, scores = table[:, columns.index("class")], table[:, columns.index("score")]
    return most_likely(boxes, np.rint(classes), scores, labels)


def table_of(outputs: Sequence[NDArray[Any]]) -> Floats32 | None:
    """The rows `(N, C)` of the first output with two to four axes of which only the last two are longer than 1."""
    for output in outputs:
        if 2 <= output.ndim <= 4 and all(side == 1 for side in output.shape[:-2]) and output.shape[-1] >= 6:
            return np.asarray(output, np.float32).reshape(-1, output.shape[-1])
    return None
