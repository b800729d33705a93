"""How far two boxes are the same; for many at once see `layouts.nms.box_iou`, which is slower for a single pair."""

from __future__ import annotations

from comfywear.records import Box

__all__ = ["iou"]


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0…1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0.0 or height <= 0.0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
