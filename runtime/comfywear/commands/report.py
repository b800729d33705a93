"""`comfywear report`: a month in a page, as HTML or PDF, from collected messages or a device's own store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from comfywear.collect.looking import Collected, look_into
from comfywear.commands._state_folder import given_folder
from comfywear.errors import ComfyWearError, StoreError, UsageError
from comfywear.report import KINDS, Month, Wording, ZoneLog, figure, from_store, print_pdf, render, time_zone
from comfywear.system.files import replace_file

FORMS = (".html", ".pdf")
# More than anybody would leaf through.
_MOST_ZONES = 24


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report`."""
    parser = commands.add_parser("report", help="a month in a page, as HTML or PDF (docs/report.md)")
    add = parser.add_argument
    add("--out", metavar="FILE", type=Path, required=True, help="report.html, or report.pdf (needs Chromium)")
    add("--month", metavar="YYYY-MM", default="", help="default: the last whole month")
    add("--zone", metavar="NAME", help="only this zone")
    add("--db", metavar="FILE|URL", help="what `comfywear collect` stored: an SQLite file, or postgresql://…")
    add("--site", help="of the database: only this site")
    add("--device", help="of the database: only this device")
    add("--state-dir", metavar="DIR", help="without --db: a device's state folder")
    add("--config", metavar="FILE", help="without --db: the device's settings, where its state folder is named")
    add("--language", metavar="CODE", default="en", help="en (default) or de")
    add("--timezone", metavar="NAME", default="", help="such as Europe/Berlin; default: this machine's")
    add("--force", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, compute, write; returns 0."""
    wording = Wording(args.language)
    month = Month.of(args.month, time_zone(args.timezone), datetime.now(timezone.utc))
    if args.out.suffix.lower() not in FORMS:
        raise UsageError(f"--out {args.out}: its name should end in {' or '.join(FORMS)}")
    if args.out.exists() and not args.force:
        raise UsageError(f"{args.out} exists; name another file, or write over it with --force")
    if args.db is not None and (args.state_dir or args.config):
        raise UsageError("--db is a collector's database, --state-dir and --config are a device's own: give one")
    if args.db is None and (args.site or args.device):
        raise UsageError("--site and --device choose from a collector's database: give --db too")
    if args.db is not None:
        logs, source = _collected(args, month)
    else:
        folder = given_folder(args)
        source = str(folder)
        logs = from_store(folder, month)
    logs = _chosen(logs, args.zone, month)
    html = render([figure(log, month) for log in logs], month, wording, source)
    content = print_pdf(html) if args.out.suffix.lower() == ".pdf" else html.encode()
    try:
        replace_file(args.out, content)
    except OSError as error:
        raise ComfyWearError(f"{args.out}: cannot be written ({error.strerror or error})") from error
    print(f"{args.out}: {month}, {', '.join(log.title or log.zone for log in logs)}")
    return 0


def _chosen(logs: Sequence[ZoneLog], zone: str | None, month: Month) -> list[ZoneLog]:
    """The zones that are meant.

    Raises:
        UsageError: When there is none of that name, or there are too many.
    """
    if not logs:
        raise StoreError(f"nothing was said of any zone in {month}")
    found = [log for log in logs if zone in (None, log.zone)]
    if not found:
        raise UsageError(f"no zone is named {zone!r}; the zones are: {', '.join(sorted({log.zone for log in logs}))}")
    if len(found) > _MOST_ZONES:
        raise UsageError(f"{len(found)} zones would fill {len(found)} pages: choose with --site, --device or --zone")
    return sorted(found, key=lambda log: (log.site, log.device, log.zone))


def _collected(args: argparse.Namespace, month: Month) -> tuple[list[ZoneLog], str]:
    with look_into(args.db) as database:
        known = database.devices()
        wanted = [
            (site, device) for site, device in known if args.site in (None, site) and args.device in (None, device)
        ]
        if known and not wanted:
            names = ", ".join(f"{site}/{device}" for site, device in known[:10])
            raise UsageError(f"no such device is in the database; there are: {names}{' …' * (len(known) > 10)}")
        if len(wanted) > _MOST_ZONES:
            raise UsageError(f"the database has {len(wanted)} devices: choose with --site and --device")
        logs = [log for site, device in wanted for log in _of_device(database, site, device, month)]
        if not logs:
            span = database.span()
            there = f"; there are messages from {span[0]:%Y-%m} to {span[1]:%Y-%m}" if span else " at all"
            raise StoreError(f"{database.place}: no message of a zone is from {month}{there}")
        return logs, database.place


def _of_device(database: Collected, site: str, device: str, month: Month) -> list[ZoneLog]:
    logs: dict[str, ZoneLog] = {}
    names: dict[str, str] = {}
    for said in database.said(site, device, (*KINDS, "meta"), month.begin, month.end):
        if said.zone is not None:
            log = logs.setdefault(said.zone, ZoneLog(site, device, said.zone))
            log.take(said.kind, said.unix_s, said.payload)
        elif said.kind == "meta":
            names = _zone_names(said.payload) or names
    for zone, log in logs.items():
        log.title = names.get(zone, "")
    return list(logs.values())


class _Meta(msgspec.Struct):
    zone_names: dict[str, str] = {}


def _zone_names(payload: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(payload, type=_Meta).zone_names
    except (msgspec.DecodeError, UnicodeError):
        return {}
