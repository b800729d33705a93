"""YOLO-NAS without suppression inside (repository Deci-AI/super-gradients): boxes and scores in two outputs.

1 x N x 4 as x1, y1, x2, y2 in pixels of the input and 1 x N x classes after the sigmoid, N = Σ ⌈H/s⌉⌈W/s⌉ over the
strides 8, 16, 32 (8,400 at 640), in any order. Input: RGB, 0…1, letterboxed, grey 114; exported with pre-processing
inside, bytes in BGR.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.decoding import Options, Raw, in_pixels

__all__ = ["decode"]


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    flat = [np.asarray(output, np.float32).reshape(-1, output.shape[-1]) for output in outputs if output.ndim >= 2]
    boxes = [output for output in flat if output.shape[1] == 4][:1]
    scores = [output for output in flat if output.shape[1] == labels and not any(output is box for box in boxes)]
    if len(flat) != 2 or not boxes or not scores or len(boxes[0]) != len(scores[0]):
        raise ModelError(
            f"the graph's outputs are {[o.shape for o in outputs]}; "
            f"layout yolonas means 1 x N x 4 boxes and 1 x N x {labels} scores"
        )
    return Raw(in_pixels(boxes[0], size, options), scores[0])
