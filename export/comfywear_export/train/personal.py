"""`comfywear-export train personal`: how zones and persons differ, fitted on votes; writes the file and its card."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import comfywear_models
from comfywear.comfort.votes.personal import Population
from comfywear.errors import UsageError
from comfywear.system.arguments import whole
from comfywear_export.comfort.population import LEAST_TO_FIT, population_of
from comfywear_export.comfort.pressed import level_counts
from comfywear_export.comfort.rows import Votes, read_votes
from comfywear_export.comfort.units import Kind, cross_fitted, units_of

VERSION = "1.1"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("personal", help="fit how zones and persons differ from the comfort model")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    folder = Path(comfywear_models.__file__).parent / "files"
    parser.add_argument("--out", type=Path, default=folder, metavar="DIR", help="where the file and its card go")
    parser.add_argument("--folds", type=whole(2), default=10, metavar="N", help="sets of buildings to leave out")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, write `personal.json` and `personal.card.json`."""
    votes = read_votes(args.data)
    # Units are compared with a model that did not see them, as a device's zone is.
    base = cross_fitted(votes, "building", args.folds)
    content: dict[str, Any] = {"id": f"personal-{VERSION}"}
    sizes: dict[str, int] = {}
    names: tuple[tuple[str, Kind], ...] = (("zones", "buildings"), ("persons", "persons"))
    for name, kind in names:
        units = units_of(votes, base, kind, LEAST_TO_FIT[kind])
        if len(units) < 2:
            raise UsageError(f"{args.data}: too few {kind} with {LEAST_TO_FIT[kind]} votes or more")
        content[name], sizes[kind] = _section(population_of(units, kind)), len(units)
    content["levels"] = np.round(level_table(votes), 4).tolist()
    content["fitted_on"] = ranges(votes.building_id)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "personal.json").write_text(text, encoding="utf-8")
    card = json.dumps(_card(text.encode(), len(votes), sizes), indent=1, ensure_ascii=False) + "\n"
    (args.out / "personal.card.json").write_text(card, encoding="utf-8")
    print(f"{args.out / 'personal.json'}: {sizes['buildings']} buildings, {sizes['persons']} persons")
    return 0


def level_table(votes: Votes) -> NDArray[np.float64]:
    """`(5, 7)` P(level | vote) from the answers 1…6 of the survey, laid on 1…5: level = 1 + (answer − 1) · 4 / 5.

    An answer between two levels is shared by them. One answer of each level is added to every vote's column.
    """
    counts = 1.0 + level_counts(votes.vote, votes.comfort)
    result: NDArray[np.float64] = counts / counts.sum(axis=0)
    return result


def ranges(ids: NDArray[np.int64]) -> list[list[int]]:
    """The ids ≥ 0 as [first, last] of each run."""
    known = np.unique(ids[ids >= 0])
    if not len(known):
        return []
    parts = np.split(known, np.flatnonzero(np.diff(known) != 1) + 1)
    return [[int(part[0]), int(part[-1])] for part in parts]


def _section(population: Population) -> dict[str, Any]:
    return {
        "mean": np.round(population.mean, 4).tolist(),
        "covariance": np.round(population.covariance, 5).tolist(),
        "tilt": population.tilt.tolist(),
        "trust": population.trust,
    }


def _card(content: bytes, rows: int, sizes: dict[str, int]) -> dict[str, Any]:
    return {
        "name": "personal",
        "version": VERSION,
        "task": "comfort",
        "layout": "gaussian-prior",
        "input": {"votes": "1…5 or −3…+3 of one zone or person, each with η of the comfort model"},
        "output": {"votes": "probabilities of −3…+3, bent to the zone or person"},
        "labels": ["-3", "-2", "-1", "0", "1", "2", "3"],
        "licence": "Apache-2.0",
        "files": [
            {
                "path": "personal.json",
                "engine": "numpy",
                "precision": "float64",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            }
        ],
        "training_data": [
            {
                "name": "ASHRAE Global Thermal Comfort Database II v2.1, cleaned, development part",
                "rows": rows,
                "licence": "none stated in its repository; deposit doi:10.6078/D1F671; only coefficients are shipped",
                "use": f"mean and covariance over {sizes['buildings']} buildings and {sizes['persons']} persons; "
                "shares of comfort answers by vote",
            }
        ],
        "notes": [
            "A prior, not a predictor: without votes the comfort model answers as it is.",
            "The buildings it was fitted on are named by their ids in the database, so that they are not measured on.",
            "The six answers of the survey are not the five faces of the button: the table is where learning starts.",
        ],
        "made_with": {"command": "comfywear-export train personal --data ashrae_db2_dev.csv.gz"},
    }
