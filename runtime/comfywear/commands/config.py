"""`comfywear config`: check a settings file, print its schema or its page."""

from __future__ import annotations

import argparse
import json

from comfywear import settings
from comfywear.settings_page import settings_page


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
    camera = found.camera.source or "none"
    broker = f"{found.mqtt.host}:{found.mqtt.port}" if found.mqtt.host else "none"
    zones = ", ".join(zone.name for zone in found.zones)
    print(f"{args.file}: right. Zones {zones}; camera {camera}; sensors {len(found.sensors)}; broker {broker}.")
    return 0


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(settings.json_schema(), indent=2, ensure_ascii=False))
    return 0


def _page(_: argparse.Namespace) -> int:
    print(settings_page(), end="")
    return 0
