"""`comfywear calibrate`: compare a running device's sensors with references, and correct them in its settings."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfywear import settings
from comfywear.errors import UsageError
from comfywear.feedback import ask
from comfywear.system.arguments import number, seconds, whole

_UNITS = {"air_temp_c": ("°C", "K"), "humidity_pct": ("%", "%")}
_KINDS = {"temperature": "air_temp_c", "humidity": "humidity_pct"}
_ASK_EVERY_S = 5.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `calibrate show|point|self-heating|response`."""
    parser = commands.add_parser("calibrate", help="compare sensors with references, and correct them")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    show = verbs.add_parser("show", help="what each sensor says, and whether it has come to rest")
    point = verbs.add_parser("point", help="correct a sensor by one point, or by two; waits until it is at rest")
    heat = verbs.add_parser("self-heating", help="how much the board warms a sensor, from the last hours")
    step = verbs.add_parser("response", help="how quickly a sensor follows, from a step")
    for verb in (point, heat, step):
        verb.add_argument("sensor", type=whole(1, 1000), metavar="SENSOR", help="its number, as `show` says it")
    for verb in (point, step):
        verb.add_argument("--quantity", choices=_KINDS, default="temperature", help="default: temperature")
    point.add_argument("--reference", type=number(-100, 200), metavar="VALUE", help="what is true, °C or %%")
    point.add_argument("--uncertainty", type=number(0, 20), default=0.0, metavar="U", help="of the reference, k = 1")
    point.add_argument(
        "--beside", type=whole(1, 1000), metavar="SENSOR", help="a sensor of the device is the reference"
    )
    point.add_argument(
        "--first",
        type=_four,
        metavar="SAID,U,TRUE,U",
        help="the first of two points, as this command said it: also the gain is then found",
    )
    point.add_argument("--wait", type=seconds, default=3600.0, metavar="S", help="wait so long for rest (3600)")
    heat.add_argument("--beside", type=whole(1, 1000), metavar="SENSOR", help="a sensor apart from the board")
    heat.add_argument("--hours", type=number(0, 24, above=True), default=4.0, help="from so many hours (4)")
    step.add_argument("--since", type=number(0, 3600, above=True), required=True, metavar="S", help="seconds ago")
    for verb in (point, heat):
        verb.add_argument("--keep", action="store_true", help="write it into the settings; the device starts anew")
    for verb, act in ((show, _show), (point, _point), (heat, _heat), (step, _step)):
        verb.add_argument("--config", metavar="FILE", help="the device's settings, where its state folder is named")
        verb.add_argument("--state-dir", metavar="DIR", help="the device's state folder")
        verb.set_defaults(run=run, act=act)


def run(args: argparse.Namespace) -> int:
    """Ask the running device and say what was found; returns 0."""
    args.act(args)
    return 0


def _show(args: argparse.Namespace) -> None:
    now = _ask(args, do="show")
    for sensor in now["sensors"]:
        print(f"{sensor['sensor'] + 1}: {sensor['source']} ({sensor['zone']})")
        for each in sensor["quantities"]:
            print(f"   {_said(each)}")
        if sensor["self_heating_gain"] is not None:
            print(f"   less {sensor['warmed_k']:.2f} K of the board's warmth")
    board = now["board_temp_c"]
    print(f"the board is at {board:.1f} °C" if board is not None else "the board says no temperature")


def _point(args: argparse.Namespace) -> None:
    if (args.reference is None) == (args.beside is None):
        raise UsageError("say what is true: --reference VALUE, or --beside SENSOR")
    quantity = _KINDS[args.quantity]
    version, own, beside = _rested(args, quantity)
    true, true_u = (args.reference, args.uncertainty) if beside is None else (beside["corrected"], beside["value_u"])
    here = {"sensor": own["value"], "sensor_u": own["value_u"], "reference": true, "reference_u": true_u}
    points = [here] if args.first is None else [args.first, here]
    asked = {"sensor": args.sensor - 1, "quantity": quantity, "points": points}
    found = _ask(args, do="compare", **asked)
    shown, unit = _UNITS[quantity]
    print(f"it says {own['value']:.3f} ± {own['value_u']:.3f} {shown} where {true:.3f} ± {true_u:.3f} {shown} is true")
    if args.first is None:
        print(f"for a second point: --first {own['value']:.4f},{own['value_u']:.4f},{true:.4f},{true_u:.4f}")
    else:
        print(f"gain {found['gain']:.4f} ± {found['gain_u']:.4f}")
    print(
        f"offset {found['offset']:+.3f} ± {found['offset_u']:.3f} {unit} (standard uncertainties; twice that is 95 %)"
    )
    _keep(args, version, points=asked)


