"""`comfywear models import`: a detector of the user's own gets a card after a guess, a question, a look."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError, UsageError
from comfywear.system.arguments import number
from comfywear.system.paths import user_models
from comfywear_models import Card, available

if TYPE_CHECKING:
    from comfywear.vision.detectors.foreign import Foreign
    from comfywear.vision.layouts.guess import Guess

__all__ = ["add_import"]

_PEOPLE = ("person", "people", "pedestrian", "human")


def add_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    from comfywear.vision.layouts import LAYOUTS

    parser = actions.add_parser("import", help="make a detector of your own (ONNX or TFLite) known to the device")
    parser.add_argument("file", type=Path, help="the model: .onnx or .tflite")
    parser.add_argument("--name", help="the name for settings (default: the file's)")
    parser.add_argument("--layout", choices=list(LAYOUTS), help="how the outputs are written, instead of a guess")
    parser.add_argument(
        "--labels", metavar="LABELS", help="coco80, coco90, a file with one name a line, or names with commas"
    )
    parser.add_argument("--person", metavar="LABEL", help="the label that means a person (default: person)")
    parser.add_argument("--size", metavar="N|HxW", help="of the input in pixels, where the graph leaves it open")
    parser.add_argument("--threshold", type=number(0, 0.999, above=True), help="score above which a person is believed")
    parser.add_argument("--licence", default="", help="of the model file, for its card")
    parser.add_argument("--sample", type=Path, metavar="PHOTO", help="a photo with people (default: the demo's)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw what was seen on the sample into this file")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where card and file go (default: the models folder)"
    )
    parser.add_argument("--replace", action="store_true", help="take the place of a model with the same name")
    parser.add_argument("--yes", action="store_true", help="ask nothing; take the likeliest layout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the card, run the sample, say how to use the model."""
    from comfywear.vision.detectors.foreign import card_of, labels_inside, open_foreign, place

    folder = args.out or user_models()
    name = args.name or re.sub(r"[^a-z0-9._-]+", "-", args.file.stem.lower()).strip("-._")
    _refuse_taken(name, folder, replace=args.replace)
    foreign = open_foreign(args.file, _size(args.size))
    labels = _named_labels(args.labels) if args.labels else labels_inside(args.file)
    sample = _sample(args.sample)
    chosen = _choose(foreign, sample, len(labels) if labels else None, args)
    labels = _with_person(labels or _usual_labels(chosen) or _asked_labels(chosen, args), args.person)
    if chosen.layout == "detr" and chosen.classes == len(labels) + 1:
        labels = (*labels, "-")  # the last column means nothing
    if chosen.classes not in (None, len(labels)):
        raise UsageError(f"{args.file}: it has {chosen.classes} classes, and {len(labels)} labels are given")
    card = card_of(foreign, chosen, labels, name=name, threshold=args.threshold, licence=args.licence)
    with tempfile.TemporaryDirectory(prefix="comfywear-import-") as trial:
        _look(place(card, args.file, Path(trial)), card, sample, args)
    path = place(card, args.file, folder)
    known = folder == user_models()
    print(f'{path}: written. To use it:  [vision] detector = "{name if known else path.resolve()}"')
    return 0


def _refuse_taken(name: str, folder: Path, *, replace: bool) -> None:
    if name in available():
        raise UsageError(f"a shipped model has the name {name!r}; give another with --name")
    if name in available(folder) and not replace:
        raise UsageError(f"{folder} has a model named {name!r}; give another name with --name, or --replace")


def _choose(foreign: Foreign, sample: NDArray[np.uint8], classes: int | None, args: argparse.Namespace) -> Guess:
    """The layout: said, the only one possible, or asked for; one whose boxes make no sense only when that is wanted."""
    from comfywear.vision.layouts import LAYOUTS
    from comfywear.vision.layouts.guess import Guess as NewGuess

    guesses = foreign.guesses(sample, classes)
    shapes = ", ".join(f"{o.name} {'x'.join(str(s or '?') for s in o.shape)}" for o in foreign.engine.outputs)
    if args.layout:
        said = next((g for g in guesses if g.layout == args.layout), None)
        guesses = [said or NewGuess(args.layout, None, "said on the command line")]
    if not guesses:
        raise UsageError(
            f"{args.file}: its outputs ({shapes}) have no known layout. Say it with --layout if you know it "
            f"({', '.join(LAYOUTS)}), or the classes with --labels"
        )
    doubts = [foreign.doubt(sample, one, classes) for one in guesses]
    order = sorted(range(len(guesses)), key=lambda i: doubts[i] is not None)  # those without a doubt first
    guesses, doubts = [guesses[i] for i in order], [doubts[i] for i in order]
    print(f"outputs: {shapes}")
    for row, (one, doubt) in enumerate(zip(guesses, doubts, strict=True), 1):
        count = f", {one.classes} classes" if one.classes else ""
        words = f"{one.layout} ({LAYOUTS[one.layout].words}): {one.why}{count} {dict(one.options) or ''}"
        print(f"  {row}. {words.rstrip()}")
        if doubt:
            print(f"     in doubt: {doubt}")
    if args.yes or (len(guesses) == 1 and doubts == [None]):
        return guesses[0]
    if None not in doubts:
        raise UsageError(
            f"{args.file}: what was read on the sample makes no sense ({doubts[0]}), so no card was written; say the "
            "layout with --layout, give another --sample, or take it nevertheless with --yes"
        )
    if doubts.count(None) == 1 and not sys.stdin.isatty():
        return guesses[0]
    if not sys.stdin.isatty():
        names = ", ".join(dict.fromkeys(g.layout for g in guesses))
        raise UsageError(
            f"{args.file}: it may be any of {names}; say which with --layout, or take the first with --yes"
        )
    while True:
        answer = input(f"Which one? [1–{len(guesses)}, Enter = 1] ").strip() or "1"
        if answer in (str(row) for row in range(1, len(guesses) + 1)):
            return guesses[int(answer) - 1]


