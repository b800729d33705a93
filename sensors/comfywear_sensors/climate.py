"""The climate of a zone from the readings of its sensors: gated, calibrated, smoothed, compared, and aged."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from comfywear_sensors.air import absolute_humidity_g_m3, dew_point_c, saturation_pressure_hpa
from comfywear_sensors.gate import DEFAULT_LIMITS, QUANTITIES, Gate, Limits
from comfywear_sensors.reading import Reading
from comfywear_sensors.steadiness import Steadiness
from comfywear_sensors.texts import Text, listed, together

# Quantity → the resolution in its unit at which `stuck_after_s` holds as it is.
_STEADY = {"air_temp_c": 0.1, "humidity_pct": 0.1}


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns a sensor's numbers into true ones: first less what its board warms it, then × gain + offset.

    Attributes:
        air_temp_offset_k, air_temp_gain, humidity_offset_pct, humidity_gain: Of each quantity.
        self_heating_gain: What part of (board − reading) is taken from a temperature; 0 = none.
        self_heating_most_k: At most so much, K.
    """

    air_temp_offset_k: float = 0.0
    air_temp_gain: float = 1.0
    humidity_offset_pct: float = 0.0
    humidity_gain: float = 1.0
    self_heating_gain: float = 0.0
    self_heating_most_k: float = 3.0

    def warmed_k(self, said_c: float | None, board_temp_c: float | None) -> float:
        """By how much the board warms the sensor now, K; 0 where one of the temperatures is not known."""
        if said_c is None or board_temp_c is None:
            return 0.0
        return min(max(self.self_heating_gain * (board_temp_c - said_c), 0.0), self.self_heating_most_k)

    def cooled(self, values: Mapping[str, float], board_temp_c: float | None) -> dict[str, float]:
        """Temperature and humidity as a sensor would say them that no board warms: the air's water stays the same."""
        found, said_c = dict(values), values.get("air_temp_c")
        warmed_k = self.warmed_k(said_c, board_temp_c)
        if said_c is None or not warmed_k:
            return found
        found["air_temp_c"] = said_c - warmed_k
        if "humidity_pct" in found:
            found["humidity_pct"] *= saturation_pressure_hpa(said_c) / saturation_pressure_hpa(said_c - warmed_k)
        return found

    def apply(self, name: str, value: float) -> float:
        """The calibrated value of the quantity `name`; humidity stays within 0…100 %."""
        if name == "air_temp_c":
            return value * self.air_temp_gain + self.air_temp_offset_k
        if name == "humidity_pct":
            return min(100.0, max(0.0, value * self.humidity_gain + self.humidity_offset_pct))
        return value


@dataclass(frozen=True, slots=True)
class ClimateState:
    """The air of a zone at one moment; a value that is not known now is None, never the last one for ever.

    Attributes:
        zone: The zone's name.
        state: "fresh" with an air temperature of now; "stale" when there was one; "missing" when there never was.
        air_temp_c: Air temperature, °C.
        humidity_pct: Relative humidity, %; may be None while fresh, when no sensor says it (see `faults`).
        radiant_temp_c: Mean radiant temperature, °C.
        air_speed_m_s: Air speed, m/s.
        illuminance_lx: Illuminance, lx.
        irradiance_w_m2: Shortwave irradiance, W/m².
        co2_ppm: CO₂, ppm.
        dew_point_c: Dew point, °C, from temperature and humidity.
        absolute_humidity_g_m3: Water vapour in g/m³, from temperature and humidity.
        age_s: Seconds since the last accepted air temperature; None when there was none.
        reason: Why it is not fresh; None when it is.
        sources: The sensors whose air temperature was used.
        simulated: True when one of those is replayed or modelled.
        rejected: How many values and readings the gates have refused so far.
        rejections: The same by reason.
        disagreement: In words, when two sensors differ by more than is allowed; else None.
        faults: In words, a sentence for each sensor or quantity that cannot be used now.
    """

    zone: str
    state: Literal["fresh", "stale", "missing"]
    air_temp_c: float | None = None
    humidity_pct: float | None = None
    radiant_temp_c: float | None = None
    air_speed_m_s: float | None = None
    illuminance_lx: float | None = None
    irradiance_w_m2: float | None = None
    co2_ppm: float | None = None
    dew_point_c: float | None = None
    absolute_humidity_g_m3: float | None = None
    age_s: float | None = None
    reason: str | None = None
    sources: tuple[str, ...] = ()
    simulated: bool = False
    rejected: int = 0
    rejections: Mapping[str, int] = field(default_factory=dict)
    disagreement: str | None = None
    faults: tuple[str, ...] = ()


# Readings further apart than this do not smooth each other: the median is against a spike between two seconds, and an
# hourly sensor must not lag an hour behind.
_MEDIAN_WITHIN_S = 30.0


