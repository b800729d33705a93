"""What goes over MQTT: one Struct a message type, every field with its meaning and unit.

Every message carries the device's name, the spool's epoch (random, new when the spool is new) and its sequence
number, so that a consumer can drop repeats and notice gaps. Pictures, crops, embeddings and faces have no field here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.errors import UsageError
from comfywear.records import TroubleName


def _meta(description: str, unit: str | None = None) -> Meta:
    return Meta(description=description, extra_json_schema={"unit": unit} if unit else None)


TempC = Annotated[float | None, _meta("Air temperature.", "°C")]
HumidityPct = Annotated[float | None, _meta("Relative humidity.", "%")]
RadiantC = Annotated[float | None, _meta("Mean radiant (or globe) temperature, where it is measured.", "°C")]
AirSpeed = Annotated[float | None, _meta("Air speed, where it is measured.", "m/s")]
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


class StatusMessage(Message, frozen=True, kw_only=True):
    """Whether the device is there; "offline" is sent by the broker when the connection breaks (retained)."""

    schema: Literal["comfywear/v1/status"] = "comfywear/v1/status"
    state: Literal["online", "offline"]
    reason: Annotated[str | None, Meta(description="Why it is offline: stopped, or connection lost.")] = None
    version: Annotated[str | None, Meta(description="Version of the software.")] = None


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that the device runs."""

    role: Annotated[str, Meta(description="What it does: detector, attributes, thermalwear, comfywear.")]
    id: Annotated[str, Meta(description="Name and version.")]
    engine: Annotated[str | None, Meta(description="The engine that runs it; null for formulas.")] = None
    sha256: Annotated[str | None, Meta(description="Hash of the model file; null for formulas.")] = None


class ReleaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model of which releases were pulled, and what happened to it last."""

    name: str
    version: Annotated[str, Meta(description='In service; "shipped" is the one that came with the program.')]
    before: Annotated[str | None, Meta(description="What a roll-back brings back; null when there is nothing.")] = None
    on_trial: Annotated[bool, Meta(description="True during its first minutes of service.")] = False
    last: Annotated[
        str | None, Meta(description='What happened last: "taken over", "kept", "refused" or "rolled back".')
    ] = None
    last_version: Annotated[str | None, Meta(description="To which version that happened.")] = None
    reason: Annotated[str | None, Meta(description="Why.")] = None


class SourceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A camera or sensor."""

    kind: Literal["camera", "sensor"]
    uri: Annotated[str, Meta(description="Where it is read from, without secrets.")]
    zone: Annotated[str | None, Meta(description="The zone that it belongs to; null for all zones.")] = None


class ScaleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The scale of votes: its id and the words shown for 1…5, in order."""

    id: str
    words: Annotated[list[str], Meta(min_length=5, max_length=5)]


class MetaMessage(Message, frozen=True, kw_only=True):
    """What the device is (retained)."""

    schema: Literal["comfywear/v1/meta"] = "comfywear/v1/meta"
    site: str
    version: Annotated[str, Meta(description="Version of the software.")]
    hardware: Annotated[str | None, Meta(description="Board and processor.")] = None
    system: Annotated[str | None, Meta(description="Operating system.")] = None
    zones: list[str]
    zone_names: Annotated[dict[str, str], Meta(description="Names to show, of the zones that were given one.")] = {}
    sources: list[SourceInfo]
    models: list[ModelInfo]
    releases: Annotated[list[ReleaseInfo], Meta(description="Models of which releases were pulled.")] = []
    scale: ScaleInfo
    commands: Annotated[list[str], Meta(description="Commands that it takes at …/cmd/<name>.")] = []


class ClimateMessage(Message, frozen=True, kw_only=True):
    """The air of a zone (retained). Unless `state` is "fresh", temperature and humidity are null."""

    schema: Literal["comfywear/v1/climate"] = "comfywear/v1/climate"
    zone: Zone
    state: Literal["fresh", "stale", "missing"]
    air_temp_c: TempC
    humidity_pct: HumidityPct
    radiant_temp_c: RadiantC = None
    air_speed_m_s: AirSpeed = None
    age_s: Annotated[float | None, _meta("Age of the newest reading when this was stamped.", "s")] = None
    reason: Reason = None
    sources: list[str] = []
    simulated: Annotated[bool, Meta(description="True when no real sensor stands behind it.")] = False
    rejected: Annotated[int, Meta(description="Readings refused since the start.", ge=0)] = 0


class ColourItem(msgspec.Struct, frozen=True, kw_only=True):
    """A colour of a garment."""

    name: Annotated[str, Meta(description="Basic colour term.")]
    share: Probability
    rgb: Annotated[str, Meta(description="sRGB.", pattern="^#[0-9a-f]{6}$")]


class GarmentItem(msgspec.Struct, frozen=True, kw_only=True):
    """A garment with its colours, heaviest first."""

    kind: str
    probability: Probability
    colours: list[ColourItem] = []
    alternatives: Annotated[dict[str, float], Meta(description="Other kinds that it may be.")] = {}


class ClothingItem(msgspec.Struct, frozen=True, kw_only=True):
    """Insulation of what is worn."""

    clo: Annotated[float | None, _meta("Insulation of the ensemble.", "clo")]
    clo_sd: Annotated[float | None, _meta("Its standard deviation.", "clo")]
    assumed: Annotated[list[str], Meta(description="Garments not seen but counted.")] = []


class SkinItem(msgspec.Struct, frozen=True, kw_only=True):
    """Modelled mean skin temperature: never a measurement."""

    skin_temp_c: Annotated[float | None, _meta("Modelled mean skin temperature.", "°C")]
    neutral_low_c: Annotated[float | None, _meta("Lower end of the neutral zone of this activity.", "°C")] = None
    neutral_high_c: Annotated[float | None, _meta("Upper end of the neutral zone of this activity.", "°C")] = None
    skin_wettedness: Annotated[float | None, Meta(description="0…1.")] = None
    model: str
    reason: Reason = None


class PersonItem(msgspec.Struct, frozen=True, kw_only=True):
    """A person: a number that lasts while they are in the picture, and what they wear."""

    id: Annotated[int, Meta(description="Track number; not an identity, new after a few minutes' absence.")]
    score: Probability
    seen_s: Annotated[float | None, _meta("How long they have been there.", "s")]
    garments: list[GarmentItem]
    clothing: ClothingItem | None = None
    skin: SkinItem | None = None


class PeopleMessage(Message, frozen=True, kw_only=True):
    """Who is in a zone, by clothing alone (retained)."""

    schema: Literal["comfywear/v1/people"] = "comfywear/v1/people"
    zone: Zone
    state: Annotated[Literal["seen", "missing"], Meta(description='"missing": the camera gives no picture.')]
    count: Annotated[int | None, Meta(description="Persons in the zone; null when the camera is missing.")]
    persons: list[PersonItem]
    mean_clo: Annotated[float | None, _meta("Mean insulation of their clothing; null without persons.", "clo")] = None
    mean_skin_temp_c: Annotated[
        float | None, _meta("Mean of their modelled mean skin temperatures; null without any.", "°C")
    ] = None
    present: Annotated[
        int | None, Meta(description="Persons in the zone without the flicker of single frames; null when not known.")
    ] = None
    shed: Annotated[list[str], Meta(description="What is put off to hold the processor's budget, in sentences.")] = []
    reason: Reason = None


class ComfortMessage(Message, frozen=True, kw_only=True):
    """How comfortable a zone is: a distribution and what follows from it (retained)."""

    schema: Literal["comfywear/v1/comfort"] = "comfywear/v1/comfort"
    zone: Zone
    probabilities: Annotated[
        list[float], Meta(description="Of the thermal sensation votes −3 cold … +3 hot; empty without a value.")
    ]
    expected_vote: Annotated[float | None, Meta(description="Mean of that distribution, −3…+3.")]
    uncertainty: Annotated[float | None, Meta(description="Its standard deviation.")]
    preference: Annotated[dict[str, float], Meta(description='Probabilities of "cooler", "no change", "warmer".')]
    decision: Annotated[str | None, Meta(description="The preference that the model decides for.")]
    level: Annotated[int | None, Meta(description="1 (uncomfortable) … 5 (comfortable).")]
    pmv: Annotated[float | None, Meta(description="Predicted mean vote with the same inputs.")]
    ppd_pct: Annotated[float | None, _meta("Predicted percentage dissatisfied, from `pmv`.", "%")]
    model: str
    inputs: Annotated[dict[str, float | None], Meta(description="What went in, by name with unit.")]
    assumptions: list[str] = []
    advice: list[str] = []
    reason: Reason = None


class PresenceMessage(Message, frozen=True, kw_only=True):
    """Somebody came into a zone or left it (an event)."""

    schema: Literal["comfywear/v1/presence"] = "comfywear/v1/presence"
    zone: Zone
    kind: Literal["entered", "left"]
    id: Annotated[int, Meta(description="Track number, as in the people message.")]
    seen_s: Annotated[float | None, _meta("For how long they have been seen there in this stay.", "s")]
    count: Annotated[int, Meta(description="Persons in the zone now.", ge=0)]


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


class MetricsMessage(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the device is doing; null = not known."""

    schema: Literal["comfywear/v1/metrics"] = "comfywear/v1/metrics"
    uptime_s: Annotated[float | None, _meta("Since the device was started.", "s")] = None
    rss_mb: Annotated[float | None, _meta("Memory in use.", "MB")] = None
    board_temp_c: Annotated[float | None, _meta("The hottest part of the machine that says so.", "°C")] = None
    frames: Annotated[int | None, Meta(description="Frames looked at since the start.")] = None
    frames_per_s: Annotated[float | None, _meta("Frames looked at.", "1/s")] = None
    engine_share: Annotated[float | None, Meta(description="Part of the time spent inside the model engine, 0…1.")] = (
        None
    )
    persons: Annotated[int | None, Meta(description="Persons in all zones.")] = None
    vision_share: Annotated[
        float | None, Meta(description="Part of all processors that looking takes, computed from its costs, 0…1.")
    ] = None
    vision_level: Annotated[int | None, Meta(description="How much looking is put off; 0 = nothing.")] = None
    detect_every: Annotated[int | None, Meta(description="Persons are searched for in every so many frames.")] = None
    votes: Annotated[int | None, Meta(description="Votes stored.")] = None
    votes_refused: Annotated[int | None, Meta(description="Incoming votes refused since the start.")] = None
    commands: Annotated[int | None, Meta(description="Commands carried out since the start.")] = None
    commands_refused: Annotated[int | None, Meta(description="Commands refused since the start.")] = None
    restarts: Annotated[int | None, Meta(description="Workers started again since the start.")] = None
    vision_reopened: Annotated[
        int | None, Meta(description="Times looking was closed and opened anew for its memory, since the start.")
    ] = None
    spool_rows: Annotated[int | None, Meta(description="Messages waiting for the broker.")] = None
    spool_bytes: Annotated[int | None, _meta("Their size.", "B")] = None
    spool_thinned: Annotated[
        int | None, Meta(description="Messages left out for lack of room, of which a coarser series is kept, ever.")
    ] = None
    spool_dropped_telemetry: Annotated[
        int | None, Meta(description="Messages dropped for lack of room or for age, ever.")
    ] = None
    spool_dropped_events: Annotated[int | None, Meta(description="Votes dropped for lack of room, ever.")] = None
    spool_unconfirmed: Annotated[
        int | None, Meta(description="Messages that the broker took and no consumer confirmed in time, ever.")
    ] = None
    spool_refused: Annotated[
        int | None, Meta(description="Messages not accepted since the start: the disk could not take them.")
    ] = None
    spool_written_day_bytes: Annotated[
        int | None, _meta("Sent to storage for the spool in the last 24 hours, as the kernel counts it.", "B")
    ] = None
    spool_budget_day_bytes: Annotated[int | None, _meta("What it should write a day at most; 0 = no limit.", "B")] = (
        None
    )
    connections: Annotated[int | None, Meta(description="Connections made to the broker since the start.")] = None
    acknowledged: Annotated[int | None, Meta(description="Messages the broker took since the start.")] = None
    denied: Annotated[int | None, Meta(description="Messages the broker refused since the start.")] = None
    acks_refused: Annotated[
        int | None, Meta(description="Acknowledgements by consumers that could not be read, since the start.")
    ] = None


class TroubleItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it should be while the device carries on."""

    name: Annotated[TroubleName, Meta(description="What it is; docs/mqtt.md lists them.")]
    about: Annotated[str | None, Meta(description="The zone or worker that it concerns; null for the device.")] = None
    age_s: Annotated[float, _meta("For how long it has been so when this was stamped.", "s")]
    reason: Annotated[str, Meta(description="Why.")]
    do: Annotated[str, Meta(description="What to do about it.")]


class EndedTroubleItem(msgspec.Struct, frozen=True, kw_only=True):
    """A trouble that is over."""

    name: TroubleName
    about: str | None = None
    age_s: Annotated[float, _meta("How long ago it ended when this was stamped.", "s")]
    lasted_s: Annotated[float, _meta("For how long it had been so.", "s")]
    reason: str


class HealthMessage(Message, frozen=True, kw_only=True):
    """What does not work now and what to do about it, and what was so of late (retained)."""

    schema: Literal["comfywear/v1/health"] = "comfywear/v1/health"
    state: Annotated[Literal["good", "degraded"], Meta(description='"degraded" while `troubles` is not empty.')]
    troubles: list[TroubleItem]
    ended: Annotated[list[EndedTroubleItem], Meta(description="The last ten that ended, newest first.")] = []


class AskMessage(Message, frozen=True, kw_only=True):
    """What the device would like to know from the people of a zone (retained); null when it has no question."""

    schema: Literal["comfywear/v1/ask"] = "comfywear/v1/ask"
    zone: Zone
    question: Annotated[str | None, Meta(description="The question, to be answered with a vote.")]
    why: Annotated[str | None, Meta(description="What the answer is good for.")] = None
    requested: Annotated[bool, Meta(description="True when somebody asked for it (the command ask-now).")] = False


class GoneMessage(Message, frozen=True, kw_only=True):
    """An answer to an acknowledgement: messages that the device no longer has. `epoch` is that of the ranges."""

    schema: Literal["comfywear/v1/gone"] = "comfywear/v1/gone"
    consumer: Annotated[str, Meta(description="Whose acknowledgement is answered.")]
    ranges: Annotated[
        list[tuple[int, int]], Meta(description="[first, last] sequence numbers that will never come (again).")
    ]


class ReplyMessage(Message, frozen=True, kw_only=True):
    """What became of a command. With MQTT v5 it carries the command's correlation data."""

    schema: Literal["comfywear/v1/reply"] = "comfywear/v1/reply"
    command: Annotated[str, Meta(description="The command's name, as in its topic.")]
    id: Annotated[str | None, Meta(description="The `id` that the command came with.")] = None
    ok: bool
    error: Annotated[str | None, Meta(description="What was wrong, when `ok` is false.")] = None
    result: Annotated[dict[str, str | float | None], Meta(description="What was done, by name.")] = {}


MESSAGE_TYPES: dict[str, type[Message]] = {
    "status": StatusMessage,
    "meta": MetaMessage,
    "climate": ClimateMessage,
    "people": PeopleMessage,
    "presence": PresenceMessage,
    "comfort": ComfortMessage,
    "vote": VoteMessage,
    "ask": AskMessage,
    "metrics": MetricsMessage,
    "health": HealthMessage,
    "gone": GoneMessage,
    "reply": ReplyMessage,
}


class _Schema(msgspec.Struct, frozen=True):
    schema: str


def read_message(payload: bytes) -> Message:
    """The message that a payload holds, by its `schema`; fields of later versions are passed over.

    Raises:
        UsageError: When it is not JSON, names no schema known here, or a field is not what the schema says.
    """
    try:
        name = msgspec.json.decode(payload, type=_Schema).schema
        kind = MESSAGE_TYPES.get(name.removeprefix("comfywear/v1/"))
        if kind is None:
            raise UsageError(f"no message type {name!r} is known here")
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError(f"not a comfywear message: {error}") from error
