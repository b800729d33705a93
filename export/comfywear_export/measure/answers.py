"""How good yes-or-no answers are, label by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.detectors.detector import Detector
from comfywear.vision.layouts.nms import box_iou
from comfywear_export.data.attribute_data import Example
from comfywear_export.data.crops import cut_out
from comfywear_export.data.datasets import read_photo
from comfywear_export.data.labels import ATTRIBUTE_LABELS
from comfywear_export.measure.average_precision import average_precision
from comfywear_export.measure.curves import calibration_bins, calibration_error
from comfywear_export.measure.kept_answers import KeptAnswers, file_key
from comfywear_export.progress import counted

__all__ = ["answers", "detected", "evaluate", "judged", "lower_claimed", "measure_answers"]

_SAME = 0.5  # IoU of a find with the labelled person


def measure_answers(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.float32],
    labels: Sequence[str],
    thresholds: Mapping[str, float],
) -> dict[str, Any]:
    """Figures over persons.

    Args:
        probabilities: `(N, A)`, 0…1.
        truth: `(N, A)`: 1, 0, or NaN where it is not known (left out).
        labels: `(A)`.
        thresholds: Probability a label above which the answer is yes.

    Returns:
        `map_groups` and `map_labels` (mean AP of `group/…` and `garment/…` labels with at least one yes and one no),
        `f1_groups` (mean F1 at the thresholds), `decisions` (share of right group decisions, and their number),
        `prevalence` (what `map_groups` and `map_labels` would be for constant answers), `calibration_error` (of groups,
        ten bins) and `labels` with the figures and counts of each.
    """
    rows: dict[str, dict[str, Any]] = {}
    for index, label in enumerate(labels):
        known = ~np.isnan(truth[:, index])
        p, yes = probabilities[known, index], truth[known, index] > 0.5
        if not len(p):
            continue
        said = p >= thresholds[label]
        right = int((said & yes).sum())
        asked = int(said.sum() + yes.sum())
        rows[label] = {
            "ap": average_precision(p, yes),
            "f1": 2 * right / asked if asked else float("nan"),
            "prevalence": float(yes.mean()),
            "accuracy": float((said == yes).mean()),
            "threshold": thresholds[label],
            "positives": int(yes.sum()),
            "n": len(yes),
        }
    groups = [rows[label] for label in rows if label.startswith("group/")]
    singles = [rows[label] for label in rows if label.startswith("garment/")]
    own = np.array([label.startswith("group/") for label in labels])
    decided = int(sum(row["n"] for row in groups))
    return {
        "persons": len(probabilities),
        "map_groups": _mean(groups, "ap"),
        "map_labels": _mean(singles, "ap"),
        "f1_groups": _mean(groups, "f1"),
        "decisions": {"right": _share(groups, decided), "n": decided},
        "prevalence": {"groups": _mean(groups, "prevalence"), "labels": _mean(singles, "prevalence")},
        "calibration_error": _calibration_error(probabilities[:, own], truth[:, own]),
        "labels": rows,
    }


def lower_claimed(
    probabilities: NDArray[np.float32], labels: Sequence[str], thresholds: Mapping[str, float]
) -> dict[str, float]:
    """Share of persons of whom trousers, shorts, a skirt or dress (each, and `any`) are believed to be seen, 0…1."""
    said = {
        group: probabilities[:, labels.index(f"group/{group}")] >= thresholds[f"group/{group}"]
        for group in ("trousers", "shorts", "skirt-or-dress")
        if f"group/{group}" in labels
    }
    some = np.zeros(len(probabilities), bool)
    for one in said.values():
        some |= one
    return {name: float(one.mean()) for name, one in {"any": some, **said}.items()}


def _mean(rows: Sequence[Mapping[str, float]], key: str) -> float:
    values = [row[key] for row in rows if 0 < row["positives"] < row["n"]]
    return float(np.mean(values)) if values else float("nan")


def _share(rows: Sequence[Mapping[str, float]], decided: int) -> float:
    return sum(row["accuracy"] * row["n"] for row in rows) / decided if decided else float("nan")


def _calibration_error(probabilities: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    known = ~np.isnan(truth)
    return calibration_error(calibration_bins(probabilities[known], truth[known] > 0.5))


def answers(model: AttributeModel, examples: Sequence[Example], kept: KeptAnswers | None = None) -> NDArray[np.float32]:
    """`(N, A)` probabilities of the model for the labelled person of each photo."""
    kept = kept or KeptAnswers(None, {})

    def seen(example: Example) -> list[float]:
        return [float(p) for p in model.predict([cut_out(read_photo(example.path), example.box)])[0]]

    rows = [
        kept.get(file_key(each.path, each.box.tolist()), partial(seen, each)) for each in counted(examples, "crops")
    ]
    return np.array(rows, np.float32) if rows else np.zeros((0, len(model.labels)), np.float32)


def detected(detector: Detector, examples: Sequence[Example]) -> list[Example]:
    """The examples whose person the detector believes to see, with the box that it gives (IoU ≥ .5 with the label's).

    Raises:
        UsageError: It finds none of them.
    """
    found = []
    for example in counted(examples, "photos"):
        persons = [d for d in detector.detect(read_photo(example.path)) if d.label == "person"]
        boxes = np.array([d.box for d in persons], np.float32).reshape(-1, 4)
        overlaps = box_iou(example.box[None].astype(np.float32), boxes)[0]
        if len(overlaps) and overlaps.max() >= _SAME:
            found.append(replace(example, box=boxes[int(overlaps.argmax())]))
    if not found:
        raise UsageError(f"detector {detector.card.name!r} finds none of the {len(examples)} labelled persons")
    return found


def evaluate(model: AttributeModel, examples: Sequence[Example]) -> dict[str, Any]:
    """The figures of `measure_answers`, for the labels that model and data sets share."""
    labels, probabilities, truth = judged(model, examples)
    return measure_answers(probabilities, truth, labels, model.thresholds)


def judged(
    model: AttributeModel, examples: Sequence[Example], kept: KeptAnswers | None = None
) -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]]:
    """The labels that model and data sets share, and `(N, A)` probabilities and truth (NaN: not known) of each."""
    shared = [label for label in model.labels if label in ATTRIBUTE_LABELS]
    if not shared:
        raise UsageError(f"model {model.card.name!r} has none of the labels that data sets are read for")
    columns = [model.labels.index(label) for label in shared]
    truth = np.stack([example.answers for example in examples])[:, [ATTRIBUTE_LABELS.index(s) for s in shared]]
    return shared, answers(model, examples, kept)[:, columns], truth
