"""Same-person views made from single photos, and what the shipped models say of them: the data of the simulation."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.colour import BASIC_TERMS
from comfywear.records import Frame, Person
from comfywear.vision import AttributeModel, Detector, PersonBook, read_photo
from comfywear.vision.tracking.reid import Description, describe
from comfywear_export.data.attribute_data import Example
from comfywear_export.data.made_views import VIEWS

__all__ = ["described", "look", "make_view", "vector", "vectors"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_COLOURS = 2 * len(BASIC_TERMS)
_TRIES = 10


def look(image: Image, detector: Detector, attributes: AttributeModel) -> Person | None:
    """The largest person that the device finds in a picture at one look."""
    book = PersonBook(thresholds=detector.thresholds)
    found = book.update(Frame(image, 0, 0.0, "look"), detector.detect(image, threshold=0.1), attributes)
    return max(found, key=lambda p: (p.box[2] - p.box[0]) * (p.box[3] - p.box[1]), default=None)


def described(person: Person | None) -> Description | None:
    """What somebody looks like; None of nobody."""
    return None if person is None else describe(list(person.attributes.values()), person.garments)


def make_view(image: Image, box: Floats, rng: np.random.Generator) -> Image:
    """A hard view, all at once: mirrored or not, partly hidden or cropped, small, in other light, blurred, noisy."""
    seen, at = image, box.copy()
    if rng.random() < 0.5:
        seen = np.ascontiguousarray(image[:, ::-1])
        at[[0, 2]] = image.shape[1] - at[[2, 0]]
    hidden = rng.random()
    for name, wanted in (("desk", hidden < 0.5), ("side", 0.3 < hidden < 0.8), ("crop", hidden >= 0.8)):
        if wanted:
            seen = VIEWS[name](seen, at, rng)
    return _worse(VIEWS["scale"](seen, at, rng), rng)


def _worse(image: Image, rng: np.random.Generator) -> Image:
    """Other light (further off than that of `evaluate reid`), out of focus, and with the noise of a dim room."""
    curve = (np.arange(256) / 255.0)[:, None] ** np.exp(rng.uniform(-0.5, 0.5))
    table = np.clip(curve * rng.uniform(0.5, 1.4) * rng.uniform(0.87, 1.13, 3) * 255.0, 0, 255)
    lit = cv2.LUT(image, table.astype(np.uint8).reshape(1, 256, 3))
    soft = cv2.GaussianBlur(lit, (0, 0), float(rng.uniform(0.3, 1.2))).astype(np.float64)
    return np.asarray(np.clip(soft + rng.normal(0.0, rng.uniform(2.0, 8.0), soft.shape), 0, 255), np.uint8)


def vector(description: Description) -> Floats:
    """`(A + 22)`: the logits, ±4, and the shares of the basic colours of the upper and lower body, NaN if unseen."""
    shares = [
        [part.get(term, 0.0) for term in BASIC_TERMS] if part else [np.nan] * len(BASIC_TERMS)
        for part in description.colours
    ]
    return np.concatenate([description.logits, *shares]).astype(np.float64)


def vectors(
    example: Example, views: int, detector: Detector, attributes: AttributeModel, rng: np.random.Generator
) -> Floats:
    """`(views, A + 22)` of made views of one photo; rows of views in which nobody is found in ten tries are NaN."""
    image, box = read_photo(example.path), example.box.astype(np.float64)
    out = np.full((views, len(attributes.labels) + _COLOURS), np.nan)
    for number in range(views):
        for _ in range(_TRIES):
            found = described(look(make_view(image, box, rng), detector, attributes))
            if found is not None:
                out[number] = vector(found)
                break
    return out
