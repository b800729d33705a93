"""`comfywear config`: check a settings file, print its schema or its page."""

from __future__ import annotations

import argparse
import json

from comfywear import settings
from comfywear.settings.camera_uri import parse_camera_uri
from comfywear.settings.reference import settings_page
from comfywear.settings.views import ONLY, cameras_of
from comfywear.system.command_line import counted
from comfywear_sensors.redaction import redact


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `config check|schema|page`."""
    parser = commands.add_parser("config", help="check a settings file, print its schema")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    check = verbs.add_parser("check", help="say whether a settings file is right, with file, line and field if not")
    check.add_argument("file", metavar="FILE")
    check.set_defaults(run=_check)
    verbs.add_parser("schema", help="print the JSON Schema of the settings").set_defaults(run=_schema)
    verbs.add_parser("page", help="print the settings' reference page (Markdown)").set_defaults(run=_page)


def _check(args: argparse.Namespace) -> int:
    found = settings.load(args.file)
    cameras = [_shown(name, each.source) for name, each in cameras_of(found).items()]
    named = f"cameras {', '.join(cameras)}" if found.cameras else f"camera {cameras[0] if cameras else 'none'}"
    broker = f"{found.mqtt.host}:{found.mqtt.port}" if found.mqtt.host else "none"
    zones = ", ".join(zone.name for zone in found.zones)
    doubts = list(settings.warnings(found))
    for each in doubts:
        print(f"{args.file}: warning: {redact(each)}")
    right = f"right, with {counted(len(doubts), 'warning')}" if doubts else "right"
    print(f"{args.file}: {right}. Zones {zones}; {named}; sensors {len(found.sensors)}; broker {broker}.")
    return 0


def _shown(name: str, source: str) -> str:
    """A camera's address without its password, with its name where it has one, and whether it is missing now."""
    named = parse_camera_uri(source)
    missing = named.missing()
    said = f"{named.shown} ({missing} at the moment)" if missing else named.shown
    return said if name == ONLY else f"{name} {said}"


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(settings.json_schema(), indent=2, ensure_ascii=False))
    return 0


def _page(_: argparse.Namespace) -> int:
    print(settings_page(), end="")
    return 0
