"""A room of two nodes, air and what stores heat in walls and floor, with heating and cooling that hold a setpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear_export.setpoint.weather import saturation_ratio

__all__ = ["Climate", "Outside", "Room", "Use"]

Array = NDArray[np.float64]
_AIR_DENSITY, _AIR_HEAT, _WATER_HEAT = 1.2, 1006.0, 2.5e6


class Climate(NamedTuple):
    """What is in rooms, each `(N,)`: air °C, surfaces °C (taken as the mean radiant temperature), kg/kg of water."""

    air_c: Array
    mass_c: Array
    moisture: Array

    @property
    def humidity_pct(self) -> Array:
        """Relative humidity, %, 0…100."""
        return np.minimum(100.0 * self.moisture / saturation_ratio(self.air_c), 100.0)


class Outside(NamedTuple):
    """What an hour brings, each `(N,)`: °C, kg/kg, W of sunshine, persons; and whether the plant heats or cools."""

    outdoor_c: Array
    moisture: Array
    sun_w: Array
    people: Array
    heating: NDArray[np.bool_]


class Use(NamedTuple):
    """Electricity of an hour, kWh, each `(N,)`."""

    heating: Array
    cooling: Array


@dataclass(frozen=True)
class Room:
    """An office of 40 m² for four, of medium weight (ISO 13790 table 12: 165 kJ/K of mass a m² of floor).

    Attributes:
        volume_m3: Of the air.
        air_kj_k: Heat capacity of air and furniture, kJ/K.
        mass_kj_k: Of walls and floor, kJ/K.
        coupling_w_k: Between the two, W/K.
        wall_w_k: From the mass to outside, W/K.
        window_w_k: From the air to outside through the window, W/K.
        air_changes_h: Of fresh air in an hour.
        person_w: Sensible heat of a person and their equipment, W.
        person_g_h: Water that a person gives off, g/h.
        most_w: Heating or cooling power at most, W.
        heating_cop: Heat for electricity of the heat pump.
        cooling_cop: Cold for electricity.
        band_k: In the heating season the air is heated to setpoint − band, otherwise cooled to setpoint + band.
        dry_to_pct: While it cools, the air is dried to this humidity.
    """

    volume_m3: float = 120.0
    air_kj_k: float = 700.0
    mass_kj_k: float = 6600.0
    coupling_w_k: float = 350.0
    wall_w_k: float = 25.0
    window_w_k: float = 8.0
    air_changes_h: float = 0.7
    person_w: float = 160.0
    person_g_h: float = 50.0
    most_w: float = 4000.0
    heating_cop: float = 3.0
    cooling_cop: float = 3.0
    band_k: float = 0.5
    dry_to_pct: float = 60.0

    def hour(self, now: Climate, outside: Outside, setpoint_c: Array, steps: int = 4) -> tuple[Climate, Use]:
        """One hour in `steps` implicit steps; returns the rooms after it and the electricity that it took."""
        seconds = 3600.0 / steps
        air_mass = self.volume_m3 * _AIR_DENSITY
        change = self.air_changes_h / 3600.0 * seconds
        loss = self.air_changes_h / 3600.0 * air_mass * _AIR_HEAT + self.window_w_k
        air_node, mass_node = self.air_kj_k * 1000.0 / seconds, self.mass_kj_k * 1000.0 / seconds
        conductance = air_node + loss + self.coupling_w_k
        inner = 0.5 * self.person_w * outside.people
        to_air = loss * outside.outdoor_c + inner
        to_mass = self.wall_w_k * outside.outdoor_c + outside.sun_w + inner
        wetter = self.person_g_h * outside.people / 1000.0 / 3600.0 / air_mass * seconds + change * outside.moisture
        edge = np.where(outside.heating, setpoint_c - self.band_k, setpoint_c + self.band_k)
        most, least = np.where(outside.heating, self.most_w, 0.0), np.where(outside.heating, 0.0, -self.most_w)
        air, mass, moisture = now
        heat = cold = np.zeros_like(air)
        for _ in range(steps):
            free = (air_node * air + to_air + self.coupling_w_k * mass) / conductance
            power = np.clip((edge - free) * conductance, least, most)
            air = free + power / conductance
            mass = (mass_node * mass + self.coupling_w_k * air + to_mass) / (
                mass_node + self.coupling_w_k + self.wall_w_k
            )
            moisture = (moisture + wetter) / (1.0 + change)
            full = saturation_ratio(air) * np.where(power < 0.0, self.dry_to_pct / 100.0, 1.0)
            dried = np.maximum(moisture - full, 0.0)
            moisture = moisture - dried
            heat = heat + np.maximum(power, 0.0) * seconds
            cold = cold + np.where(power < 0.0, dried * air_mass * _WATER_HEAT - power * seconds, 0.0)
        return Climate(air, mass, moisture), Use(heat / self.heating_cop / 3.6e6, cold / self.cooling_cop / 3.6e6)
