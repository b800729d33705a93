"""Records become messages: pure functions, numbers rounded to what they mean, NaN never sent.

Each takes the record and a `Stamp` (the spool makes it) and returns a message of `comfywear.publishing.messages`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypedDict

import msgspec

from comfywear.errors import UsageError
from comfywear.publishing.messages import (
    AskMessage,
    ClimateMessage,
    ClothingItem,
    ColourItem,
    ComfortMessage,
    EndedTroubleItem,
    GarmentItem,
    GoneMessage,
    HealthMessage,
    MetaMessage,
    MetricsMessage,
    ModelInfo,
    PeopleMessage,
    PersonItem,
    PresenceMessage,
    ReleaseInfo,
    ReplyMessage,
    ScaleInfo,
    SkinItem,
    SourceInfo,
    Stamp,
    StatusMessage,
    TroubleItem,
    VoteClimate,
    VoteComfort,
    VoteMessage,
)
from comfywear.records import (
    Climate,
    Clothing,
    ColourShare,
    Comfort,
    Garment,
    Person,
    PresenceChange,
    SkinTemperature,
    Trouble,
    Vote,
)

PersonView = tuple[Person, Clothing | None, SkinTemperature | None]

_NOT_A_NUMBER = "a value was not a number"


def status_message(
    state: Literal["online", "offline"], stamp: Stamp, *, reason: str | None = None, version: str | None = None
) -> StatusMessage:
    """Whether the device is there."""
    return StatusMessage(**_stamped(stamp), state=state, reason=reason, version=version)


def meta_message(
    stamp: Stamp,
    *,
    site: str,
    version: str,
    zones: Sequence[str],
    sources: Sequence[SourceInfo],
    models: Sequence[ModelInfo],
    scale_id: str,
    scale_words: Mapping[int, str],
    zone_names: Mapping[str, str] | None = None,
    hardware: str | None = None,
    system: str | None = None,
    commands: Sequence[str] = (),
    releases: Sequence[ReleaseInfo] = (),
) -> MetaMessage:
    """What the device is; `scale_words` are the words shown for the levels 1…5, `zone_names` those of zones."""
    return MetaMessage(
        **_stamped(stamp),
        site=site,
        version=version,
        hardware=hardware,
        system=system,
        zones=list(zones),
        zone_names=dict(zone_names or {}),
        sources=list(sources),
        models=list(models),
        releases=list(releases),
        scale=ScaleInfo(id=scale_id, words=[scale_words[level] for level in sorted(scale_words)]),
        commands=list(commands),
    )


def climate_message(climate: Climate, stamp: Stamp) -> ClimateMessage:
    """The air of a zone; a value that is not a number becomes null with a reason."""
    air_temp, humidity = _round(climate.air_temp_c, 2), _round(climate.humidity_pct, 1)
    lost = (air_temp is None and climate.air_temp_c is not None) or (
        humidity is None and climate.humidity_pct is not None
    )
    return ClimateMessage(
        **_stamped(stamp),
        zone=climate.zone,
        state=climate.state,
        air_temp_c=air_temp,
        humidity_pct=humidity,
        radiant_temp_c=_round(climate.radiant_temp_c, 2),
        air_speed_m_s=_round(climate.air_speed_m_s, 2),
        age_s=_round(climate.age_s, 1),
        reason=climate.reason or (_NOT_A_NUMBER if lost else None),
        sources=list(climate.sources),
        simulated=climate.simulated,
        rejected=climate.rejected,
    )


def people_message(
    zone: str,
    persons: Sequence[PersonView],
    stamp: Stamp,
    *,
    missing_reason: str | None = None,
    present: int | None = None,
    shed: Sequence[str] = (),
) -> PeopleMessage:
    """Who is in `zone`; `missing_reason` says why there is no picture, when there is none.

    `present` is the debounced count, `shed` what is put off to hold the processor's budget.
    """
    missing = missing_reason is not None
    clo = [clothing.clo for _, clothing, _ in persons if clothing is not None]
    skin = [found.skin_temp_c for _, _, found in persons if found is not None and found.skin_temp_c is not None]
    return PeopleMessage(
        **_stamped(stamp),
        zone=zone,
        state="missing" if missing else "seen",
        count=None if missing else len(persons),
        persons=[] if missing else [_person(*view) for view in persons],
        mean_clo=None if missing else _mean(clo),
        mean_skin_temp_c=None if missing else _mean(skin),
        present=None if missing else present,
        shed=[] if missing else list(shed),
        reason=missing_reason,
    )


def presence_message(change: PresenceChange, stamp: Stamp) -> PresenceMessage:
    """Somebody came into a zone or left it."""
    return PresenceMessage(
        **_stamped(stamp),
        zone=change.zone,
        kind=change.kind,
        id=int(change.track_id),
        seen_s=_round(change.seen_s, 1),
        count=change.count,
    )


def comfort_message(zone: str, comfort: Comfort, stamp: Stamp) -> ComfortMessage:
    """How comfortable `zone` is; without a usable distribution the reason says why."""
    probabilities = [_round(share, 4) for share in comfort.probabilities]
    usable = [share for share in probabilities if share is not None]
    lost = len(usable) < len(probabilities) or (
        comfort.expected_vote is not None and not math.isfinite(comfort.expected_vote)
    )
    return ComfortMessage(
        **_stamped(stamp),
        zone=zone,
        probabilities=[] if lost else usable,
        expected_vote=None if lost else _round(comfort.expected_vote, 2),
        uncertainty=None if lost else _round(comfort.uncertainty, 2),
        preference={} if lost else _finite(comfort.preference, 4),
        decision=None if lost else comfort.decision,
        level=None if lost else _whole(comfort.level),
        pmv=_round(comfort.pmv, 2),
        ppd_pct=_round(comfort.ppd_pct, 1),
        model=comfort.model,
        inputs={name: _round(value, 3) for name, value in comfort.inputs.items()},
        assumptions=list(comfort.assumptions),
        advice=list(comfort.advice),
        reason=comfort.reason or (_NOT_A_NUMBER if lost else None),
    )


def vote_message(vote: Vote, stamp: Stamp) -> VoteMessage:
    """A press with the moment it belongs to; `ts` and `time_ok` are the vote's own."""
    return VoteMessage(
        **_stamped(replace(stamp, ts=vote.ts, time_ok=vote.time_ok)),
        zone=vote.zone,
        id=vote.id,
        level=vote.level,
        undone=vote.undone,
        scale=vote.scale,
        words=vote.words,
        source=vote.source,
        climate=_vote_climate(vote.climate) if vote.climate else None,
        clothing=_clothing(vote.clothing) if vote.clothing else None,
        persons=len(vote.persons),
        comfort=_vote_comfort(vote.comfort) if vote.comfort else None,
    )


