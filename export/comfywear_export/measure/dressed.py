"""Garments of photos as a device believes them, once it has looked at who wears them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear.vision import AttributeModel
from comfywear.vision.people.persons import person_crop
from comfywear.vision.people.wardrobe import GarmentRules
from comfywear.vision.people.weighing import weighed

__all__ = ["Dresser"]

_PERSON = "person"


class Dresser:
    """Weighs a photo's finds of garments by what an attribute model says of the persons in it.

    Args:
        model: Looks at the crop of every person.
        believed: Score from which a find is a person.
    """

    def __init__(self, model: AttributeModel, believed: float) -> None:
        self.model, self._believed, self._rules = model, believed, GarmentRules()

    def __call__(self, image: NDArray[np.uint8], finds: Sequence[Detection]) -> list[Detection]:
        """The finds in `image` `(H, W, 3) uint8` BGR, garments with the scores of `weighed`."""
        boxes, crops = [], []
        for find in finds:
            if find.label == _PERSON and find.score >= self._believed:
                crop = person_crop(image, find.box)
                if crop is not None:
                    boxes.append(find.box)
                    crops.append(crop)
        said = [
            dict(zip(self.model.labels, row.tolist(), strict=True))
            for row in (self.model.predict(crops) if crops else [])
        ]
        persons = [find for find in finds if find.label == _PERSON]
        return persons + weighed(boxes, said, [find for find in finds if find.label != _PERSON], self._rules)
