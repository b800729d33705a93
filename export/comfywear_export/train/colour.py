"""`comfywear-export train colour`: build the table of colour names that `comfywear.colour` ships."""

from __future__ import annotations

import argparse
import importlib.resources
import json
from pathlib import Path

import numpy as np

from comfywear.colour.names import TABLE_FILE
from comfywear.errors import SourceError
from comfywear_export.colour.table import (
    SURVEY,
    Fit,
    build_table,
    cross_validate,
    load_survey,
    tone_limits,
)

# What --compare tries.
_CANDIDATES = [
    Fit(widths=widths, penalty=penalty)
    for widths in ((7.0,), (10.0,), (12.0,), (15.0,), (10.0, 12.0, 15.0))
    for penalty in (1e-7, 1e-6, 1e-5)
]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("colour", help="build the table of colour names from the survey's answers")
    parser.add_argument("--data", type=Path, required=True, help=f"the folder of data sets, which holds {SURVEY}")
    parser.add_argument("--out", type=Path, help="where the table goes; by default the one that comfywear ships")
    parser.add_argument("--compare", action="store_true", help="cross-validate other settings instead of building")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build the table; with --compare, print the cross-validated quality of each setting instead, a line each."""
    survey = load_survey(args.data / SURVEY)
    if args.compare:
        for fit in _CANDIDATES:
            loss, accuracy = cross_validate(survey, fit)
            result = {"widths": fit.widths, "penalty": fit.penalty, "left_out_log_loss": round(loss, 4)}
            print(json.dumps({**result, "left_out_accuracy": round(accuracy, 4)}), flush=True)
        return 0
    table = build_table(survey, Fit())
    shipped = importlib.resources.files("comfywear.colour") / TABLE_FILE
    out: Path = args.out or Path(str(shipped))
    try:
        np.savez_compressed(
            out,
            shares=table,
            tones=tone_limits(table),
            credit=np.array(f"{survey.source}. Licence: {survey.licence}"),
        )
    except OSError as error:
        raise SourceError(f"cannot write the table: {error}; name another file with --out") from None
    answers = int(survey.answers.sum())
    print(json.dumps({"bins": len(survey.rgb), "answers": answers, "table": str(out), "bytes": out.stat().st_size}))
    return 0