def _usual_labels(chosen: Guess) -> tuple[str, ...] | None:
    """Names for a usual number of classes; None for others."""
    from comfywear.vision.layouts.coco import COCO_80, COCO_90

    if chosen.layout == "nms" and chosen.options.get("first"):
        return COCO_90
    if chosen.classes == len(COCO_80) or (chosen.classes is None and chosen.layout in ("rows", "nms")):
        return COCO_80
    if chosen.layout == "detr" and chosen.classes in (91, 92):  # COCO's own numbers, from a 0 that nobody has
        return ("-", *COCO_90, *["-"] * (chosen.classes - 91))
    if chosen.classes in (None, 90, 91):
        return COCO_90 if chosen.classes != 91 else (*COCO_90, "-")
    return ("person",) if chosen.classes == 1 else None


def _asked_labels(chosen: Guess, args: argparse.Namespace) -> tuple[str, ...]:
    if args.yes or not sys.stdin.isatty():
        raise UsageError(f"the model has {chosen.classes} classes and does not say which; give them with --labels")
    return _named_labels(input(f"Names of the {chosen.classes} classes, with commas, or a file of them: ").strip())


def _named_labels(given: str) -> tuple[str, ...]:
    from comfywear.vision.layouts.coco import COCO_80, COCO_90

    if given in ("coco80", "coco90"):
        return COCO_80 if given == "coco80" else COCO_90
    path = Path(given)
    if path.is_file():
        try:
            names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: not a text file with one label a line ({error})") from error
        return tuple(name or "-" for name in names)
    if "," not in given and given.endswith((".txt", ".names")):
        raise UsageError(f"{path}: there is no such file of labels")
    return tuple(word.strip() or "-" for word in given.split(","))


def _with_person(labels: Sequence[str], said: str | None) -> tuple[str, ...]:
    """The labels with the one that means a person named so."""
    lower = [label.lower() for label in labels]
    wanted = [said.lower()] if said else [word for word in _PEOPLE if word in lower]
    if not wanted or wanted[0] not in lower:
        raise UsageError(
            f"none of the labels ({', '.join(labels[:8])}, …) is {said or 'person'!r}; say which with --person"
        )
    at = lower.index(wanted[0])
    return tuple("person" if i == at else label for i, label in enumerate(labels))


def _size(given: str | None) -> tuple[int, int] | None:
    if given is None:
        return None
    match = re.fullmatch(r"(\d{2,4})(?:[x×](\d{2,4}))?", given)
    if not match:
        raise UsageError(f"--size is a number of pixels or HEIGHTxWIDTH, not {given!r}")
    return int(match[1]), int(match[2] or match[1])


def _sample(path: Path | None) -> NDArray[np.uint8]:
    from comfywear.demo.scene import sample_photo
    from comfywear.vision import read_photo

    if path is None:
        try:
            path = sample_photo()
        except SourceError as error:
            raise UsageError("the demo's photo is not installed; give one with people with --sample PHOTO") from error
    return read_photo(path)


def _look(path: Path, card: Card, sample: NDArray[np.uint8], args: argparse.Namespace) -> None:
    """Run the model as the device would, on the sample; print and draw what it saw."""
    from comfywear.records import Person
    from comfywear.vision import Detector

    detector = Detector.load(path)
    found = [d for d in detector.detect(sample) if d.label == "person"]
    best = detector.detect(sample, threshold=0.001)[:1]
    print(
        f"{card.name}: {card.layout}, {len(card.labels)} classes, input {card.input['height']} x {card.input['width']}"
    )
    for person in found:
        print(f"  person {person.score:.2f} at {', '.join(f'{side:.0f}' for side in person.box)}")
    if not found:
        score = f"the best score is {best[0].score:.3f}" if best else "not one box"
        print(
            f"  no person above {detector.thresholds['person']:.2f} in the sample ({score}): is somebody in it? If so,"
        )
        print("  the layout or the pre-processing on the card is wrong, or --threshold is too high for this model.")
    if args.picture is not None:
        from comfywear.commands._pictures import write_picture
        from comfywear.vision.drawing.persons_picture import annotate

        seen = [Person(i, d.box, d.score, (), {}, 0.0, "") for i, d in enumerate(found, 1)]
        write_picture(args.picture, annotate(sample, seen))
