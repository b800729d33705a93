"""Which photos of a room are worth a person's labels: unsure about persons, and unlike each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from comfywear.records import Detection
from comfywear_export.active.diversity import combined
from comfywear_export.active.scores import entropy_sum
from comfywear_export.data.datasets import Photo
from comfywear_export.nets.trunk_maps import TrunkMaps
from comfywear_export.room.finding import embeddings

__all__ = ["promising"]


def promising(
    found: Sequence[Sequence[Detection]], maps: TrunkMaps, size: int, photos: Sequence[Photo], k: int
) -> list[int]:
    """Numbers of `k` photos, the first choice first: k-centre among the `3 k` with the largest entropy of persons.

    Args:
        found: What the present detector finds in each photo, down to low scores.
        maps: Its trunk, for the distances.
        size: Side of its input, pixels.
        photos: To choose from.
        k: How many.
    """
    scores = entropy_sum([np.array([d.score for d in each if d.label == "person"]) for each in found])
    chosen = combined(scores, embeddings(maps, size, photos), k)
    return [int(number) for number in chosen]