class _Signal:
    """One quantity of one sensor: the median of three that came together, then a first-order low pass."""

    def __init__(self, time_constant_s: float) -> None:
        self.value = math.nan
        self.heard_s = -math.inf
        self.steadiness = Steadiness()
        self._recent: deque[tuple[float, float]] = deque(maxlen=3)
        self._time_constant_s = time_constant_s

    def add(self, value: float, now_s: float, stale_after_s: float) -> None:
        gap_s = now_s - self.heard_s
        within_s = min(_MEDIAN_WITHIN_S, stale_after_s)
        self._recent.append((value, now_s))
        while now_s - self._recent[0][1] > within_s:
            self._recent.popleft()
        middle = median(value for value, _ in self._recent)
        if gap_s > stale_after_s or self._time_constant_s <= 0.0:
            self.value = middle
        else:
            self.value += (middle - self.value) * -math.expm1(-gap_s / self._time_constant_s)
        self.heard_s = now_s


class _Sensor:
    """All that is remembered of one sensor."""

    def __init__(self, limits: Mapping[str, Limits], calibration: Calibration, time_constant_s: float) -> None:
        self.gate = Gate(limits)
        self.signals = {name: _Signal(time_constant_s) for name in QUANTITIES}
        self.simulated = False
        self.last_s = -math.inf
        self._calibration = calibration

    def add(self, reading: Reading, stale_after_s: float, board_temp_c: float | None) -> None:
        admitted = self.gate.admit(reading)
        if not admitted:
            return
        now_s = reading.monotonic_s
        self.simulated = reading.simulated
        self.last_s = now_s
        for name, value in self._calibration.cooled(admitted, board_temp_c).items():
            signal = self.signals[name]
            signal.add(self._calibration.apply(name, value), now_s, stale_after_s)
            signal.steadiness.add(admitted[name], now_s)

    def stuck_for_s(self, stuck_after_s: float) -> float:
        """How long air temperature and humidity have been the same, where that is too long for either; else 0."""
        spoken = [(name, self.signals[name]) for name in _STEADY if self.signals[name].heard_s > -math.inf]
        current = [(name, signal) for name, signal in spoken if self.last_s - signal.heard_s <= stuck_after_s]
        if not current or not all(
            signal.steadiness.too_steady(_STEADY[name], stuck_after_s) for name, signal in current
        ):
            return 0.0
        return min(signal.steadiness.same_for_s() for _, signal in current)

    def said(self) -> str:
        parts = [
            f"{signal.steadiness.value:g} {unit}"
            for name, unit in (("air_temp_c", "°C"), ("humidity_pct", "%"))
            if (signal := self.signals[name]).heard_s > -math.inf
        ]
        return parts[0] if len(parts) == 1 else Text("{first} and {then}", first=parts[0], then=parts[1])


