"""`comfywear comfort`: what ThermalWear and ComfyWear say about a temperature, a humidity and a list of garments."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from comfywear.comfort import (
    ABSORPTANCE,
    SCALE,
    TYPICAL_INDOOR,
    ComfyWear,
    Site,
    Sunshine,
    ThermalWear,
    clothing_of_names,
    dynamic_clo,
    preferred_temperature,
)
from comfywear.comfort.assumed import AIR_SPEED_M_S, MET
from comfywear.errors import UsageError
from comfywear.records import Clothing, ColourShare, Comfort, SkinTemperature
from comfywear.system.arguments import number

# What is beyond the models, they say themselves.
_any = number(-1000, 1000)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("comfort", help="how people in given clothes feel in given air, with a chart")
    add = parser.add_argument
    add("--air-temp", type=_any, required=True, metavar="C", help="air temperature, °C")
    add("--humidity", type=_any, required=True, metavar="PCT", help="relative humidity, %%")
    add("--wearing", metavar="LIST", help='garments with commas between them, such as "t-shirt, trousers, sneakers"')
    add("--colour", choices=sorted(ABSORPTANCE), help="colour of the clothing; matters only with --sun")
    add("--met", type=_any, metavar="MET", help="activity (default: 1.1, seated)")
    add("--air-speed", type=_any, metavar="M_S", help="air speed, m/s (default: 0.1)")
    add("--radiant-temp", type=_any, metavar="C", help="mean radiant temperature, °C (default: that of the air)")
    add("--sun", type=number(0, 1500), metavar="W_M2", help="direct sunshine outside the window, W/m²")
    add("--season", choices=["warm", "cool"])
    add("--cooling", choices=["air conditioned", "mixed mode", "naturally ventilated"])
    add("--climate", choices=["tropical", "arid", "other"])
    add("--country", metavar="NAME", help="in English; uk and usa for those two")
    add("--outdoor-temp", type=number(-90, 60), metavar="C", help="running mean of the outdoor temperature, °C")
    add("--usual-temp", type=number(0, 50), metavar="C", help="usual air temperature of this room, °C")
    add("--method", choices=["ordinal", "pmv"], default="ordinal", help="model fitted on votes, or the standard's PMV")
    add("--chart", type=Path, metavar="FILE", help="also draw a comfort chart into this PNG file")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Estimate, print, draw; exit code 1 when the models have no answer for these numbers."""
    if 0.0 < args.humidity < 1.0:
        share = f"{100.0 * args.humidity:g}"
        raise UsageError(f"--humidity {args.humidity:g} is {args.humidity:g} %: for a share give --humidity {share}")
    clothing = TYPICAL_INDOOR if args.wearing is None else _clothing(args.wearing)
    colours = [ColourShare(args.colour, 1.0, (0, 0, 0))] if args.colour else []
    extra = {"met": args.met, "air_speed_m_s": args.air_speed, "radiant_temp_c": args.radiant_temp}
    sun = None if args.sun is None else Sunshine(args.sun)
    site = Site(args.season, args.cooling, args.climate, args.country, args.outdoor_temp, args.usual_temp)
    skin = ThermalWear().estimate(args.air_temp, args.humidity, clothing, colours=colours, solar=sun, **extra)
    comfort = ComfyWear(method=args.method).estimate(args.air_temp, args.humidity, clothing, site=site, **extra)
    if args.chart is not None and comfort.reason is None:
        _chart(args, clothing, comfort)
    records: dict[str, Any] = {"clothing": clothing, "thermalwear": skin, "comfywear": comfort}
    if args.json:
        plain = {name: dataclasses.asdict(record) for name, record in records.items()}
        print(json.dumps(plain, ensure_ascii=False, allow_nan=False))
    else:
        print(_answer(args, clothing, skin, comfort))
    return 0 if comfort.reason is None else 1


