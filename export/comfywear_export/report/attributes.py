"""The report of an attribute model: curves, wrong answers, calibration and forms, constant answers beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear_export.measure.curves import calibration_bins, calibration_error, curve
from comfywear_export.measure.intervals import answers_resampled, interval, means
from comfywear_export.report.charts import Panel, calibration, heat_map, panels
from comfywear_export.report.common import about, forms, notes, number
from comfywear_export.report.page import Block, Chart, Table, write_report
from comfywear_models import Card

__all__ = ["report"]

Resampled = Mapping[str, NDArray[np.float64]]
Answers = tuple[Sequence[str], NDArray[np.float32], NDArray[np.float32]]


def report(
    path: Path,
    result: Mapping[str, Any],
    thresholds: Mapping[str, float],
    answers: Answers,
    compared: Sequence[Mapping[str, Any]] | str,
    card: Card,
) -> None:
    """Write the page.

    Args:
        path: FILE.html or FILE.md.
        result: What `evaluate attributes --json` prints.
        thresholds: Probability of each label above which the answer is yes.
        answers: Labels, and `(N, A)` probabilities and truth (NaN where it is not known).
        compared: What `parity` prints, or why it could not.
        card: Of the model.
    """
    resampled = answers_resampled(_known(answers), len(answers[1]))
    blocks: list[Block] = [
        about(result, f"{result['persons']} persons"),
        _headline(result, resampled),
        *(_of_groups(answers, result, thresholds) if _groups(answers) else []),
        _labels(result, resampled),
        *forms(compared, card, "crop"),
        *notes(card),
    ]
    write_report(path, f"How good is {result['model']} {result['version']}?", blocks)


def _of_groups(answers: Answers, result: Mapping[str, Any], thresholds: Mapping[str, float]) -> list[Block]:
    """What can be shown where it is known what is worn."""
    return [
        _curves(answers, result, thresholds),
        _decisions(answers, thresholds),
        _together(answers, thresholds),
        _calibration(answers),
    ]


def _known(answers: Answers) -> dict[str, tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.intp]]]:
    """Probability, truth and number of the person of each label's answers, where the truth is known."""
    found = {}
    for index, label in enumerate(answers[0]):
        who = np.flatnonzero(~np.isnan(answers[2][:, index]))
        found[label] = answers[1][who, index], answers[2][who, index] > 0.5, who
    return found


def _headline(result: Mapping[str, Any], resampled: Resampled) -> Table:
    base, labels = result["prevalence"], result["labels"]
    groups = [row for label, row in labels.items() if label.startswith("group/") and row["positives"]]
    always = float(np.mean([_f1_of_yes(row["prevalence"]) for row in groups])) if groups else float("nan")
    right = sum(max(row["prevalence"], 1 - row["prevalence"]) * row["n"] for row in groups)
    asked = sum(row["n"] for row in groups)
    return Table(
        "In short",
        ["figure", "model", "95 % interval", "constant answers"],
        [
            ["mean AP of the groups", number(result["map_groups"]), _mean(resampled, "group/"), number(base["groups"])],
            [
                "mean AP of single garments",
                number(result["map_labels"]),
                _mean(resampled, "garment/"),
                number(base["labels"]),
            ],
            ["mean F1 of the groups", number(result["f1_groups"]), "", number(always)],
            [
                "right group decisions",
                number(result["decisions"]["right"]),
                "",
                number(right / asked if asked else None),
            ],
            ["calibration error", number(result["calibration_error"]), "", "0"],
        ],
        "Constant answers never look: the share of yes for AP and calibration, always yes for F1, the more frequent "
        "answer of each group for decisions. Intervals are those of 200 resamples of the persons (bootstrap).",
    )


def _curves(answers: Answers, result: Mapping[str, Any], thresholds: Mapping[str, float]) -> Chart:
    shown = {}
    for label, said, yes in _groups(answers):
        row = result["labels"][label]
        note = f"AP {number(row['ap'])}, constant {number(row['prevalence'])}"
        shown[_short(label)] = Panel(
            curve(said, yes, int(yes.sum())), thresholds[label], level=row["prevalence"], note=note
        )
    return Chart(
        "Precision and recall of the groups",
        panels(shown),
        "; ".join(f"{label}: {panel.note}" for label, panel in shown.items()),
        "The dashed line is a constant answer, the orange dot the threshold of the card.",
    )


