"""How much oftener photos of rare garments are looked at in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from comfywear_export.data.datasets import Photo

__all__ = ["repeats"]

_COMMON = 0.3
"""A kind that this part of a set's photos shows is not rare."""


def repeats(photos: Sequence[Photo]) -> NDArray[np.float64]:
    """How often each photo of a set is chosen against one without rare garments, `(N,)`, 1 and more.

    Repeat-factor sampling (Gupta, Dollár, Girshick 2019, "LVIS"): √(.3 / part of the photos that show the kind), of the
    rarest kind in the photo; persons are no kind.
    """
    kinds = [{int(label) for label in photo.classes if label > 0} for photo in photos]
    shown = Counter(kind for each in kinds for kind in each)
    factor = {kind: max(1.0, (_COMMON * len(photos) / count) ** 0.5) for kind, count in shown.items()}
    return np.array([max((factor[kind] for kind in each), default=1.0) for each in kinds], np.float64)
