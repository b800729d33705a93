"""What people say, and what they are asked: a vote with its moment, a question."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import (
    AirSpeed,
    HumidityPct,
    Level,
    Message,
    RadiantC,
    Stamp,
    TempC,
    Zone,
    round_to,
    stamped,
    whole,
)
from comfywear.publishing.messages.people import ClothingItem, clothing_item
from comfywear.records import Climate, Comfort, Vote


class VoteClimate(msgspec.Struct, frozen=True, kw_only=True):
    """The air at the moment of a vote."""

    state: Literal["fresh", "stale", "missing"]
    air_temp_c: TempC
    humidity_pct: HumidityPct
    radiant_temp_c: RadiantC = None
    air_speed_m_s: AirSpeed = None
    simulated: bool = False


class VoteComfort(msgspec.Struct, frozen=True, kw_only=True):
    """What the model said at the moment of a vote."""

    expected_vote: float | None
    level: int | None
    decision: str | None
    pmv: float | None
    model: str


class VoteMessage(Message, frozen=True, kw_only=True):
    """Somebody pressed 1–5, or took that back (an event). `ts` and `time_ok` are those of the press."""

    schema: Literal["comfywear/v1/vote"] = "comfywear/v1/vote"
    zone: Zone
    id: Annotated[str, Meta(description="Unique; a repeat, and the taking back, of a vote carry the same id.")]
    undone: Annotated[bool, Meta(description="True when the vote with this id was taken back: it counts no more.")] = (
        False
    )
    level: Level
    scale: Annotated[str, Meta(description="Id of the scale shown.")]
    words: Annotated[str, Meta(description="The words shown for this level.")]
    source: Annotated[str, Meta(description="Where it was pressed: command, mqtt, …")]
    climate: VoteClimate | None = None
    clothing: ClothingItem | None = None
    persons: Annotated[int, Meta(description="Persons in the zone.", ge=0)] = 0
    comfort: VoteComfort | None = None


class AskMessage(Message, frozen=True, kw_only=True):
    """What the device would like to know from the people of a zone (retained); null when it has no question."""

    schema: Literal["comfywear/v1/ask"] = "comfywear/v1/ask"
    zone: Zone
    question: Annotated[str | None, Meta(description="The question, to be answered with a vote.")]
    why: Annotated[str | None, Meta(description="What the answer is good for.")] = None
    requested: Annotated[bool, Meta(description="True when somebody asked for it (the command ask-now).")] = False


def vote_message(vote: Vote, stamp: Stamp) -> VoteMessage:
    """A press with the moment it belongs to; `ts` and `time_ok` are the vote's own."""
    return VoteMessage(
        **stamped(replace(stamp, ts=vote.ts, time_ok=vote.time_ok)),
        zone=vote.zone,
        id=vote.id,
        level=vote.level,
        undone=vote.undone,
        scale=vote.scale,
        words=vote.words,
        source=vote.source,
        climate=_vote_climate(vote.climate) if vote.climate else None,
        clothing=clothing_item(vote.clothing) if vote.clothing else None,
        persons=len(vote.persons),
        comfort=_vote_comfort(vote.comfort) if vote.comfort else None,
    )


def ask_message(
    zone: str, question: str | None, stamp: Stamp, *, why: str | None = None, requested: bool = False
) -> AskMessage:
    """The question that the people of `zone` are asked, or that there is none."""
    return AskMessage(**stamped(stamp), zone=zone, question=question, why=why, requested=requested)


def _vote_climate(climate: Climate) -> VoteClimate:
    return VoteClimate(
        state=climate.state,
        air_temp_c=round_to(climate.air_temp_c, 2),
        humidity_pct=round_to(climate.humidity_pct, 1),
        radiant_temp_c=round_to(climate.radiant_temp_c, 2),
        air_speed_m_s=round_to(climate.air_speed_m_s, 2),
        simulated=climate.simulated,
    )


def _vote_comfort(comfort: Comfort) -> VoteComfort:
    return VoteComfort(
        expected_vote=round_to(comfort.expected_vote, 2),
        level=whole(comfort.level),
        decision=comfort.decision,
        pmv=round_to(comfort.pmv, 2),
        model=comfort.model,
    )
