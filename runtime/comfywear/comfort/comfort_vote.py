"""ComfyWear: how people in this clothing feel in this air, as probabilities over the seven votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erf, exp, hypot, isfinite, sqrt
from typing import Literal

import numpy as np

from comfywear.comfort.advice import Proposal, Situation, advise, proposals
from comfywear.comfort.assumed import AIR_SPEED_M_S, MET, assumed
from comfywear.comfort.clothing.ensemble import as_clothing
from comfywear.comfort.site import Site
from comfywear.comfort.standards.air import dynamic_clo, relative_air_speed
from comfywear.comfort.standards.pmv import outside_standard, pmv_ppd
from comfywear.comfort.votes.levels import Taught, level_shown
from comfywear.comfort.votes.ordinal import ComfortFile, load_model
from comfywear.comfort.votes.scale import level_of
from comfywear.errors import UsageError
from comfywear.records import Clothing, Comfort
from comfywear.texts import Text

__all__ = ["ComfyWear", "pmv_anyway"]

PREFERENCES = ("warmer", "no change", "cooler")
SENSATIONS = ("cool", "neutral", "warm")
# Spread of votes around PMV with which 5 % are dissatisfied (|vote| ≥ 2) at PMV 0, as ISO 7730 has it: 1.5 / 1.96.
PMV_SPREAD = 0.765
# Range of the answers that the model was fitted on, and beyond which it is not asked.
_FITTED = (10.0, 40.0)
_POSSIBLE = (
    ("air_temp_c", "air temperature", "°C", 0.0, 50.0),
    ("humidity_pct", "humidity", "%", 0.0, 100.0),
    ("clo", "clothing", "clo", 0.0, 4.0),
    ("met", "activity", "met", 0.7, 4.0),
    ("air_speed_m_s", "air speed", "m/s", 0.0, 5.0),
    ("radiant_temp_c", "mean radiant temperature", "°C", 0.0, 60.0),
)
_NO_SITE = Site()
# What votes can say about a zone in kelvin; more is not believed, and not shown.
FARTHEST_K = 6.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """Probabilities of a method: of the votes −3…+3 and of warmer, no change, cooler."""

    votes: tuple[float, ...]
    wishes: tuple[float, ...]


class ComfyWear:
    """Probabilities of votes from clothing and air; PMV stands beside them, or takes their place.

    Args:
        model: Name of a shipped model, the path of a card, or a model that is loaded already.
        method: "ordinal" is the model fitted on votes; "pmv" puts the votes around the standard's PMV.

    Raises:
        ModelError: the model's file is missing or altered.
        UsageError: another method.
    """

    def __init__(self, model: str | ComfortFile = "comfort", method: Literal["ordinal", "pmv"] = "ordinal") -> None:
        if method not in ("ordinal", "pmv"):
            raise UsageError(f'method {method!r}: give "ordinal" (fitted on votes) or "pmv" (the standard)')
        self._file = load_model(model) if isinstance(model, str) else model
        self._method = method
        self.model = self._file.id if method == "ordinal" else "pmv-iso-7730"

    def estimate(
        self,
        air_temp_c: float | None,
        humidity_pct: float | None,
        clothing: Clothing | float,
        *,
        met: float | None = None,
        met_sd: float = 0.0,
        air_speed_m_s: float | None = None,
        radiant_temp_c: float | None = None,
        site: Site | None = None,
        taught: Taught | None = None,
    ) -> Comfort:
        """How people vote here, what they would change, and what one change would help most.

        Args:
            air_temp_c: °C; None gives a record without a value and the reason.
            humidity_pct: Relative humidity, %; None likewise.
            clothing: From `clothing_of` or `clothing_of_names`, or a number of clo.
            met: Activity, met; None: the standard's part assumes 1.1, the fitted part does without.
            met_sd: Standard deviation of the activity, met; it widens `pmv_sd`.
            air_speed_m_s: None: 0.1 in the standard's part.
            radiant_temp_c: Mean radiant temperature, °C; None: that of the air.
            site: Facts about the place; those that are unknown are done without.
            taught: What votes taught about the zone or the person; it bends the fitted part, never the standard's.
        """
        clothing = as_clothing(clothing)
        assumptions = list(clothing.assumptions)
        measured = {
            "air_temp_c": air_temp_c,
            "humidity_pct": humidity_pct,
            "clo": clothing.clo,
            "met": met,
            "air_speed_m_s": air_speed_m_s,
            "radiant_temp_c": radiant_temp_c,
        }
        inputs = {name: float(value) for name, value in measured.items() if value is not None}
        if reason := _impossible(inputs):
            return self._nothing(reason, inputs, assumptions)
        inputs |= (site or _NO_SITE).inputs()
        assumptions += _assumptions(inputs)
        now = _situation(inputs, clothing)
        outside = outside_standard(now.tdb, now.tr, now.vr, now.rh, now.met, now.clo)
        pmv = ppd = pmv_sd = None
        if outside is None:
            pmv, ppd = pmv_ppd(now.tdb, now.tr, now.vr, now.rh, now.met, now.clo)
            warmer = pmv_ppd(now.tdb, now.tr, now.vr, now.rh, now.met, now.clo + clothing.clo_sd, limit=False).pmv
            pmv_sd = abs(warmer - pmv)
            if met_sd:
                busier = _situation({**inputs, "met": now.met + met_sd}, clothing)
                pmv_sd = hypot(pmv_sd, pmv_ppd(*busier[:6], limit=False).pmv - pmv)
        else:
            assumptions.append(f"no PMV: {outside}")
        if self._method == "pmv" and pmv is None:
            return self._nothing(str(outside), inputs, assumptions)
        own = taught if self._method == "ordinal" and taught is not None and taught.learnt.weight > 0.0 else None
        felt_k = self.felt_warmer_k(inputs, own) if own else 0.0
        answer = _around(pmv) if self._method == "pmv" and pmv is not None else self._ordinal(inputs, own, felt_k)
        mean = sum(vote * p for vote, p in zip(range(-3, 4), answer.votes, strict=True))
        return Comfort(
            probabilities=answer.votes,
            expected_vote=mean,
            preference=dict(zip(PREFERENCES, answer.wishes, strict=True)),
            ppd_pct=ppd,
            pmv=pmv,
            level=level_shown(level_of(mean), own, np.asarray(answer.votes)) if own else level_of(mean),
            uncertainty=sqrt(sum((v - mean) ** 2 * p for v, p in zip(range(-3, 4), answer.votes, strict=True))),
            decision=PREFERENCES[_decide(answer.wishes[2] - answer.wishes[0], self._file.no_change_within)],
            model=self.model,
            inputs=inputs,
            assumptions=tuple(assumptions),
            advice=advise(now, lambda by: self._shifted(inputs, now, by + felt_k)),
            sensation=SENSATIONS[_likeliest(answer.votes) if own else _decide(mean, self._file.neutral_within)],
            pmv_sd=pmv_sd,
        )

    def felt_warmer_k(self, inputs: Mapping[str, float], taught: Taught) -> float:
        """By how many K warmer than it is the zone feels the air, compared with the model; −6…+6.

        Args:
            inputs: `Comfort.inputs` of an estimate.
            taught: What votes taught.
        """
        learnt = taught.learnt
        own = 1.0 - exp(-learnt.weight)
        return min(max(own * learnt.offset / self._file.eta_per_k(inputs), -FARTHEST_K), FARTHEST_K)

    def proposals(self, inputs: Mapping[str, float], clothing: Clothing) -> tuple[Proposal, ...]:
        """What could be changed in a situation, weighed as `Comfort.advice` weighs it, the most helpful first.

        Args:
            inputs: `Comfort.inputs` of an estimate.
            clothing: Of that estimate.
        """
        now = _situation(inputs, clothing)
        return proposals(now, lambda by: self._shifted(inputs, now, by))

    def eta(self, inputs: Mapping[str, float]) -> float:
        """η of the model for the inputs of an estimate; what votes are learnt with."""
        return self._file.eta_one(inputs)

    def wish_above(self, inputs: Mapping[str, float]) -> float:
        """By how much the wish for cooler air outweighs that for warmer, in units of the model of wishes; 0 in balance.

        Args:
            inputs: `Comfort.inputs` of an estimate.
        """
        return self._file.wish_one(inputs)

    @property
    def cutpoints(self) -> tuple[float, ...]:
        """Of the model: what η is compared with."""
        return self._file.votes.cutpoints

    def _ordinal(self, inputs: Mapping[str, float], taught: Taught | None = None, felt_k: float = 0.0) -> _Answer:
        if taught is None:
            return _Answer(*self._file.predict_one(inputs))
        votes = taught.learnt.probabilities(self._file.eta_one(inputs))[0]
        moved = self.moved(inputs, felt_k)
        return _Answer(tuple(float(p) for p in votes), self._file.wishes_one(moved))

    def _shifted(self, inputs: Mapping[str, float], now: Situation, by: float) -> tuple[float, ...]:
        """Wishes (warmer, no change, cooler) with everything `by` K warmer; what is usual here stays what it is."""
        if self._method == "pmv":
            return _around(pmv_ppd(now.tdb + by, now.tr + by, now.vr, now.rh, now.met, now.clo, limit=False).pmv).wishes
        return self._file.wishes_one(self.moved(inputs, by))

    def moved(self, inputs: Mapping[str, float], by: float) -> dict[str, float]:
        """The inputs with everything `by` K warmer; what is usual here stays what it is."""
        usual = self._file.usual_temp_c(inputs)
        moved = dict(inputs) | {"air_temp_c": inputs["air_temp_c"] + by, "usual_temp_c": usual}
        if "radiant_temp_c" in inputs:
            moved["radiant_temp_c"] = inputs["radiant_temp_c"] + by
        return moved

    def _nothing(self, reason: str, inputs: Mapping[str, float], assumptions: list[str]) -> Comfort:
        return Comfort(
            (), None, {}, None, None, None, None, None, self.model, dict(inputs), tuple(assumptions), reason=reason
        )


def _impossible(inputs: Mapping[str, float]) -> str | None:
    if "air_temp_c" not in inputs:
        return Text("no air temperature")
    if "humidity_pct" not in inputs:
        return Text("no humidity")
    for name, title, unit, low, high in _POSSIBLE:
        value = inputs.get(name)
        if value is not None and not (isfinite(value) and low <= value <= high):
            return Text(
                "{name} {value} {unit} is outside the model ({low}…{high} {unit})",
                name=title,
                value=f"{value:g}",
                unit=unit,
                low=f"{low:g}",
                high=f"{high:g}",
            )
    return None


def _assumptions(inputs: Mapping[str, float]) -> list[str]:
    said = assumed(inputs)
    if "usual_temp_c" not in inputs:
        said.append("what is usual in this room is not known yet: it was guessed from the present temperature")
    if not _FITTED[0] <= inputs["air_temp_c"] <= _FITTED[1]:
        said.append("the air is outside the 10…40 °C of the votes that the model was fitted on")
    return said


def _situation(inputs: Mapping[str, float], clothing: Clothing) -> Situation:
    met, speed = inputs.get("met", MET), inputs.get("air_speed_m_s", AIR_SPEED_M_S)
    return Situation(
        tdb=inputs["air_temp_c"],
        tr=inputs.get("radiant_temp_c", inputs["air_temp_c"]),
        vr=speed if met <= 1.0 else relative_air_speed(speed, met),
        rh=inputs["humidity_pct"],
        met=met,
        clo=clothing.clo if met <= 1.2 else dynamic_clo(clothing.clo, met),
        clothing=clothing,
    )


def pmv_anyway(inputs: Mapping[str, float | None]) -> float | None:
    """PMV of the inputs of an estimate, also where ISO 7730 gives none: how far from neutral it is, no forecast.

    None where air, humidity or clothing is not known.
    """
    known = {name: value for name, value in inputs.items() if value is not None}
    if not {"air_temp_c", "humidity_pct", "clo"} <= known.keys():
        return None
    pmv = _pmv_of(_situation(known, Clothing(known["clo"], 0.0, ())))
    return pmv if pmv == pmv else None


def _pmv_of(now: Situation) -> float:
    return float(pmv_ppd(now.tdb, now.tr, now.vr, now.rh, now.met, now.clo, limit=False).pmv)


def _decide(mean: float, within: float) -> int:
    """0 below, 1 in the middle, 2 above: the rule of `comfywear.comfort.votes.ordinal.decide`."""
    return 2 if mean > within else 0 if mean < -within else 1


def _likeliest(votes: Sequence[float]) -> int:
    """0 cool, 1 neutral, 2 warm: the likeliest of the three. Right for a known zone, whose votes spread less."""
    parts = (sum(votes[:3]), votes[3], sum(votes[4:]))
    return max(range(3), key=lambda index: parts[index])


def _around(pmv: float) -> _Answer:
    """Votes around a PMV, normally distributed; half of those who feel slightly warm or cool want a change."""
    below = [0.5 * (1.0 + erf((edge - pmv) / (PMV_SPREAD * sqrt(2.0)))) for edge in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)]
    votes = tuple(b - a for a, b in zip([0.0, *below], [*below, 1.0], strict=True))
    cool, warm = 0.5 * votes[2], 0.5 * votes[4]
    return _Answer(votes, (sum(votes[:2]) + cool, votes[3] + cool + warm, warm + sum(votes[5:])))
