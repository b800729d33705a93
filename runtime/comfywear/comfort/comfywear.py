"""ComfyWear: how warm people in this clothing feel in this air, as probabilities over the seven votes."""

from __future__ import annotations

from math import isfinite
from typing import Literal

import numpy as np

from comfywear.comfort.air import dynamic_clo, relative_air_speed
from comfywear.comfort.ordinal import VOTES, load_model
from comfywear.comfort.pmv import outside_standard, pmv_ppd
from comfywear.comfort.scale import level_of
from comfywear.records import Clothing, Comfort

__all__ = ["ComfyWear"]

PREFERENCES = ("cooler", "no change", "warmer")


class ComfyWear:
    """Votes, preference and level from clothing and air."""

    def __init__(self, model: str = "comfort", method: Literal["ordinal", "pmv"] = "ordinal") -> None:
        self._parts, self._file = load_model(model)
        self._method = method

    def estimate(
        self,
        air_temp_c: float | None,
        humidity_pct: float | None,
        clothing: Clothing,
        *,
        met: float | None = None,
        air_speed_m_s: float | None = None,
        radiant_temp_c: float | None = None,
    ) -> Comfort:
        """How people vote here."""
        assumptions = list(clothing.assumptions)
        activity, speed = 1.1 if met is None else met, 0.1 if air_speed_m_s is None else air_speed_m_s
        if air_temp_c is None or humidity_pct is None or not isfinite(air_temp_c + humidity_pct):
            return self._nothing("no air temperature or humidity", assumptions)
        tr = air_temp_c if radiant_temp_c is None else radiant_temp_c
        inputs = {"air_temp_c": air_temp_c, "humidity_pct": humidity_pct, "clo": clothing.clo}
        votes = self._parts["votes"].predict(inputs)[0]
        wishes = self._parts["preference"].predict(inputs)[0][::-1]
        mean = float(votes @ VOTES)
        vr, clo = relative_air_speed(speed, activity), dynamic_clo(clothing.clo, activity)
        reason = outside_standard(air_temp_c, tr, vr, humidity_pct, activity, clo)
        pmv = ppd = None
        if reason is None:
            pmv, ppd = pmv_ppd(air_temp_c, tr, vr, humidity_pct, activity, clo)
        else:
            assumptions.append(f"no PMV: {reason}")
        return Comfort(
            probabilities=tuple(votes.tolist()),
            expected_vote=mean,
            preference=dict(zip(PREFERENCES, wishes.tolist(), strict=True)),
            ppd_pct=ppd,
            pmv=pmv,
            level=level_of(mean),
            uncertainty=float(np.sqrt(votes @ (VOTES - mean) ** 2)),
            decision=PREFERENCES[int(np.argmax(wishes))],
            model=self._parts["votes"].id,
            inputs=inputs,
            assumptions=tuple(assumptions),
        )

    def _nothing(self, reason: str, assumptions: list[str]) -> Comfort:
        return Comfort(
            (), None, {}, None, None, None, None, None, self._parts["votes"].id, {}, tuple(assumptions), (), reason
        )
