"""Outputs as detectors of other families write them, made from boxes: the decoders' formulas turned round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = tuple[float, float, float, float]
Thing = tuple[Box, int, float]  # box in pixels of the input, class, score

RNG = np.random.default_rng(7)


def centres(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def cell_count(side: int, strides: Sequence[int]) -> int:
    return sum((side // stride) ** 2 for stride in strides)


def noise(rows: int, columns: int) -> np.ndarray:
    return RNG.uniform(0, 0.05, (rows, columns)).astype(np.float32)


def yolov5(things: Sequence[Thing], side: int, classes: int, normalised: bool = False) -> list[np.ndarray]:
    rows = 3 * cell_count(side, (8, 16, 32))
    out = noise(rows, 5 + classes)
    out[:, :4] = RNG.uniform(10, side - 10, (rows, 4))
    for i, (box, label, score) in enumerate(things):
        row = out[97 * (i + 1)]
        row[:4], row[4], row[5 + label] = centres(box), 0.9, score / 0.9
    out[:, :4] /= side if normalised else 1
    return [out[None]]


def yolov8(
    things: Sequence[Thing], side: int, classes: int, normalised: bool = False, last: bool = False
) -> list[np.ndarray]:
    rows = cell_count(side, (8, 16, 32))
    out = noise(rows, 4 + classes)
    out[:, :4] = RNG.uniform(10, side - 10, (rows, 4))
    for i, (box, label, score) in enumerate(things):
        row = out[31 * (i + 1)]
        row[:4], row[4 + label] = centres(box), score
    out[:, :4] /= side if normalised else 1
    return [out[None] if last else np.ascontiguousarray(out.T)[None]]


def yolox(things: Sequence[Thing], side: int, classes: int, decoded: bool = False) -> list[np.ndarray]:
    strides = (8, 16, 32)
    rows = cell_count(side, strides)
    out = noise(rows, 5 + classes)
    out[:, :2], out[:, 2:4] = RNG.uniform(-1, 2, (rows, 2)), RNG.uniform(-2, 2, (rows, 2))
    corner = np.array([(x * s, y * s, s) for s in strides for y in range(side // s) for x in range(side // s)], float)
    for box, label, score in things:
        cx, cy, width, height = centres(box)
        # The cell of stride 16 in which the centre lies.
        across = side // 16
        at = (side // 8) ** 2 + int(cy // 16) * across + int(cx // 16)
        row = out[at]
        row[:4] = cx / 16 - cx // 16, cy / 16 - cy // 16, np.log(width / 16), np.log(height / 16)
        row[4], row[5 + label] = 0.9, score / 0.9
    if decoded:
        out[:, :2] = out[:, :2] * corner[:, 2:] + corner[:, :2]
        out[:, 2:4] = np.exp(out[:, 2:4]) * corner[:, 2:]
    return [out[None]]


def nanodet(
    things: Sequence[Thing], side: int, classes: int, bins: int = 8, plus: bool = False, apart: bool = False
) -> list[np.ndarray]:
    strides, offset = ((8, 16, 32, 64), 0.0) if plus else ((8, 16, 32), 0.5)
    rows = cell_count(side, strides)
    scores = noise(rows, classes)
    spread = RNG.normal(0, 1.5, (rows, 4, bins)).astype(np.float32)
    for box, label, score in things:
        across = side // 32
        x, y = int((box[0] + box[2]) / 2 // 32), int((box[1] + box[3]) / 2 // 32)
        at = cell_count(side, (8, 16)) + y * across + x
        px, py = (x + offset) * 32, (y + offset) * 32
        for side_index, distance in enumerate((px - box[0], py - box[1], box[2] - px, box[3] - py)):
            low = min(int(distance / 32), bins - 2)
            part = distance / 32 - low
            # A distribution over two neighbouring bins with this mean.
            spread[at, side_index] = -40
            spread[at, side_index, low : low + 2] = np.log([max(1 - part, 1e-12), max(part, 1e-12)])
        scores[at, label] = score
    flat = spread.reshape(rows, 4 * bins)
    if not apart:
        return [np.concatenate([scores, flat], 1)[None]]
    cuts = np.cumsum([cell_count(side, (s,)) for s in strides])[:-1]
    parts = [*np.split(scores, cuts), *np.split(flat, cuts)]
    return [parts[i][None] for i in (2, 5, 1, 0, 4, 3)]  # in no order, as converters leave them


def ssd(things: Sequence[Thing], side: int, order: Sequence[str], slots: int = 10) -> list[np.ndarray]:
    ranked = sorted(things, key=lambda thing: -thing[2])
    boxes, classes, scores = np.zeros((1, slots, 4), "f4"), np.zeros((1, slots), "f4"), np.zeros((1, slots), "f4")
    for i, (box, label, score) in enumerate(ranked):
        boxes[0, i] = np.array([box[1], box[0], box[3], box[2]]) / side
        classes[0, i], scores[0, i] = label, score
    scores[0, len(ranked) :] = np.linspace(0.09, 0.01, slots - len(ranked))
    named = {"boxes": boxes, "classes": classes, "scores": scores, "count": np.array([len(ranked)], "f4")}
    return [named[name] for name in order]


def efficientdet(things: Sequence[Thing], side: int, classes: int, logits: bool = False) -> list[np.ndarray]:
    strides = (8, 16, 32, 64, 128)
    cells = [-(-side // stride) for stride in strides]
    rows = 9 * sum(n * n for n in cells)
    boxes, scores = RNG.normal(0, 0.3, (rows, 4)).astype(np.float32), noise(rows, classes)
    for box, label, score in things:
        cx, cy, width, height = centres(box)
        x, y = int(cx // 32), int(cy // 32)
        # Octave 1, ratio 1.4 / 0.7 at stride 32.
        at = 9 * (cells[0] ** 2 + cells[1] ** 2 + y * cells[2] + x) + 3 + 1
        wide, high = 3 * 32 * 2 ** (1 / 3) * 1.4, 3 * 32 * 2 ** (1 / 3) * 0.7
        px, py = (x + 0.5) * 32, (y + 0.5) * 32
        boxes[at] = (cy - py) / high, (cx - px) / wide, np.log(height / high), np.log(width / wide)
        scores[at, label] = score
    if logits:
        scores = np.log(scores / (1 - scores)).astype(np.float32)
    return [scores[None], boxes[None]]


def finished(things: Sequence[Thing], side: int, slots: int = 300, normalised: bool = False) -> list[np.ndarray]:
    out = np.zeros((1, slots, 6), np.float32)
    for i, (box, label, score) in enumerate(sorted(things, key=lambda thing: -thing[2])):
        out[0, i] = (*(np.array(box) / (side if normalised else 1)), score, label)
    return [out]


def efficient_nms(
    things: Sequence[Thing], side: int, slots: int = 100, normalised: bool = False, whole: bool = True
) -> list[np.ndarray]:
    """num_dets, boxes, scores, classes, as TensorRT's plugin and those who write like it; `whole` numbers or floats."""
    ranked = sorted(things, key=lambda thing: -thing[2])
    kind = "i4" if whole else "f4"
    boxes, scores, classes = np.zeros((1, slots, 4), "f4"), np.zeros((1, slots), "f4"), np.full((1, slots), -1, kind)
    for i, (box, label, score) in enumerate(ranked):
        boxes[0, i], scores[0, i], classes[0, i] = np.array(box) / (side if normalised else 1), score, label
    return [np.array([[len(ranked)]], kind), boxes, scores, classes]


