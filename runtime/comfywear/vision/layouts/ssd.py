"""SSD and EfficientDet-Lite with TFLite's post-processing (the operator TFLite_Detection_PostProcess).

Four outputs: boxes 1 x N x 4 as y1, x1, y2, x2 in parts of the input; classes 1 x N as numbers from 0; scores 1 x N,
the best first; and how many of the N count. Files of TensorFlow 1 have them in this order, files of TensorFlow 2 in
others: "order" names them as they stand. The numbers are those of the label file, for COCO with its gaps (90 names:
person 0, handbag 30); where they count from 1, "first" says so (TensorFlow's own graphs, as tf2onnx turns them). Input:
RGB, stretched; bytes in quantised files, else (x − 127.5) / 127.5, for EfficientDet-Lite (x − 127) / 128 (Tan, Pang, Le
2020, arXiv:1911.09070; repository google/automl).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.layouts.decoding import Options, Raw, in_pixels, most_likely

__all__ = ["ORDER", "decode", "find_order"]

ORDER = ("boxes", "classes", "scores", "count")


def decode(outputs: Sequence[NDArray[Any]], size: tuple[int, int], labels: int, options: Options) -> Raw:
    """See `Family.decode`."""
    order = tuple(options.get("order", ORDER))
    named = dict(zip(order, (np.asarray(o, np.float32) for o in outputs), strict=False))
    if len(outputs) != 4 or set(order) != set(ORDER) or named["boxes"].shape[-1] != 4 or named["count"].size != 1:
        raise ModelError(f"the graph's outputs are {[o.shape for o in outputs]}; layout ssd means {', '.join(order)}")
    count = int(np.clip(named["count"].ravel()[0], 0, named["scores"].size))
    boxes = in_pixels(named["boxes"].reshape(-1, 4)[:count][:, [1, 0, 3, 2]], size, {"normalised": True})
    classes = np.rint(named["classes"].ravel()[:count]) - int(options.get("first", 0))
    return most_likely(boxes, classes, named["scores"].ravel()[:count], labels)


def find_order(outputs: Sequence[NDArray[Any]]) -> tuple[str, ...] | None:
    """Which output is which, by shape and by the values for a picture; None when that does not settle it."""
    if len(outputs) != 4:
        return None
    names: dict[int, str] = {}
    for index, output in enumerate(outputs):
        if output.ndim == 3 and output.shape[-1] == 4:
            names[index] = "boxes"
        elif output.size == 1:
            names[index] = "count"
    pair = [index for index in range(4) if index not in names]
    if sorted(names.values()) != ["boxes", "count"] or len(pair) != 2:
        return None
    likely = [_are_scores(np.asarray(outputs[index], np.float32).ravel()) for index in pair]
    if likely[0] == likely[1]:
        return None
    first, second = ("scores", "classes") if likely[0] else ("classes", "scores")
    names |= {pair[0]: first, pair[1]: second}
    return tuple(names[index] for index in range(4))


def _are_scores(values: NDArray[np.float32]) -> bool:
    """Whether values fall from at most 1 and are not all whole numbers."""
    falls = bool((np.diff(values) <= 1e-6).all())
    return falls and values.min() >= 0 and values.max() <= 1 and bool((values != np.rint(values)).any())
