"""The families by name, each with its usual pre-processing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from comfywear.vision.layouts import detr, efficientdet, nanodet, nms_inside, rows, ssd, yolo, yolonas
from comfywear.vision.layouts.decoding import Options, Raw

__all__ = ["LAYOUTS", "Decode", "Family"]

Decode = Callable[[Sequence[NDArray[Any]], tuple[int, int], int, Options], Raw]


@dataclass(frozen=True, eq=False)
class Family:
    """One way of writing boxes.

    Attributes:
        decode: `(outputs, (height, width) of the input, number of labels, options of the card) → Raw`; raises
            ModelError when the outputs do not have this layout.
        words: For people: which models.
        input: The usual pre-processing, as a card says it.
        threshold: Score above which a person is believed where a card says nothing.
    """

    decode: Decode
    words: str
    input: Mapping[str, Any]
    threshold: float


_UNIT = {"channels": "RGB", "mean": [0, 0, 0], "std": [255, 255, 255]}
_LETTERBOX = {"resize": "letterbox", "grey": 114}
_CORNER = {"resize": "letterbox to the corner", "grey": 114}

LAYOUTS: dict[str, Family] = {
    "yolov5": Family(yolo.yolov5, "YOLOv5, YOLOv7", {**_UNIT, **_LETTERBOX}, 0.3),
    "yolov8": Family(yolo.yolov8, "YOLOv8, YOLOv9, YOLO11", {**_UNIT, **_LETTERBOX}, 0.3),
    "yolox": Family(yolo.yolox, "YOLOX", {"channels": "BGR", **_CORNER}, 0.3),
    "nanodet": Family(
        nanodet.decode,
        "NanoDet, NanoDet-Plus",
        {"channels": "BGR", "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395], **_LETTERBOX},
        0.35,
    ),
    "ssd": Family(
        ssd.decode,
        "SSD or EfficientDet-Lite with TFLite's post-processing",
        {"channels": "RGB", "mean": [127.5, 127.5, 127.5], "std": [127.5, 127.5, 127.5], "resize": "stretch"},
        0.4,
    ),
    "efficientdet": Family(
        efficientdet.decode,
        "EfficientDet-Lite without post-processing",
        {"channels": "RGB", "mean": [127, 127, 127], "std": [128, 128, 128], **_CORNER},
        0.35,
    ),
    "rows": Family(rows.decode, "finished boxes, one a row (YOLOv10, YOLO26)", {**_UNIT, **_LETTERBOX}, 0.3),
    "nms": Family(nms_inside.decode, "finished boxes, scores and classes apart", {**_UNIT, **_LETTERBOX}, 0.3),
    "yolonas": Family(yolonas.decode, "YOLO-NAS without suppression inside", {**_UNIT, **_LETTERBOX}, 0.3),
    "detr": Family(detr.decode, "RT-DETR, RF-DETR, D-FINE, DEIM, DETR", {**_UNIT, "resize": "stretch"}, 0.4),
}
"""Every foreign layout that a card may name."""
