"""What is said of a zone: its air, who is there, how comfortable it is, who came and who left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import (
    NOT_A_NUMBER,
    AirSpeed,
    HumidityPct,
    Message,
    Probability,
    RadiantC,
    Reason,
    Stamp,
    TempC,
    Zone,
    described,
    finite,
    mean_of,
    round_to,
    share_of,
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
    Clothing,
    ColourShare,
    Comfort,
    Garment,
    Occupancy,
    Outdoors,
    Person,
    PresenceChange,
    SkinTemperature,
    WindowAdvice,
    ZoneActivity,
)

PersonView = tuple[Person, Clothing | None, SkinTemperature | None]


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

    clo: Annotated[float | None, described("Insulation of the ensemble.", "clo")]
    clo_sd: Annotated[float | None, described("Its standard deviation.", "clo")]
    assumed: Annotated[list[str], Meta(description="Garments not seen but counted.")] = []


class SkinItem(msgspec.Struct, frozen=True, kw_only=True):
    """Modelled mean skin temperature: never a measurement."""

    skin_temp_c: Annotated[float | None, described("Modelled mean skin temperature.", "°C")]
    neutral_low_c: Annotated[float | None, described("Lower end of the neutral zone of this activity.", "°C")] = None
    neutral_high_c: Annotated[float | None, described("Upper end of the neutral zone of this activity.", "°C")] = None
    skin_wettedness: Annotated[float | None, Meta(description="0…1.")] = None
    model: str
    reason: Reason = None
    activity_k: Annotated[
        float | None, described("Its change by one standard deviation of the activity; null where not known.", "K")
    ] = None


class PersonItem(msgspec.Struct, frozen=True, kw_only=True):
    """A person: a number that lasts while they are in the picture, and what they wear."""

    id: Annotated[int, Meta(description="Track number; not an identity, new after a few minutes' absence.")]
    score: Probability
    seen_s: Annotated[float | None, described("How long they have been there.", "s")]
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
    mean_clo: Annotated[float | None, described("Mean insulation of their clothing; null without persons.", "clo")] = (
        None
    )
    mean_skin_temp_c: Annotated[
        float | None, described("Mean of their modelled mean skin temperatures; null without any.", "°C")
    ] = None
    present: Annotated[
        int | None, Meta(description="Persons in the zone without the flicker of single frames; null when not known.")
    ] = None
    shed: Annotated[list[str], Meta(description="What is put off to hold the processor's budget, in sentences.")] = (
        msgspec.field(default_factory=list)
    )
    grey: Annotated[
        bool, Meta(description="True while the picture has no colours (infrared light): garments' are not known.")
    ] = False
    reason: Reason = None


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


def people_message(
    zone: str,
    persons: Sequence[PersonView],
    stamp: Stamp,
    *,
    missing_reason: str | None = None,
    present: int | None = None,
    shed: Sequence[str] = (),
    grey: bool = False,
) -> PeopleMessage:
    """Who is in `zone`; `missing_reason` says why there is no picture, when there is none.

    `present` is the debounced count, `shed` what is put off to hold the processor's budget; with `grey` the picture has
    no colours.
    """
    missing = missing_reason is not None
    clo = [clothing.clo for _, clothing, _ in persons if clothing is not None]
    skin = [found.skin_temp_c for _, _, found in persons if found is not None and found.skin_temp_c is not None]
    return PeopleMessage(
        **stamped(stamp),
        zone=zone,
        state="missing" if missing else "seen",
        count=None if missing else len(persons),
        persons=[] if missing else [_person(*view) for view in persons],
        mean_clo=None if missing else mean_of(clo),
        mean_skin_temp_c=None if missing else mean_of(skin),
        present=None if missing else present,
        shed=[] if missing else list(shed),
        grey=grey and not missing,
        reason=missing_reason,
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


def _person(person: Person, clothing: Clothing | None, skin: SkinTemperature | None) -> PersonItem:
    return PersonItem(
        id=int(person.track_id),
        score=share_of(person.score),
        seen_s=round_to(person.seen_s, 1),
        garments=[_garment(garment) for garment in person.garments],
        clothing=clothing_item(clothing) if clothing else None,
        skin=_skin(skin) if skin else None,
    )


def _garment(garment: Garment) -> GarmentItem:
    return GarmentItem(
        kind=garment.kind,
        probability=share_of(garment.probability),
        colours=[_colour(colour) for colour in garment.colours],
        alternatives=finite(garment.alternatives, 3),
    )


@lru_cache(maxsize=256)  # a garment keeps its colours for hundreds of frames
def _colour(colour: ColourShare) -> ColourItem:
    red, green, blue = (int(value) for value in colour.rgb)
    return ColourItem(name=colour.name, share=share_of(colour.share), rgb=f"#{red:02x}{green:02x}{blue:02x}")


def clothing_item(clothing: Clothing) -> ClothingItem:
    """Insulation of what is worn, as messages say it."""
    assumed = [name for name, _, how in clothing.items if how == "assumed"]
    return ClothingItem(clo=round_to(clothing.clo, 2), clo_sd=round_to(clothing.clo_sd, 2), assumed=assumed)


def _skin(skin: SkinTemperature) -> SkinItem:
    low, high = skin.zone_c or (None, None)
    temperature = round_to(skin.skin_temp_c, 2)
    lost = temperature is None and skin.skin_temp_c is not None
    return SkinItem(
        skin_temp_c=temperature,
        neutral_low_c=round_to(low, 2),
        neutral_high_c=round_to(high, 2),
        skin_wettedness=round_to(skin.skin_wettedness, 3),
        model=skin.model,
        reason=skin.reason or (NOT_A_NUMBER if lost else None),
        activity_k=round_to(skin.activity_k, 2),
    )
