"""What is let in from a sensor: values that a room can have and that can follow the one before."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from comfywear_sensors.reading import Reading
from comfywear_sensors.texts import Text

QUANTITIES = (
    "air_temp_c",
    "humidity_pct",
    "radiant_temp_c",
    "air_speed_m_s",
    "illuminance_lx",
    "irradiance_w_m2",
    "co2_ppm",
)

# Values that chips hold before they have measured: a DS18B20's 85 °C (its data sheet's power-on state), and the low
# ends of the scales of BME280 and DHT (−40 °C), SHT (−45 °C) and AHT (−50 °C), which a raw zero gives.
_POWER_UP_TEMPS_C = (85.0, -40.0, -45.0, -50.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """A quantity may be in `low`…`high` and differ from the last by `step` plus `per_s` a second."""

    low: float
    high: float
    step: float = math.inf
    per_s: float = 0.0


# Ours, for rooms that people are in: wide enough for a cold store and a sauna's anteroom; the rates are an opened
# window with a small sensor in the draught, and a breath for humidity.
DEFAULT_LIMITS: Mapping[str, Limits] = {
    "air_temp_c": Limits(-30.0, 60.0, step=1.5, per_s=0.1),
    "humidity_pct": Limits(0.0, 100.0, step=6.0, per_s=1.0),
    "radiant_temp_c": Limits(-30.0, 100.0, step=5.0, per_s=0.5),
    "air_speed_m_s": Limits(0.0, 30.0),
    "illuminance_lx": Limits(0.0, 200_000.0),
    "irradiance_w_m2": Limits(0.0, 1_500.0),
    "co2_ppm": Limits(200.0, 40_000.0),
}

_AGREEING = 3  # so many refused values in a row that follow each other are a real step, and let in


def no_room(reading: Reading) -> str | None:
    """Why no room has this air temperature, in words for a user; None when one may have it, or there is none."""
    temperature, limits = reading.air_temp_c, DEFAULT_LIMITS["air_temp_c"]
    if temperature is None or limits.low <= temperature <= limits.high:
        return None
    if limits.high < temperature <= limits.high * 1.8 + 32.0 and "unit=" not in reading.source:
        joint = "&" if "?" in reading.source else "?"
        return Text("{said} °C is no room; if it is °F add {joint}unit=F", said=f"{temperature:.4g}", joint=joint)
    return Text("{said} °C is no room; look at the sensor, its unit and its wires", said=f"{temperature:.4g}")


class Gate:
    """Judges the readings of one sensor; `rejected` counts what was refused, by reason."""

    def __init__(self, limits: Mapping[str, Limits] = DEFAULT_LIMITS) -> None:
        self.rejected: Counter[str] = Counter()
        self.first_words: str | None = None
        """The first that `no_room` said of a reading here."""
        self._limits = {**DEFAULT_LIMITS, **limits}
        self._last: dict[str, tuple[float, float]] = {}  # quantity → (value, when)
        self._refused: dict[str, list[tuple[float, float]]] = {}
        self._last_s = -math.inf

    def admit(self, reading: Reading) -> dict[str, float]:
        """The quantities of `reading` that are let in.

        A reading whose temperature cannot be is refused whole: its humidity came in the same bad message.
        """
        if not math.isfinite(reading.monotonic_s) or reading.monotonic_s < self._last_s:
            self.rejected[Text("its time is before the last one's")] += 1
            return {}
        self._last_s = reading.monotonic_s
        reason = self._hopeless(reading)
        if reason:
            self.rejected[reason] += 1
            self.first_words = self.first_words or no_room(reading)
            return {}
        admitted = {}
        for name in QUANTITIES:
            value: float | None = getattr(reading, name)
            if value is None:
                continue
            refusal = self._refusal(name, value, reading.monotonic_s)
            if refusal:
                self.rejected[refusal] += 1
            else:
                admitted[name] = value
        return admitted

    def _hopeless(self, reading: Reading) -> str | None:
        temperature = reading.air_temp_c
        if "power-up" in reading.flags or temperature in _POWER_UP_TEMPS_C:
            return Text("power-up value")
        if temperature == 0.0 and reading.humidity_pct == 0.0:
            return Text("all zero")
        if temperature is not None:
            return self._out_of_range("air_temp_c", temperature)
        return None

    def _out_of_range(self, name: str, value: float) -> str | None:
        limits = self._limits[name]
        if not math.isfinite(value) or not limits.low <= value <= limits.high:
            return Text("{name} out of range", name=name)
        return Text("humidity of 0 %") if name == "humidity_pct" and value == 0.0 else None

    def _refusal(self, name: str, value: float, now_s: float) -> str | None:
        reason = self._out_of_range(name, value)
        if reason:
            return reason
        if name in self._last and not self._follows(name, self._last[name], value, now_s):
            run = self._refused.get(name, [])
            run = [*run, (value, now_s)] if run and self._follows(name, run[-1], value, now_s) else [(value, now_s)]
            if len(run) < _AGREEING:
                self._refused[name] = run
                return Text("{name} changed too fast", name=name)
        self._refused.pop(name, None)
        self._last[name] = (value, now_s)
        return None

    def _follows(self, name: str, last: tuple[float, float], value: float, now_s: float) -> bool:
        limits = self._limits[name]
        return abs(value - last[0]) <= limits.step + limits.per_s * (now_s - last[1])
