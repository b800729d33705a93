"""The names by which sensors call what they measure, and their units: everything becomes a field of `Reading`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from comfywear_sensors.errors import NotAReading
from comfywear_sensors.reading import Reading

Values = dict[str, float]
"""Fields of `Reading` (such as "air_temp_c") with finite values in that field's unit."""

_SYNONYMS = {
    "air_temp_c": "temperature temp t airtemp airtemperature airtempc tempc temperaturec celsius tc",
    "humidity_pct": "humidity hum h rh relativehumidity humiditypct relhum",
    "radiant_temp_c": "radianttemp radianttempc radianttemperature mrt globetemp globetemperature",
    "air_speed_m_s": "airspeed airspeedms airvelocity windspeed",
    "illuminance_lx": "illuminance illuminancelx illuminancelux lux light",
    "irradiance_w_m2": "irradiance irradiancewm2 solarradiation",
    "co2_ppm": "co2 co2ppm carbondioxide",
}
_FIELDS = {name: field for field, names in _SYNONYMS.items() for name in names.split()}
_FAHRENHEIT = {"tempf": "air_temp_c", "temperaturef": "air_temp_c", "fahrenheit": "air_temp_c", "tf": "air_temp_c"}
_TEMPERATURES = ("air_temp_c", "radiant_temp_c")
QUANTITY_OPTIONS = {
    "temperature": "air_temp_c",
    "humidity": "humidity_pct",
    "radiant": "radiant_temp_c",
    "air_speed": "air_speed_m_s",
    "illuminance": "illuminance_lx",
    "irradiance": "irradiance_w_m2",
    "co2": "co2_ppm",
}
"""Option of a URI → field of `Reading`, where a user says where a quantity is found."""
NUMBER = r"[-+\u2212]?\d{1,9}(?:\.\d{1,12})?"


def field_of(name: str) -> tuple[str, bool] | None:
    """The field of `Reading` that `name` means and whether it is named as °F; None for a stranger."""
    key = re.sub(r"[^a-z0-9]", "", name.lower())
    if key in _FAHRENHEIT:
        return _FAHRENHEIT[key], True
    return (_FIELDS[key], False) if key in _FIELDS else None


def in_celsius(values: Values, unit: str) -> Values:
    """The same values with temperatures of `unit` "F" converted."""
    if unit != "F":
        return values
    return {name: celsius(value) if name in _TEMPERATURES else value for name, value in values.items()}


def celsius(fahrenheit: float) -> float:
    """°F in °C, to a thousandth of a degree."""
    return round((fahrenheit - 32.0) / 1.8, 3)


def to_number(value: object) -> float | None:
    """A finite number from JSON, CSV or text; None for anything else (true and false are no numbers)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not re.fullmatch(rf"\s*{NUMBER}(?:[eE][-+]?\d{{1,3}})?\s*", value, re.ASCII):
        return None
    try:
        number = float(value.replace("\u2212", "-") if isinstance(value, str) else value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def named_values(items: Mapping[str, object], unit: str = "C") -> Values:
    """What a mapping of names to numbers says of the air; names that mean nothing here are passed over.

    `unit` is "C" or "F" and stands for temperatures whose name does not say it. Empty when nothing is said.
    """
    values: Values = {}
    for name, value in items.items():
        meant = field_of(name)
        number = to_number(value)
        if meant is None or number is None:
            continue
        field, fahrenheit = meant
        if fahrenheit and field in values:
            continue  # the same temperature twice, once in °C
        if field in _TEMPERATURES and (fahrenheit or unit == "F"):
            number = celsius(number)
        values[field] = number
    return values


def reading_of(
    values: Mapping[str, float],
    monotonic_s: float,
    source: str,
    *,
    wall_time_s: float | None = None,
    simulated: bool = False,
    flags: tuple[str, ...] = (),
) -> Reading:
    """A `Reading` of these values; `NotAReading` when there are none."""
    if not values:
        raise NotAReading(f"{source}: nothing in it is a temperature or humidity")
    return Reading(
        air_temp_c=values.get("air_temp_c"),
        humidity_pct=values.get("humidity_pct"),
        monotonic_s=monotonic_s,
        source=source,
        radiant_temp_c=values.get("radiant_temp_c"),
        air_speed_m_s=values.get("air_speed_m_s"),
        illuminance_lx=values.get("illuminance_lx"),
        irradiance_w_m2=values.get("irradiance_w_m2"),
        co2_ppm=values.get("co2_ppm"),
        wall_time_s=wall_time_s,
        simulated=simulated,
        flags=flags,
    )