def in_columns(
    things: Sequence[Thing], side: int, columns: Sequence[str], normalised: bool = False
) -> list[np.ndarray]:
    """A row a thing, N x columns without a batch axis."""
    table = np.zeros((len(things), len(columns)), np.float32)
    for i, (box, label, score) in enumerate(sorted(things, key=lambda thing: -thing[2])):
        sides = np.array(box) / (side if normalised else 1)
        said = dict(zip(("x1", "y1", "x2", "y2"), sides, strict=True)) | {"class": label, "score": score}
        table[i] = [said.get(name, 0.0) for name in columns]
    return [table]


def detr(
    things: Sequence[Thing], side: int, classes: int, kind: str = "logits", slots: int = 300
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and "logits", "scores", or logits for "softmax" whose last column means nothing."""
    boxes = RNG.uniform(0.2, 0.4, (slots, 4)).astype(np.float32)
    scores = noise(slots, classes) + 1e-4
    if kind == "softmax":
        scores[:, -1] = 0.9
    for i, (box, label, score) in enumerate(things):
        boxes[7 * i], scores[7 * i, label] = np.array(centres(box)) / side, score
        if kind == "softmax":
            scores[7 * i] = (1 - score) / (classes - 1)
            scores[7 * i, label] = score
    if kind == "logits":
        scores = np.log(scores / (1 - scores))
    elif kind == "softmax":
        scores = np.log(scores)
    return boxes[None], scores.astype(np.float32)[None]


def yolonas(things: Sequence[Thing], side: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rows = cell_count(side, (8, 16, 32))
    corner = RNG.uniform(0, side - 60, (rows, 2))
    boxes = np.concatenate([corner, corner + RNG.uniform(10, 60, (rows, 2))], 1).astype(np.float32)
    scores = noise(rows, classes)
    for i, (box, label, score) in enumerate(things):
        boxes[31 * (i + 1)], scores[31 * (i + 1), label] = box, score
    return boxes[None], scores[None]


def with_masks(outputs: Sequence[np.ndarray], axis: int, side: int) -> list[np.ndarray]:
    """A segmenting model: 32 numbers more a candidate, and an output of masks."""
    found = outputs[0]
    shape = list(found.shape)
    shape[axis] = 32
    numbers = RNG.normal(0, 0.7, shape).astype(np.float32)
    masks = RNG.normal(0, 1, (1, 32, side // 4, side // 4)).astype(np.float32)
    return [np.concatenate([found, numbers], axis), masks]


def with_pose(outputs: Sequence[np.ndarray], axis: int, side: int, points: int = 17) -> list[np.ndarray]:
    """A pose model: x, y in pixels and a score for each point, behind the classes."""
    found = np.moveaxis(outputs[0], axis, -1)
    made = RNG.uniform(0, side, (*found.shape[:-1], points, 3)).astype(np.float32)
    made[..., 2] = RNG.uniform(0, 1, made.shape[:-1])
    both = np.concatenate([found, made.reshape(*found.shape[:-1], 3 * points)], -1)
    return [np.ascontiguousarray(np.moveaxis(both, -1, axis))]