def _decisions(answers: Answers, thresholds: Mapping[str, float]) -> Table:
    rows = []
    for label, said, yes in _groups(answers):
        claimed = said >= thresholds[label]
        counts = [(claimed & yes).sum(), (claimed & ~yes).sum(), (~claimed & yes).sum(), (~claimed & ~yes).sum()]
        rows.append([_short(label), f"{thresholds[label]:.2f}", *(str(int(n)) for n in counts)])
    return Table(
        "Right and wrong answers of the groups",
        ["group", "threshold", "worn, said", "not worn, said", "worn, not said", "not worn, not said"],
        rows,
    )


def _together(answers: Answers, thresholds: Mapping[str, float]) -> Chart:
    """What is said wrongly of those who wear something: the counterpart of a confusion matrix for several answers."""
    labels = [label for label, _, _ in _groups(answers)]
    columns = [list(answers[0]).index(label) for label in labels]
    truth = answers[2][:, columns]
    said = answers[1][:, columns] >= np.array([thresholds[label] for label in labels], np.float32)
    table = np.zeros((len(labels), len(labels) + 1), np.int64)
    for row in range(len(labels)):
        worn = truth[:, row] > 0.5
        for column in range(len(labels)):
            wrong = said[:, column] & ((truth[:, column] < 0.5) if column != row else True)
            table[row, column] = int((worn & wrong).sum())
        table[row, -1] = int((worn & ~said[:, row]).sum())
    short = [_short(label) for label in labels]
    return Chart(
        "What is taken for what",
        heat_map(table, short, [*short, "missed"], "said", "worn"),
        "Of those who wear what the row says: how often it is said, what is said wrongly beside it, how often missed",
        "Several groups can be worn at once. Of the persons who wear what the row says: on the diagonal how often the "
        "model says so, in the other columns what it says although it is not worn, in the last how often it misses the "
        "row's own.",
    )


def _calibration(answers: Answers) -> Chart:
    said = np.concatenate([p for _, p, _ in _groups(answers)])
    yes = np.concatenate([y for _, _, y in _groups(answers)])
    bins = calibration_bins(said, yes)
    words = f"predicted and observed shares are {calibration_error(bins):.3f} apart on average"
    return Chart(
        "Do probabilities mean what they say?",
        calibration({"groups": bins}, "probability"),
        words,
        f"On the diagonal they do; weighted by number, {words}. The lower bars count the answers.",
    )


def _mean(resampled: Resampled, kind: str) -> str:
    found = {label: values for label, values in resampled.items() if label.startswith(kind)}
    return interval(means(found)) if found else "–"


def _labels(result: Mapping[str, Any], resampled: Resampled) -> Table:
    rows = [
        [label, str(row["positives"]), str(row["n"]), number(row["ap"]), interval(resampled[label]),
         number(row["prevalence"]),
         f"{row['threshold']:.2f}", number(row["f1"]), number(_f1_of_yes(row["prevalence"]))]
        for label, row in result["labels"].items()
    ]  # fmt: skip
    header = ["label", "yes", "of", "AP", "95 % interval", "constant AP", "threshold", "F1", "F1 of always yes"]
    return Table("Label by label", header, rows)


def _groups(answers: Answers) -> list[tuple[str, NDArray[np.float32], NDArray[np.bool_]]]:
    """Label, probabilities and truth of each group, where the truth is known."""
    found = []
    for index, label in enumerate(answers[0]):
        known = ~np.isnan(answers[2][:, index])
        if label.startswith("group/") and known.any():
            found.append((label, answers[1][known, index], answers[2][known, index] > 0.5))
    return found


def _f1_of_yes(prevalence: float) -> float:
    return 2 * prevalence / (1 + prevalence)


def _short(label: str) -> str:
    return label.partition("/")[2]
