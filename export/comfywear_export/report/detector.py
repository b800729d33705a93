"""The report of a detector: curves, what is taken for what, calibration and forms, a mean box beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Detection
from comfywear_export.data.datasets import Photo
from comfywear_export.data.labels import DETECTOR_LABELS
from comfywear_export.measure.average_precision import LEVELS, boxes_precision
from comfywear_export.measure.curves import calibration_bins, calibration_error, confusion, curve, ranked
from comfywear_export.measure.detection import Tally
from comfywear_export.measure.intervals import boxes_resampled, interval, means
from comfywear_export.report.charts import Panel, calibration, heat_map, panels
from comfywear_export.report.common import about, forms, notes, number
from comfywear_export.report.page import Block, Chart, Table, write_report
from comfywear_models import Card

__all__ = ["report"]

Finds = Sequence[tuple[Photo, Sequence[Detection]]]
_NOTHING = "nothing"


def report(
    path: Path,
    result: Mapping[str, Any],
    thresholds: Mapping[str, float],
    finds: tuple[Finds, Finds],
    compared: Sequence[Mapping[str, Any]] | str,
    card: Card,
) -> None:
    """Write the page.

    Args:
        path: FILE.html or FILE.md.
        result: What `evaluate detector --json` prints.
        thresholds: Score of each label above which a find is believed.
        finds: Of the model, and of the mean box.
        compared: What `parity` prints, or why it could not.
        card: Of the model.
    """
    own, base = _tally(finds[0]), _tally(finds[1])
    labels = [label for label in DETECTOR_LABELS if any(len(photo.truth) for photo in own.found[label])]
    resampled = boxes_resampled({label: own.found[label] for label in labels})
    shown: dict[str, Panel] = {}
    rows = []
    for label in labels:
        scores, hits, total = ranked(own.found[label])
        model, never = curve(scores, hits, total), curve(*ranked(base.found[label]))
        ap, base_ap = (boxes_precision(tally.found[label], LEVELS[0])[0] for tally in (own, base))
        threshold = thresholds[label]
        recall, precision = model.at(threshold)
        f1 = 2 * recall * precision / (recall + precision) if recall else 0.0
        shown[label] = Panel(model, threshold, never.at(0.0), note=f"AP50 {ap:.3f}, mean box {base_ap:.3f}")
        rows.append([label, str(total), number(ap), interval(resampled[label]), number(base_ap),
                     f"{threshold:.2f}", number(recall), number(precision), number(f1)])  # fmt: skip
    blocks: list[Block] = [
        about(result, f"{result['images']} photos"),
        _headline(result, resampled),
        Table(
            "Label by label",
            ["label", "boxes", "AP50", "95 % interval", "AP50 of a mean box", "threshold", "recall", "precision", "F1"],
            rows,
            "Recall, precision and F1 are those at the threshold that the card gives, at IoU .5. The interval is "
            "that of 200 resamples of the photos (bootstrap).",
        ),
        Chart(
            "Precision and recall",
            panels(shown),
            "; ".join(f"{label}: {panel.note}" for label, panel in shown.items()),
            "At IoU .5. The orange dot is the threshold of the card, the grey cross an answer that never looks: the "
            "mean box of the training photos.",
        ),
        *_confused(finds[0], labels, thresholds),
        _calibration(own, labels),
        *forms(compared, card, "photo"),
        *notes(card),
    ]
    write_report(path, f"How good is {result['model']} {result['version']}?", blocks)


def _tally(finds: Finds) -> Tally:
    tally = Tally()
    for photo, detections in finds:
        tally.add(photo, detections)
    return tally


def _headline(result: Mapping[str, Any], resampled: Mapping[str, NDArray[np.float64]]) -> Table:
    person, base = result["person"], result["mean_box"]["person"]
    names = {"ap50": "person AP50", "ap": "person AP50:95", "recall50": "persons found",
             "precision50": "finds that are persons"}  # fmt: skip
    rows = [[name, number(person[key]), "", number(base[key])] for key, name in names.items()]
    if "person" in resampled:
        rows[0][2] = interval(resampled["person"])
    garments, never = result["garments"], result["mean_box"]["garments"]
    if garments["per_class"]:
        others = means({label: values for label, values in resampled.items() if label != "person"})
        rows.append(["garments mean AP50", number(garments["map50"]), interval(others), number(never["map50"])])
    return Table(
        "In short",
        ["figure", "model", "95 % interval", "mean box"],
        rows,
        f"Of {person['n']} persons, at a score of {person['threshold']:.2f} or more. A mean box never looks at the "
        f"photo (mean of: {result['mean_box']['from']}): where it does well, the photos are alike.",
    )


def _confused(finds: Finds, labels: Sequence[str], thresholds: Mapping[str, float]) -> list[Block]:
    garments = [label for label in labels if label != "person"]
    if len(garments) < 2:
        return []
    table = confusion([(photo, found) for photo, found in finds if photo.garments], garments, thresholds)
    pairs = [(i, j) for i in range(len(garments)) for j in range(len(garments)) if i != j]
    wrong = sorted(((int(table[i, j]), garments[i], garments[j]) for i, j in pairs), reverse=True)
    words = ", ".join(f"{n} × {there} taken for {said}" for n, there, said in wrong[:3] if n)
    return [
        Chart(
            "What is taken for what",
            heat_map(table, [*garments, _NOTHING], [*garments, _NOTHING], "the detector says", "there is"),
            f"Most often: {words or 'no garment for another'}",
            "Boxes at IoU .5 and the card's thresholds. The last column are garments that were missed, the last row "
            "finds where nothing is labelled. Rows are coloured by their shares.",
        )
    ]


def _calibration(own: Tally, labels: Sequence[str]) -> Chart:
    series, words = {}, []
    groups = {"person": ["person"], "garments": [label for label in labels if label != "person"]}
    for name, members in groups.items():
        scores, hits, _ = ranked([photo for label in members for photo in own.found[label]])
        if len(scores):
            series[name] = calibration_bins(scores, hits)
            words.append(f"{name}: {calibration_error(series[name]):.3f} apart on average")
    return Chart(
        "Do scores mean what they say?",
        calibration(series, "score"),
        "; ".join(words),
        "Of finds with a score of s, a share of s is right where the line lies on the diagonal; below it the detector "
        f"is too sure. Weighted by number, {'; '.join(words)}. The lower bars count the finds.",
    )
