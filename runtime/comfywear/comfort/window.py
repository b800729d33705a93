"""Whether opening a window would help now: because it is cooler or warmer outdoors, or the air is fresher.

The rule. The air of a room whose window is open goes towards that outdoors, and the window can be closed again; so
outdoors helps when it lies on the side that people wish for:

- *cooler* is wished, and it is 2 K or more cooler outdoors, but no more than 10 K below neutral (a draught else);
- *warmer* is wished, and it is 2 K or more warmer outdoors, but no more than 5 K above neutral;
- else, the room has 1000 ppm CO₂ or more (Umweltbundesamt, Bundesgesundheitsblatt 51, 2008: up to there harmless),
  and it is between freezing and 5 K above neutral outdoors;
- never while the air outdoors is humid: more than 12 g/kg (EN 16798-1:2019, annex B.3) and more than indoors.

Neutral is the temperature of PMV 0 for these people. What has begun lasts until it is clearly over: while the vote is
on the same side, the difference is 1 K or more, CO₂ is 800 ppm or more, and no limit is passed by more than 1 K or
1 g/kg.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, nan
from typing import Literal, NamedTuple

from comfywear.comfort.standards.moist_air import humidity_ratio_g_kg
from comfywear.records import WindowAdvice
from comfywear.texts import Text

__all__ = ["SENTENCES", "WindowSituation", "window_advice"]

Why = Literal["cooler", "warmer", "fresher"]

SENTENCES: dict[Why, str] = {
    "cooler": Text("open the window: it is cooler outdoors"),
    "warmer": Text("open the window: it is warmer outdoors"),
    "fresher": Text("open the window for a few minutes: the air outdoors is fresher"),
}
"""How each is said among the advice."""

_BEGIN_K, _GO_ON_K = 2.0, 1.0
_BELOW_NEUTRAL_K, _ABOVE_NEUTRAL_K = 10.0, 5.0
_BEGIN_PPM, _GO_ON_PPM = 1000.0, 800.0
_FREEZING_C = 0.0
_HUMID_G_KG = 12.0
# By how much a limit may be passed by what has begun: K, and g/kg.
_SLACK = 1.0


class WindowSituation(NamedTuple):
    """What is known indoors and outdoors; None where something is not.

    Attributes:
        air_temp_c, humidity_pct, co2_ppm: Indoors.
        outdoor_temp_c, outdoor_humidity_pct: Outdoors.
        decision: What people wish: "cooler", "no change" or "warmer".
        expected_vote: −3…+3.
        neutral_c: The temperature of PMV 0 for these people.
    """

    air_temp_c: float | None
    humidity_pct: float | None
    co2_ppm: float | None
    outdoor_temp_c: float | None
    outdoor_humidity_pct: float | None
    decision: str | None
    expected_vote: float | None
    neutral_c: float | None


def window_advice(now: WindowSituation, before: WindowAdvice | None = None) -> WindowAdvice:
    """Whether it would help, and why, or why not.

    Args:
        now: Indoors and outdoors.
        before: What was said last of this zone; it holds until it is clearly over.
    """
    if now.outdoor_temp_c is None:
        return WindowAdvice(None, reason=Text("how warm it is outdoors is not known"))
    if now.air_temp_c is None or now.neutral_c is None or not isfinite(now.neutral_c):
        return WindowAdvice(None, reason=Text("how the air is indoors is not known"))
    gone_on = before.why if before is not None and before.helps else None
    indoors = _water(now.air_temp_c, now.humidity_pct)
    outdoors = _water(now.outdoor_temp_c, now.outdoor_humidity_pct)
    if outdoors > _HUMID_G_KG + (_SLACK if gone_on else 0.0) and not outdoors <= indoors:
        return WindowAdvice(
            False, reason=Text("the air outdoors is humid: {outdoors} g/kg", outdoors=f"{outdoors:.1f}")
        )
    refused = ""
    warmer_k, above_k = now.outdoor_temp_c - now.air_temp_c, now.outdoor_temp_c - now.neutral_c
    for why, barred in _reasons(now, warmer_k, above_k, gone_on):
        if not barred:
            return WindowAdvice(True, why)
        refused = refused or barred
    return WindowAdvice(False, reason=refused or Text("nothing outdoors is better"))


def _reasons(now: WindowSituation, warmer_k: float, above_k: float, gone_on: str | None) -> Iterator[tuple[Why, str]]:
    """Each reason to open that there is, with what bars it ("" = nothing).

    `warmer_k` is by how much it is warmer outdoors than indoors, `above_k` than neutral.
    """
    vote = now.expected_vote or 0.0
    cold, hot = Text("it is too cold outdoors"), Text("it is too hot outdoors")

    def slack(why: Why) -> float:
        return _SLACK if gone_on == why else 0.0

    def least_k(why: Why) -> float:
        return _GO_ON_K if gone_on == why else _BEGIN_K

    if (now.decision == "cooler" or (gone_on == "cooler" and vote > 0.0)) and -warmer_k >= least_k("cooler"):
        yield "cooler", cold if above_k < -_BELOW_NEUTRAL_K - slack("cooler") else ""
    if (now.decision == "warmer" or (gone_on == "warmer" and vote < 0.0)) and warmer_k >= least_k("warmer"):
        yield "warmer", hot if above_k > _ABOVE_NEUTRAL_K + slack("warmer") else ""
    if now.co2_ppm is not None and now.co2_ppm >= (_GO_ON_PPM if gone_on == "fresher" else _BEGIN_PPM):
        too_cold = (now.outdoor_temp_c or 0.0) < _FREEZING_C - slack("fresher")
        too_hot = above_k > _ABOVE_NEUTRAL_K + slack("fresher")
        yield "fresher", cold if too_cold else hot if too_hot else ""


def _water(air_temp_c: float, humidity_pct: float | None) -> float:
    """Water in the air, g/kg; NaN where it is not known."""
    return nan if humidity_pct is None else float(humidity_ratio_g_kg(air_temp_c, humidity_pct))
