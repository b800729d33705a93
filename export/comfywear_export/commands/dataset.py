"""`comfywear-export dataset`: check a data set of another format, count it, and write it as COCO, YOLO or CVAT."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError
from comfywear.system.arguments import number
from comfywear_export.data.formats import READERS, WRITERS, Damaged, Dataset, guess_format, read_dataset, write_dataset
from comfywear_export.data.formats.known import divided, renamed
from comfywear_export.data.formats.target import Target
from comfywear_export.data.labels import DEEPFASHION2_GROUPS, DETECTOR_GROUPS
from comfywear_export.report.dataset import report
from comfywear_export.report.page import check_name

__all__ = ["add_parser", "add_reading", "count", "describe", "prepared"]

_NAMED = 20  # as many bad records are named on a terminal
_ONE = {"annotations": "annotation", "boxes": "box", "pictures": "picture"}
_SPLITS = ("train", "validation", "test", "")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("dataset", help="check and count a data set, and write it as COCO, YOLO or CVAT")
    add_reading(parser)
    parser.add_argument("--to", choices=WRITERS, help="write it in this format")
    parser.add_argument("--out", type=Path, help="the folder to write it to; cut off, the same command goes on there")
    parser.add_argument("--again", action="store_true", help="bring a finished folder up to date; its labels are lost")
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write a page with charts: FILE.html or .md")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=run)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The arguments of commands that read a data set."""
    parser.add_argument("input", type=Path, metavar="IN", help="the data set's folder, or its annotation file")
    parser.add_argument("--from", dest="form", choices=READERS, help="its format (guessed otherwise)")
    parser.add_argument("--images", type=Path, help="folder of the pictures, where it is not as in the format")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="a label; may be repeated")
    parser.add_argument(
        "--detector-labels", action="store_true", help="name boxes as this project's detector; leave others out"
    )
    parser.add_argument(
        "--validation",
        type=number(0.0, 1.0),
        default=0.0,
        metavar="PART",
        help="give so many pictures without a split to it",
    )
    parser.add_argument(
        "--min-score", type=number(0.0, 1.0), metavar="S",
        help="leave out guesses below it (default: below the threshold of the model that made them)",
    )  # fmt: skip
    parser.add_argument(
        "--skip-damaged", action="store_true", help="leave damaged pictures and single bad records out and list them"
    )


def run(args: argparse.Namespace) -> int:
    """Read, say what is there, and write."""
    if (args.to is None) != (args.out is None):
        raise UsageError("--to and --out belong together")
    if args.report:
        check_name(args.report)
    damaged = Damaged(args.skip_damaged)
    form, dataset = prepared(args, damaged)
    facts: dict[str, Any] = {"format": form, **count(dataset)}
    if args.out is not None:
        facts["written"] = _write(args, form, dataset, damaged, facts)
    facts["damaged"] = damaged.found
    if args.report:
        report(args.report, dataset, facts)
    print(json.dumps(facts, indent=1, ensure_ascii=False) if args.json else "\n".join(describe(facts)))
    return 0


def prepared(args: argparse.Namespace, damaged: Damaged) -> tuple[str, Dataset]:
    """The data set that the arguments of `add_reading` name, with its labels and splits, and its format."""
    if args.validation == 1:
        raise UsageError("--validation is a part from 0 to less than 1")
    form = args.form or guess_format(args.input)
    dataset = read_dataset(args.input, form, args.images, damaged, args.min_score)
    if args.rename:
        dataset = renamed(dataset, _names(args.rename, dataset.labels))
    if args.detector_labels:
        dataset = renamed(dataset, _groups(form), only=True)
    return form, _split(dataset, args.validation) if args.validation else dataset


def _split(dataset: Dataset, part: float) -> Dataset:
    """The data set divided, with a note where all went to one side."""
    free = [picture for picture in dataset.pictures if not picture.split]
    new = divided(dataset, part)
    sides = {after.split for before, after in zip(dataset.pictures, new.pictures, strict=True) if not before.split}
    if not free:
        new.notes["pictures keep the split that they have: --validation divides those without one"] = len(new.pictures)
    elif len(sides) == 1:
        groups = len({picture.together or picture.name for picture in free})
        new.notes[
            f"pictures without a split went to {sides.pop()}, all: what belongs together, as a day, stays together, "
            f"which makes {groups} of them, and a side once drawn stays as the set grows; --validation {part:g} "
            "divides more days"
        ] = len(free)
    return new


