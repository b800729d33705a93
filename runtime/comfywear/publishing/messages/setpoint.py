"""What a zone likes, what a thermostat should be set to for it, and how its thermostats are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import Message, Reason, Stamp, Zone, described, round_to, stamped
from comfywear.records import ThermostatUse, ZoneSetpoint

__all__ = ["SetpointMessage", "ThermostatItem", "setpoint_message"]


class ThermostatItem(msgspec.Struct, frozen=True, kw_only=True):
    """A thermostat that follows the setpoint."""

    topic: Annotated[str, Meta(description="Where it is told.")]
    reported_c: Annotated[float | None, described("What it says it is set to; null where it has not said.", "°C")]
    sent_c: Annotated[
        float | None,
        described("What it was told last; null where it was told nothing, or somebody turned it since.", "°C"),
    ]
    dry_run: Annotated[bool, Meta(description="True where it is only said what would be sent.")]
    why: Annotated[str, Meta(description="What is done with it now.")]


class SetpointMessage(Message, frozen=True, kw_only=True):
    """What would please a zone most, what is fine, and what a thermostat should be set to (retained)."""

    schema: Literal["comfywear/v1/setpoint"] = "comfywear/v1/setpoint"
    zone: Zone
    preferred_c: Annotated[
        float | None, described("Air temperature that would please most of those who are there.", "°C")
    ]
    sd_k: Annotated[float | None, described("Its standard deviation.", "K")] = None
    low_80_c: Annotated[
        float | None, described("From here on 80 % are satisfied (votes −1, 0, +1); null where it is never so.", "°C")
    ] = None
    high_80_c: Annotated[float | None, described("Up to here.", "°C")] = None
    low_90_c: Annotated[float | None, described("From here on 90 % are; null where it is never so.", "°C")] = None
    high_90_c: Annotated[float | None, described("Up to here.", "°C")] = None
    satisfied: Annotated[
        float | None, Meta(description="Share of people satisfied at the temperature that satisfies most, 0…1.")
    ] = None
    votes: Annotated[float | None, Meta(description="Votes that it rests on, after forgetting and limits.")] = None
    setpoint_c: Annotated[
        float | None, described("What a thermostat should be set to; null leaves it as it is.", "°C")
    ] = None
    why: Annotated[str, Meta(description="Why that.")] = ""
    plant: Annotated[
        Literal["heating", "cooling"], Meta(description="What the plant is taken to do in this season.")
    ] = "heating"
    thermostats: Annotated[list[ThermostatItem], Meta(description="Those of the zone that the device knows.")] = (
        msgspec.field(default_factory=list)
    )
    assumptions: list[str] = msgspec.field(default_factory=list)
    reason: Reason = None


def setpoint_message(
    zone: str, found: ZoneSetpoint, stamp: Stamp, *, thermostats: Sequence[ThermostatUse] = ()
) -> SetpointMessage:
    """What `zone` likes, and what a thermostat should be set to for it."""
    liked = found.liked
    return SetpointMessage(
        **stamped(stamp),
        zone=zone,
        preferred_c=round_to(liked.preferred_c, 1),
        sd_k=round_to(liked.sd_k, 1),
        low_80_c=round_to(liked.low_80_c, 1),
        high_80_c=round_to(liked.high_80_c, 1),
        low_90_c=round_to(liked.low_90_c, 1),
        high_90_c=round_to(liked.high_90_c, 1),
        satisfied=round_to(liked.satisfied, 2),
        votes=round_to(liked.votes, 1),
        setpoint_c=round_to(found.setpoint_c, 1),
        why=found.why,
        plant="heating" if found.heating else "cooling",
        thermostats=[
            ThermostatItem(
                topic=each.topic,
                reported_c=round_to(each.reported_c, 1),
                sent_c=round_to(each.sent_c, 1),
                dry_run=each.dry_run,
                why=each.why,
            )
            for each in thermostats
        ],
        assumptions=list(liked.assumptions),
        reason=liked.reason,
    )
