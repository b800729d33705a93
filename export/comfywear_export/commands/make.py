"""`comfywear-export make`: from data sets to released model files, in one command that goes on where it stopped."""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import UsageError
from comfywear_export.datasets import find_sets

__all__ = ["add_parser", "commit", "data_digest", "run"]


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
    parser.add_argument("--detector-minutes", type=float, default=75.0)
    parser.add_argument("--detector-size", type=int, default=320, help="input side in pixels, a multiple of 32")
    parser.add_argument("--attribute-minutes", type=float, default=35.0)
    parser.add_argument("--steps", type=int, default=0, help="stop each training after so many steps (0: by time)")
    parser.add_argument("--pictures", type=int, default=300, help="how many to calibrate INT8 with")
    parser.add_argument("--threads", type=int, default=1)
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
            print(f"{name} …", flush=True)
            begin = time.monotonic()
            # A program of its own: torch and the exporters do not share memory, threads or settings well.
            done = subprocess.run([sys.executable, "-m", "comfywear_export.cli", *stage.words], check=False)
            seconds = round(time.monotonic() - begin, 1)
            note(stage=" ".join(stage.words[:2]), words=stage.words, rc=done.returncode, seconds=seconds)
            if done.returncode:
                raise UsageError(
                    f"{name} failed (exit {done.returncode}); mend it and call this again: it goes on there"
                )
    print(f"released files: {args.ship or args.out / 'models'}")
    return 0


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


def data_digest(data: Path) -> dict[str, str]:
    """The first twelve digits of the sha256 of each set's `instances.json`, by the set's name."""
    sets = find_sets(data)
    return {f.name: hashlib.sha256((f / "instances.json").read_bytes()).hexdigest()[:12] for f in sets}


def commit() -> str:
    """The commit of the checkout that runs, or "unknown"."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
