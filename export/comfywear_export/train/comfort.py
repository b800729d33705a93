"""`comfywear-export train comfort`: fit the comfort model on votes and write its file and card."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import comfywear_models
from comfywear_export.comfort.recipe import RECIPE, fit_recipe
from comfywear_export.comfort.report import grouped_report
from comfywear_export.comfort.rows import read_votes

VERSION = "1.0"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("comfort", help="fit the comfort model on votes of the ASHRAE database")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="votes, CSV or csv.gz")
    folder = Path(comfywear_models.__file__).parent / "files"
    parser.add_argument("--out", type=Path, default=folder, metavar="DIR", help="where the file and its card go")
    parser.add_argument("--no-quality", action="store_true", help="leave out the cross-validation (minutes)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, write `comfort.json` and `comfort.card.json`."""
    votes = read_votes(args.data)
    fitted = fit_recipe(votes)
    text = json.dumps({"id": f"comfort-{VERSION}", **fitted.as_json()}, indent=1, ensure_ascii=False) + "\n"
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "comfort.json").write_text(text, encoding="utf-8")
    quality = {} if args.no_quality else {"contributors left out in turn (10 folds)": grouped_report(votes)}
    card = _card(text.encode(), len(votes), quality)
    (args.out / "comfort.card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{args.out / 'comfort.json'}: {len(votes)} votes, {fitted.parameters} parameters")
    return 0


def _card(content: bytes, rows: int, quality: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "comfort",
        "version": VERSION,
        "task": "comfort",
        "layout": "cumulative-logit",
        "input": {
            "required": ["air_temp_c", "humidity_pct", "clo"],
            "optional": [
                "met", "air_speed_m_s", "radiant_temp_c", "outdoor_temp_c", "warm_season", "naturally_ventilated",
                "mixed_mode", "tropical", "arid", "usual_temp_c", "usual_temp_sd_k", "country:NAME",
            ],
        },
        "output": {"votes": "probabilities of −3…+3", "preference": "probabilities of warmer, no change, cooler"},
        "labels": ["-3", "-2", "-1", "0", "1", "2", "3"],
        "licence": "Apache-2.0",
        "files": [
            {
                "path": "comfort.json",
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
                "use": "coefficients, cutpoints and decision rules",
            }
        ],
        "quality": quality,
        "notes": [
            "Clothing adds little to predicting the votes of many: people dress for the cold. Use clo for physics.",
            "usual_temp_c and usual_temp_sd_k are the room's own past; on the first days they are guessed.",
            "Votes are of people in buildings who answered a survey; sleep, sport and sunshine are not in them.",
        ],
        "made_with": {"command": "comfywear-export train comfort --data ashrae_db2_dev.csv.gz", "recipe": RECIPE},
    }  # fmt: skip
