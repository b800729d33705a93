"""What is said in a zone's comfort message of the weather outdoors, and of what it means for the zone."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.publishing.messages.fields import HumidityPct, Reason, described, round_to
from comfywear.records import AdaptiveComfort, Outdoors, WindowAdvice


class OutdoorsItem(msgspec.Struct, frozen=True, kw_only=True):
    """The weather outdoors, where the settings name who says it. Unless `state` is "fresh", the temperature is null."""

    state: Literal["fresh", "stale", "missing"]
    air_temp_c: Annotated[float | None, described("Air temperature outdoors.", "°C")] = None
    humidity_pct: HumidityPct = None
    irradiance_w_m2: Annotated[float | None, described("Global irradiance on the horizontal.", "W/m²")] = None
    running_mean_c: Annotated[
        float | None,
        described("Exponentially weighted mean of the past days (EN 16798-1, α = 0.8); null until enough.", "°C"),
    ] = None
    days: Annotated[
        int, Meta(description="How many of the last ten days are known; the running mean needs seven.", ge=0)
    ] = 0
    reason: Reason = None


class AdaptiveItem(msgspec.Struct, frozen=True, kw_only=True):
    """Adaptive comfort, of people who may dress as they like and open windows; null where a standard does not hold."""

    operative_c: Annotated[float | None, described("Operative temperature (ISO 7726).", "°C")] = None
    en_category: Annotated[
        Literal["I", "II", "III", "outside"] | None, Meta(description="EN 16798-1:2019, table B.5.")
    ] = None
    en_low_c: Annotated[float | None, described("Lower bound of EN category II, operative.", "°C")] = None
    en_high_c: Annotated[float | None, described("Upper bound of EN category II, operative.", "°C")] = None
    ashrae_acceptability: Annotated[
        Literal["90 %", "80 %", "less"] | None, Meta(description="How many accept it by ASHRAE 55-2020, 5.4.")
    ] = None
    ashrae_low_c: Annotated[float | None, described("Lower bound of ASHRAE's 80 %, operative.", "°C")] = None
    ashrae_high_c: Annotated[float | None, described("Upper bound of ASHRAE's 80 %, operative.", "°C")] = None
    reason: Reason = None


class WindowItem(msgspec.Struct, frozen=True, kw_only=True):
    """Whether opening a window would help; the rule stands in docs/comfort.md."""

    helps: Annotated[bool | None, Meta(description="Null where it is not known.")]
    why: Annotated[
        Literal["cooler", "warmer", "fresher"] | None, Meta(description="What is better outdoors, while it helps.")
    ] = None
    reason: Annotated[str | None, Meta(description="Why it would not help, or why that is not known.")] = None


def adaptive_item(adaptive: AdaptiveComfort) -> AdaptiveItem:
    """Adaptive comfort as messages say it."""
    return AdaptiveItem(
        operative_c=round_to(adaptive.operative_c, 2),
        en_category=adaptive.en_category,
        en_low_c=round_to(adaptive.en_low_c, 1),
        en_high_c=round_to(adaptive.en_high_c, 1),
        ashrae_acceptability=adaptive.ashrae_acceptability,
        ashrae_low_c=round_to(adaptive.ashrae_low_c, 1),
        ashrae_high_c=round_to(adaptive.ashrae_high_c, 1),
        reason=adaptive.reason,
    )


def window_item(window: WindowAdvice) -> WindowItem:
    """The window as messages say it."""
    return WindowItem(helps=window.helps, why=window.why, reason=window.reason)


def outdoors_item(outdoors: Outdoors) -> OutdoorsItem:
    """The weather as messages say it."""
    air = outdoors.air
    return OutdoorsItem(
        state=air.state,
        air_temp_c=round_to(air.air_temp_c, 2),
        humidity_pct=round_to(air.humidity_pct, 1),
        irradiance_w_m2=round_to(air.irradiance_w_m2, 0),
        running_mean_c=round_to(outdoors.running_mean_c, 2),
        days=outdoors.days,
        reason=air.reason,
    )
