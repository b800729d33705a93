"""A synthetic year: outdoor temperature, humidity, sunshine through the window, people and what they wear.

No weather file is at hand. The year is a yearly and a daily sine with correlated noise, in size like a temperate inland
city at 50° north; nothing in it was fitted to a place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HOURS", "Year", "clothing_clo", "make_year", "saturation_ratio"]

Array = NDArray[np.float64]
HOURS = 8760

_MEAN_C, _YEARLY_K, _DAILY_K = 11.0, 10.0, 4.0
_NOISE_K, _NOISE_HOURS = 3.0, 60.0
_LATITUDE = 50.0
_PEOPLE, _FROM, _TO = 4, 8, 18
_PRESENT_DAY, _PRESENT_HOUR = 0.85, 0.9


@dataclass(frozen=True)
class Year:
    """What a year of 8,760 hours (from a Monday in January) brings, every array `(8760,)`.

    Attributes:
        outdoor_c: Outdoor temperature, °C.
        running_c: Its running mean over the last days (a day counts 0.8 of the next), °C.
        moisture: Outdoor humidity ratio, kg of water in a kg of dry air.
        sun_w: Sunshine that comes through the window, W.
        people: Persons in the room.
        hours_to_work: 0 in working hours, else hours until the next.
        clo: What they wear (or would), clo.
    """

    outdoor_c: Array
    running_c: Array
    moisture: Array
    sun_w: Array
    people: Array
    hours_to_work: Array
    clo: Array


def make_year(seed: int) -> Year:
    """The year of a seed: the same seed gives the same year."""
    rng = np.random.default_rng([seed, 20261123])
    hour = np.arange(HOURS, dtype=float)
    yearly = -np.cos(2 * np.pi * (hour / HOURS - 15 / 365))
    daily = -np.cos(2 * np.pi * (hour % 24 - 3) / 24)
    noise = _correlated(rng)
    outdoor = _MEAN_C + _YEARLY_K * yearly + _DAILY_K * daily + noise
    clouds = np.repeat(rng.uniform(0.15, 0.9, HOURS // 24), 24)
    # Air holds the water of its coolest hour of the day, less a little: the dew point lies 1…4 K below that.
    coolest = np.repeat(outdoor.reshape(-1, 24).min(axis=1), 24)
    moisture = saturation_ratio(coolest - np.repeat(rng.uniform(1.0, 4.0, HOURS // 24), 24))
    people, to_work = _people(hour, rng)
    return Year(outdoor, _running(outdoor), moisture, _sun(hour) * clouds, people, to_work, _clothes(outdoor))


def saturation_ratio(temp_c: Array) -> Array:
    """Humidity ratio of saturated air at 101,325 Pa, kg/kg (Magnus formula, WMO 2008 coefficients)."""
    pressure = 611.2 * np.exp(17.62 * temp_c / (243.12 + temp_c))
    result: Array = 0.622 * pressure / (101325.0 - pressure)
    return result


def clothing_clo(outdoor_6_c: Array) -> Array:
    """What people wear indoors by the outdoor temperature at 6 o'clock (Schiavon and Lee 2013; ASHRAE 55-2020), clo."""
    middle = 10.0 ** (-0.1635 - 0.0066 * outdoor_6_c)
    result: Array = np.select(
        [outdoor_6_c < -5.0, outdoor_6_c < 5.0, outdoor_6_c < 26.0],
        [np.full_like(outdoor_6_c, 1.0), 0.818 - 0.0364 * outdoor_6_c, middle],
        0.46,
    )
    return result


def _correlated(rng: np.random.Generator) -> Array:
    keep = np.exp(-1.0 / _NOISE_HOURS)
    shocks = rng.normal(0.0, _NOISE_K * np.sqrt(1.0 - keep**2), HOURS)
    noise = np.empty(HOURS)
    level = rng.normal(0.0, _NOISE_K)
    for number, shock in enumerate(shocks):
        level = keep * level + shock
        noise[number] = level
    return noise


def _sun(hour: Array) -> Array:
    """Clear-sky sunshine through 5 m² of window that sees half the sky: 0.5 · 5 m² · 0.5 · 800 W/m² · sin(height)."""
    declination = np.radians(-23.45 * np.cos(2 * np.pi * (hour / 24 + 10) / 365))
    angle = np.radians(15.0 * (hour % 24 + 0.5 - 12.0))
    latitude = np.radians(_LATITUDE)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    result: Array = 1000.0 * np.maximum(height, 0.0)
    return result


def _people(hour: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    at_work = (hour // 24 % 7 < 5) & (hour % 24 >= _FROM) & (hour % 24 < _TO)
    days = np.repeat(rng.random((HOURS // 24, _PEOPLE)) < _PRESENT_DAY, 24, axis=0)
    hours = rng.random((HOURS, _PEOPLE)) < _PRESENT_HOUR
    people = np.where(at_work, (days & hours).sum(axis=1), 0)
    to_work = np.zeros(HOURS)
    waiting = 24.0
    for number in range(HOURS - 1, -1, -1):
        waiting = 0.0 if at_work[number] else waiting + 1.0
        to_work[number] = waiting
    return people.astype(float), to_work


def _clothes(outdoor: Array) -> Array:
    return np.repeat(clothing_clo(outdoor.reshape(-1, 24)[:, 6]), 24)


def _running(outdoor: Array) -> Array:
    days = outdoor.reshape(-1, 24).mean(axis=1)
    running, level = np.empty(len(days)), float(days[:7].mean())
    for number, mean in enumerate(days):
        running[number] = level
        level = 0.8 * level + 0.2 * float(mean)
    return np.repeat(running, 24)
