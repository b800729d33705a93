"""Finds persons and garments in a frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError, UsageError
from comfywear.records import Detection
from comfywear.vision.detectors.company import LAYOUT as WITH_COMPANY
from comfywear.vision.detectors.company import WEAKEST, in_company, weight_of
from comfywear.vision.detectors.preparing import preparation_of
from comfywear.vision.engines import OpenModel, open_model
from comfywear.vision.layouts import LAYOUTS, pick
from comfywear.vision.layouts.comfywear_1 import LAYOUT, decode
from comfywear_models import Card

__all__ = ["KINDS", "Detector", "check_image"]

KINDS = ("top", "knit", "outer", "dress", "trousers", "skirt", "shorts", "footwear", "bag", "hat")
"""Garments that the device knows. A detector's other classes (chairs, dogs) are not looked at."""

_THRESHOLD = 0.3
_OVERLAP = 0.6


class Detector:
    """A loaded detector: a shipped one, or one of another family that a card describes.

    Example:
        detector = Detector.load("detector")
        for found in detector.detect(cv2.imread("photo.jpg")):
            print(found.label, found.score, found.box)

    Attributes:
        labels: What it can find that the device knows, in the order of the model's output: "person" and kinds of
            garments.
        thresholds: Score above which each label is believed, from the card.
        card: The model's card.
        company: How much others in the view speak for a person; see `in_company`.
        file: The loaded file.
        engine_name: "onnxruntime", "xnnpack", "cuda", "tensorrt", "litert" or "tflite-runtime".
        precision: Of the loaded file: "int8", "fp16" or "fp32".
        fallback: Why "auto" did not take the first engine, or None.
    """

    def __init__(self, model: OpenModel) -> None:
        self._engine, self._prepare = model.engine, preparation_of(model.card.input)
        self._size, self._family = model.size, LAYOUTS.get(model.card.layout)
        self.card: Card = model.card
        self.file = model.file
        usual = _THRESHOLD
        self.labels: tuple[str, ...] = tuple(model.card.labels)
        if self._family:
            usual = self._family.threshold
            self.labels = tuple(label for label in model.card.labels if label == "person" or label in KINDS)
            if "person" not in self.labels:
                raise ModelError(f"model {model.card.name!r} has no label 'person' among its {len(model.card.labels)}")
        self.company: float = weight_of(model.card)
        self._columns = [model.card.labels.index(label) for label in self.labels]
        self.thresholds: Mapping[str, float] = {label: model.card.thresholds.get(label, usual) for label in self.labels}
        self.engine_name: str = model.engine.name
        self.precision: str = model.engine.precision
        self.fallback: str | None = model.fallback

    @classmethod
    def load(
        cls, name_or_path: str | Path = "detector", *, engine: str = "auto", precision: str = "fp16", threads: int = 1
    ) -> Detector:
        """Load a model by name, or any by the path of its card; for the errors see `open_model`."""
        return cls(
            open_model(
                name_or_path,
                task="detector",
                layouts=(LAYOUT, WITH_COMPANY, *LAYOUTS),
                engine=engine,
                precision=precision,
                threads=threads,
            )
        )

    @property
    def parts(self) -> list[tuple[str, Detector]]:
        """The loaded models by role: here one."""
        return [("detector", self)]

    @property
    def side(self) -> int:
        """The longest side of the picture that the graph takes, pixels."""
        return max(self._size)

    @property
    def engine_s(self) -> float:
        """Seconds spent inside the engine so far."""
        return self._engine.seconds

    @property
    def pictures(self) -> int:
        """Pictures that went through the engine so far."""
        return self._engine.pictures

    def detect(self, image: NDArray[np.uint8], *, threshold: float | None = None) -> list[Detection]:
        """What is in a frame.

        Args:
            image: `(H, W, 3) uint8` BGR.
            threshold: One score for all labels instead of the card's, above 0 and below 1.

        Returns:
            Detections in pixels of `image`: persons first, then garments label by label, the best first.

        Raises:
            UsageError: `image` is not a picture, or the threshold is out of range.
        """
        check_image(image)
        if threshold is not None and not 0 < threshold < 1:
            raise UsageError(f"a threshold is between 0 and 1, not {threshold}")
        batch, place = self._prepare(image)
        given = [threshold if threshold is not None else self.thresholds[label] for label in self.labels]
        limits = np.array(given, np.float32)
        outputs = self._engine.run(batch)
        if self._family:
            raw = self._family.decode(outputs, self._size, len(self.card.labels), self.card.output)
            boxes, scores, labels = pick(raw, self._columns, limits, _OVERLAP)
        else:
            boxes, scores, labels = self._decoded(outputs, limits)
        framed = place.to_frame(boxes)
        whole = (framed[:, 2:] > framed[:, :2]).all(1)
        found = [
            Detection((b[0], b[1], b[2], b[3]), score, self.labels[label])
            for b, score, label in zip(
                framed[whole].tolist(), scores[whole].tolist(), labels[whole].tolist(), strict=True
            )
        ]
        return sorted(found, key=lambda detection: detection.label != "person") if self._family else found

    def _decoded(
        self, outputs: list[NDArray[np.float32]], limits: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
        """See `decode`; with the scores of persons, who are the first label, raised by their company."""
        if not self.company:
            return decode(outputs, self._size[0], limits, _OVERLAP)
        lowest = np.append(min(limits[0], np.float32(WEAKEST)), limits[1:])
        boxes, scores, labels = decode(outputs, self._size[0], lowest, _OVERLAP)
        persons = labels == 0
        scores[persons] = in_company(boxes[persons], scores[persons], self.company)
        stay = scores >= limits[labels]
        boxes, scores, labels = boxes[stay], scores[stay], labels[stay]
        best = np.lexsort((-scores, labels))
        return boxes[best], scores[best], labels[best]


def check_image(image: NDArray[np.uint8]) -> None:
    """UsageError unless `image` is `(H, W, 3) uint8` with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        what = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UsageError(f"a picture is (H, W, 3) uint8 BGR, not {what}")
    if not image.size:
        raise UsageError(f"a picture needs at least one pixel, not {image.shape}")
