"""`comfywear-export tune advice`: the adviser's proposals in the order of a reward model."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from comfywear.comfort import TYPICAL_INDOOR, ComfyWear, Site, clothing_of_names
from comfywear.errors import UsageError
from comfywear.system.arguments import number
from comfywear_export.comfort.reward import RewardModel, rank


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("advice", help="rank the adviser's proposals by a reward model")
    add = parser.add_argument
    add("--reward", type=Path, required=True, metavar="FILE", help="reward.json of tune preference")
    add("--air-temp", type=number(-50.0, 100.0), required=True, metavar="C", help="air temperature, °C")
    add("--humidity", type=number(0.0, 100.0), required=True, metavar="PCT", help="relative humidity, %%")
    add("--wearing", metavar="LIST", help='garments with commas between them, such as "t-shirt, trousers"')
    add("--usual-temp", type=number(0.0, 50.0), metavar="C", help="usual air temperature of this room, °C")
    add("--outdoor-temp", type=number(-90.0, 60.0), metavar="C", help="running mean of the outdoor temperature, °C")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the proposals, best first; exit code 0."""
    model, adviser = RewardModel.load(args.reward), ComfyWear()
    names = [name for name in (args.wearing or "").split(",") if name.strip()]
    clothing = clothing_of_names(names) if names else TYPICAL_INDOOR
    site = Site(outdoor_temp_c=args.outdoor_temp, usual_temp_c=args.usual_temp)
    now = adviser.estimate(args.air_temp, args.humidity, clothing, site=site)
    if now.reason is not None:
        raise UsageError(now.reason)
    ranked = rank(model, adviser, now.inputs, clothing)
    if args.json:
        rows = [{**each.proposal._asdict(), "reward": each.reward} for each in ranked]
        print(json.dumps({"proposals": rows, "advice": now.advice}, ensure_ascii=False))
        return 0
    print(f"{'by reward':34}{'reward':>8}{'no change':>11}")
    for proposal, reward in ranked:
        print(f"{proposal.words:34}{reward:+8.3f}{proposal.gain:+11.1%}")
    return 0