def count(dataset: Dataset) -> dict[str, Any]:
    """`pictures` and `boxes` by split, `labels` with their boxes, `guessed` boxes, `notes` of the reader."""
    boxes = [(picture.split, box) for picture in dataset.pictures for box in picture.boxes]
    labels = {label: Counter[str]() for label in dataset.labels}
    for split, box in boxes:
        labels[box.label][split] += 1
    return {
        "pictures": dict(Counter(picture.split for picture in dataset.pictures)),
        "without_box": sum(not picture.boxes for picture in dataset.pictures),
        "boxes": dict(Counter(split for split, _ in boxes)),
        "guessed": sum(box.score is not None for _, box in boxes),
        "labels": {label: dict(found) for label, found in labels.items()},
        "notes": {note: number for note, number in dataset.notes.items() if number},
    }


def describe(facts: dict[str, Any]) -> list[str]:
    """The lines of the table."""
    splits = [split for split in _SPLITS if split in facts["pictures"]]
    widest = max([*map(len, facts["labels"]), 20])

    def row(name: str, numbers: dict[str, int]) -> str:
        return f"  {name:{widest}}" + "".join(f"{numbers.get(split, 0):12}" for split in splits)

    lines = [
        f"{facts['format']}: {sum(facts['pictures'].values())} pictures, {sum(facts['boxes'].values())} boxes",
        f"  {'':{widest}}" + "".join(f"{split or 'no split':>12}" for split in splits),
        row("pictures", facts["pictures"]),
        *(row(label, numbers) for label, numbers in facts["labels"].items()),
    ]
    if facts["without_box"]:
        lines.append(f"{facts['without_box']} pictures without a box")
    if facts["guessed"]:
        lines.append(
            f"{facts['guessed']} boxes are a model's guesses: have people correct them before you train on them"
        )
    lines += [counted_note(note, number) for note, number in facts["notes"].items()]
    lines += [f"left out: {each}" for each in facts["damaged"][:_NAMED]]
    if len(facts["damaged"]) > _NAMED:
        lines.append(f"left out: {len(facts['damaged']) - _NAMED} more; --json names all")
    written = facts.get("written")
    if written:
        lines.append(f"written as {written['to']} to {written['folder']}: {written['state']}")
    return lines


def counted_note(note: str, number: int) -> str:
    """A note of a reader with its number in front: "1 annotation …", "2 annotations …"."""
    word, _, rest = note.partition(" ")
    return f"{number} {_ONE.get(word, word) if number == 1 else word} {rest}"


def _write(
    args: argparse.Namespace, form: str, dataset: Dataset, damaged: Damaged, facts: dict[str, Any]
) -> dict[str, str]:
    plan = {
        "input": str(args.input.resolve()),
        "format": form,
        "to": args.to,
        "rename": sorted(args.rename),
        "detector_labels": args.detector_labels,
        **({} if args.min_score is None else {"min_score": args.min_score}),
        "validation": args.validation,
    }
    target = Target(args.out, plan, damaged, args.again)
    said = {"to": args.to, "folder": str(args.out)}
    if target.finished:
        return {**said, "state": "done before, nothing changed (--again brings it up to date)"}
    write_dataset(dataset, args.to, target)
    target.finish({key: facts[key] for key in ("pictures", "boxes", "labels")})
    return {**said, "state": f"{target.copied} pictures copied"}


def _names(pairs: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    names = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not equals or not old or not new:
            raise UsageError(f"--rename {pair!r}: write OLD=NEW")
        if old not in labels:
            raise UsageError(f"--rename {pair!r}: there is no label {old!r}; there are: {', '.join(labels)}")
        names[old] = new
    return names


def _groups(form: str) -> dict[str, str]:
    """What the detector calls the labels of a format."""
    if form == "deepfashion2":
        return {label: group for group, labels in DEEPFASHION2_GROUPS.items() for label in labels}
    finer = {label: group for group, labels in DETECTOR_GROUPS.items() for label in labels}
    return {"person": "person", **finer, **{group: group for group in DETECTOR_GROUPS}}