def _heat(args: argparse.Namespace) -> None:
    beside = None if args.beside is None else args.beside - 1
    asked = {"sensor": args.sensor - 1, "reference": beside, "hours": args.hours}
    version = _ask(args, do="show")["version"]
    found = _ask(args, do="self-heating", **asked)
    print(f"from {found['minutes']:.0f} minutes in which the board varied by {found['span_k']:.1f} K:")
    print(
        f"gain {found['gain']:.4f} ± {found['gain_u']:.4f}: less {found['correction_k']:.2f} ± "
        f"{found['correction_u_k']:.2f} K, at most {found['most_k']:g} K"
    )
    if found["offset_k"] is not None:
        print(f"besides it says {found['offset_k']:+.2f} K too much: `comfywear calibrate point` corrects that")
    _keep(args, version, self_heating=asked)


def _step(args: argparse.Namespace) -> None:
    quantity = _KINDS[args.quantity]
    found = _ask(args, do="response", sensor=args.sensor - 1, since_s=args.since, quantity=quantity)
    unit = _UNITS[quantity][0]
    print(
        f"from {found['start']:.1f} to {found['end']:.1f} {unit}: time constant {found['time_constant_s']:.0f} ± "
        f"{found['time_constant_u_s']:.0f} s; 95 % of a change are shown after {found['settles_s']:.0f} s"
    )


def _rested(args: argparse.Namespace, quantity: str) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
    """The settings' version, the sensor at rest, and the reference at rest where it is a sensor, once both are."""
    deadline_s, told = time.monotonic() + args.wait, ""
    while True:
        now = _ask(args, do="show")
        wanted = [args.sensor, *([args.beside] if args.beside is not None else [])]
        for place in wanted:
            if place > len(now["sensors"]):
                raise UsageError(f"there is no sensor {place}; the settings name {len(now['sensors'])}")
        found = [next(q for q in now["sensors"][n - 1]["quantities"] if q["quantity"] == quantity) for n in wanted]
        restless = [(n, each) for n, each in zip(wanted, found, strict=True) if each["state"] != "steady"]
        if not restless:
            return now["version"], found[0], found[1] if len(found) > 1 else None
        said = "; ".join(f"sensor {place}: {_said(each)}" for place, each in restless)
        if time.monotonic() + _ASK_EVERY_S > deadline_s:
            raise UsageError(f"not at rest within {args.wait:g} s: {said}")
        if said != told:
            print(f"waiting: {said}", flush=True)
        told = said
        time.sleep(_ASK_EVERY_S)


def _said(each: Mapping[str, Any]) -> str:
    shown, unit = _UNITS[each["quantity"]]
    if each["state"] == "silent":
        return f"{each['quantity'].split('_')[0]}: says nothing now"
    text = f"{each['value']:.2f} {shown}, corrected {each['corrected']:.2f} {shown}"
    if each["state"] == "few":
        return f"{text}; {each['wait_s']:.0f} s more are wanted to judge"
    states = {"steady": "at rest", "noisy": "restless", "drifting": "changing"}
    return f"{text}; {states[each['state']]}, {each['drift_per_min']:+.3f} {unit}/min, ± {each['value_u']:.3f} {unit}"


def _keep(args: argparse.Namespace, version: str, **asked: Any) -> None:
    if args.keep:
        print(
            f"kept in the settings; the device starts anew: {_ask(args, do='keep', version=version, **asked)['kept']}"
        )
    else:
        print("not kept: say --keep")


def _four(word: str) -> dict[str, float]:
    try:
        said, said_u, true, true_u = (number(-100, 200)(part) for part in word.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word[:60]}: four numbers are wanted, SAID,U,TRUE,U") from None
    return {"sensor": said, "sensor_u": said_u, "reference": true, "reference_u": true_u}


def _ask(args: argparse.Namespace, **request: Any) -> Mapping[str, Any]:
    if args.state_dir:
        folder = Path(args.state_dir)
    else:
        folder = settings.state_folder(settings.load(args.config) if args.config else settings.Settings())
    return ask(folder, {"verb": "calibration", **request})
