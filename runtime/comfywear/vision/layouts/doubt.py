"""Whether the boxes that a layout reads out of a graph make sense for a picture."""

from __future__ import annotations

import numpy as np

from comfywear.vision.layouts.decoding import Raw

__all__ = ["doubt_about"]

_LIKELY = 0.3
_LOOKED_AT = 50
_OVERHANG = 0.25  # of a side: how far a box may reach over the picture's edge
_FEW = 0.25  # of the likely boxes may be senseless


def doubt_about(raw: Raw, size: tuple[int, int]) -> str | None:
    """What speaks against a reading, in words; None when nothing does.

    Args:
        raw: What the layout's decoder gave for a picture.
        size: Height and width of the graph's input.
    """
    if not len(raw.boxes) or not raw.scores.shape[1]:
        return None
    if not (np.isfinite(raw.boxes).all() and np.isfinite(raw.scores).all()):
        return "boxes or scores are not finite numbers"
    if raw.scores.min() < -1e-3 or raw.scores.max() > 1 + 1e-3:
        return f"scores reach from {raw.scores.min():.3g} to {raw.scores.max():.3g} instead of from 0 to 1"
    best = raw.scores.max(axis=1)
    likely = np.flatnonzero(best >= _LIKELY)
    if len(raw.boxes) > 1000 and len(likely) > len(raw.boxes) / 2:
        return f"{len(likely)} of {len(raw.boxes)} boxes are likely"
    likely = likely[np.argsort(-best[likely], kind="stable")[:_LOOKED_AT]]
    if not len(likely):
        return None
    height, width = size
    x1, y1, x2, y2 = raw.boxes[likely].T
    sound = (x2 - x1 > 1) & (y2 - y1 > 1)
    sound &= (np.minimum(x1, width - x2) > -_OVERHANG * width) & (np.minimum(y1, height - y2) > -_OVERHANG * height)
    senseless = int((~sound).sum())
    if senseless > _FEW * len(likely):
        return f"{senseless} of {len(likely)} likely boxes lie outside of the picture or have no area"
    return None
