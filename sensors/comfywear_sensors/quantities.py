"""The names by which sensors call what they measure, and their units: everything becomes a field of `Reading`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from comfywear_sensors.errors import NotAReading
from comfywear_sensors.measured import TEMPERATURES, UNIT_AT_END, fits, in_unit_of, number_of, unit_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.texts import Text

Values = dict[str, float]
"""Fields of `Reading` (such as "air_temp_c") with finite values in that field's unit."""

# The surest name first; of two names of one quantity the surer one counts.
_SYNONYMS = {
    "air_temp_c": (
        "airtemp airtemperature temperature temp tmp celsius fahrenheit t temperatur lufttemperatur raumtemperatur "
        "temperatura temperatuur ambienttemperature roomtemperature 温度 気温 气温"
    ),
    "humidity_pct": (
        "relativehumidity humidity relhumidity relhum humid humi hum rh h luftfeuchtigkeit luftfeuchte feuchtigkeit "
        "feuchte relativeluftfeuchtigkeit relluftfeuchtigkeit relluftfeuchte relfeuchte relativefeuchte humidite "
        "humiditerelative humedad umidita umiditarelativa luchtvochtigheid vochtigheid 湿度 相対湿度 相对湿度"
    ),
    "radiant_temp_c": "radianttemp radianttemperature mrt globetemp globetemperature",
    "air_speed_m_s": "airspeed airvelocity windspeed",
    "illuminance_lx": "illuminance lux light",
    "irradiance_w_m2": "irradiance solarradiation",
    "co2_ppm": "co2 carbondioxide",
}
_FIELDS = {name: (field, rank) for field, names in _SYNONYMS.items() for rank, name in enumerate(names.split())}
_OWN_UNIT = {"celsius": "C", "fahrenheit": "F", "lux": "lx"}
# Units that are written into a name without a sign between: tempf, humidityPct, co2ppm.
_ENDINGS = {
    "celsius": "C",
    "fahrenheit": "F",
    "kelvin": "K",
    "degc": "C",
    "degf": "F",
    "c": "C",
    "f": "F",
    "k": "K",
    "percent": "%",
    "pct": "%",
    "rh": "%",
    "ppm": "ppm",
    "lx": "lx",
    "lux": "lx",
    "wm2": "W/m²",
    "ms": "m/s",
}
_BRACKETS = re.compile(r"(.*?)[\s_]*[(\[\uff08](.*?)[)\]\uff09]\s*", re.DOTALL)
_SERIAL_NUMBERS = re.compile(r"\s*\([^()]*(?:S/N|LGR|SEN|LBL)[^()]*\)\s*$")
QUANTITY_OPTIONS = {
    "temperature": "air_temp_c",
    "humidity": "humidity_pct",
    "radiant": "radiant_temp_c",
    "air_speed": "air_speed_m_s",
    "illuminance": "illuminance_lx",
    "irradiance": "irradiance_w_m2",
    "co2": "co2_ppm",
}
"""Option of a URI \u2192 field of `Reading`, where a user says where a quantity is found."""


class Quantity(NamedTuple):
    """What a name means: a field of `Reading`, the unit that the name states (or None), how sure it is (0: most)."""

    field: str
    unit: str | None
    rank: int


@lru_cache(maxsize=1024)
def quantity_of(name: str) -> Quantity | None:
    """What `name` means: `temp_f`, `Temperature (°C)`, `RH, %`, `Luftfeuchtigkeit`; None for a stranger.

    Raises:
        NotAReading: It names a quantity in a unit that is not known or is none of it.
    """
    text = _SERIAL_NUMBERS.sub("", name.strip("\ufeff\"' \t"))
    written = _BRACKETS.fullmatch(text) or UNIT_AT_END.fullmatch(text)
    found = _named(re.sub(r"\s+in$", "", written[1])) if written else None
    return _with_unit(found, written[2], name) if found and written else _named(text)


def _with_unit(found: Quantity, text: str, name: str) -> Quantity:
    unit = unit_of(text)
    if unit == "°":
        return found
    if unit is None or not fits(found.field, unit) or (found.unit or unit) != unit:
        raise NotAReading(
            Text(
                "{name}: {unit} is no unit that is known for it; columns= names it otherwise",
                name=repr(name.strip()),
                unit=repr(text.strip()),
            )
        )
    return Quantity(found.field, unit, found.rank)


def _named(text: str) -> Quantity | None:
    key = name_key(text)
    if key in _FIELDS:
        return Quantity(_FIELDS[key][0], _OWN_UNIT.get(key), _FIELDS[key][1])
    for ending, unit in _ENDINGS.items():
        base = key.removesuffix(ending)
        if base != key and base in _FIELDS and fits(_FIELDS[base][0], unit):
            return Quantity(_FIELDS[base][0], unit, _FIELDS[base][1])
    return None


def name_key(name: str) -> str:
    """`name` without accents, signs, blanks and capitals, so that spellings of it can be compared."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", name).lower() if sign.isalnum())


def in_celsius(values: Values, unit: str) -> Values:
    """The same values with temperatures of `unit` "F" converted, to a thousandth of a degree."""
    if unit != "F":
        return values
    return {
        name: round(in_unit_of(name, value, unit), 3) if name in TEMPERATURES else value
        for name, value in values.items()
    }


def named_values(items: Mapping[str, object], unit: str = "C", decimal: str = "auto") -> Values:
    """What a mapping of names to values says of the air; names that mean nothing here are passed over.

    `unit` is "C" or "F" and stands for temperatures that do not say their own; `decimal` is one of `DECIMALS`. Empty
    when nothing is said.

    Raises:
        NotAReading: A value or unit cannot be understood whole, or two that mean the same differ.
    """
    said = []
    for name, value in items.items():
        meant = quantity_of(name)
        if meant is None:
            continue
        inner, said_unit = value, meant.unit
        if isinstance(value, Mapping) and "value" in value:
            inner = value["value"]
            given = next((value[key] for key in ("unit", "units", "unit_of_measurement") if key in value), None)
            said_unit = _stated(str(given), name) if given else said_unit
        number = number_of(inner, meant.field, unit=unit, said_unit=said_unit, decimal=decimal)
        if number is not None:
            said.append((meant._replace(unit=said_unit), number))
    return surest(said)


def _stated(text: str, name: str) -> str:
    unit = unit_of(text)
    if unit is None:
        raise NotAReading(Text("{name}: the unit {text} is not known", name=repr(name), text=repr(text[:20])))
    return unit


def surest(said: Iterable[tuple[Quantity, float]]) -> Values:
    """One value a field: that of the surest name, in °C rather than in °F where both are said.

    Raises:
        NotAReading: Two equally sure ones differ.
    """
    values: Values = {}
    best: dict[str, tuple[int, bool]] = {}
    for meant, number in said:
        order = (meant.rank, meant.unit in ("F", "K"))
        if meant.field in values and order == best[meant.field] and number != values[meant.field]:
            raise NotAReading(
                Text(
                    "{field} is said twice, {values} and {number}: say which",
                    field=meant.field,
                    values=f"{values[meant.field]:g}",
                    number=f"{number:g}",
                )
            )
        if meant.field not in values or order < best[meant.field]:
            values[meant.field], best[meant.field] = number, order
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
        raise NotAReading(Text("{source}: nothing in it is a temperature or humidity", source=source))
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
