"""`comfywear doctor`: whether this machine and what the settings name are fit, and what to do about each fault."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace

from comfywear import settings as settings_file
from comfywear.doctor import machine as checkup
from comfywear.doctor.machine import Finding
from comfywear.errors import UsageError
from comfywear.settings import Settings
from comfywear.settings.views import cameras_of
from comfywear.system.arguments import seconds
from comfywear_sensors.redaction import redact

_MARKS = {"good": "✓", "note": "·", "warning": "!", "fault": "✗"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor`."""
    parser = commands.add_parser("doctor", help="check this machine and everything that the settings name")
    parser.add_argument("file", metavar="FILE", nargs="?", help="as --config FILE")
    parser.add_argument("--config", metavar="FILE", help="the device's settings; without, only the machine is checked")
    parser.add_argument("--json", action="store_true", help="one JSON object: findings, faults, warnings")
    parser.add_argument(
        "--patience", type=seconds, default=15.0, metavar="S", help="wait so long for the camera and each sensor (15 s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Say each finding as it is made; returns 1 when there is a fault, 2 when the settings are wrong."""
    if args.config and args.file:
        raise UsageError(f"two settings files are named: {args.config} and {args.file}")
    found: list[Finding] = []
    wrong = False
    for finding in map(_shown, _findings(args.config or args.file, args.patience)):
        found.append(finding)
        wrong = wrong or (finding.what == "settings" and finding.state == "fault")
        if not args.json:
            print(_line(finding), flush=True)
    counts = {state: sum(each.state == state for each in found) for state in ("fault", "warning")}
    if args.json:
        told = {"findings": [asdict(each) for each in found], "faults": counts["fault"], "warnings": counts["warning"]}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(", ".join(f"{count} {state}{'' if count == 1 else 's'}" for state, count in counts.items()))
    return 2 if wrong else 1 if counts["fault"] else 0


def _shown(finding: Finding) -> Finding:
    return replace(finding, what=redact(finding.what), said=redact(finding.said), do=redact(finding.do))


def _line(finding: Finding) -> str:
    advice = f"\n    → {finding.do}" if finding.do else ""
    return f"{_MARKS[finding.state]} {finding.what}: {finding.said}{advice}"


def _findings(config: str | None, patience_s: float) -> Iterator[Finding]:
    settings = Settings()
    yield checkup.machine()
    if config:
        try:
            settings = settings_file.load(config)
            yield Finding("settings", "good", f"{config} is right")
            for doubt in settings_file.warnings(settings):
                draw = f"comfywear zones --config {config} --out zones.png draws them"
                do = draw if doubt.startswith("zones") else "put it there, or mend the setting"
                yield Finding("settings", "warning", doubt, do)
        except UsageError as error:
            yield Finding("settings", "fault", str(error), "docs/settings.md; comfywear config check FILE")
            config = None
    yield from checkup.engines(settings.vision.engine)
    yield checkup.models()
    yield checkup.clock()
    yield checkup.temperature()
    if not config:
        return
    folder = settings_file.state_folder(settings)
    try:
        status = checkup.running(folder)
        yield checkup.state(folder)
        yield from checkup.releases(folder)
        yield from checkup.named_models(settings.vision, folder, seen=bool(cameras_of(settings)))
    except OSError as error:
        said = f"{error.filename or folder}: {error.strerror or error}"
        yield Finding("state folder", "fault", said, "run this as the device's user (the service's: sudo)")
        status = None
    if status is not None:
        yield from checkup.workers(status)
        return
    yield checkup.choice(settings.vision)
    from comfywear.doctor.doors import doors

    yield from doors(settings, patience_s)
