"""A sensor against a reference at one or two points: its offset, and its gain, with their uncertainties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from comfywear.errors import UsageError
from comfywear.texts import Text

__all__ = ["BOUNDS", "Compared", "CorrectionBounds", "SensorCorrection", "correction_of"]


@dataclass(frozen=True, slots=True)
class CorrectionBounds:
    """What a correction may be, in the quantity's unit; beyond it the sensor, or the reference, is at fault.

    Attributes:
        most: How much a value may change.
        gain: The lowest and the highest gain.
        apart: How far apart two points must be.
        unit: For what is said.
    """

    most: float
    gain: tuple[float, float]
    apart: float
    unit: str


BOUNDS = {
    "air_temp_c": CorrectionBounds(5.0, (0.8, 1.25), 5.0, "K"),
    "humidity_pct": CorrectionBounds(20.0, (0.7, 1.4), 20.0, "%"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """What a sensor says without correction, and what is true, with their standard uncertainties."""

    sensor: float
    reference: float
    sensor_u: float = 0.0
    reference_u: float = 0.0


@dataclass(frozen=True, slots=True)
class SensorCorrection:
    """True = gain × said + offset.

    Attributes:
        offset: In the quantity's unit.
        gain: 1 from a single point.
        offset_u: Standard uncertainty of the offset.
        gain_u: Of the gain; of a single point 0: it says nothing about it.
        covariance: Of offset and gain.
    """

    offset: float
    gain: float
    offset_u: float
    gain_u: float = 0.0
    covariance: float = 0.0

    def at(self, said: float) -> tuple[float, float]:
        """The corrected value and its standard uncertainty, without that of the reading itself."""
        spread = self.offset_u**2 + (said * self.gain_u) ** 2 + 2 * said * self.covariance
        return self.gain * said + self.offset, math.sqrt(max(spread, 0.0))


def correction_of(points: Sequence[Compared], bounds: CorrectionBounds) -> SensorCorrection:
    """The correction that one or two points ask for; uncertainties by the law of propagation (GUM 5.1.2).

    Raises:
        UsageError: There are other numbers of points, two lie too near each other, or the correction is beyond the
            bounds: then something else is wrong.
    """
    if len(points) == 1:
        (only,) = points
        found = SensorCorrection(only.reference - only.sensor, 1.0, math.hypot(only.reference_u, only.sensor_u))
    elif len(points) == 2:
        found = _of_two(points[0], points[1], bounds)
    else:
        raise UsageError(Text("one or two points are wanted, not {points}", points=len(points)))
    changed = max((abs(found.at(each.sensor)[0] - each.sensor) for each in points), default=0.0)
    if not changed <= bounds.most:
        raise UsageError(
            Text(
                "the sensor is {changed} {unit} beside the reference; more than {most} {unit} is no matter "
                "of calibration: look at where both are, and whether one is broken",
                changed=f"{changed:.1f}",
                unit=bounds.unit,
                most=f"{bounds.most:g}",
            )
        )
    low, high = bounds.gain
    if not low <= found.gain <= high:
        raise UsageError(
            Text(
                "the gain would be {gain}; only {low} to {high} can be meant",
                gain=f"{found.gain:.3g}",
                low=f"{low:g}",
                high=f"{high:g}",
            )
        )
    return found


def _of_two(one: Compared, two: Compared, bounds: CorrectionBounds) -> SensorCorrection:
    apart = two.sensor - one.sensor
    if not min(abs(apart), abs(two.reference - one.reference)) >= bounds.apart:
        raise UsageError(
            Text(
                "the two points must be {apart} {unit} or more apart; use one point instead",
                apart=f"{bounds.apart:g}",
                unit=bounds.unit,
            )
        )
    gain = (two.reference - one.reference) / apart
    # By each input: how much gain and offset change with it, and its uncertainty.
    moves = (
        (-1 / apart, two.sensor / apart, one.reference_u),
        (1 / apart, -one.sensor / apart, two.reference_u),
        (gain / apart, -gain * two.sensor / apart, one.sensor_u),
        (-gain / apart, gain * one.sensor / apart, two.sensor_u),
    )
    return SensorCorrection(
        one.reference - gain * one.sensor,
        gain,
        math.sqrt(sum((by_offset * u) ** 2 for _, by_offset, u in moves)),
        math.sqrt(sum((by_gain * u) ** 2 for by_gain, _, u in moves)),
        sum(by_gain * by_offset * u**2 for by_gain, by_offset, u in moves),
    )
