"""Where the sun stands, and how much of what falls on the horizontal comes straight from it."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, isfinite, radians, sin
from typing import NamedTuple

__all__ = ["Beam", "SunPosition", "beam_of", "sun_position"]

# Solar irradiance outside the atmosphere, W/m² (Gueymard, Solar Energy 168, 2018).
_SOLAR_CONSTANT = 1361.0
# Lower the beam is a division by nearly nothing, and hidden by whatever stands outdoors.
_LEAST_ALTITUDE_DEG = 3.0
_UNIX_EPOCH_J2000 = -10_957.5
_DAY_S = 86_400.0


class SunPosition(NamedTuple):
    """Altitude above the horizon, −90…90°, without refraction; azimuth from north over east, 0…360°."""

    altitude_deg: float
    azimuth_deg: float


class Beam(NamedTuple):
    """Direct radiation on a surface that faces the sun, and diffuse radiation on the horizontal, W/m²."""

    direct_w_m2: float
    diffuse_w_m2: float


def sun_position(unix_s: float, latitude: float, longitude: float) -> SunPosition:
    """The sun's place to about 0.01° until 2050 (Michalsky, Solar Energy 40, 1988: from the Almanac).

    Args:
        unix_s: Seconds since 1970, UTC.
        latitude: °, north is positive.
        longitude: °, east is positive.
    """
    days = unix_s / _DAY_S + _UNIX_EPOCH_J2000  # since noon of 1 January 2000
    mean_anomaly = radians((357.528 + 0.9856003 * days) % 360.0)
    mean_longitude = 280.460 + 0.9856474 * days
    ecliptic = radians((mean_longitude + 1.915 * sin(mean_anomaly) + 0.020 * sin(2.0 * mean_anomaly)) % 360.0)
    obliquity = radians(23.439 - 4e-7 * days)
    ascension = atan2(cos(obliquity) * sin(ecliptic), cos(ecliptic))
    declination = asin(sin(obliquity) * sin(ecliptic))
    sidereal_h = 6.697375 + 0.0657098242 * days + (unix_s % _DAY_S) / 3600.0
    hour_angle = radians((15.0 * sidereal_h + longitude) % 360.0) - ascension
    north = radians(latitude)
    east = -sin(hour_angle) * cos(declination)
    altitude = asin(sin(declination) * sin(north) + cos(declination) * cos(north) * cos(hour_angle))
    azimuth = atan2(east, sin(declination) * cos(north) - cos(declination) * sin(north) * cos(hour_angle))
    return SunPosition(degrees(altitude), degrees(azimuth) % 360.0)


def beam_of(global_w_m2: float, altitude_deg: float) -> Beam:
    """Direct and diffuse radiation from the global on the horizontal (Erbs, Klein, Duffie, Solar Energy 28, 1982).

    Nothing while the sun is down, and all of it diffuse below 3°.

    Args:
        global_w_m2: On the horizontal, W/m²; below 0 counts as 0.
        altitude_deg: Of the sun, °.
    """
    if not isfinite(global_w_m2) or global_w_m2 <= 0.0 or altitude_deg <= 0.0:
        return Beam(0.0, 0.0)
    if altitude_deg < _LEAST_ALTITUDE_DEG:
        return Beam(0.0, global_w_m2)
    height = sin(radians(altitude_deg))
    clearness = min(global_w_m2 / (_SOLAR_CONSTANT * height), 1.0)
    if clearness <= 0.22:
        diffuse = 1.0 - 0.09 * clearness
    elif clearness <= 0.8:
        diffuse = 0.9511 - 0.1604 * clearness + 4.388 * clearness**2 - 16.638 * clearness**3 + 12.336 * clearness**4
    else:
        diffuse = 0.165
    # Clouds beside the sun may make it brighter than it is outside the atmosphere: never the beam.
    direct = min((1.0 - diffuse) * global_w_m2 / height, _SOLAR_CONSTANT)
    return Beam(direct, diffuse * global_w_m2)
