"""YOLOX (Ge et al. 2021, arXiv:2107.08430; repository Megvii-BaseDetection/YOLOX): anchor-free with objectness.

One output, 1 x N x (5 + classes), N = Σ ⌈H/s⌉⌈W/s⌉ over the strides 8, 16, 32 (3,549 at 416; with "strides" of four
maps for P6 models): x and y relative to the cell and width and height as logarithms, both in strides, then objectness
and a probability a class after the sigmoid; the score is their product. Files exported with decoding inside hold pixels
("decoded"). Input: BGR, 0…255, letterboxed into the upper left corner, grey 114; models older than 0.1.1: RGB, ImageNet
mean and deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts.decoding import Options, Raw, cells, from_centres, one_output

__all__ = ["STRIDES", "decode"]

STRIDES = (8, 16, 32)


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    points, strides = cells(*size, tuple(options.get("strides", STRIDES)), 0.0)
    rows = one_output(outputs, "yolox", (len(points), 5 + labels))
    boxes = rows[:, :4]
    if not options.get("decoded"):
        step = strides[:, None]
        boxes = np.concatenate([boxes[:, :2] * step + points, np.exp(boxes[:, 2:]) * step], 1)
    return Raw(from_centres(boxes), rows[:, 5:] * rows[:, 4:5])