def ask_message(
    zone: str, question: str | None, stamp: Stamp, *, why: str | None = None, requested: bool = False
) -> AskMessage:
    """The question that the people of `zone` are asked, or that there is none."""
    return AskMessage(**_stamped(stamp), zone=zone, question=question, why=why, requested=requested)


def gone_message(consumer: str, epoch: str, ranges: Sequence[tuple[int, int]], stamp: Stamp) -> GoneMessage:
    """That messages of `epoch` will never come (again): outside the sequence, whatever the stamp says."""
    stamp = replace(stamp, epoch=epoch, seq=None)
    return GoneMessage(**_stamped(stamp), consumer=consumer, ranges=[(int(a), int(b)) for a, b in ranges])


def reply_message(
    command: str,
    stamp: Stamp,
    *,
    id: str | None = None,  # noqa: A002 - the field's name in the message
    error: str | None = None,
    result: Mapping[str, str | float | None] | None = None,
) -> ReplyMessage:
    """What became of a command; it was done when there is no `error`. Outside the sequence."""
    stamp = replace(stamp, seq=None)
    return ReplyMessage(
        **_stamped(stamp), command=command, id=id, ok=error is None, error=error, result=dict(result or {})
    )


def metrics_message(values: Mapping[str, float | None], stamp: Stamp) -> MetricsMessage:
    """How the device is doing; `values` by the names of `MetricsMessage`'s fields.

    Raises:
        UsageError: For a name that the message does not have.
    """
    try:
        return msgspec.convert({**_finite(values, 3), **_stamped(stamp)}, MetricsMessage)
    except msgspec.ValidationError as error:
        raise UsageError(f"metrics: {error}") from error


