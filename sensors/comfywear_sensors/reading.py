"""What a sensor says once, in the units that everything else uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of one sensor; a quantity the sensor does not have is None.

    Attributes:
        air_temp_c: Air temperature in °C.
        humidity_pct: Relative humidity in %.
        monotonic_s: When it was read, on this machine's monotonic clock, in seconds; ages are computed from it.
        source: The URI (without secrets) that it came from.
        radiant_temp_c: Mean radiant (or globe) temperature in °C.
        air_speed_m_s: Air speed in m/s.
        illuminance_lx: Illuminance in lux.
        irradiance_w_m2: Shortwave irradiance in W/m².
        co2_ppm: CO₂ in parts per million.
        wall_time_s: Seconds since 1970 that the sensor itself stated, if it did.
        simulated: True when no real sensor stands behind it (replayed or modelled).
        flags: What is known about its quality: "power-up" (the value that the chip holds before it has measured),
            "retained" (an MQTT broker kept it, so that its true age is not known).
    """

    air_temp_c: float | None
    humidity_pct: float | None
    monotonic_s: float
    source: str
    radiant_temp_c: float | None = None
    air_speed_m_s: float | None = None
    illuminance_lx: float | None = None
    irradiance_w_m2: float | None = None
    co2_ppm: float | None = None
    wall_time_s: float | None = None
    simulated: bool = False
    flags: tuple[str, ...] = ()