def _clothing(text: str) -> Clothing:
    names = [name for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError('--wearing is empty; name garments, such as "t-shirt, trousers, sneakers"')
    return clothing_of_names(names)


def _signed(value: float, digits: int = 2) -> str:
    """With its sign; what rounds to 0 is +0."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def _preferred(comfort: Comfort) -> str:
    liked = preferred_temperature(ComfyWear(), comfort.inputs)
    if liked.preferred_c is None:
        return liked.reason or "not known"
    words = f"{liked.preferred_c:.1f} ± {liked.sd_k:.1f} °C, from people in general"
    if liked.low_80_c is None:
        return words
    return f"{words}; 80 % are satisfied at {liked.low_80_c:.1f}…{liked.high_80_c:.1f} °C"


def _answer(args: argparse.Namespace, clothing: Clothing, skin: SkinTemperature, comfort: Comfort) -> str:
    seen = [name for name, _, how in clothing.items if how == "seen"]
    assumed = [name for name, _, how in clothing.items if how == "assumed"]
    lines = [
        f"Air        {args.air_temp:.1f} °C, {args.humidity:.0f} %",
        f"Clothing   {clothing.clo:.2f} ± {clothing.clo_sd:.2f} clo"
        + (f": {', '.join(seen)}" if seen else "")
        + (f" (assumed: {', '.join(assumed)})" if assumed else ""),
    ]
    if comfort.reason is not None or comfort.expected_vote is None or comfort.level is None:
        return "\n".join([*lines, f"ComfyWear  no answer: {comfort.reason}"])
    lines.append(
        f"ComfyWear  level {comfort.level} of 5 ({SCALE.words[comfort.level]}); "
        f"mean vote {_signed(comfort.expected_vote, 1)} ± {comfort.uncertainty:.1f}: "
        f"{comfort.sensation}; decision: {comfort.decision}"
    )
    lines.append("           votes −3…+3   " + "  ".join(f"{p:.0%}" for p in comfort.probabilities))
    lines.append("           want          " + ", ".join(f"{name} {p:.0%}" for name, p in comfort.preference.items()))
    if comfort.pmv is not None and comfort.ppd_pct is not None and comfort.pmv_sd is not None:
        lines.append(f"ISO 7730   PMV {_signed(comfort.pmv)} ± {comfort.pmv_sd:.2f}, PPD {comfort.ppd_pct:.0f} %")
    if skin.skin_temp_c is not None and skin.zone_c is not None:
        low, high = skin.zone_c
        lines.append(
            f"ThermalWear modelled mean skin temperature {skin.skin_temp_c:.1f} °C (neutral {low:.1f}…{high:.1f} °C)"
        )
        moved = ", ".join(f"{step} {_signed(change)} K" for step, change in skin.sensitivities.items())
        lines.append(f"           {moved}")
    else:
        lines.append(f"ThermalWear no answer: {skin.reason}")
    lines.append("Preferred  " + _preferred(comfort))
    lines += [f"Advice     {sentence}" for sentence in comfort.advice or ("nothing that would help noticeably",)]
    notes = dict.fromkeys([*comfort.assumptions, *skin.assumptions])
    lines += [f"Note       {sentence}" for sentence in notes]
    if args.chart is not None:
        lines.append(f"Chart      {args.chart}")
    return "\n".join(lines)


def _chart(args: argparse.Namespace, clothing: Clothing, comfort: Comfort) -> None:
    # OpenCV is loaded only where a chart is asked for.
    from comfywear.commands._comfort_chart import ChartInput, write_chart

    wearing = (
        "average indoor clothes" if args.wearing is None else ", ".join(n.strip() for n in args.wearing.split(","))
    )
    vote = _signed(comfort.expected_vote or 0.0, 1)
    verdict = f"mean vote {vote}, level {comfort.level} of 5, decision: {comfort.decision}"
    if comfort.pmv is not None:
        verdict = f"PMV {_signed(comfort.pmv, 1)}, " + verdict
    air, met = float(args.air_temp), MET if args.met is None else float(args.met)
    radiant = air if args.radiant_temp is None else float(args.radiant_temp)
    chart = ChartInput(
        air_temp_c=air,
        humidity_pct=float(args.humidity),
        clo=float(dynamic_clo(clothing.clo, met)),
        met=met,
        air_speed_m_s=AIR_SPEED_M_S if args.air_speed is None else float(args.air_speed),
        radiant_above_air_k=radiant - air,
        title=f"{wearing}: {clothing.clo:.2f} clo",
        subtitle=verdict,
    )
    write_chart(chart, args.chart)
