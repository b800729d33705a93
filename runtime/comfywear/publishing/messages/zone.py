"""What is said of a zone: its air, how comfortable it is, whether anybody is there, who came and who left."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import (
    NOT_A_NUMBER,
    AirSpeed,
    HumidityPct,
    Message,
    RadiantC,
    Reason,
    Stamp,
    TempC,
    Zone,
    described,
    finite,
    round_to,
    stamped,
    whole,
)
from comfywear.publishing.messages.outdoors import (
    AdaptiveItem,
    OutdoorsItem,
    WindowItem,
    adaptive_item,
    outdoors_item,
    window_item,
)
from comfywear.records import (
    AdaptiveComfort,
    Climate,
    Comfort,
    Occupancy,
    Outdoors,
    PresenceChange,
    WindowAdvice,
    ZoneActivity,
)


class ClimateMessage(Message, frozen=True, kw_only=True):
    """The air of a zone (retained). Unless `state` is "fresh", temperature and humidity are null."""

    schema: Literal["comfywear/v1/climate"] = "comfywear/v1/climate"
    zone: Zone
    state: Literal["fresh", "stale", "missing"]
    air_temp_c: TempC
    humidity_pct: HumidityPct
    radiant_temp_c: RadiantC = None
    air_speed_m_s: AirSpeed = None
    age_s: Annotated[float | None, described("Age of the newest reading when this was stamped.", "s")] = None
    reason: Reason = None
    sources: list[str] = msgspec.field(default_factory=list)
    simulated: Annotated[bool, Meta(description="True when no real sensor stands behind it.")] = False
    rejected: Annotated[int, Meta(description="Readings refused since the start.", ge=0)] = 0
    dew_point_c: Annotated[float | None, described("Dew point, from temperature and humidity.", "°C")] = None
    absolute_humidity_g_m3: Annotated[
        float | None, described("Water vapour in the air, from temperature and humidity.", "g/m³")
    ] = None
    co2_ppm: Annotated[float | None, described("Carbon dioxide, where it is measured.", "ppm")] = None
    illuminance_lx: Annotated[float | None, described("Illuminance, where it is measured.", "lx")] = None
    disagreement: Annotated[
        str | None, Meta(description="In words, when two sensors differ by more than is allowed.")
    ] = None


class ActivityItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the people of a zone do, and who says so."""

    met: Annotated[float | None, described("Metabolic rate.", "met")]
    met_sd: Annotated[float | None, described("Its standard deviation; null where it is taken as exact.", "met")] = None
    source: Annotated[
        Literal["settings", "zone", "schedule", "camera"],
        Meta(description='"settings" is comfort.met, "zone" and "schedule" are of the zone\'s settings.'),
    ]


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
    ppd_pct: Annotated[float | None, described("Predicted percentage dissatisfied, from `pmv`.", "%")]
    set_c: Annotated[
        float | None, described("Standard effective temperature (ASHRAE 55) with the same inputs.", "°C")
    ] = None
    model: str
    inputs: Annotated[dict[str, float | None], Meta(description="What went in, by name with unit.")]
    assumptions: list[str] = msgspec.field(default_factory=list)
    advice: list[str] = msgspec.field(default_factory=list)
    reason: Reason = None
    pmv_sd: Annotated[
        float | None,
        Meta(description="Change of `pmv` by one standard deviation of the clothing and, where known, the activity."),
    ] = None
    activity: Annotated[ActivityItem | None, Meta(description="Null from versions that do not say it.")] = None
    outdoors: Annotated[OutdoorsItem | None, Meta(description="Null where nothing outdoors is in the settings.")] = None
    adaptive: Annotated[AdaptiveItem | None, Meta(description="Null without `outdoors`.")] = None
    window: Annotated[
        WindowItem | None, Meta(description="Null without `outdoors`, or where the settings switch it off.")
    ] = None


class OccupancyMessage(Message, frozen=True, kw_only=True):
    """Whether anybody is in a zone, how many, and since when it has been so (retained)."""

    schema: Literal["comfywear/v1/occupancy"] = "comfywear/v1/occupancy"
    zone: Zone
    state: Annotated[
        Literal["occupied", "empty", "unknown"],
        Meta(
            description='"unknown" while the camera is gone, private or starting, in the dark, and until it has '
            "looked for a moment."
        ),
    ]
    count: Annotated[int | None, Meta(description="Persons, without the flicker of single frames; null = unknown.")]
    since: Annotated[
        str | None, Meta(description="ISO 8601 UTC: since when `state` has been so; null while the time is not known.")
    ] = None
    reason: Reason = None


