"""The class names of COCO (Lin et al. 2014, arXiv:1405.0312), which most published detectors were trained on."""

from __future__ import annotations

__all__ = ["COCO_80", "COCO_90", "NO_CLASS"]

NO_CLASS = "-"
"""Stands for a number that no class has."""

COCO_80: tuple[str, ...] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
"""In order, without gaps, as the YOLO and NanoDet families number them."""

_GAPS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})


def _with_gaps() -> tuple[str, ...]:
    names = iter(COCO_80)
    return tuple(NO_CLASS if number in _GAPS else next(names) for number in range(1, 91))


COCO_90: tuple[str, ...] = _with_gaps()
"""With the gaps of COCO's own numbers 1 … 90, as SSD and EfficientDet number them (from 0)."""
