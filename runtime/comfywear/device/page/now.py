"""From what the device knows to what the page shows of a zone now: the page's own records, rounded."""

from __future__ import annotations

import time
from collections.abc import Sequence

from comfywear import web
from comfywear.comfort.comfort_vote import pmv_anyway
from comfywear.records import (
    AdaptiveComfort,
    CameraPrivacy,
    Occupancy,
    PersonEstimate,
    Trouble,
    ZoneEstimate,
    ZoneSetpoint,
)
from comfywear.texts import Text
from comfywear_sensors.redaction import redact

__all__ = [
    "STARTING",
    "air_now",
    "comfort_now",
    "liked_now",
    "looking_now",
    "outdoors_now",
    "person_now",
    "point_of",
    "trouble_line",
]

STARTING = Text("the device is starting")


def point_of(estimate: ZoneEstimate, unix_s: float, occupancy: Occupancy | None = None) -> web.Point:
    """A point of the chart, rounded to what the chart can show."""

    def rounded(value: float | None, digits: int) -> float | None:
        return None if value is None else round(value, digits)

    air, comfort = estimate.climate, estimate.comfort
    return web.Point(
        round(unix_s),
        rounded(air.air_temp_c, 2),
        rounded(air.humidity_pct, 1),
        rounded(comfort.expected_vote, 2),
        rounded(comfort.pmv if comfort.pmv is not None else pmv_anyway(comfort.inputs), 2),
        None if occupancy is None or occupancy.state == "unknown" else float(occupancy.state == "occupied"),
    )


def trouble_line(trouble: Trouble) -> str:
    """What does not work, for how long, and what to do."""
    minutes = (time.monotonic() - trouble.since_s) / 60
    age = f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.0f} h"
    values = {"name": trouble.name, "reason": trouble.reason, "age": age, "what": trouble.do}
    if trouble.about:
        return redact(Text("{name} ({about}): {reason} ({age}) → {what}", about=trouble.about, **values))
    return redact(Text("{name}: {reason} ({age}) → {what}", **values))


def air_now(estimate: ZoneEstimate | None) -> web.AirNow:
    """The air; without an estimate, that the device is starting."""
    if estimate is None:
        return web.AirNow(None, None, STARTING)
    air = estimate.climate
    temperature = None if air.air_temp_c is None else round(air.air_temp_c, 1)
    humidity = None if air.humidity_pct is None else round(air.humidity_pct)
    return web.AirNow(temperature, humidity, air.reason, air.simulated)


def looking_now(cameras: Sequence[CameraPrivacy]) -> tuple[web.Looking, ...]:
    """Which cameras may look."""
    return tuple(web.Looking(each.camera, each.reason is not None, each.held) for each in cameras)


def outdoors_now(estimate: ZoneEstimate | None) -> web.OutdoorsNow | None:
    """The weather with what adaptive comfort makes of it; None where nobody says it."""
    if estimate is None or estimate.outdoors is None:
        return None
    air, adaptive = estimate.outdoors.air, estimate.adaptive or AdaptiveComfort()
    temperature, low, high = (
        None if value is None else round(value, 1) for value in (air.air_temp_c, adaptive.en_low_c, adaptive.en_high_c)
    )
    return web.OutdoorsNow(temperature, adaptive.en_category, low, high, air.reason)


def person_now(seen: PersonEstimate) -> web.PersonNow:
    """What somebody wears."""
    garments = [
        web.WornNow(piece.kind, piece.colours[0].name, piece.colours[0].rgb)
        if piece.colours
        else web.WornNow(piece.kind)
        for piece in seen.person.garments
    ]
    return web.PersonNow(tuple(garments), round(seen.clothing.clo, 2))


def comfort_now(estimate: ZoneEstimate | None) -> web.ComfortNow:
    """What is expected; without an estimate, that the device is starting."""
    if estimate is None:
        return web.ComfortNow(None, None, {}, (), STARTING)
    comfort = estimate.comfort
    vote = None if comfort.expected_vote is None else round(comfort.expected_vote, 2)
    preference = {name: round(share, 2) for name, share in comfort.preference.items()}
    return web.ComfortNow(vote, comfort.level, preference, comfort.advice, comfort.reason)


def liked_now(found: ZoneSetpoint | None) -> web.LikedNow:
    """Which temperature would please, where that is known."""
    if found is None:
        return web.LikedNow()
    liked = found.liked
    shown = (liked.preferred_c, liked.low_80_c, liked.high_80_c, found.setpoint_c)
    return web.LikedNow(*(None if value is None else round(value, 1) for value in shown))
