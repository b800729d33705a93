"""`comfywear/Room-v0`: an hour at a time in the simulated office; the agent moves the setpoint, people and meters pay.

Action: 0 cooler, 1 no change, 2 warmer, by 1 K of the working day's setpoint; earlier than 4 hours before work the
plant is off. Observation: `(9,) float32`, see `OBSERVED` for names, units and ranges. Reward: minus the hour's cost,
which is electricity, dissatisfied persons beyond 5 %, and changes of the setpoint (`Prices`). An episode is truncated
after `days` days of a year that begins on a Monday in January, and never terminated.

A move that `info["action_mask"]` does not allow (beyond 20 and 27 °C, cooler for people who are cool, warmer for people
who are warm) is taken as "no change". `info` has the hour's electricity (kWh), cost and PMV.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.setpoint.controllers import setback
from comfywear_export.setpoint.qlearning import START_C, allowed
from comfywear_export.setpoint.simulate import LEAD_H, Hour, Prices, Rooms, View
from comfywear_export.setpoint.weather import make_year

__all__ = ["OBSERVED", "Observed", "RoomEnv"]

Observation = NDArray[np.float32]
Picture = NDArray[np.uint8]

_SHOWN_H = 48


class Observed(NamedTuple):
    """A number of the observation: its name with unit, and its range."""

    name: str
    low: float
    high: float


OBSERVED = (
    Observed("setpoint of the working day, °C", 18.0, 28.0),
    Observed("air, °C", -40.0, 60.0),
    Observed("surfaces, °C", -40.0, 60.0),
    Observed("relative humidity, %", 0.0, 100.0),
    Observed("predicted mean vote; 0 where nobody predicts it (earlier than 4 hours before work)", -3.0, 3.0),
    Observed("persons in the last hour", 0.0, 4.0),
    Observed("hours to work; 0 in working hours", 0.0, 8760.0),
    Observed("running mean of the outdoor temperature, °C", -40.0, 50.0),
    Observed("clothing, clo", 0.0, 2.0),
)
"""What is observed, in this order."""


class RoomEnv(gymnasium.Env[Observation, np.int64]):
    """One room for `days` days (1…365); the year is drawn from the seed.

    Args:
        render_mode: "rgb_array" draws the last two days, None nothing.
        days: Of an episode.
        prices: What is weighed against what.

    Raises:
        UsageError: A render mode that there is none of, or days that are none.
    """

    metadata = {  # noqa: RUF012 - gymnasium's own attribute
        "render_modes": ["rgb_array"],
        "render_fps": 12,
    }

    def __init__(self, render_mode: str | None = None, days: int = 365, prices: Prices | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise UsageError(f"render_mode {render_mode!r}: there is rgb_array, or None")
        if not 1 <= days <= 365:
            raise UsageError(f"days {days}: an episode has 1 to 365")
        self.render_mode = render_mode
        self.action_space = gymnasium.spaces.Discrete(3)
        self._low = np.array([each.low for each in OBSERVED], np.float32)
        self._high = np.array([each.high for each in OBSERVED], np.float32)
        self.observation_space = gymnasium.spaces.Box(self._low, self._high, dtype=np.float32)
        self._days, self._prices = days, prices or Prices()
        self._rooms: Rooms | None = None
        self._day_c, self._hours = START_C, 0
        self._past: deque[tuple[int, float, Hour]] = deque(maxlen=_SHOWN_H)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new year: of the seed where one is given, else the next of the environment's own generator."""
        super().reset(seed=seed, options=options)
        self._rooms = Rooms([make_year(int(self.np_random.integers(2**31)))], self._prices)
        self._day_c, self._hours = START_C, 0
        self._past.clear()
        return self._observed(self._rooms.view), self._told(self._rooms.view)

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Live through an hour.

        Raises:
            UsageError: An action that there is none of, or before the first `reset`.
        """
        if self._rooms is None:
            raise UsageError("call reset() first")
        if not self.action_space.contains(np.int64(action)):
            raise UsageError(f"action {action}: there is 0 (cooler), 1 (no change), 2 (warmer)")
        view = self._rooms.view
        awake = bool(view.hours_to_work[0] <= LEAD_H)
        if awake and self._mask(view)[int(action)]:
            self._day_c += float(action) - 1.0
        passed = self._rooms.hour(np.array([self._day_c]) if awake else setback(view))
        self._past.append((self._hours, self._day_c, passed))
        self._hours += 1
        used = float(passed.heating_kwh[0] + passed.cooling_kwh[0])
        info = {**self._told(passed.after), "kwh": used, "cost": float(passed.cost[0])}
        return self._observed(passed.after), -info["cost"], False, self._hours >= 24 * self._days, info

    def render(self) -> Picture | None:
        """`(H, W, 3) uint8` RGB: temperatures, people and cost of the last two days; None without a render mode."""
        if self.render_mode is None:
            return None
        from comfywear_export.environments.room_picture import drawn

        return drawn(list(self._past))

    def _mask(self, view: View) -> NDArray[np.int8]:
        vote = np.nan_to_num(view.pmv)
        return np.asarray(allowed(np.array([self._day_c]), vote, view.people)[0], np.int8)

    def _told(self, view: View) -> dict[str, Any]:
        vote = float(view.pmv[0])
        return {"action_mask": self._mask(view), "pmv": vote if np.isfinite(vote) else None}

    def _observed(self, view: View) -> Observation:
        room = view.room
        columns = (room.air_c, room.mass_c, room.humidity_pct, view.pmv)
        rest = (view.people, view.hours_to_work, view.running_c, view.clo)
        values = np.nan_to_num([self._day_c, *(float(each[0]) for each in (*columns, *rest))]).astype(np.float32)
        return np.clip(values, self._low, self._high)