class PresenceMessage(Message, frozen=True, kw_only=True):
    """Somebody came into a zone or left it (an event)."""

    schema: Literal["comfywear/v1/presence"] = "comfywear/v1/presence"
    zone: Zone
    kind: Literal["entered", "left"]
    id: Annotated[int, Meta(description="Track number, as in the people message.")]
    seen_s: Annotated[float | None, described("For how long they have been seen there in this stay.", "s")]
    count: Annotated[int, Meta(description="Persons in the zone now.", ge=0)]


def climate_message(climate: Climate, stamp: Stamp) -> ClimateMessage:
    """The air of a zone; a value that is not a number becomes null with a reason."""
    air_temp, humidity = round_to(climate.air_temp_c, 2), round_to(climate.humidity_pct, 1)
    lost = (air_temp is None and climate.air_temp_c is not None) or (
        humidity is None and climate.humidity_pct is not None
    )
    return ClimateMessage(
        **stamped(stamp),
        zone=climate.zone,
        state=climate.state,
        air_temp_c=air_temp,
        humidity_pct=humidity,
        radiant_temp_c=round_to(climate.radiant_temp_c, 2),
        air_speed_m_s=round_to(climate.air_speed_m_s, 2),
        age_s=round_to(climate.age_s, 1),
        reason=climate.reason or (NOT_A_NUMBER if lost else None),
        sources=list(climate.sources),
        simulated=climate.simulated,
        rejected=climate.rejected,
        dew_point_c=round_to(climate.dew_point_c, 1),
        absolute_humidity_g_m3=round_to(climate.absolute_humidity_g_m3, 2),
        co2_ppm=round_to(climate.co2_ppm, 0),
        illuminance_lx=round_to(climate.illuminance_lx, 1),
        disagreement=climate.disagreement,
    )


def occupancy_message(
    zone: str, occupancy: Occupancy, stamp: Stamp, *, since: str | None = None, reason: str | None = None
) -> OccupancyMessage:
    """Whether anybody is in `zone`; `since` is the wall-clock time of `occupancy.since_s`."""
    count = None if occupancy.state == "unknown" else occupancy.count
    return OccupancyMessage(**stamped(stamp), zone=zone, state=occupancy.state, count=count, since=since, reason=reason)


def presence_message(change: PresenceChange, stamp: Stamp) -> PresenceMessage:
    """Somebody came into a zone or left it."""
    return PresenceMessage(
        **stamped(stamp),
        zone=change.zone,
        kind=change.kind,
        id=int(change.track_id),
        seen_s=round_to(change.seen_s, 1),
        count=change.count,
    )


def comfort_message(
    zone: str,
    comfort: Comfort,
    stamp: Stamp,
    *,
    outdoors: Outdoors | None = None,
    adaptive: AdaptiveComfort | None = None,
    window: WindowAdvice | None = None,
    activity: ZoneActivity | None = None,
) -> ComfortMessage:
    """How comfortable `zone` is; without a usable distribution the reason says why."""
    probabilities = [round_to(share, 4) for share in comfort.probabilities]
    usable = [share for share in probabilities if share is not None]
    lost = len(usable) < len(probabilities) or (
        comfort.expected_vote is not None and not math.isfinite(comfort.expected_vote)
    )
    return ComfortMessage(
        **stamped(stamp),
        zone=zone,
        probabilities=[] if lost else usable,
        expected_vote=None if lost else round_to(comfort.expected_vote, 2),
        uncertainty=None if lost else round_to(comfort.uncertainty, 2),
        preference={} if lost else finite(comfort.preference, 4),
        decision=None if lost else comfort.decision,
        level=None if lost else whole(comfort.level),
        pmv=round_to(comfort.pmv, 2),
        ppd_pct=round_to(comfort.ppd_pct, 1),
        set_c=round_to(comfort.set_c, 1),
        model=comfort.model,
        inputs={name: round_to(value, 3) for name, value in comfort.inputs.items()},
        assumptions=list(comfort.assumptions),
        advice=list(comfort.advice),
        reason=comfort.reason or (NOT_A_NUMBER if lost else None),
        pmv_sd=round_to(comfort.pmv_sd, 2),
        activity=_activity(activity) if activity else None,
        outdoors=outdoors_item(outdoors) if outdoors else None,
        adaptive=adaptive_item(adaptive) if adaptive else None,
        window=window_item(window) if window else None,
    )


def _activity(activity: ZoneActivity) -> ActivityItem:
    return ActivityItem(met=round_to(activity.met, 2), met_sd=round_to(activity.met_sd, 2), source=activity.source)
