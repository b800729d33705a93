"""EfficientDet-Lite without post-processing: classes and anchor-relative boxes of five maps.

Two outputs: boxes 1 x N x 4 and class scores 1 x N x classes, N = 9 · Σ ⌈H/s⌉⌈W/s⌉ over the strides 8 … 128 (19,206 at
320). Anchors: at every cell's middle three sizes, stride · 3 · 2^(k/3) ("anchor_scale" 3 in the Lite models, 4 in the
others), in the width-to-height ratios 1, 1.4/0.7 and 0.7/1.4. A box row is ty, tx, th, tw: the centre moves by t times
the anchor's side and the side grows by e^t (Tan, Pang, Le 2020, arXiv:1911.09070; repository google/automl,
anchors.py). Scores are logits where they leave 0…1 ("logits"). Input: RGB, bytes or (x − 127) / 128, letterboxed into
the upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.decoding import Floats32, Options, Raw, cells, sigmoid

__all__ = ["STRIDES", "anchors", "decode"]

STRIDES = (8, 16, 32, 64, 128)
_RATIOS = ((1.0, 1.0), (1.4, 0.7), (0.7, 1.4))
_OCTAVES = (0, 1, 2)


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    centres, sides = anchors(*size, float(options.get("anchor_scale", 3.0)))
    flat = [np.asarray(output, np.float32).reshape(-1, output.shape[-1]) for output in outputs]
    boxes = [output for output in flat if output.shape == (len(centres), 4)]
    scores = [output for output in flat if output.shape == (len(centres), labels)]
    if len(flat) != 2 or len(boxes) != 1 or len(scores) != 1:
        raise ModelError(
            f"the graph's outputs are {[o.shape for o in outputs]}; "
            f"layout efficientdet means 1 x {len(centres)} x 4 and 1 x {len(centres)} x {labels}"
        )
    t = boxes[0]
    middle = centres + t[:, [1, 0]] * sides
    half = np.exp(t[:, [3, 2]]) * sides / 2
    found = sigmoid(scores[0]) if options.get("logits") else scores[0]
    return Raw(np.concatenate([middle - half, middle + half], 1), found)


@lru_cache(maxsize=4)
def anchors(height: int, width: int, scale: float) -> tuple[Floats32, Floats32]:
    """Centres `(N, 2)` x y and sides `(N, 2)` width height in pixels, map by map, cell by cell, size by size."""
    points, strides = cells(height, width, STRIDES, 0.5)
    shapes = np.array([[2 ** (o / 3) * w, 2 ** (o / 3) * h] for o in _OCTAVES for w, h in _RATIOS], np.float32)
    sides = strides[:, None, None] * np.float32(scale) * shapes
    return np.repeat(points, len(shapes), axis=0), sides.reshape(-1, 2)
