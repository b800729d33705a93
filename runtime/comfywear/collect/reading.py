"""What a payload on a topic means to the collector: a message to store, a device's word on a gap, or nothing usable.

The topic says who speaks, since that is what a broker's access rules bind to a device; a payload that names another
device is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import msgspec

from comfywear.collect.ledger import Range
from comfywear.publishing.messages.deletion import DeletionMessage
from comfywear.publishing.messages.topics import BACKLOG, ROOT

DELETION = "deletion"
# Larger numbers and longer names come from no device; they are refused before they reach a database.
LARGEST_SEQ = 2**53
LONGEST_NAME = 128

_TOPIC = re.compile(rf"{ROOT}/(?P<site>[\w-]+)/(?P<device>[\w-]+)/(?P<rest>.+)", re.ASCII)
_IN_ZONE = re.compile(r"zone/(?P<zone>[\w-]+)/(?P<kind>[\w-]+)", re.ASCII)
_IN_CAMERA = re.compile(r"(?P<kind>camera)/[\w-]+", re.ASCII)
_AT_LINE = re.compile(r"line/[\w-]+/(?P<kind>[\w-]+)", re.ASCII)
_OTHERS = re.compile(r"(?:device/)?(?P<kind>[\w-]+)", re.ASCII)
_PLACES = (_IN_ZONE, _IN_CAMERA, _AT_LINE, _OTHERS)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Source:
    """One epoch of one device: what its sequence numbers count in."""

    site: str
    device: str
    epoch: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A numbered message.

    Attributes:
        source: Whose it is.
        seq: Its number.
        ts: When the device made it; None where the device did not know the time.
        zone: None for messages that belong to no zone.
        kind: climate, comfort, vote, …: the last level of its topic; camera for one of several cameras.
        payload: The JSON text as it came, or None when it was refused (its number is dealt with all the same).
    """

    source: Source
    seq: int
    ts: datetime | None
    zone: str | None
    kind: str
    payload: str | None


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Whether a device is there; outside the sequence, since the broker says it for a device that is gone."""

    site: str
    device: str
    state: str
    reason: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Gone:
    """Numbers that the device no longer has."""

    source: Source
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class RefusedPayload:
    """A payload that cannot be stored, and why; `entry` deals with its number where it has one."""

    topic: str
    payload: bytes
    reason: str
    entry: Entry | None = None


Item = Entry | DeviceStatus | Gone | RefusedPayload


def filters(consumer: str, sites: Sequence[str] = (), group: str = "") -> list[str]:
    """The subscriptions that bring every device's messages, and answers to `consumer`, but nobody's commands.

    Args:
        consumer: The name under which acknowledgements are sent.
        sites: Only these; empty = all.
        group: Of a shared subscription; empty = not shared.
    """
    share = f"$share/{group}/" if group else ""
    own = ("+", "device/+", "zone/+/+", "camera/+", "line/+/+")
    tails = (*own, *(f"{BACKLOG}/{tail}" for tail in own), f"gone/{consumer}")
    return [f"{share}{ROOT}/{site}/+/{tail}" for site in sites or ("+",) for tail in tails]


def read(topic: str, payload: bytes, consumer: str) -> Item | None:
    """What the message is; None for what is none of the collector's business (commands, cleared topics)."""
    if not payload:
        return None
    found = _TOPIC.fullmatch(topic)
    if found is None or len(topic) > 4 * LONGEST_NAME:
        return RefusedPayload(
            topic.replace("\0", "")[:1000], payload, "the topic is not of the form comfywear/v1/<site>/<device>/…"
        )
    site, device, rest = found["site"], found["device"], found["rest"]
    try:
        if rest == f"gone/{consumer}":
            return _gone(site, device, _object(payload))
        rest = rest.removeprefix(f"{BACKLOG}/")  # what comes late is stored like what comes at once
        place = next((found for place in _PLACES if (found := place.fullmatch(rest))), None)
        if place is None:
            return None
        return _message(site, device, place.groupdict(), topic, payload)
    except ValueError as error:
        return RefusedPayload(topic, payload, str(error))


def _message(site: str, device: str, place: dict[str, Any], topic: str, payload: bytes) -> Item | None:
    fields = _object(payload)
    if fields.get("device", device) != device:
        raise ValueError(f"it says that it comes from another device: {str(fields['device'])[:LONGEST_NAME]!r}")
    kind: str = place["kind"]
    if fields.get("seq") is None:
        return _presence(site, device, fields) if kind == "status" else None
    source, seq = Source(site, device, _epoch(fields)), _number(fields["seq"], "seq")
    try:
        ts = _moment(fields.get("ts"))
    except ValueError as error:
        return RefusedPayload(topic, payload, str(error), Entry(source, seq, None, place.get("zone"), "refused", None))
    entry = Entry(source, seq, ts, place.get("zone"), kind, payload.decode())
    try:
        deleted_votes(entry)
    except ValueError as error:  # what cannot be carried out is not stored as if it were
        return RefusedPayload(topic, payload, str(error), Entry(source, seq, ts, None, "refused", None))
    return entry


def deleted_votes(entry: Entry) -> list[str]:
    """The ids of votes that a deletion names; none for another kind of message.

    Raises:
        ValueError: For a deletion that cannot be read.
    """
    if entry.kind != DELETION or entry.payload is None:
        return []
    try:
        return msgspec.json.decode(entry.payload, type=DeletionMessage).votes
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(f"a deletion that cannot be read: {error}") from error


def _presence(site: str, device: str, fields: dict[str, Any]) -> DeviceStatus:
    state, reason, version = (fields.get(name) for name in ("state", "reason", "version"))
    if state not in ("online", "offline"):
        raise ValueError('a status whose state is neither "online" nor "offline"')
    return DeviceStatus(site, device, state, _short(reason), _short(version))


def _gone(site: str, device: str, fields: dict[str, Any]) -> Gone:
    ranges = fields.get("ranges")
    if not isinstance(ranges, list):
        raise ValueError("`ranges` is not a list of [first, last]")
    found: list[Range] = []
    for item in ranges:
        if not isinstance(item, list) or len(item) != 2:
            raise ValueError("`ranges` is not a list of [first, last]")
        first, last = (_number(number, "a range's number") for number in item)
        if first > last:
            raise ValueError(f"a range that ends before it begins: [{first}, {last}]")
        found.append((first, last))
    return Gone(Source(site, device, _epoch(fields)), tuple(found))


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _epoch(fields: dict[str, Any]) -> str:
    epoch = fields.get("epoch")
    if not isinstance(epoch, str) or not 1 <= len(epoch) <= LONGEST_NAME or not epoch.isprintable():
        raise ValueError(f"`epoch` is not a text of 1 to {LONGEST_NAME} characters")
    return epoch


def _number(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_SEQ:
        raise ValueError(f"{what} is not a whole number from 1 to 2^53")
    return value


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
            if moment.tzinfo is not None:
                return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        pass
    raise ValueError("`ts` is neither null nor a time with its zone (ISO 8601)")


def _short(value: object) -> str | None:
    return _SURROGATE.sub("", value)[:200].replace("\0", "") if isinstance(value, str) else None
