"""What a detector that is still a torch network finds: letterbox, decoding and suppression are those of the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear.vision.detectors.letterbox import Letterbox, letterbox
from comfywear.vision.layouts.comfywear_1 import decode
from comfywear_export.data.datasets import Photo, read_photo
from comfywear_export.data.labels import DETECTOR_LABELS
from comfywear_export.measure.detection import FLOOR, Tally
from comfywear_export.nets.trunk_maps import TrunkMaps

__all__ = ["embeddings", "finds", "tallied", "tensors"]

_BATCH = 8
_OVERLAP = 0.6  # as `comfywear.vision.Detector` has it


def finds(net: Any, maps: TrunkMaps, size: int, photos: Sequence[Photo], floor: float = FLOOR) -> list[list[Detection]]:
    """For each photo what `net` finds in it with a score of `floor` or more, in pixels of the photo.

    Args:
        net: Neck and heads are its own.
        maps: Its trunk.
        size: Side of the input, pixels.
        photos: To look at.
        floor: Smallest score.
    """
    limits = np.full(len(DETECTOR_LABELS), floor, np.float32)
    was_training, found = net.training, []
    net.eval()
    for batch, places in _batches(maps, size, photos):
        with torch.no_grad():
            logits, raw = (part.numpy() for part in net.read(tensors(batch)))
        for i, place in enumerate(places):
            boxes, scores, labels = decode([logits[i : i + 1], raw[i : i + 1]], size, limits, _OVERLAP)
            framed = place.to_frame(boxes)
            found.append(
                [
                    Detection((float(b[0]), float(b[1]), float(b[2]), float(b[3])), float(s), DETECTOR_LABELS[label])
                    for b, s, label in zip(framed, scores, labels, strict=True)
                    if b[2] > b[0] and b[3] > b[1]
                ]
            )
    net.train(was_training)
    return found


def tallied(net: Any, maps: TrunkMaps, size: int, photos: Sequence[Photo]) -> Tally:
    """What `net` finds beside what is there."""
    tally = Tally()
    for photo, found in zip(photos, finds(net, maps, size, photos), strict=True):
        tally.add(photo, found)
    return tally


def embeddings(maps: TrunkMaps, size: int, photos: Sequence[Photo]) -> NDArray[np.float32]:
    """`(N, D)`: the means of the trunk's coarsest map."""
    return np.concatenate([batch[-1].mean((2, 3)) for batch, _ in _batches(maps, size, photos)])


def tensors(maps: Sequence[NDArray[np.float32]]) -> list[torch.Tensor]:
    """The maps as neck and heads want them."""
    return [torch.from_numpy(part).contiguous(memory_format=torch.channels_last) for part in maps]


def _batches(
    maps: TrunkMaps, size: int, photos: Sequence[Photo]
) -> Iterator[tuple[list[NDArray[np.float32]], list[Letterbox]]]:
    for start in range(0, len(photos), _BATCH):
        shaped = [letterbox(read_photo(p.path), size) for p in photos[start : start + _BATCH]]
        yield maps(np.stack([picture[..., ::-1] for picture, _ in shaped])), [place for _, place in shaped]
