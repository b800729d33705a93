"""`comfywear-export tune setpoint-advice`: what a learnt setpoint policy would do now."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from comfywear.system.arguments import number, whole
from comfywear_export.setpoint.policy_file import load_policy
from comfywear_export.setpoint.qlearning import ACTIONS, COOLEST, WARMEST, allowed, best_moves, states_of
from comfywear_export.setpoint.simulate import LEAD_H


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("setpoint-advice", help="what a learnt setpoint policy would do now; moves nothing")
    add = parser.add_argument
    add("--policy", type=Path, required=True, metavar="FILE", help="setpoint.json of tune setpoint")
    add(
        "--setpoint",
        type=number(COOLEST, WARMEST),
        required=True,
        metavar="C",
        help=f"as it stands, °C ({COOLEST}…{WARMEST})",
    )
    add(
        "--pmv",
        type=number(-3.0, 3.0),
        required=True,
        metavar="V",
        help="predicted mean vote now (comfywear comfort says it)",
    )
    add(
        "--outdoor-temp",
        type=number(-90.0, 60.0),
        required=True,
        metavar="C",
        help="running mean of the outdoor temperature, °C",
    )
    add("--people", type=whole(1), default=1, metavar="N", help="in the room (default 1)")
    add("--hours-to-work", type=number(0.0, 1e6), default=0.0, metavar="H", help="0 in working hours (default)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print one line; exit code 0."""
    policy = load_policy(args.policy)
    if args.hours_to_work > LEAD_H:
        print(f"off: nobody works for more than {LEAD_H:g} hours")
        return 0
    setpoint, pmv = np.array([round(args.setpoint)], float), np.array([args.pmv])
    states = states_of(setpoint, pmv, np.array([args.hours_to_work]), np.array([args.outdoor_temp]))
    move = int(best_moves(policy.values[states], allowed(setpoint, pmv, np.array([args.people])))[0])
    print(f"{ACTIONS[move]}: {setpoint[0] + move - 1:g} °C")
    return 0
