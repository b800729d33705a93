"""Guesses the layouts of graphs that leave no doubles: finished boxes in rows or apart, and boxes beside scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.vision.layouts import ssd
from comfywear.vision.layouts.decoding import Floats32
from comfywear.vision.layouts.detr import IMAGENET
from comfywear.vision.layouts.reading import P5, Guess, are_scores, count_cells, in_parts, parts_or_pixels
from comfywear.vision.layouts.rows import COLUMNS, OTHER_COLUMNS, table_of

__all__ = ["COCO_91", "DETR_92", "MOST_ROWS", "USUAL", "guess_apart", "guess_beside", "guess_one_table", "guess_rows"]

USUAL, COCO_91, DETR_92 = 80, 91, 92
"""How many classes models of COCO have: without gaps, with COCO's numbers from 0, and with one for nothing."""
MOST_ROWS = 1000
"""Of models that make no doubles."""


def guess_one_table(table: Floats32) -> list[Guess]:
    """One output with boxes in parts of the picture and a score a class, of a transformer."""
    rows, columns = table.shape
    scored = rows <= MOST_ROWS and columns > 4 and in_parts(table[:, :4]) and are_scores(table[:, 4:])
    if not scored or _fits(table, COLUMNS):
        return []
    return [Guess("detr", columns - 4, f"{rows} rows, boxes in parts of the picture and scores")]


def guess_rows(outputs: Sequence[NDArray[Any]], flat: Sequence[NDArray[Any]], names: Sequence[str]) -> list[Guess]:
    """Finished boxes, one a row."""
    rows = [
        output
        for output in flat
        if output.ndim >= 2 and output.shape[-1] >= 6 and all(s == 1 for s in output.shape[:-2])
    ]
    if len(flat) != 1 or len(rows) != 1 or rows[0].shape[-2] > MOST_ROWS:
        return []
    table = table_of(outputs)
    if table is None:
        return []
    why, named = f"{len(table)} rows of {table.shape[1]} numbers", " ".join(names)
    live = table[np.abs(table).sum(axis=1) > 0]
    fit = [columns for columns in (COLUMNS, *OTHER_COLUMNS) if _fits(table, columns)]
    if "flat_predictions" in named:  # YOLO-NAS
        fit = [OTHER_COLUMNS[1]]
    if not len(live):
        if table.shape[1] == len(COLUMNS):
            fit = [COLUMNS]
        elif "flat_predictions" not in named and not (rows[0].ndim == 2 and table.shape[1] == 7):
            return []
    found = []
    for columns in fit:
        boxes = table[:, [columns.index(side) for side in ("x1", "y1", "x2", "y2")]]
        options: dict[str, Any] = parts_or_pixels(boxes, table[:, columns.index("score")]) if len(live) else {}
        if columns != COLUMNS:
            options = {"columns": list(columns), **options}
        order = "" if columns == COLUMNS else f": {', '.join(columns)}"
        bytes_in = {"channels": "BGR"} if "flat_predictions" in named else {}
        found.append(Guess("rows", None, why + order, options, bytes_in))
    return found


def _fits(table: Floats32, columns: Sequence[str]) -> bool:
    """Whether the rows can have these columns: whole classes, scores in 0…1, boxes whose corners are in order."""
    if table.shape[1] < len(columns) or (table.shape[1] > len(columns) and columns != COLUMNS):
        return False
    live = table[np.abs(table).sum(axis=1) > 0]
    if not len(live):
        return True
    named = {name: live[:, index] for index, name in enumerate(columns)}
    whole = named["class"] == np.rint(named["class"])
    sound = whole & (named["class"] >= -1) & (named["score"] >= -1e-3) & (named["score"] <= 1 + 1e-3)
    sound &= (named["x2"] >= named["x1"]) & (named["y2"] >= named["y1"])
    if "batch" in named:
        sound &= np.isin(named["batch"], (0, -1))
    # A score that is always a whole number is a class.
    return bool(sound.all()) and bool((named["score"] != np.rint(named["score"])).any())


