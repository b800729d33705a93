"""`fake://office`: a stated model of a room, for demonstrations; every reading is marked as simulated.

The air temperature is `air_temp` (22 °C) plus a sine of amplitude `swing` (1 K) and period `period` (86,400 s) plus
Gaussian noise of `noise` (0.05 K). The room's water vapour is constant: it is what `humidity` (45 %) says at
`air_temp`, so that the relative humidity falls when the air warms, with noise of ten times as many percent. The same
`seed` (0) gives the same noise.
"""

from __future__ import annotations

import math
import random
from functools import partial

from comfywear_sensors.air import saturation_pressure_hpa
from comfywear_sensors.clock import Clock
from comfywear_sensors.quantities import reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.uri import SensorURI


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What makes the room; `BadSensorURI` when an option cannot be."""
    make = partial(
        FakeReader,
        uri.source,
        clock,
        air_temp_c=uri.number("air_temp", 22.0, -20.0, 50.0),
        humidity_pct=uri.number("humidity", 45.0, 1.0, 100.0),
        swing_k=uri.number("swing", 1.0, 0.0, 20.0),
        period_s=uri.number("period", 86_400.0, 1.0, 1e9),
        noise_k=uri.number("noise", 0.05, 0.0, 5.0),
        seed=uri.integer("seed", 0, 0, 2**32),
    )
    uri.finish()
    return make


class FakeReader(Reader):
    """The room of this module's first lines."""

    polled = True

    def __init__(
        self,
        source: str,
        clock: Clock,
        *,
        air_temp_c: float,
        humidity_pct: float,
        swing_k: float,
        period_s: float,
        noise_k: float,
        seed: int,
    ) -> None:
        self.source = source
        self._clock = clock
        self._mean_c = air_temp_c
        self._vapour_hpa = humidity_pct / 100.0 * saturation_pressure_hpa(air_temp_c)
        self._swing_k = swing_k
        self._period_s = period_s
        self._noise_k = noise_k
        self._dice = random.Random(seed)  # noqa: S311 - noise, not a secret
        self._start_s = clock.monotonic()

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:  # noqa: ARG002 - never waits
        """The room as it is now, to a hundredth."""
        now_s = self._clock.monotonic()
        swing_k = self._swing_k * math.sin(2.0 * math.pi * (now_s - self._start_s) / self._period_s)
        temperature = self._mean_c + swing_k + self._dice.gauss(0.0, self._noise_k)
        humidity = 100.0 * self._vapour_hpa / saturation_pressure_hpa(temperature)
        humidity += self._dice.gauss(0.0, 10.0 * self._noise_k)
        values = {"air_temp_c": round(temperature, 2), "humidity_pct": round(min(100.0, max(1.0, humidity)), 2)}
        return reading_of(values, now_s, self.source, simulated=True)

    def close(self) -> None:
        """Nothing to give back."""
