"""`comfywear-export evaluate tracker`: HOTA, MOTA and IDF1 on sequences in the layout of MOTChallenge (TrackEval)."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from comfywear.errors import ComfyWearError, SourceError
from comfywear_export.data.mot import (
    Sequence,
    add_tracker_options,
    find_sequences,
    make_tracker,
    read_detections,
    track,
    write_results,
)

__all__ = ["add_parser", "run", "score"]

# Classes of MOT16/17/20 that are no pedestrians and are neither asked for nor punished; MOT15 has no classes.
_DISTRACTORS = frozenset({"2", "7", "8", "12"})
_NAME = "comfywear"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("tracker", help="HOTA, MOTA and IDF1 on MOTChallenge sequences (needs TrackEval)")
    parser.add_argument("--data", type=Path, required=True, help="folder of sequences with gt, det and seqinfo.ini")
    parser.add_argument("--results", type=Path, help="score these <sequence>.txt instead of tracking")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_tracker_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Track every sequence and print the scores; returns the exit code."""
    sequences = find_sequences(args.data)
    with tempfile.TemporaryDirectory() as folder:
        results = args.results
        if results is None:
            results = Path(folder) / "tracks"
            for sequence in sequences:
                rows = track(
                    make_tracker(args, sequence.frame_rate), read_detections(sequence.detections), sequence.length
                )
                write_results(rows, results / f"{sequence.name}.txt")
        scores = score(args.data, sequences, results)
    if args.json:
        print(json.dumps(scores, indent=2))
        return 0
    print(f"{'sequence':<20}{'HOTA':>8}{'MOTA':>8}{'IDF1':>8}{'IDSW':>7}")
    for name, row in [*scores["sequences"].items(), ("all", scores)]:
        print(f"{name:<20}{row['hota']:>8.2f}{row['mota']:>8.2f}{row['idf1']:>8.2f}{row['idsw']:>7}")
    return 0


def score(data: Path, sequences: Iterable[Sequence], results: Path) -> dict[str, Any]:
    """Scores of `results/<sequence>.txt`: `hota`, `mota`, `idf1` in % and `idsw`, over all and under `sequences`.

    HOTA is the mean over its thresholds (Luiten et al., 2021). Where the ground truth has the classes of MOT17, boxes
    on distractors are taken out first, as that benchmark does.

    Raises:
        ComfyWearError: TrackEval is not installed, or refuses the files.
        SourceError: A file is missing.
    """
    try:
        import trackeval  # type: ignore[import-not-found]  # lives in an environment of its own
    except ImportError:
        raise ComfyWearError(
            "TrackEval is not installed: pip install trackeval==1.3.0 (it brings opencv-python, so best in another "
            "virtual environment beside comfywear)"
        ) from None
    info = {sequence.name: sequence.length for sequence in sequences}
    for name in info:
        for path in (data / name / "gt" / "gt.txt", results / f"{name}.txt"):
            if not path.is_file():
                raise SourceError(f"no such file: {path}")
    classes = {name: _has_classes(data / name / "gt" / "gt.txt") for name in info}
    if len(set(classes.values())) > 1:
        raise SourceError(f"{data} mixes MOT15 with later sequences, which are scored by other rules: one set a folder")
    shared = {"PRINT_CONFIG": False}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            dataset = trackeval.datasets.MotChallenge2DBox(
                shared
                | {
                    "GT_FOLDER": str(data),
                    "TRACKERS_FOLDER": str(results.parent),
                    "TRACKERS_TO_EVAL": [results.name],
                    "TRACKER_SUB_FOLDER": "",
                    "BENCHMARK": "MOT17" if next(iter(classes.values())) else "MOT15",
                    "SEQ_INFO": info,
                    "SKIP_SPLIT_FOL": True,
                }
            )
            quiet = {"PRINT_RESULTS": False, "TIME_PROGRESS": False, "DISPLAY_LESS_PROGRESS": True}
            nothing = {"OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False, "PLOT_CURVES": False}
            evaluator = trackeval.Evaluator(shared | quiet | nothing | {"LOG_ON_ERROR": None, "BREAK_ON_ERROR": True})
            metrics = [metric(shared) for metric in (trackeval.metrics.HOTA, trackeval.metrics.CLEAR)]
            found, _ = evaluator.evaluate([dataset], [*metrics, trackeval.metrics.Identity(shared)])
    except trackeval.utils.TrackEvalException as error:
        raise ComfyWearError(f"TrackEval refuses the files: {error}") from error
    by_name = found["MotChallenge2DBox"][results.name]
    return _row(by_name["COMBINED_SEQ"]) | {"sequences": {name: _row(by_name[name]) for name in info}}


def _row(found: dict[str, Any]) -> dict[str, Any]:
    values = found["pedestrian"]
    return {
        "hota": round(100 * float(values["HOTA"]["HOTA"].mean()), 3),
        "mota": round(100 * float(values["CLEAR"]["MOTA"]), 3),
        "idf1": round(100 * float(values["Identity"]["IDF1"]), 3),
        "idsw": int(values["CLEAR"]["IDSW"]),
    }


def _has_classes(truth: Path) -> bool:
    """Whether the ground truth names the distractors of MOT16 and later."""
    with truth.open(encoding="utf-8") as file:
        return any(parts[7].strip() in _DISTRACTORS for line in file if len(parts := line.split(",")) == 9)
