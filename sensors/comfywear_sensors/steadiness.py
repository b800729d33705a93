"""Whether a sensor says the same for too long, judged by its own resolution. Pure: time is given."""

from __future__ import annotations

import math

# Steps of sensors in the field: whole and half degrees (DHT11, DS18S20, LM75), quarters, tenths and finer. A
# display in °F has the same steps there.
_GRIDS = (1.0, 0.5, 0.25, 0.1)
_FAHRENHEIT_GRIDS = (1.0, 0.5)
_NEAR = 2e-3
_FEWEST = 24


class Steadiness:
    """One quantity of one sensor: what it said last, since when, how often, and its smallest step so far."""

    def __init__(self) -> None:
        self.value = math.nan
        self._since_s = -math.inf
        self._last_s = -math.inf
        self._times = 0
        self._step = math.inf

    def add(self, value: float, now_s: float) -> None:
        """Take in a value as the sensor said it."""
        if value != self.value:
            if not math.isnan(self.value):
                self._step = min(self._step, abs(value - self.value))
            self.value, self._since_s, self._times = value, now_s, 0
        self._times += 1
        self._last_s = now_s

    def same_for_s(self) -> float:
        """How long it has said exactly this value."""
        return self._last_s - self._since_s

    def resolution(self) -> float:
        """The smallest step seen; before there was one, the coarsest grid that the value lies on, or 0.01."""
        if self._step < math.inf:
            return self._step
        grids = [grid for grid in _GRIDS if _on(self.value, grid)]
        grids += [grid / 1.8 for grid in _FAHRENHEIT_GRIDS if _on(self.value * 1.8 + 32.0, grid)]
        return max(grids, default=0.01)

    def too_steady(self, usual: float, after_s: float) -> bool:
        """Whether it has stayed the same for longer than a working sensor would.

        A value that wanders at random takes (resolution / usual)² times as long to show its next step: `after_s` for
        a sensor of the `usual` resolution, a day for one of half degrees where a tenth is usual. Few readings say
        nothing, however long they took.
        """
        patience_s = after_s * max(1.0, self.resolution() / usual) ** 2
        return self._times >= _FEWEST and self.same_for_s() >= patience_s * (1.0 - 1e-9)


def _on(value: float, grid: float) -> bool:
    return abs(value - round(value / grid) * grid) < _NEAR * grid
