"""`comfywear-export evaluate reid`: are persons known again, and are strangers taken for them?

No set of photos with the same person seen twice is at hand, so every photo of the Clothing Co-Parsing set is seen
again in made views: another crop, light, scale, and occluded from below or from one side. Pose and background stay
alike, so the figures are upper bounds of what a room will see; strangers are real strangers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import clothing_of
from comfywear.records import Person
from comfywear.system.arguments import number, whole
from comfywear.vision import AttributeModel, Detector, read_photo
from comfywear.vision.tracking.reid import MARGIN, THRESHOLD, distance
from comfywear_export.data.attribute_data import Example
from comfywear_export.data.made_views import VIEWS, in_other_light
from comfywear_export.dral.views import described, look
from comfywear_export.measure.reid import FALSE_ACCEPTS, GALLERY, choose_threshold, distinct_examples, figures

__all__ = ["add_parser", "run"]

Floats = NDArray[np.float64]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("reid", help="persons known again in made views, and strangers taken for them")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the Clothing Co-Parsing folder")
    parser.add_argument("--split", default="validation", help="train or validation (default validation)")
    parser.add_argument("--limit", type=whole(0), default=0, help="photos at most, drawn at random (0 = all)")
    parser.add_argument("--detector", default="detector", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--attributes", default="attributes", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--threads", type=whole(1, 1000), default=1, help="of the engine (default 1)")
    parser.add_argument("--threshold", type=number(0.0, 2.0), default=THRESHOLD, help=f"distance (default {THRESHOLD})")
    parser.add_argument("--choose", action="store_true", help=f"choose it for {FALSE_ACCEPTS:.0%}% false accepts")
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), default=5, help="of what is drawn (default 5)")
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
                seen = in_other_light(seen, example.box.astype(np.float64), rng)
            out[view].append(look(seen, detector, attributes))
    return out


def _distances(persons: dict[str, list[Person | None]]) -> dict[str, Floats]:
    """By view `(N, N)`: from the view of photo i to the plain photo j; rows of persons not found are NaN."""
    descriptions = {view: [described(person) for person in found] for view, found in persons.items()}
    plain = descriptions.pop("plain")
    return {
        view: np.array(
            [[np.nan if a is None or b is None else distance(a, b) for b in plain] for a in found], np.float64
        )
        for view, found in descriptions.items()
    }


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
