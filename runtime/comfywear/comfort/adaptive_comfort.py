"""What adaptive comfort says of a zone now: by EN 16798-1 and ASHRAE 55, or why they do not hold."""

from __future__ import annotations

from math import isfinite, nan
from typing import Any

from comfywear.comfort.standards.adaptive import adaptive_ashrae, adaptive_en
from comfywear.records import AdaptiveComfort
from comfywear.texts import Text

__all__ = ["adaptive_comfort"]

# People at rest or with light work, met (EN 16798-1:2019, B.2.2; ASHRAE 55-2020, 5.4.1).
_EN_MET, _ASHRAE_MET = 1.3, 1.5
_CATEGORIES = ("I", "II", "III", "outside")


def adaptive_comfort(
    air_temp_c: float | None,
    radiant_temp_c: float | None,
    running_mean_c: float | None,
    *,
    air_speed_m_s: float,
    met: float,
    cooling: str = "",
) -> AdaptiveComfort:
    """Category, acceptability and bounds; without them where a standard does not hold, and why.

    Args:
        air_temp_c: Indoors, °C; None: not known.
        radiant_temp_c: Mean radiant temperature, °C; None: that of the air.
        running_mean_c: Running mean of the outdoor temperature, °C; None: not known.
        air_speed_m_s: m/s.
        met: Activity, met.
        cooling: Of the building, as in `Site`; the standards do not hold in one that is "air conditioned".
    """
    if cooling == "air conditioned":
        return AdaptiveComfort(reason=Text("the building is air conditioned: it holds where windows are opened"))
    if not 1.0 <= met <= _ASHRAE_MET:
        return AdaptiveComfort(
            reason=Text(
                "it holds for 1…{ashrae_met} met; the activity is {met} met",
                ashrae_met=f"{_ASHRAE_MET:g}",
                met=f"{met:.2g}",
            )
        )
    if running_mean_c is None:
        return AdaptiveComfort(reason=Text("the running mean outdoors is not known yet"))
    if air_temp_c is None:
        return AdaptiveComfort(reason=Text("no air temperature"))
    walls_c = air_temp_c if radiant_temp_c is None else radiant_temp_c
    en = adaptive_en(air_temp_c, walls_c, running_mean_c if met <= _EN_MET else nan, air_speed_m_s)
    ashrae = adaptive_ashrae(air_temp_c, walls_c, running_mean_c, air_speed_m_s)
    category = _CATEGORIES[int(en.category) - 1] if isfinite(en.category) else None
    accepted = None
    if isfinite(ashrae.neutral_c):
        accepted = "90 %" if ashrae.within_90 else "80 %" if ashrae.within_80 else "less"
    reason = None
    if category is None and met > _EN_MET:
        reason = Text("EN holds up to {en_met} met; the activity is {met} met", en_met=f"{_EN_MET:g}", met=f"{met:.2g}")
    elif accepted is None and not all(10.0 <= each <= 40.0 for each in (air_temp_c, walls_c)):
        reason = Text(
            "ASHRAE holds for air and walls of 10…40 °C; they are {air_temp} and {walls} °C",
            air_temp=f"{air_temp_c:.1f}",
            walls=f"{walls_c:.1f}",
        )
    elif category is None or accepted is None:
        reason = Text(
            "EN holds for 10…30 °C outdoors, ASHRAE for 10…33.5; the running mean is {running_mean} °C",
            running_mean=f"{running_mean_c:.1f}",
        )
    return AdaptiveComfort(
        operative_c=_known(en.operative_c),
        en_category=category,  # type: ignore[arg-type]  # one of its words
        en_low_c=_known(en.low_2_c),
        en_high_c=_known(en.high_2_c),
        ashrae_acceptability=accepted,  # type: ignore[arg-type]  # one of its words
        ashrae_low_c=_known(ashrae.low_80_c),
        ashrae_high_c=_known(ashrae.high_80_c),
        reason=reason,
    )


def _known(value: Any) -> float | None:
    return float(value) if isfinite(value) else None
