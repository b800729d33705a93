"""What all messages share: the fields that each begins with, its stamp, fields that several have, how numbers go out.

Numbers are rounded to what they mean, and NaN is never sent.

Every message carries the device's name, the spool's epoch (random, new when the spool is new) and its sequence
number, so that a consumer can drop repeats and notice gaps. Pictures, crops, embeddings and faces have no field here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

import msgspec
from msgspec import Meta

NOT_A_NUMBER = "a value was not a number"
"""The reason of a value that is null because it was NaN or infinite."""


def described(description: str, unit: str | None = None) -> Meta:
    """What a field means, with its unit."""
    return Meta(description=description, extra_json_schema={"unit": unit} if unit else None)


TempC = Annotated[float | None, described("Air temperature.", "°C")]
HumidityPct = Annotated[float | None, described("Relative humidity.", "%")]
RadiantC = Annotated[float | None, described("Mean radiant (or globe) temperature, where it is measured.", "°C")]
AirSpeed = Annotated[float | None, described("Air speed, where it is measured.", "m/s")]
_Part = Annotated[float, Meta(ge=0, le=1)]
Probability = Annotated[_Part | None, Meta(description="0…1; null when it is not known.")]
Zone = Annotated[str, Meta(description="The zone's name, as in the topic.")]
Reason = Annotated[str | None, Meta(description="Why a value is null, if one is.")]
Level = Annotated[int, Meta(ge=1, le=5, description="1 (uncomfortable) … 5 (comfortable).")]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes a message one of a sequence: `seq` None stands for a message of the connection itself (status)."""

    device: str
    epoch: str
    seq: int | None
    ts: str | None
    time_ok: bool


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that every message begins with."""

    device: Annotated[str, Meta(description="The device's name, as in the topic.")]
    epoch: Annotated[str, Meta(description="Random name of the device's message store; a new store has a new one.")]
    seq: Annotated[int | None, Meta(description="Sequence number within the epoch; null outside the sequence.")]
    ts: Annotated[str | None, Meta(description="ISO 8601 UTC; null while the device's clock is not set.")]
    time_ok: Annotated[bool, Meta(description="True when `ts` can be believed.")]


class _Stamped(TypedDict):
    device: str
    epoch: str
    seq: int | None
    ts: str | None
    time_ok: bool


def stamped(stamp: Stamp) -> _Stamped:
    """The fields that every message begins with, as arguments."""
    return {
        "device": stamp.device,
        "epoch": stamp.epoch,
        "seq": stamp.seq,
        "ts": stamp.ts,
        "time_ok": stamp.time_ok,
    }


def round_to(value: float | None, digits: int) -> float | None:
    """`value` as a plain float, or None when it is None, NaN or infinite (numpy numbers are taken too)."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def mean_of(values: Sequence[float]) -> float | None:
    """The mean of the finite ones, to two digits; None without any."""
    known = [value for value in values if math.isfinite(value)]
    return round_to(sum(known) / len(known), 2) if known else None


def whole(value: int | None) -> int | None:
    """As a plain int (numpy numbers are taken too)."""
    return None if value is None else int(value)


def share_of(value: float) -> float | None:
    """A probability, kept within 0…1 against rounding; None when it is not a number."""
    rounded = round_to(value, 3)
    return None if rounded is None else min(max(rounded, 0.0), 1.0)


def finite(values: Mapping[str, float | None], digits: int) -> dict[str, float]:
    """The finite ones of `values`, rounded; whole numbers stay whole."""
    rounded = {name: value if isinstance(value, int) else round_to(value, digits) for name, value in values.items()}
    return {name: value for name, value in rounded.items() if value is not None}
