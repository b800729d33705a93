"""Whether all forms of a model give the same answers, and how fast each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import ModelError
from comfywear.records import Detection
from comfywear.system.paths import find_model
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.detector import Detector
from comfywear.vision.layouts.nms import box_iou
from comfywear_export.data.attribute_data import Example, read_examples
from comfywear_export.data.crops import cut_out
from comfywear_export.data.datasets import Photo, read_photo, read_set
from comfywear_export.progress import counted
from comfywear_models import CardError

__all__ = ["compare"]

_Form = tuple[str, str, int]  # engine, precision, threads
_SAME = 0.8  # IoU of two boxes that are taken to be the same find
_FORMS = (("onnxruntime", "fp16"), ("litert", "fp16"), ("onnxruntime", "int8"), ("litert", "int8"))


def compare(
    task: str, model: str, data: Path, split: str | None, limit: int, threads: Sequence[int]
) -> list[dict[str, Any]]:
    """A row a form of the model, the first of which the others are compared with.

    Args:
        task: "detector" or "attributes".
        model: A name or the path of a card.
        data: A folder with instances.json.
        split: Of the photos; None for all.
        limit: How many photos.
        threads: To time.

    Raises:
        ModelError: There is no such model, or a form of it cannot be opened here.
    """
    try:
        card = find_model(model)[0]
    except CardError as error:
        raise ModelError(str(error)) from error
    there = {(file.engine, file.precision) for file in card.files}
    forms = [form for form in _FORMS if form in there]
    if task == "detector":
        return _detector(_load(Detector, model, forms, threads), forms, read_set(data, split)[:limit], threads)
    return _attributes(_load(AttributeModel, model, forms, threads), forms, read_examples(data, split)[:limit], threads)


def _attributes(
    models: Mapping[_Form, Any], forms: Sequence[tuple[str, str]], examples: Sequence[Example], threads: Sequence[int]
) -> list[dict[str, Any]]:
    """Largest difference of a probability, and the share of decisions that change."""
    values: dict[tuple[str, str], list[Any]] = {form: [] for form in forms}
    clock = _Clock(models)
    for example in counted(examples, "crops"):
        crop = cut_out(read_photo(example.path), example.box)
        for form, model in models.items():
            answer = clock.time(form, partial(model.predict, [crop]))
            if form[2] == 1:
                values[form[:2]].append(answer[0])
    engine, precision = forms[0]
    first, plain = np.stack(values[forms[0]]), models[engine, precision, 1]
    limits = np.array([plain.thresholds[label] for label in plain.labels], np.float32)
    return [
        {
            "form": " ".join(form),
            "largest difference": float(np.abs(np.stack(values[form]) - first).max()),
            "mean difference": float(np.abs(np.stack(values[form]) - first).mean()),
            "changed decisions": float(((np.stack(values[form]) >= limits) != (first >= limits)).mean()),
            "decisions": int(first.size),
            **clock.figures(form, forms[0], threads, "crop"),
        }
        for form in forms
    ]


def _detector(
    models: Mapping[_Form, Any], forms: Sequence[tuple[str, str]], photos: Sequence[Photo], threads: Sequence[int]
) -> list[dict[str, Any]]:
    """Share of finds that have no counterpart (label, IoU ≥ .8) in the other form, and the counterparts' difference."""
    finds: dict[tuple[str, str], list[list[Detection]]] = {form: [] for form in forms}
    clock = _Clock(models)
    for photo in counted(photos, "photos"):
        image = read_photo(photo.path)
        for form, model in models.items():
            found = clock.time(form, partial(model.detect, image))
            if form[2] == 1:
                finds[form[:2]].append(found)
    return [
        {
            "form": " ".join(form),
            **_agreement(finds[form], finds[forms[0]]),
            **clock.figures(form, forms[0], threads, "photo"),
        }
        for form in forms
    ]


def _agreement(finds: Sequence[Sequence[Detection]], reference: Sequence[Sequence[Detection]]) -> dict[str, Any]:
    differences, overlaps, alone, total = [0.0], [1.0], 0, 0
    for mine, theirs in zip(finds, reference, strict=True):
        for one, others in ((mine, theirs), (theirs, mine)):
            for found in one:
                total += 1
                same = [other for other in others if other.label == found.label]
                boxes = np.array([other.box for other in same], np.float32).reshape(-1, 4)
                overlap = box_iou(np.array([found.box], np.float32), boxes)[0]
                if len(same) and overlap.max() >= _SAME:
                    differences.append(abs(same[int(overlap.argmax())].score - found.score))
                    overlaps.append(float(overlap.max()))
                else:
                    alone += 1
    return {
        "largest difference": float(np.max(differences)),
        "mean difference": float(np.mean(differences)),
        "mean IoU of counterparts": float(np.mean(overlaps)),
        "finds without counterpart": alone / max(total, 1),
        "finds": sum(len(found) for found in finds),
    }


def _load(kind: Any, model: str, forms: Sequence[tuple[str, str]], threads: Sequence[int]) -> dict[_Form, Any]:
    """Every form with every thread count, and with one thread at least."""
    return {
        (engine, precision, number): kind.load(model, engine=engine, precision=precision, threads=number)
        for engine, precision in forms
        for number in sorted({1, *threads})
    }


class _Clock:
    """Seconds inside the engine, picture by picture."""

    def __init__(self, models: Mapping[tuple[str, str, int], Any]) -> None:
        self._models = models
        self._seconds: dict[tuple[str, str, int], list[float]] = {form: [] for form in models}

    def time(self, form: tuple[str, str, int], work: Callable[[], Any]) -> Any:
        before = self._models[form].engine_s
        result = work()
        self._seconds[form].append(self._models[form].engine_s - before)
        return result

    def figures(
        self, form: tuple[str, str], first: tuple[str, str], threads: Sequence[int], what: str
    ) -> dict[str, float]:
        """Median ms for each thread count; on one thread also how many times as fast as the first form."""
        found = {f"ms a {what}, {n} thread{'s' * (n > 1)}": 1000 * self._median(*form, n) for n in threads}
        return {**found, "times as fast, 1 thread": self._median(*first, 1) / self._median(*form, 1)}

    def _median(self, engine: str, precision: str, threads: int) -> float:
        return float(np.median(self._seconds[engine, precision, threads]))
