"""What is known about a place beside its air: season, cooling, climate, the weather, and what is usual there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from comfywear.errors import UsageError

__all__ = ["COUNTRIES", "Site", "climate_of", "complete", "country_input", "country_name"]

Climate = Literal["tropical", "arid", "other"]
COUNTRIES = (
    "australia", "brazil", "canada", "china", "france", "germany", "greece", "india", "indonesia", "iran", "italy",
    "japan", "malaysia", "pakistan", "portugal", "singapore", "sweden", "thailand", "tunisia", "uk", "usa",
)  # fmt: skip
"""Countries whose votes the model was fitted on: those with 300 or more in the database."""
_OTHER_NAMES = {
    "united kingdom": "uk", "great britain": "uk", "britain": "uk", "england": "uk", "scotland": "uk", "wales": "uk",
    "united states": "usa", "united states of america": "usa", "us": "usa", "america": "usa", "brasil": "brazil",
}  # fmt: skip
_WORDS = {
    "season": ("warm", "cool"),
    "cooling": ("air conditioned", "mixed mode", "naturally ventilated"),
    "climate": ("tropical", "arid", "other"),
}
_HINTS = {"season": " (summer and the hot or wet season are warm, winter and the cool or dry one cool)"}


@dataclass(frozen=True, slots=True)
class Site:
    """Facts about a place, every one optional; the model does without those that are None.

    Attributes:
        season: "warm" (summer, the hot or wet season) or "cool" (winter, the cool or dry season).
        cooling: How the building is cooled.
        climate: "tropical" (Köppen A), "arid" (B) or "other"; see `climate_of`.
        country: One of `COUNTRIES` ("usa", "uk", or their longer names); None for any other, which has no effect.
        outdoor_temp_c: Running mean of the outdoor temperature over the last days, °C.
        usual_temp_c: Mean air temperature of this room over the last weeks, °C.
        usual_temp_sd_k: Standard deviation of it, K.
        usual_clo: Mean insulation of the clothing seen here over the last weeks, clo.

    Raises:
        UsageError: A word that is none of those; it names them.
    """

    season: Literal["warm", "cool"] | None = None
    cooling: Literal["air conditioned", "mixed mode", "naturally ventilated"] | None = None
    climate: Climate | None = None
    country: str | None = None
    outdoor_temp_c: float | None = None
    usual_temp_c: float | None = None
    usual_temp_sd_k: float | None = None
    usual_clo: float | None = None

    def __post_init__(self) -> None:
        """Refuse words that the model would take for another, or for nothing."""
        for name, words in _WORDS.items():
            value = getattr(self, name)
            if value is not None and value not in words:
                listed = ", ".join(f'"{word}"' for word in words)
                raise UsageError(f"{name} {value!r}: give one of {listed}, or None{_HINTS.get(name, '')}")
        if self.country is not None and country_name(self.country) is None:
            raise UsageError(
                f"country {self.country!r}: the model knows votes of {', '.join(COUNTRIES)}; leave it out for any other"
            )

    def inputs(self) -> dict[str, float]:
        """The model's inputs, without those that are unknown."""
        flags = {
            "warm_season": None if self.season is None else float(self.season == "warm"),
            "naturally_ventilated": None if self.cooling is None else float(self.cooling == "naturally ventilated"),
            "mixed_mode": None if self.cooling is None else float(self.cooling == "mixed mode"),
            "tropical": None if self.climate is None else float(self.climate == "tropical"),
            "arid": None if self.climate is None else float(self.climate == "arid"),
            "outdoor_temp_c": self.outdoor_temp_c,
            "usual_temp_c": self.usual_temp_c,
            "usual_temp_sd_k": self.usual_temp_sd_k,
            "usual_clo": self.usual_clo,
        }
        known = {name: float(value) for name, value in flags.items() if value is not None}
        return known if self.country is None else known | {country_input(self.country): 1.0}


def country_name(name: str) -> str | None:
    """The one of `COUNTRIES` that is meant, whatever its case; None where it is none of them."""
    key = " ".join(name.split()).lower()
    key = _OTHER_NAMES.get(key, key)
    return key if key in COUNTRIES else None


def country_input(name: str) -> str:
    """The model's input for a country: 1 where the place is in it."""
    return f"country:{country_name(name) or name.strip().lower()}"


def climate_of(name: str) -> Climate | None:
    """The group of a climate in Köppen's words ("tropical wet savanna", "hot semi-arid"); None for no name."""
    words = name.lower().replace("subtropical", "")
    if not name.strip():
        return None
    if "tropical" in words or "equatorial" in words:
        return "tropical"
    return "arid" if "arid" in words or "desert" in words else "other"


def complete(inputs: Mapping[str, Any], when_unknown: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The inputs with what follows from them, and with a guess for what is usual where that is unknown.

    Args:
        inputs: Scalars or arrays by name; NaN or absent is unknown.
        when_unknown: By input, the line that guesses it: {"constant": a, OTHER_INPUT: slope, …}.
    """
    full: dict[str, Any] = dict(inputs)
    for name, line in when_unknown.items():
        guess: Any = line["constant"]
        for other, slope in line.items():
            if other != "constant":
                guess = guess + slope * full[other]
        known = full.get(name)
        if isinstance(guess, float) and (known is None or isinstance(known, float)):
            full[name] = guess if known is None or known != known else known
        else:
            full[name] = guess if known is None else np.where(np.isnan(known), guess, known)
    difference = full["air_temp_c"] - full["usual_temp_c"]
    full["above_usual_k"] = difference
    full["above_usual_sd"] = difference / (full["usual_temp_sd_k"] + 1.0)
    if "radiant_temp_c" in full:
        full["radiant_above_air_k"] = full["radiant_temp_c"] - full["air_temp_c"]
    if "outdoor_temp_c" in full:
        full["usual_above_outdoor_k"] = full["usual_temp_c"] - full["outdoor_temp_c"]
    if "air_speed_m_s" in full:
        full["air_speed_root"] = full["air_speed_m_s"] ** 0.5
    return full
