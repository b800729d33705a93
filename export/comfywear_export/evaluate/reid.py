"""`comfywear-export evaluate reid`: are persons known again, and are strangers taken for them?

No set of photos with the same person seen twice is at hand, so every photo of the Clothing Co-Parsing set is seen
again in made views: another crop, light, scale, and occluded from below or from one side. Pose and background stay
alike, so the figures are upper bounds of what a room will see; strangers are real strangers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import clothing_of
from comfywear.errors import UsageError
from comfywear.records import Frame, Person
from comfywear.vision import AttributeModel, Detector, PersonBook, read_photo
from comfywear.vision.reid import MARGIN, THRESHOLD, Description, Gallery, describe, distance
from comfywear_export.attribute_data import Example, read_examples

__all__ = ["VIEWS", "add_parser", "choose_threshold", "described", "distinct_examples", "figures", "look", "run"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

GALLERY = 10  # persons who left a little while ago
FALSE_ACCEPTS = 0.02  # at which the threshold is chosen
_DRAWS = 20  # galleries drawn for each probe


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("reid", help="persons known again in made views, and strangers taken for them")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the Clothing Co-Parsing folder")
    parser.add_argument("--split", default="validation", help="train or validation (default validation)")
    parser.add_argument("--limit", type=int, default=0, help="photos at most, drawn at random (0 = all)")
    parser.add_argument("--detector", default="detector", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--attributes", default="attributes", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--threshold", type=float, default=THRESHOLD, help=f"distance (default {THRESHOLD})")
    parser.add_argument("--choose", action="store_true", help=f"choose it for {FALSE_ACCEPTS:.0%}% false accepts")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit code."""
    folder = args.data / "ccp" if (args.data / "ccp").is_dir() else args.data
    detector = Detector.load(args.detector, engine=args.engine, precision=args.precision, threads=args.threads)
    attributes = AttributeModel.load(
        args.attributes, engine=args.engine, precision=args.precision, threads=args.threads
    )
    rng = np.random.default_rng(args.seed)
    persons = _persons(distinct_examples(folder, args.split, args.limit, rng), detector, attributes, rng)
    tables = _distances(persons)
    threshold = choose_threshold(tables) if args.choose else args.threshold
    result = {
        "data": folder.name,
        "split": args.split,
        "photos": len(persons["plain"]),
        "attributes": f"{attributes.card.name} {attributes.card.version}",
        "threshold": round(threshold, 4),
        "margin": MARGIN,
        "gallery": GALLERY,
        "not_detected": {view: sum(p is None for p in found) for view, found in persons.items() if None in found},
        "views": figures(tables, threshold),
        "clo_within_sd": round(_clo_within_sd(persons), 4),
    }
    print(json.dumps(result, indent=1) if args.json else _table(result))
    return 0


def _plain(image: Image, _box: Floats, _rng: np.random.Generator) -> Image:
    return image


