"""Transformers that suppress no doubles since they make none: RT-DETR, RF-DETR, D-FINE, DEIM, DETR.

Boxes 1 x N x 4 as centre x, centre y, width, height in parts of the input, N mostly 300, and 1 x N x classes: logits
("logits") whose sigmoid is the score, or ("softmax") logits whose last column means nothing. Two outputs in the "order"
that the card names (pred_boxes and logits in D-FINE, DEIM and transformers; dets and labels in RF-DETR, repositories
Peterande/D-FINE, ShihuaHuang95/DEIM, roboflow/rf-detr), or one of 1 x N x (4 + classes) with scores (RT-DETR of
ultralytics/ultralytics). RF-DETR's and DETR's columns for COCO are COCO's own numbers from 0, which nobody has: 91 of
them, and one for nothing in DETR (Carion et al. 2020, arXiv:2005.12872). Input: RGB, stretched, 0…1; RF-DETR and DETR
take ImageNet's mean and deviation off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.decoding import Options, Raw, from_centres, in_pixels, one_output, sigmoid

__all__ = ["IMAGENET", "ORDER", "decode"]

ORDER = ("boxes", "scores")
IMAGENET = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
"""How RF-DETR and DETR are given colours."""


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    if len(outputs) == 1:
        rows = one_output(outputs, "detr", (None, 4 + labels))
        boxes, scores = rows[:, :4], np.ascontiguousarray(rows[:, 4:])
    else:
        named = dict(zip(options.get("order", ORDER), outputs, strict=False))
        shapes = [named[name].shape for name in ORDER if name in named]
        if len(shapes) != 2 or shapes[0][-1] != 4 or shapes[1][-1] != labels or shapes[0][:-1] != shapes[1][:-1]:
            raise ModelError(
                f"the graph's outputs are {[o.shape for o in outputs]}; "
                f"layout detr means 1 x N x 4 boxes and 1 x N x {labels} scores"
            )
        boxes = np.asarray(named["boxes"], np.float32).reshape(-1, 4)
        scores = np.asarray(named["scores"], np.float32).reshape(-1, labels)
    if options.get("softmax"):
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores = powers / powers.sum(axis=1, keepdims=True)
    elif options.get("logits"):
        scores = sigmoid(scores)
    return Raw(in_pixels(from_centres(boxes), size, {"normalised": True}), scores)
