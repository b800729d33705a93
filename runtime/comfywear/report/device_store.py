"""A month from what a device itself keeps: quarter hours, votes, what waits for the broker, what was learnt."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from comfywear.errors import StoreError, UsageError
from comfywear.feedback.vote_files import read_votes
from comfywear.feedback.vote_rows import Selection, as_stamp
from comfywear.learning.log import LearningLog
from comfywear.publishing.messages.topics import BACKLOG, ROOT
from comfywear.records import Vote
from comfywear.report.month import Month
from comfywear.report.zone_log import KINDS, VoteSeen, ZoneLog
from comfywear.system.read_only import reading
from comfywear.web.history import quarters_in

__all__ = ["from_store"]

_TOPIC = re.compile(rf"{ROOT}/(?P<site>[^/]+)/(?P<device>[^/]+)/(?:{BACKLOG}/)?zone/(?P<zone>[^/]+)/(?P<kind>[^/]+)")


class _Stamped(msgspec.Struct):
    ts: str | None = None


class _Logs(dict[str, ZoneLog]):
    def __missing__(self, zone: str) -> ZoneLog:
        return self.setdefault(zone, ZoneLog("", "", zone))


def from_store(folder: Path, month: Month) -> list[ZoneLog]:
    """What the state folder of a device knows of a month, also while the device runs; nothing in it is changed.

    Raises:
        UsageError: When it is no device's state folder.
        StoreError: When a file in it cannot be read.
    """
    page, votes, spool = folder / "page.sqlite", folder / "votes.sqlite", folder / "spool.sqlite"
    if not any(file.is_file() for file in (page, votes, spool)):
        raise UsageError(f"{folder} is no device's state folder: it holds no page.sqlite, votes.sqlite or spool.sqlite")
    logs = _Logs()
    begin_s, end_s = month.begin.timestamp(), month.end.timestamp()
    if page.is_file():
        _take_quarters(page, logs, begin_s, end_s)
    if spool.is_file():
        _take_spool(spool, logs, begin_s, end_s)
    if votes.is_file():
        for vote in read_votes(votes, Selection(since=month.begin.isoformat(), until=month.end.isoformat())):
            if vote.ts is not None:
                logs[vote.zone].take_vote(vote.id, _seen(vote), undone=vote.undone)
    learning = LearningLog(folder, logs)
    device = next((log.device for log in logs.values() if log.device), folder.name)
    for zone, log in logs.items():
        log.device = log.device or device
        until = as_stamp(month.end.isoformat())
        learnt = [each.likes_warmer_k for each in learning.snapshots(zone) if each.ts < until]
        log.learnt_k = learnt[-1] if learnt else None
    return list(logs.values())


def _take_quarters(file: Path, logs: _Logs, begin_s: float, end_s: float) -> None:
    with _reading(file) as connection:
        for zone, quarters in quarters_in(connection).items():
            for each in quarters:
                if not begin_s <= each.unix_s < end_s:
                    continue
                log = logs[zone]
                log.fresh.add(each.unix_s, float(each.air_temp_c is not None))
                log.air.add(each.unix_s, each.air_temp_c)
                log.humidity.add(each.unix_s, each.humidity_pct)
                log.expected.add(each.unix_s, each.expected_vote)
                log.pmv.add(each.unix_s, each.pmv)
                log.occupied.add(each.unix_s, None if each.occupied is None else float(each.occupied >= 0.5))


def _take_spool(file: Path, logs: _Logs, begin_s: float, end_s: float) -> None:
    stamp = msgspec.json.Decoder(_Stamped)
    with _reading(file) as connection:
        for topic, payload in connection.execute("SELECT topic, payload FROM messages ORDER BY seq"):
            place = _TOPIC.fullmatch(topic)
            if place is None or place["kind"] not in KINDS:
                continue
            try:
                ts = stamp.decode(payload).ts
                at_s = datetime.fromisoformat(ts.replace("Z", "+00:00")).timestamp() if ts else -1.0
            except (msgspec.DecodeError, ValueError):
                at_s = -1.0
            if begin_s <= at_s < end_s:
                log = logs[place["zone"]]
                log.site, log.device = place["site"], place["device"]
                log.take(place["kind"], at_s, payload)


def _seen(vote: Vote) -> VoteSeen:
    at_s = datetime.fromisoformat(vote.ts or "").timestamp()
    expected = vote.comfort
    return VoteSeen(
        at_s, vote.level, expected.level if expected else None, expected.expected_vote if expected else None
    )


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        with reading(file) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{file}: cannot be read ({error}); is it damaged, or another program's?") from error
