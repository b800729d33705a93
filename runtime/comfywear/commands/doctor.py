"""`comfywear doctor`: whether this machine and what the settings name are fit, and what to do about each fault."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict

from comfywear import checkup
from comfywear import settings as settings_file
from comfywear.checkup import Finding
from comfywear.errors import UsageError
from comfywear.settings import Settings

_MARKS = {"good": "✓", "note": "·", "warning": "!", "fault": "✗"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `doctor`."""
    parser = commands.add_parser("doctor", help="check this machine and everything that the settings name")
    parser.add_argument("--config", metavar="FILE", help="the device's settings; without, only the machine is checked")
    parser.add_argument("--json", action="store_true", help="one JSON object: findings, faults, warnings")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Say each finding as it is made; returns 1 when there is a fault, 2 when the settings are wrong."""
    found: list[Finding] = []
    wrong = False
    for finding in _findings(args.config):
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


def _line(finding: Finding) -> str:
    advice = f"\n    → {finding.do}" if finding.do else ""
    return f"{_MARKS[finding.state]} {finding.what}: {finding.said}{advice}"


def _findings(config: str | None) -> Iterator[Finding]:
    settings = Settings()
    yield checkup.machine()
    if config:
        try:
            settings = settings_file.load(config)
            yield Finding("settings", "good", f"{config} is right")
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
    status = checkup.running(folder)
    yield checkup.state(folder)
    yield from checkup.releases(folder)
    if status is not None:
        yield from checkup.workers(status)
        return
    yield checkup.choice(settings.vision)
    from comfywear.checkup_doors import doors

    yield from doors(settings)
