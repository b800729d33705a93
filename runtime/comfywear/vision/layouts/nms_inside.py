"""Finished boxes in outputs of their own: exports with suppression inside.

boxes 1 x N x 4 as x1, y1, x2, y2 in pixels of the input (parts of it when "normalised"), scores 1 x N, classes 1 x N
as numbers from 0, and mostly how many of the N count. "order" names the outputs as they stand; "scored" is 1 x N x 5:
boxes with their score. Seen from: TensorRT's EfficientNMS in
exports of YOLOv7, v8 and v9 (num_dets, det_boxes, det_scores, det_classes: repositories WongKinYiu/yolov7,
triple-mu/YOLOv8-TensorRT, levipereira/yolov9), YOLO-NAS in batch format (Deci-AI/super-gradients), RT-DETR, D-FINE and
DEIM with their post-processing (labels, boxes, scores: lyuwenyu/RT-DETR, Peterande/D-FINE), mmdeploy (dets, labels:
open-mmlab/mmdeploy), torchvision (boxes, labels, scores, without a batch axis; its classes count from 1, as "first"
says).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.decoding import Options, Raw, in_pixels, most_likely

__all__ = ["ORDER", "decode"]

ORDER = ("count", "boxes", "scores", "classes")


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    order = tuple(options.get("order", ORDER))
    named = dict(zip(order, outputs, strict=False))
    refused = ModelError(f"the graph's outputs are {[o.shape for o in outputs]}; layout nms means {', '.join(order)}")
    if len(outputs) < len(order) or "classes" not in named:
        raise refused
    if "scored" in named:
        scored = np.asarray(named["scored"], np.float32)
        if scored.shape[-1] != 5:
            raise refused
        boxes, scores = scored.reshape(-1, 5)[:, :4], scored.reshape(-1, 5)[:, 4]
    elif "boxes" in named and "scores" in named and named["boxes"].shape[-1] == 4:
        boxes = np.asarray(named["boxes"], np.float32).reshape(-1, 4)
        scores = np.asarray(named["scores"], np.float32).ravel()
    else:
        raise refused
    classes = np.rint(np.asarray(named["classes"], np.float64).ravel()) - int(options.get("first", 0))
    if not len(boxes) == len(scores) == len(classes):
        raise refused
    count = len(boxes)
    if "count" in named:
        if named["count"].size != 1:
            raise refused
        count = int(np.clip(named["count"].ravel()[0], 0, count))
    return most_likely(in_pixels(boxes[:count], size, options), classes[:count], scores[:count], labels)
