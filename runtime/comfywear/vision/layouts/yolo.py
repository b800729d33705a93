"""The YOLO families that leave doubles in; finished boxes are `rows`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts.decoding import Options, Raw, cells, from_centres, in_pixels, one_output

__all__ = ["yolov5", "yolov8", "yolox"]

_STRIDES = (8, 16, 32)


def yolov5(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """YOLOv5 (Ultralytics, repository ultralytics/yolov5, export.py): three anchors a cell, objectness and classes.

    One output, 1 x N x (5 + classes), N = 3 · Σ ⌈H/s⌉⌈W/s⌉ over the strides 8, 16, 32 (25,200 at 640): centre x,
    centre y, width, height, objectness, and a probability a class, all after the sigmoid; the score is objectness
    times class. ONNX files hold pixels of the input, TFLite files hold parts of it ("normalised"). Segmenting models
    have "extra" columns behind (32 numbers of a mask) and a second output, which are left out. Input: RGB, 0…1,
    letterboxed, grey 114.

    See `Family.decode`.
    """
    extra = int(options.get("extra", 0))
    found = one_output(outputs, "yolov5", (None, 5 + labels + extra))
    boxes = in_pixels(from_centres(found[:, :4]), size, options)
    return Raw(boxes, found[:, 5 : 5 + labels] * found[:, 4:5])


def yolov8(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """YOLOv8 and YOLO11 (Ultralytics, repository ultralytics/ultralytics): no anchors, no objectness, channels first.

    One output, 1 x (4 + classes) x N, N = Σ ⌈H/s⌉⌈W/s⌉ over the strides 8, 16, 32 (8,400 at 640): centre x, centre
    y, width, height, then a probability a class. ONNX files hold pixels of the input, TFLite files parts of it
    ("normalised"). Some converters put the channels last ("transposed"). Behind the classes, segmenting and pose
    models have "extra" rows (32 numbers of a mask, three numbers a point), which are left out. Input: RGB, 0…1,
    letterboxed, grey 114.

    See `Family.decode`.
    """
    extra = int(options.get("extra", 0))
    if options.get("transposed"):
        found = one_output(outputs, "yolov8", (None, 4 + labels + extra))
    else:
        found = one_output(outputs, "yolov8", (4 + labels + extra, None)).T
    boxes = in_pixels(from_centres(found[:, :4]), size, options)
    return Raw(boxes, np.ascontiguousarray(found[:, 4 : 4 + labels]))


def yolox(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """YOLOX (Ge et al. 2021, arXiv:2107.08430; repository Megvii-BaseDetection/YOLOX): anchor-free with objectness.

    One output, 1 x N x (5 + classes), N = Σ ⌈H/s⌉⌈W/s⌉ over the strides 8, 16, 32 (3,549 at 416; with "strides" of
    four maps for P6 models): x and y relative to the cell and width and height as logarithms, both in strides, then
    objectness and a probability a class after the sigmoid; the score is their product. Files exported with decoding
    inside hold pixels ("decoded"). Input: BGR, 0…255, letterboxed into the upper left corner, grey 114; models
    older than 0.1.1: RGB, ImageNet mean and deviation.

    See `Family.decode`.
    """
    points, strides = cells(*size, tuple(options.get("strides", _STRIDES)), 0.0)
    found = one_output(outputs, "yolox", (len(points), 5 + labels))
    boxes = found[:, :4]
    if not options.get("decoded"):
        step = strides[:, None]
        boxes = np.concatenate([boxes[:, :2] * step + points, np.exp(boxes[:, 2:]) * step], 1)
    return Raw(from_centres(boxes), found[:, 5:] * found[:, 4:5])
