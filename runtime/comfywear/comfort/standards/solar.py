"""Sunshine on a person indoors: SolarCal of ASHRAE 55 appendix C (Arens et al., Building and Environment 2015).

The gain is an effective radiant field (ERF), and a rise of the mean radiant temperature that has the same effect.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from comfywear.comfort.standards.air import unwrap

__all__ = ["SolarGain", "projected_area_factor", "solar_gain"]

Posture = Literal["sitting", "standing", "supine"]

# Share of the body's surface that radiates (ASHRAE 55, C.4) and its radiant coefficient, W/(m² K).
_EFFECTIVE_AREA = {"sitting": 0.696, "standing": 0.725, "supine": 0.725}
_H_R = 6.0
_LONGWAVE_ABSORPTANCE = 0.95

# Projected area factors f_p of ASHRAE 55 table C-3: a row per angle between the sun and the front of the person
# (0, 15 … 180°), a column per altitude of the sun (0, 15 … 90°).
_STANDING = np.array(
    [
        [0.350, 0.350, 0.314, 0.258, 0.206, 0.144, 0.082],
        [0.342, 0.342, 0.310, 0.252, 0.200, 0.140, 0.082],
        [0.330, 0.330, 0.300, 0.244, 0.190, 0.132, 0.082],
        [0.310, 0.310, 0.275, 0.228, 0.175, 0.124, 0.082],
        [0.283, 0.283, 0.251, 0.208, 0.160, 0.114, 0.082],
        [0.252, 0.252, 0.228, 0.188, 0.150, 0.108, 0.082],
        [0.230, 0.230, 0.214, 0.180, 0.148, 0.108, 0.082],
        [0.242, 0.242, 0.222, 0.180, 0.153, 0.112, 0.082],
        [0.274, 0.274, 0.245, 0.203, 0.165, 0.116, 0.082],
        [0.304, 0.304, 0.270, 0.220, 0.174, 0.121, 0.082],
        [0.328, 0.328, 0.290, 0.234, 0.183, 0.125, 0.082],
        [0.344, 0.344, 0.304, 0.244, 0.190, 0.128, 0.082],
        [0.347, 0.347, 0.308, 0.246, 0.191, 0.128, 0.082],
    ]
)
_SITTING = np.array(
    [
        [0.290, 0.324, 0.305, 0.303, 0.262, 0.224, 0.177],
        [0.292, 0.328, 0.294, 0.288, 0.268, 0.227, 0.177],
        [0.288, 0.332, 0.298, 0.290, 0.264, 0.222, 0.177],
        [0.274, 0.326, 0.294, 0.289, 0.252, 0.214, 0.177],
        [0.254, 0.308, 0.280, 0.276, 0.241, 0.202, 0.177],
        [0.230, 0.282, 0.262, 0.260, 0.233, 0.193, 0.177],
        [0.216, 0.260, 0.248, 0.244, 0.220, 0.186, 0.177],
        [0.234, 0.258, 0.236, 0.227, 0.208, 0.180, 0.177],
        [0.262, 0.260, 0.224, 0.208, 0.196, 0.176, 0.177],
        [0.280, 0.260, 0.210, 0.192, 0.184, 0.170, 0.177],
        [0.298, 0.256, 0.194, 0.174, 0.168, 0.168, 0.177],
        [0.306, 0.250, 0.180, 0.156, 0.156, 0.166, 0.177],
        [0.300, 0.240, 0.168, 0.152, 0.152, 0.164, 0.177],
    ]
)


class SolarGain(NamedTuple):
    """Effective radiant field `erf` in W/m² and rise of the mean radiant temperature `delta_mrt` in K."""

    erf: Any
    delta_mrt: Any


def projected_area_factor(sol_altitude: ArrayLike, sharp: ArrayLike, posture: Posture = "sitting") -> Any:
    """Share of the body that the sun's beam sees, 0…1: ASHRAE 55 table C-3, interpolated in both angles.

    NaN where an altitude is outside 0…90° or an angle outside 0…180°. A lying person is a standing one
    whose angles are turned (ASHRAE 55 C.4.4).
    """
    if posture not in _EFFECTIVE_AREA:
        raise ValueError(f"posture {posture!r}: give one of {', '.join(_EFFECTIVE_AREA)}")
    altitude, angle = np.broadcast_arrays(np.asarray(sol_altitude, float), np.asarray(sharp, float))
    inside = (altitude >= 0.0) & (altitude <= 90.0) & (angle >= 0.0) & (angle <= 180.0)
    if posture == "supine":
        altitude, angle = _lying(np.where(inside, altitude, 0.0), np.where(inside, angle, 0.0))
    table = _SITTING if posture == "sitting" else _STANDING
    column = np.where(inside, altitude, 0.0) / 15.0
    row = np.where(inside, angle, 0.0) / 15.0
    j, i = np.minimum(column.astype(int), 5), np.minimum(row.astype(int), 11)
    x, y = column - j, row - i
    near = table[i, j] * (1.0 - x) + table[i, j + 1] * x
    far = table[i + 1, j] * (1.0 - x) + table[i + 1, j + 1] * x
    return unwrap(np.where(inside, near * (1.0 - y) + far * y, np.nan))


def _lying(altitude: Any, angle: Any) -> tuple[Any, Any]:
    alt, az = np.radians(altitude), np.radians(angle)
    turned_angle = np.degrees(np.arctan2(np.sin(az) * np.cos(alt), np.sin(alt)))
    turned_altitude = np.degrees(np.arcsin(np.clip(np.cos(az) * np.cos(alt), -1.0, 1.0)))
    return np.abs(turned_altitude), np.abs(turned_angle)


def solar_gain(
    sol_altitude: ArrayLike,
    sharp: ArrayLike,
    sol_radiation_dir: ArrayLike,
    sol_transmittance: ArrayLike,
    f_svv: ArrayLike,
    f_bes: ArrayLike,
    asw: ArrayLike = 0.7,
    posture: Posture = "sitting",
    floor_reflectance: ArrayLike = 0.6,
    sol_radiation_diffuse: ArrayLike | None = None,
) -> SolarGain:
    """ERF and ΔMRT of sunshine on a person (ASHRAE 55-2017 appendix C, equations C-1 to C-7), scalars or arrays.

    Args:
        sol_altitude: Altitude of the sun, 0…90°.
        sharp: Angle between the sun and the front of the person, 0…180°.
        sol_radiation_dir: Direct-beam radiation, W/m².
        sol_transmittance: Of window and blind together, 0…1.
        f_svv: Share of the sky that the person sees, 0…1.
        f_bes: Share of the body that the sun reaches, 0…1.
        asw: Shortwave absorptance of the clothed person, 0…1 (see `comfywear.comfort.clothing.absorptance`).
        posture: "sitting", "standing" or "supine".
        floor_reflectance: 0…1; the standard's 0.6.
        sol_radiation_diffuse: Diffuse radiation on the horizontal, W/m²; None: a fifth of the beam, as the standard has
            it for a clear sky.

    Returns:
        NaN where an angle is outside its range or a share outside 0…1.
    """
    factor = projected_area_factor(sol_altitude, sharp, posture)
    beam, sky = np.asarray(sol_radiation_dir, float), np.asarray(f_svv, float)
    through, sunlit = np.asarray(sol_transmittance, float), np.asarray(f_bes, float)
    absorbed, floor = np.asarray(asw, float), np.asarray(floor_reflectance, float)
    area = _EFFECTIVE_AREA[posture]
    diffuse = 0.2 * beam if sol_radiation_diffuse is None else np.asarray(sol_radiation_diffuse, float)
    horizontal = beam * np.sin(np.radians(np.asarray(sol_altitude, float))) + diffuse
    from_sky = 0.5 * sky * diffuse
    from_floor = 0.5 * sky * horizontal * floor
    field = area * through * (from_sky + factor * sunlit * beam + from_floor) * absorbed / _LONGWAVE_ABSORPTANCE
    shares = (through, sky, sunlit, absorbed, floor)
    valid = (
        np.all(np.broadcast_arrays(*[(share >= 0.0) & (share <= 1.0) for share in shares]), axis=0)
        & (beam >= 0.0)
        & (diffuse >= 0.0)
    )
    erf = np.where(valid, field, np.nan)
    return SolarGain(unwrap(erf), unwrap(erf / (_H_R * area)))
