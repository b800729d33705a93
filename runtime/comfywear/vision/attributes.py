"""Says what a person wears, from a crop of the frame: many yes-or-no questions at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear.vision.detectors.detector import check_image
from comfywear.vision.engines import OpenModel, open_model
from comfywear.vision.upper_look import LAYOUT as WITH_UPPER
from comfywear.vision.upper_look import upper_look_of
from comfywear_models import Card

__all__ = ["LAYOUT", "AttributeModel"]

LAYOUT = "logits"
_THRESHOLD = 0.5
_MOST_AT_ONCE = 8


class AttributeModel:
    """A loaded attribute model.

    Attributes:
        labels: The questions, such as "group/trousers" or "sleeve/short", in the order of the answers.
        thresholds: Probability above which each label is believed, from the card.
        card: The model's card.
        file: The loaded file.
        engine_name: "onnxruntime", "xnnpack", "cuda", "tensorrt", "litert" or "tflite-runtime".
        precision: Of the loaded file: "int8" or "fp16".
        fallback: Why "auto" did not take the first engine, or None.
    """

    def __init__(self, model: OpenModel) -> None:
        self._engine = model.engine
        self._height, self._width = model.size
        self.card: Card = model.card
        self.file = model.file
        self.labels: tuple[str, ...] = tuple(model.card.labels)
        self.thresholds: Mapping[str, float] = {
            label: model.card.thresholds.get(label, _THRESHOLD) for label in self.labels
        }
        self.engine_name: str = model.engine.name
        self.precision: str = model.engine.precision
        self.fallback: str | None = model.fallback
        self._upper = upper_look_of(model.card)

    @classmethod
    def load(
        cls, name_or_path: str | Path = "attributes", *, engine: str = "auto", precision: str = "fp16", threads: int = 1
    ) -> AttributeModel:
        """Load a shipped model by name, or any by the path of its card; for the errors see `open_model`."""
        return cls(
            open_model(
                name_or_path,
                task="attributes",
                layouts=(LAYOUT, WITH_UPPER),
                engine=engine,
                precision=precision,
                threads=threads,
            )
        )

    @property
    def engine_s(self) -> float:
        """Seconds spent inside the engine so far."""
        return self._engine.seconds

    @property
    def pictures(self) -> int:
        """Pictures that went through the engine so far."""
        return self._engine.pictures

    def predict(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Probabilities of all labels for each crop.

        Args:
            crops: `(H, W, 3) uint8` BGR each: one person, of any size.

        Returns:
            `(N, A) float32`, 0…1, in the order of `crops` and `labels`; `(0, A)` for no crop.

        Raises:
            UsageError: A crop is not a picture.
            ModelError: The graph's output is not one logit a label.
        """
        for crop in crops:
            check_image(crop)
        if not crops:
            return np.zeros((0, len(self.labels)), np.float32)
        parts = self._upper.of(crops) if self._upper else {}
        logits = self._logits([*crops, *parts.values()])
        whole = logits[: len(crops)]
        if self._upper and parts:
            self._upper.joined(whole, list(parts), logits[len(crops) :])
        return np.asarray(1 / (1 + np.exp(-whole)), np.float32)

    def _logits(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.concatenate([self._some(crops[i : i + _MOST_AT_ONCE]) for i in range(0, len(crops), _MOST_AT_ONCE)])

    def _some(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        outputs = self._engine.run(np.stack([shape_crop(crop, self._height, self._width) for crop in crops]))
        if len(outputs) != 1 or outputs[0].shape != (len(crops), len(self.labels)):
            raise ModelError(
                f"the graph's outputs are {[o.shape for o in outputs]}; its card has {len(self.labels)} labels"
            )
        return np.asarray(outputs[0], np.float32)


def shape_crop(crop: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A crop as the model gets it: `(height, width, 3) uint8` RGB, stretched."""
    how = cv2.INTER_AREA if crop.shape[0] > height else cv2.INTER_LINEAR
    resized = cv2.resize(crop, (width, height), interpolation=how)
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB), dtype=np.uint8)
