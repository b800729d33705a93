"""Finds persons and garments in a frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Detection
from comfywear.vision.decode import LAYOUT, decode
from comfywear.vision.engines import OpenModel, open_model
from comfywear.vision.letterbox import letterbox
from comfywear_models import Card

__all__ = ["Detector", "check_image"]

_THRESHOLD = 0.3
_OVERLAP = 0.6


class Detector:
    """A loaded detector.

    Example:
        detector = Detector.load("detector")
        for found in detector.detect(cv2.imread("photo.jpg")):
            print(found.label, found.score, found.box)

    Attributes:
        labels: What it can find, in the order of the model's output; the first is "person".
        thresholds: Score above which each label is believed, from the card.
        card: The model's card.
        engine_name: "onnxruntime", "litert" or "tflite-runtime".
        precision: Of the loaded file: "int8" or "fp16".
        fallback: Why "auto" did not take the first engine, or None.
    """

    def __init__(self, model: OpenModel) -> None:
        self._engine = model.engine
        self._side = model.size[0]
        self.card: Card = model.card
        self.labels: tuple[str, ...] = tuple(model.card.labels)
        self.thresholds: Mapping[str, float] = {
            label: model.card.thresholds.get(label, _THRESHOLD) for label in self.labels
        }
        self.engine_name: str = model.engine.name
        self.precision: str = model.engine.precision
        self.fallback: str | None = model.fallback
        self._input = np.empty((1, self._side, self._side, 3), np.float32)

    @classmethod
    def load(
        cls, name_or_path: str | Path = "detector", *, engine: str = "auto", precision: str = "fp16", threads: int = 1
    ) -> Detector:
        """Load a shipped model by name, or any by the path of its card; for the errors see `open_model`."""
        return cls(
            open_model(
                name_or_path, task="detector", layout=LAYOUT, engine=engine, precision=precision, threads=threads
            )
        )

    @property
    def engine_s(self) -> float:
        """Seconds spent inside the engine so far."""
        return self._engine.seconds

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
        square, place = letterbox(image, self._side)
        self._input[0] = cv2.cvtColor(square, cv2.COLOR_BGR2RGB)
        limits = [threshold if threshold is not None else self.thresholds[label] for label in self.labels]
        outputs = self._engine.run(self._input)
        boxes, scores, labels = decode(outputs, self._side, np.array(limits, np.float32), _OVERLAP)
        framed = place.to_frame(boxes)
        whole = (framed[:, 2:] > framed[:, :2]).all(1)
        return [
            Detection((float(b[0]), float(b[1]), float(b[2]), float(b[3])), float(score), self.labels[label])
            for b, score, label in zip(framed[whole], scores[whole], labels[whole], strict=True)
        ]


def check_image(image: NDArray[np.uint8]) -> None:
    """UsageError unless `image` is `(H, W, 3) uint8` with at least one pixel."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        what = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UsageError(f"a picture is (H, W, 3) uint8 BGR, not {what}")
    if not image.size:
        raise UsageError(f"a picture needs at least one pixel, not {image.shape}")