def guess_apart(outputs: Sequence[NDArray[Any]], names: Sequence[str]) -> list[Guess]:
    """Finished boxes, classes and scores in outputs of their own: TFLite's post-processing, and suppression inside."""
    wide = [
        i
        for i, o in enumerate(outputs)
        if o.ndim in (2, 3) and o.shape[-1] in (4, 5) and all(s == 1 for s in o.shape[:-2])
    ]
    if not wide:
        return []
    at = next((i for i in wide if _sounds_like(names, i, "box")), wide[0])
    count_of_boxes = outputs[at].shape[-2]
    single = [i for i in range(len(outputs)) if i != at and outputs[i].size == 1 and outputs[i].ndim < 3]
    flat = [i for i in range(len(outputs)) if i != at and i not in single[:1] and outputs[i].size == count_of_boxes]
    if count_of_boxes == 1:  # one thing was found: sizes tell nothing
        counts = [i for i in single if _sounds_like(names, i, "num", "count")]
        single, flat = counts, [i for i in single if i not in counts]
    if outputs[at].shape[-1] == 5:
        if len(outputs) != 2 or len(flat) != 1:
            return []
        order = ["scored", "classes"] if at == 0 else ["classes", "scored"]
        return [Guess("nms", None, "boxes with their scores, and classes", _nms_options(outputs, order))]
    if len(flat) != 2 or len(outputs) != 3 + len(single[:1]):
        return []
    scores = next((i for i in flat if _sounds_like(names, i, "score", "conf")), None)
    if scores is None:
        likely = [i for i in flat if _look_like_scores(outputs[i])]
        scores = likely[0] if len(likely) == 1 else None
    classes = next((i for i in flat if i != scores), None)
    ssd_order = ssd.find_order(outputs)
    if single and (ssd_order or scores is None) and in_parts(outputs[at]) and not _whole_dtype(outputs, single[0]):
        # Counts and classes are floats there; what else has four outputs writes whole numbers.
        options: dict[str, Any] = {"order": list(ssd_order)} if ssd_order else {}
        if "detection_classes" in names:  # TensorFlow's own, before its converter to TFLite counts from 0
            options["first"] = 1
        like_ssd = Guess("ssd", None, "four outputs of TFLite's post-processing", options)
        if scores is None:
            return [like_ssd]
        order = [_role(i, at, scores, single) for i in range(len(outputs))]
        other = Guess("nms", None, "four outputs, boxes x before y", _nms_options(outputs, order))
        if any("num_dets" in name or "det_" in name or "num_predictions" in name for name in names):
            return [other]
        return [like_ssd]
    if scores is None or classes is None:
        return []
    order = [_role(i, at, scores, single) for i in range(len(outputs))]
    named = " ".join(names)
    stretched = {"resize": "stretch"} if len(outputs) == 3 and "labels" in named else {}
    bytes_in = {"channels": "BGR"} if "num_predictions" in named else {}
    why = f"{'four' if single else 'three'} outputs: {', '.join(order)}"
    from_one = {"first": 1} if not single and outputs[at].ndim == 2 else {}  # torchvision: 0 is the background
    return [Guess("nms", None, why, {**_nms_options(outputs, order), **from_one}, {**stretched, **bytes_in})]


def _role(index: int, boxes: int, scores: int, single: Sequence[int]) -> str:
    return "boxes" if index == boxes else "scores" if index == scores else "count" if index in single[:1] else "classes"


def _nms_options(outputs: Sequence[NDArray[Any]], order: Sequence[str]) -> dict[str, Any]:
    named = dict(zip(order, outputs, strict=False))
    boxes = np.asarray(named["boxes"] if "boxes" in named else named["scored"], np.float32)
    return {
        "order": list(order),
        **({"normalised": True} if boxes.size and in_parts(boxes[..., :4]) and boxes.any() else {}),
    }


def _whole_dtype(outputs: Sequence[NDArray[Any]], index: int) -> bool:
    return outputs[index].dtype.kind in "iu"


def _sounds_like(names: Sequence[str], index: int, *words: str) -> bool:
    return index < len(names) and any(word in names[index].lower() for word in words)


def _look_like_scores(output: NDArray[Any]) -> bool:
    values = np.asarray(output, np.float32)
    whole = output.dtype.kind in "iu" or bool((values == np.rint(values)).all())
    return not whole and are_scores(values)


def guess_beside(outputs: Sequence[NDArray[Any]], size: tuple[int, int], names: Sequence[str]) -> list[Guess]:
    """Two outputs with a row a candidate: YOLO-NAS, and transformers."""
    first, second = outputs
    if first.shape[1] != second.shape[1]:
        return []
    fours = [i for i in (0, 1) if outputs[i].shape[2] == 4 and (_sounds_like(names, i, "box", "det") or len(names) < 2)]
    fours = fours or [i for i in (0, 1) if outputs[i].shape[2] == 4]
    if len(fours) == 2:
        fours = [i for i in (0, 1) if in_parts(outputs[i])] or fours
    if not fours:
        return []
    at = fours[0]
    boxes, scores = np.asarray(outputs[at], np.float32)[0], np.asarray(outputs[1 - at], np.float32)[0]
    rows, columns = scores.shape
    order = ["boxes", "scores"] if at == 0 else ["scores", "boxes"]
    if rows == count_cells(size, P5) and are_scores(scores):
        return [
            Guess(
                "yolonas",
                columns,
                f"one row a cell ({rows}), boxes and scores apart",
                parts_or_pixels(boxes, scores.max(1)),
            )
        ]
    if rows > MOST_ROWS or not in_parts(boxes):
        return []
    options: dict[str, Any] = {"order": order}
    why = f"{rows} boxes in parts of the picture, and {columns} "
    if are_scores(scores):
        return [Guess("detr", columns, f"{why}scores", options)]
    nothing = float((scores.argmax(axis=1) == columns - 1).mean())
    if columns == DETR_92 or (nothing > 0.5 and columns > 2 and columns not in (USUAL, COCO_91)):
        return [Guess("detr", columns, f"{why}logits, the last of nothing", {**options, "softmax": True}, IMAGENET)]
    options["logits"] = True
    roboflow = columns == COCO_91 or (_sounds_like(names, at, "dets") and _sounds_like(names, 1 - at, "labels"))
    plain = Guess("detr", columns, f"{why}logits", options)
    normed = Guess("detr", columns, f"{why}logits; colours as ImageNet's", options, IMAGENET)
    return [normed] if roboflow else [plain]