def _light(image: Image, _: Floats, rng: np.random.Generator) -> Image:
    levels = np.arange(256)[:, None] / 255.0
    curve = levels ** np.exp(rng.uniform(-0.3, 0.3)) * rng.uniform(0.6, 1.3) * rng.uniform(0.92, 1.08, 3)
    table = np.clip(curve * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def _crop(image: Image, box: Floats, rng: np.random.Generator) -> Image:
    (height, width), (x1, y1, x2, y2) = image.shape[:2], box.tolist()
    left, right = (rng.uniform(0.02, 0.5) * (x2 - x1) for _ in range(2))
    top, bottom = rng.uniform(0.0, 0.15) * (y2 - y1), rng.uniform(0.0, 0.35) * (y2 - y1)
    rows = slice(max(0, int(y1 - top)), min(height, int(y2 - bottom)))
    return np.ascontiguousarray(image[rows, max(0, int(x1 - left)) : min(width, int(x2 + right))])


def _scale(image: Image, _: Floats, rng: np.random.Generator) -> Image:
    factor = rng.uniform(0.3, 0.5)
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    side = max(image.shape[:2])
    out = np.full((side, side, 3), 114, np.uint8)
    y, x = (int(rng.integers(0, side - length + 1)) for length in small.shape[:2])
    out[y : y + small.shape[0], x : x + small.shape[1]] = small
    return out


def _desk(image: Image, box: Floats, rng: np.random.Generator) -> Image:
    out: Image = image.copy()
    out[int(box[1] + rng.uniform(0.45, 0.6) * (box[3] - box[1])) :] = rng.integers(60, 180, 3)
    return out


def _side(image: Image, box: Floats, rng: np.random.Generator) -> Image:
    out: Image = image.copy()
    hidden = rng.uniform(0.25, 0.4) * (box[2] - box[0])
    columns = slice(None, int(box[0] + hidden)) if rng.random() < 0.5 else slice(int(box[2] - hidden), None)
    out[:, columns] = rng.integers(40, 200, 3)
    return out


VIEWS: dict[str, Callable[[Image, Floats, np.random.Generator], Image]] = {
    "plain": _plain,
    "crop": _crop,
    "light": _light,
    "scale": _scale,
    "desk": _desk,
    "side": _side,
}
"""Made views of a photo `(image, box of the person, rng)`; every second one but the first is lit differently, too."""


def distinct_examples(folder: Path, split: str, limit: int, rng: np.random.Generator) -> list[Example]:
    """Photos of a split, without those that show the same as another."""
    doubled: set[str] = set()
    if (folder / "splits.json").is_file():
        pairs = json.loads((folder / "splits.json").read_text(encoding="utf-8")).get("near_duplicate_pairs", [])
        doubled = {name for pair in pairs for name in pair}
    found = [example for example in read_examples(folder, split) if example.path.stem not in doubled]
    if len(found) <= GALLERY:
        raise UsageError(f"{folder}: more than {GALLERY} photos are needed, split {split!r} has {len(found)}")
    if 0 < limit < len(found):
        found = [found[index] for index in sorted(rng.permutation(len(found))[: max(limit, GALLERY + 1)])]
    return found


def _persons(
    examples: Sequence[Example], detector: Detector, attributes: AttributeModel, rng: np.random.Generator
) -> dict[str, list[Person | None]]:
    """The largest person that the device finds in each view of each photo, at one look."""
    out: dict[str, list[Person | None]] = {view: [] for view in VIEWS}
    for example in examples:
        image = read_photo(example.path)
        for view, make in VIEWS.items():
            seen = make(image, example.box.astype(np.float64), rng)
            if view not in ("plain", "light") and rng.random() < 0.5:
                seen = _light(seen, example.box.astype(np.float64), rng)
            out[view].append(look(seen, detector, attributes))
    return out


def look(image: Image, detector: Detector, attributes: AttributeModel) -> Person | None:
    """The largest person that the device finds in a picture at one look."""
    book = PersonBook(thresholds=detector.thresholds)
    found = book.update(Frame(image, 0, 0.0, "look"), detector.detect(image, threshold=0.1), attributes)
    return max(found, key=lambda p: (p.box[2] - p.box[0]) * (p.box[3] - p.box[1]), default=None)


def _distances(persons: dict[str, list[Person | None]]) -> dict[str, Floats]:
    """By view `(N, N)`: from the view of photo i to the plain photo j; rows of persons not found are NaN."""
    described = {view: [described(person) for person in found] for view, found in persons.items()}
    plain = described.pop("plain")
    return {
        view: np.array(
            [[np.nan if a is None or b is None else distance(a, b) for b in plain] for a in found], np.float64
        )
        for view, found in described.items()
    }


def described(person: Person | None) -> Description | None:
    """What somebody looks like; None of nobody."""
    return None if person is None else describe(list(person.attributes.values()), person.garments)


def choose_threshold(tables: dict[str, Floats]) -> float:
    """The largest threshold, in steps of 0.005, at which not more than 2 % of strangers are taken for somebody."""
    best = 0.0
    for threshold in np.arange(0.02, 0.5, 0.005):
        rates = [row["false_accepts"] for row in figures(tables, float(threshold), draws=5).values()]
        if np.mean(rates) > FALSE_ACCEPTS:
            break
        best = float(threshold)
    return best


def figures(tables: dict[str, Floats], threshold: float, *, draws: int = _DRAWS, seed: int = 0) -> dict[str, Any]:
    """By view the part of right answers among all photos, `rank1`, and answers with galleries of ten who left.

    `known_again` and `mistaken` are parts of those who come back (with their own number, with that of another),
    `false_accepts` is the part of strangers who get somebody's number.
    """
    gallery = Gallery(threshold=threshold)
    rng = np.random.default_rng(seed)
    out = {}
    for view, table in tables.items():
        usable = ~np.asarray(np.isnan(table).all(axis=0))
        rows = [i for i in range(len(table)) if usable[i] and not np.isnan(table[i]).all()]
        others = np.flatnonzero(usable)
        known = mistaken = accepted = 0
        for i in rows:
            for _ in range(draws):
                drawn = rng.choice(others[others != i], GALLERY, replace=False)
                accepted += gallery.choose({int(j): table[i, j] for j in drawn}) is not None
                found = gallery.choose({int(j): table[i, j] for j in (i, *drawn[1:])})
                known += found == i
                mistaken += found not in (None, i)
        total = max(len(rows) * draws, 1)
        out[view] = {
            "n": len(rows),
            "rank1": round(float(np.mean([np.nanargmin(table[i]) == i for i in rows])), 3),
            "known_again": round(known / total, 3),
            "mistaken": round(mistaken / total, 4),
            "false_accepts": round(accepted / total, 4),
        }
    return out


def _clo_within_sd(persons: dict[str, list[Person | None]]) -> float:
    """Standard deviation of one look's clo around the mean of the same person's looks in full view."""
    views = [view for view in persons if view in ("plain", "crop", "light", "scale")]
    rows = [[persons[view][i] for view in views] for i in range(len(persons["plain"]))]
    spread = [np.var([clothing_of(p).clo for p in row if p is not None], ddof=1) for row in rows if None not in row]
    return float(np.sqrt(np.mean(spread))) if spread else float("nan")


def _table(result: dict[str, Any]) -> str:
    heading = (
        f"{result['photos']} photos of split {result['split']}, {result['attributes']}, one look each; "
        f"galleries of {result['gallery']}, threshold {result['threshold']}, margin {result['margin']}"
    )
    lines = [
        heading,
        f"{'view':8}{'n':>6}{'rank-1':>9}{'known again':>13}{'mistaken':>10}{'false accepts':>15}",
    ]
    lines += [
        f"{view:8}{row['n']:>6}{row['rank1']:>9.3f}{row['known_again']:>13.3f}{row['mistaken']:>10.4f}"
        f"{row['false_accepts']:>15.4f}"
        for view, row in result["views"].items()
    ]
    return "\n".join(
        [*lines, f"clo of one look against the mean of a person's looks: {result['clo_within_sd']:.3f} clo"]
    )
