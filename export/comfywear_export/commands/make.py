"""`comfywear-export make`: from data sets to released model files, in one command that goes on where it stopped."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import UsageError
from comfywear.system import arguments
from comfywear_export.report.common import number
from comfywear_export.training.provenance import commit, data_digest
from comfywear_export.training.runs import MODELS
from comfywear_models import load_card

__all__ = ["add_parser", "headlines", "run"]

_SHOW_S, _LAST = 30.0, 20  # seconds between lines of a stage that are shown; lines shown of one that failed


@dataclass(frozen=True)
class _Stage:
    words: list[str]
    made: Path


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "make", help="train, export, quantise and measure both models; goes on where it stopped"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets people and ccp")
    parser.add_argument("--out", type=Path, default=Path("runs/make"), help="folder of everything on the way")
    parser.add_argument("--ship", type=Path, help="folder of the released files (default OUT/models)")
    parser.add_argument("--version", required=True, help="of the models, rises with each release")
    parser.add_argument(
        "--detector-minutes", type=arguments.number(0.0, 1e6), default=75.0, help="of its training (default 75)"
    )
    parser.add_argument(
        "--detector-size", type=arguments.whole(32, 4096), default=320, help="input side in pixels, a multiple of 32"
    )
    parser.add_argument(
        "--attribute-minutes", type=arguments.number(0.0, 1e6), default=35.0, help="of its training (default 35)"
    )
    parser.add_argument(
        "--steps", type=arguments.whole(0), default=0, help="stop each training after so many steps (0: by time)"
    )
    parser.add_argument("--pictures", type=arguments.whole(1), default=300, help="how many to calibrate INT8 with")
    parser.add_argument("--threads", type=arguments.whole(1, 1000), default=1, help="of torch (default 1)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run what is missing; the log says which commit and which data."""
    args.out.mkdir(parents=True, exist_ok=True)
    stages = list(_stages(args))
    with (args.out / "make.jsonl").open("a", encoding="utf-8") as log:

        def note(**facts: object) -> None:
            log.write(json.dumps({"time": time.strftime("%FT%TZ", time.gmtime()), **facts}) + "\n")
            log.flush()

        note(commit=commit(), data=data_digest(args.data), command=shlex.join(sys.argv[1:]))
        for number, stage in enumerate(stages, 1):
            name = f"{number} of {len(stages)}: {' '.join(stage.words[:2])}"
            if stage.made.exists():
                print(f"{name}: done before ({stage.made})", flush=True)
                continue
            said = args.out / f"{number}-{stage.words[0]}.log"
            print(f"{name} … (all that it says: {said})", flush=True)
            begin = time.monotonic()
            code, last = _run(stage.words, said)
            seconds = round(time.monotonic() - begin, 1)
            note(stage=" ".join(stage.words[:2]), words=stage.words, rc=code, seconds=seconds)
            if code:
                raise UsageError(
                    f"{name} failed (exit {code}); mend it and call this again: it goes on there. It said:\n{last}"
                )
            print(f"{name}: done in {seconds / 60:.1f} min", flush=True)
    ship = args.ship or args.out / "models"
    print("\n".join(headlines(ship)))
    print(f"released files: {ship}")
    return 0


def headlines(folder: Path) -> list[str]:
    """What the cards in a folder say of detector and attribute model with 16-bit weights, a line a model."""
    lines = []
    for path in (folder / f"{model}.card.json" for model in MODELS):
        card = load_card(path)
        form = next((form for form in card.quality if form.endswith("fp16")), "")
        words = []
        for data, found in card.quality.get(form, {}).items():
            if "person" in found:
                person, garments = found["person"], found["garments"]["map50"]
                words.append(
                    f"{data}: persons AP50 {number(person['ap50'])}, {number(person['recall50'])} of them found"
                )
                words += [f"{data}: garments mean AP50 {number(garments)}"] if garments is not None else []
            elif "quick" in found:
                words.append(f"{data}: {number(found['quick']['share'])} of {found['quick']['images']} show a person")
            elif "map_groups" in found:
                words.append(f"{data}: groups mean AP {number(found['map_groups'])}")
        lines.append(f"{card.name} {card.version} ({form}): {'; '.join(words) or 'not measured'}")
    return lines


def _run(words: list[str], log: Path) -> tuple[int, str]:
    """Run a stage; its exit code and its last lines. All that it says goes to `log`, some lines to the terminal.

    It is a program of its own: torch and the exporters do not share memory, threads or settings well.
    """
    last: deque[str] = deque(maxlen=_LAST)
    shown = time.monotonic()
    command = [sys.executable, "-u", "-m", "comfywear_export.cli", *words]
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as child,
    ):
        assert child.stdout is not None
        for line in child.stdout:
            file.write(line)
            file.flush()
            last.append(line)
            if time.monotonic() - shown >= _SHOW_S:
                shown = time.monotonic()
                print(f"  {line.rstrip()}", flush=True)
    return child.returncode, "".join(last)


def _stages(args: argparse.Namespace) -> Iterator[_Stage]:
    data, ship = str(args.data), args.ship or args.out / "models"
    minutes = {"detector": args.detector_minutes, "attributes": args.attribute_minutes}
    for model in ("detector", "attributes"):
        folder = args.out / model
        forms, threads = folder / "forms", ["--threads", str(args.threads), "--steps", str(args.steps)]
        train = ["train", model, "--data", data, "--out", str(folder), "--minutes", str(minutes[model]), *threads]
        train += ["--size", str(args.detector_size)] if model == "detector" else []
        yield _Stage(train, folder / f"{model}.pt")
        yield _Stage(["export", model, "--run", str(folder), "--out", str(forms)], forms / f"{model}.fp16.tflite")
        quantise = ["quantise", model, "--forms", str(forms), "--data", data, "--pictures", str(args.pictures)]
        yield _Stage(quantise, forms / f"{model}.int8.tflite")
        card = ["card", model, "--forms", str(forms), "--run", str(folder), "--data", data, "--out", str(ship)]
        # The card of this run, not one of an older release that lies in the same folder.
        yield _Stage([*card, "--version", args.version], folder / "carded")