def health_message(
    troubles: Sequence[Trouble], ended: Sequence[Trouble], stamp: Stamp, *, now_s: float
) -> HealthMessage:
    """What does not work at `now_s` (monotonic), and what did not of late, newest first."""
    return HealthMessage(
        **_stamped(stamp),
        state="degraded" if troubles else "good",
        troubles=[
            TroubleItem(
                name=each.name,
                about=each.about,
                age_s=round(max(now_s - each.since_s, 0.0), 1),
                reason=each.reason,
                do=each.do,
            )
            for each in troubles
        ],
        ended=[
            EndedTroubleItem(
                name=each.name,
                about=each.about,
                age_s=round(max(now_s - each.until_s, 0.0), 1),
                lasted_s=round(max(each.until_s - each.since_s, 0.0), 1),
                reason=each.reason,
            )
            for each in ended
            if each.until_s is not None
        ],
    )


def _vote_climate(climate: Climate) -> VoteClimate:
    return VoteClimate(
        state=climate.state,
        air_temp_c=_round(climate.air_temp_c, 2),
        humidity_pct=_round(climate.humidity_pct, 1),
        radiant_temp_c=_round(climate.radiant_temp_c, 2),
        air_speed_m_s=_round(climate.air_speed_m_s, 2),
        simulated=climate.simulated,
    )


def _vote_comfort(comfort: Comfort) -> VoteComfort:
    return VoteComfort(
        expected_vote=_round(comfort.expected_vote, 2),
        level=_whole(comfort.level),
        decision=comfort.decision,
        pmv=_round(comfort.pmv, 2),
        model=comfort.model,
    )


def _person(person: Person, clothing: Clothing | None, skin: SkinTemperature | None) -> PersonItem:
    return PersonItem(
        id=int(person.track_id),
        score=_share(person.score),
        seen_s=_round(person.seen_s, 1),
        garments=[_garment(garment) for garment in person.garments],
        clothing=_clothing(clothing) if clothing else None,
        skin=_skin(skin) if skin else None,
    )


def _garment(garment: Garment) -> GarmentItem:
    return GarmentItem(
        kind=garment.kind,
        probability=_share(garment.probability),
        colours=[_colour(colour) for colour in garment.colours],
        alternatives=_finite(garment.alternatives, 3),
    )


def _colour(colour: ColourShare) -> ColourItem:
    red, green, blue = (int(value) for value in colour.rgb)
    return ColourItem(name=colour.name, share=_share(colour.share), rgb=f"#{red:02x}{green:02x}{blue:02x}")


def _clothing(clothing: Clothing) -> ClothingItem:
    assumed = [name for name, _, how in clothing.items if how == "assumed"]
    return ClothingItem(clo=_round(clothing.clo, 2), clo_sd=_round(clothing.clo_sd, 2), assumed=assumed)


def _skin(skin: SkinTemperature) -> SkinItem:
    low, high = skin.zone_c or (None, None)
    temperature = _round(skin.skin_temp_c, 2)
    lost = temperature is None and skin.skin_temp_c is not None
    return SkinItem(
        skin_temp_c=temperature,
        neutral_low_c=_round(low, 2),
        neutral_high_c=_round(high, 2),
        skin_wettedness=_round(skin.skin_wettedness, 3),
        model=skin.model,
        reason=skin.reason or (_NOT_A_NUMBER if lost else None),
    )


class _Stamped(TypedDict):
    device: str
    epoch: str
    seq: int | None
    ts: str | None
    time_ok: bool


def _stamped(stamp: Stamp) -> _Stamped:
    return {
        "device": stamp.device,
        "epoch": stamp.epoch,
        "seq": stamp.seq,
        "ts": stamp.ts,
        "time_ok": stamp.time_ok,
    }


def _round(value: float | None, digits: int) -> float | None:
    """`value` as a plain float, or None when it is None, NaN or infinite (numpy numbers are taken too)."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return _round(sum(known) / len(known), 2) if known else None


def _whole(value: int | None) -> int | None:
    return None if value is None else int(value)


def _share(value: float) -> float | None:
    """A probability, kept within 0…1 against rounding; None when it is not a number."""
    rounded = _round(value, 3)
    return None if rounded is None else min(max(rounded, 0.0), 1.0)


def _finite(values: Mapping[str, float | None], digits: int) -> dict[str, float]:
    """The finite ones of `values`, rounded; whole numbers stay whole."""
    rounded = {name: value if isinstance(value, int) else _round(value, digits) for name, value in values.items()}
    return {name: value for name, value in rounded.items() if value is not None}