class ClimateFilter:
    """The sensors of one zone as one climate.

    It reads no clock: time comes with the readings and with the question. Workers of several sensors may share it.
    """

    def __init__(
        self,
        zone: str,
        *,
        stale_after_s: float = 120.0,
        time_constant_s: float = 30.0,
        stuck_after_s: float = 3600.0,
        calibration: Mapping[str, Calibration] | None = None,
        limits: Mapping[str, Limits] = DEFAULT_LIMITS,
        disagree_air_temp_k: float = 2.0,
        disagree_humidity_pct: float = 10.0,
    ) -> None:
        """A filter that has heard nothing yet.

        Args:
            zone: The zone's name.
            stale_after_s: A value older than this is not used.
            time_constant_s: Of the smoothing; 0 for none.
            stuck_after_s: A sensor of tenths of a degree that says exactly the same for so long is not used; a coarser
                one after longer (`steadiness`); 0 switches that off.
            calibration: By `Reading.source`.
            limits: By quantity, in place of `DEFAULT_LIMITS`.
            disagree_air_temp_k: Two sensors further apart than this disagree, K.
            disagree_humidity_pct: The same for relative humidity, in percentage points.
        """
        self.zone = zone
        self._stale_after_s = stale_after_s
        self._time_constant_s = time_constant_s
        self._stuck_after_s = stuck_after_s
        self._calibration = dict(calibration or {})
        self._limits = limits
        self._allowed = {
            "air_temp_c": (disagree_air_temp_k, "K", "°C"),
            "humidity_pct": (disagree_humidity_pct, "points", "%"),
        }
        self._sensors: dict[str, _Sensor] = {}
        self._lock = threading.Lock()

    def add(self, reading: Reading, board_temp_c: float | None = None) -> None:
        """Take in a reading; what the gate refuses is counted. `board_temp_c` is that of the board beside it, °C."""
        with self._lock:
            sensor = self._sensors.get(reading.source)
            if sensor is None:
                calibration = self._calibration.get(reading.source, Calibration())
                sensor = self._sensors[reading.source] = _Sensor(self._limits, calibration, self._time_constant_s)
            sensor.add(reading, self._stale_after_s, board_temp_c)

    def climate(self, now_monotonic_s: float) -> ClimateState:
        """The climate at `now_monotonic_s` (seconds, of the clock of the readings)."""
        with self._lock:
            return self._climate(now_monotonic_s)

    def _climate(self, now_monotonic_s: float) -> ClimateState:
        usable, faults = self._usable(now_monotonic_s)
        values = {name: self._combined(name, usable, now_monotonic_s) for name in QUANTITIES}
        rejections: Counter[str] = sum((sensor.gate.rejected for sensor in self._sensors.values()), Counter())
        heard_s = max((sensor.signals["air_temp_c"].heard_s for sensor in self._sensors.values()), default=-math.inf)
        age_s = max(0.0, now_monotonic_s - heard_s) if heard_s > -math.inf else None
        temperature, humidity = values["air_temp_c"], values["humidity_pct"]
        users = [source for source in usable if self._fresh(usable[source], "air_temp_c", now_monotonic_s)]
        if temperature is None and not faults:
            silent = Text("no sensor of {zone} has said anything yet", zone=self.zone)
            mute = Text("no sensor of {zone} says the air temperature now", zone=self.zone)
            faults = [mute if self._sensors else silent]
        elif temperature is not None and humidity is None:
            faults.append(Text("no sensor of {zone} says the humidity now", zone=self.zone))
        dew_c, water_g_m3 = None, None
        if temperature is not None and humidity is not None:
            dew_c, water_g_m3 = dew_point_c(temperature, humidity), absolute_humidity_g_m3(temperature, humidity)
        return ClimateState(
            self.zone,
            "fresh" if temperature is not None else "missing" if age_s is None else "stale",
            air_temp_c=temperature,
            humidity_pct=humidity if temperature is not None else None,
            radiant_temp_c=values["radiant_temp_c"],
            air_speed_m_s=values["air_speed_m_s"],
            illuminance_lx=values["illuminance_lx"],
            irradiance_w_m2=values["irradiance_w_m2"],
            co2_ppm=values["co2_ppm"],
            dew_point_c=dew_c,
            absolute_humidity_g_m3=water_g_m3,
            age_s=age_s,
            reason=together(*faults) if temperature is None else None,
            sources=tuple(sorted(users)),
            simulated=any(usable[source].simulated for source in users),
            rejected=sum(rejections.values()),
            rejections={reason[:]: n for reason, n in rejections.items()},
            disagreement=self._disagreement(usable, now_monotonic_s),
            faults=tuple(faults),
        )

    def _usable(self, now_s: float) -> tuple[dict[str, _Sensor], list[str]]:
        usable, faults = dict[str, _Sensor](), list[str]()
        for source, sensor in self._sensors.items():
            stuck_s = sensor.stuck_for_s(self._stuck_after_s) if self._stuck_after_s > 0.0 else 0.0
            silent_s = now_s - sensor.last_s
            if sensor.last_s == -math.inf:
                # Without counts: a reason that changed with every reading would be a message with every reading.
                reasons = [reason for reason, _ in sensor.gate.rejected.most_common(3)]
                why = listed(*reasons)
                if sensor.gate.first_words:
                    why = together(why, sensor.gate.first_words)
                faults.append(Text("{source}: every reading so far was refused ({why})", source=source, why=why))
            elif silent_s > self._stale_after_s:
                stale_s = f"{self._stale_after_s:g}"
                silent = Text(
                    "{source}: no good reading for {seconds} s (stale after {stale} s)",
                    source=source, seconds=f"{silent_s:.0f}", stale=stale_s,
                )  # fmt: skip
                faults.append(silent)
            elif stuck_s > 0.0:
                stuck = Text(
                    "{source}: has said exactly {said} for {seconds} s; it may be stuck",
                    source=source, said=sensor.said(), seconds=f"{stuck_s:.0f}",
                )  # fmt: skip
                faults.append(stuck)
            else:
                usable[source] = sensor
        return usable, faults

    def _fresh(self, sensor: _Sensor, name: str, now_s: float) -> bool:
        return now_s - sensor.signals[name].heard_s <= self._stale_after_s

    def _combined(self, name: str, usable: Mapping[str, _Sensor], now_s: float) -> float | None:
        values = [sensor.signals[name].value for sensor in usable.values() if self._fresh(sensor, name, now_s)]
        return median(values) if values else None  # of two: their mean

    def _disagreement(self, usable: Mapping[str, _Sensor], now_s: float) -> str | None:
        for name, (allowed, step, unit) in self._allowed.items():
            said = [(s.signals[name].value, source) for source, s in usable.items() if self._fresh(s, name, now_s)]
            if len(said) > 1:
                (low, low_source), (high, high_source) = min(said), max(said)
                if high - low > allowed:
                    return Text(
                        "{low_source} says {low} {unit}, {high_source} says {high} {unit}: {apart} {step} apart "
                        "(allowed: {allowed})",
                        low_source=low_source, low=f"{low:.1f}", unit=unit, high_source=high_source,
                        high=f"{high:.1f}", apart=f"{high - low:.1f}", step=step, allowed=f"{allowed:g}",
                    )  # fmt: skip
        return None
