"""A number with its unit, as sensors, brokers and loggers write it: understood whole, or refused in words.

Every way in goes through here: serial lines, MQTT payloads, JSON, CSV.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from comfywear_sensors.errors import NotAReading
from comfywear_sensors.texts import Text

DECIMALS = ("auto", "point", "comma")
"""Values of the option `decimal`: "auto" takes a comma only where it cannot be anything else."""

TEMPERATURES = ("air_temp_c", "radiant_temp_c")
# What a comma before three digits may separate there: thousands.
_LARGE = ("co2_ppm", "illuminance_lx", "irradiance_w_m2")

# Degree signs of the field, among them the bytes 0xB0, 0xBA and 0xDF of other encodings (U+FFFD once decoded), what
# becomes of UTF-8 that is read as Latin-1 or Shift-JIS, and what stands for one in ASCII.
_DEGREE = r"(?:&deg;|(?:Ã‚|Â|ﾂ)?[°º˚ᵒ∘*ßﾟｰ\ufffd'`´^]|deg(?:rees?|\.)?)"
_PERCENT = r"[%％]"
# ℃ and ℉ in Big5 and GBK leave a letter behind when they are decoded as UTF-8.
_UNITS = {
    "C": rf"℃|\ufffdJ|(?:{_DEGREE}\s?)?(?:celsius|celcius|centigrade|c)",
    "F": rf"℉|\ufffd[HK]|(?:{_DEGREE}\s?)?(?:fahrenheit|farenheit|f)",
    "K": rf"{_DEGREE}\s?k|kelvins?|(?-i:K)",
    "%": (
        rf"{_PERCENT}\s?(?:rel(?:ative|\.)?\s?(?:humidity|hum\.?|h\.?)?|r\.?\s?[hf]\.?|h)"
        rf"|r\.?h\.?\s?{_PERCENT}|{_PERCENT}|per\s?cent(?:\s?r\.?h\.?)?|pct"
    ),
    "ppm": r"ppmv?(?:\s?co[2₂])?",
    "lx": r"lx|lux",
    "W/m²": r"w\s?/\s?m(?:²|\^?2)",
    "m/s": r"m\s?/\s?s(?:ec)?",
    "km/h": r"km\s?/\s?h",
    "°": rf"\ufffd{{2}}|{_DEGREE}",
    "other": r"hpa|mbar|kpa|pa|mmhg|inhg|g/m³|g/m3|mv|v|dbm",
}
_UNIT = re.compile("|".join(f"(?P<u{index}>{text})" for index, text in enumerate(_UNITS.values())), re.IGNORECASE)
_NAMES = tuple(_UNITS)
_NUMBER = re.compile(r"[-+\u2212]?(?:\d+(?:[.,]\d+)?|\.\d+)(?:[eE][-+]?\d{1,3})?", re.ASCII)
# What may not follow a number directly: it would go on, or be part of a date, a time or a version.
_GOES_ON = re.compile(r"[.\d_]|[,:/\u2212-][.\d]", re.ASCII)
_FITTING = {
    "humidity_pct": ("%",),
    "air_speed_m_s": ("m/s", "km/h"),
    "illuminance_lx": ("lx",),
    "irradiance_w_m2": ("W/m²",),
    "co2_ppm": ("ppm",),
}


class Measured(NamedTuple):
    """A number in a text.

    Attributes:
        value: Finite, as it is written.
        unit: "C", "F", "K", "%", "ppm", "lx", "W/m²", "m/s", "km/h", "°" (a degree sign without its letter), "other"
            (one that no quantity here has), or None where none is written.
        end: Where it ends in the text, unit included.
        comma: Whether its decimal mark is a comma.
    """

    value: float
    unit: str | None
    end: int
    comma: bool


def scan(text: str, start: int = 0, *, decimal: str = "auto", alone: bool = False, field: str = "") -> Measured | None:
    """The number with its unit that begins at `start`; None where no number begins.

    Args:
        text: Anything.
        start: An index into it.
        decimal: One of `DECIMALS`.
        alone: True where one number stands alone, so that its comma can only be a decimal one.
        field: Of `Reading`, where it is known.

    Raises:
        NotAReading: The number goes on in a way that no number does, or its comma can mean two things.
    """
    found = _NUMBER.match(text, start)
    if not found:
        return None
    if _GOES_ON.match(text, found.end()):
        raise NotAReading(Text("{token} is not a number", token=repr(_token(text, start))))
    gap = re.compile(r"[ \t\u00a0\u202f]{0,4}").match(text, found.end())
    unit_start = gap.end() if gap else found.end()
    mark = _UNIT.match(text, unit_start)
    if mark and text[mark.end() : mark.end() + 1].isalnum():
        mark = None
    unit = _NAMES[int(str(mark.lastgroup)[1:])] if mark else None
    written = found.group()
    comma = "," in written
    _check_decimal(written, decimal, sure=alone or unit is not None, large=field in _LARGE or unit in ("ppm", "lx"))
    value = float(written.replace("\u2212", "-").replace(",", "."))
    if not math.isfinite(value):
        raise NotAReading(Text("{written} is not a finite number", written=repr(written)))
    return Measured(value, unit, mark.end() if mark else found.end(), comma)


def _check_decimal(written: str, decimal: str, *, sure: bool, large: bool) -> None:
    if "," in written:
        if decimal == "point":
            raise NotAReading(
                Text("{written} has a comma although decimal=point says otherwise", written=repr(written))
            )
        thousands = large and re.fullmatch(r"\D?\d{1,3},\d{3}", written)
        if decimal == "auto" and (thousands or not sure):
            raise NotAReading(
                Text("{written} may be one number or two: add decimal=comma or decimal=point", written=repr(written))
            )
    elif "." in written and decimal == "comma":
        raise NotAReading(Text("{written} has a point although decimal=comma says otherwise", written=repr(written)))


def number_of(
    value: object, field: str, *, unit: str = "C", said_unit: str | None = None, decimal: str = "auto"
) -> float | None:
    """A value of JSON, CSV or a payload, whole, in the unit of `field`; None where it says nothing.

    Nothing say: text without a digit ("nan", "unavailable", "--"), true, false, null, and what is no number at all.

    Args:
        value: Anything.
        field: Of `Reading`, such as "air_temp_c".
        unit: Of a temperature that does not say its own: "C" or "F".
        said_unit: The unit that the column or label states, if it does.
        decimal: One of `DECIMALS`.

    Raises:
        NotAReading: Text with digits that is not one number, or a unit that is not known or is none of this field.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if not isinstance(value, str):
        try:
            number = float(value)
        except OverflowError:
            return None
        return (
            in_unit_of(field, number, said_unit or unit_if_temperature(field, unit)) if math.isfinite(number) else None
        )
    text = clean(value).strip("\"'").strip()
    if not re.search(r"\d", text):
        return None
    found = scan(text, decimal=decimal, alone=True, field=field)
    if found is None or (found.end < len(text) and found.unit is not None):
        raise NotAReading(Text("{text} is not one number with a unit that is known", text=repr(text[:60])))
    if found.end < len(text):
        raise NotAReading(
            Text(
                "{text}: the unit {unit} is not known",
                text=repr(text[:60]),
                unit=repr(text[found.end :].strip()[:20]),
            )
        )
    own = found.unit if found.unit not in ("°", None) else None
    if own and said_unit and own != said_unit:
        raise NotAReading(Text("{text} stands where {unit} was said", text=repr(text[:60]), unit=said_unit))
    return in_unit_of(field, found.value, own or said_unit or unit_if_temperature(field, unit), text)


def unit_if_temperature(field: str, unit: str) -> str | None:
    """`unit` for a temperature, None for anything else."""
    return unit if field in TEMPERATURES else None


def in_unit_of(field: str, value: float, unit: str | None, text: str = "") -> float:
    """`value` of `unit` in the unit of `field` (None: it is in that already), rounded to 1e-9.

    Raises:
        NotAReading: The unit is none of this field.
    """
    if field in TEMPERATURES:
        if unit in ("C", None):
            return value
        if unit == "F":
            return round((value - 32.0) / 1.8, 9)
        if unit == "K":
            return round(value - 273.15, 9)
    elif unit is None or unit in _FITTING.get(field, ()):
        return round(value / 3.6, 9) if unit == "km/h" else value
    raise NotAReading(
        Text("{value}: that is no unit of {field}", value=repr(text[:60] or f"{value:g} {unit}"), field=field)
    )


def fits(field: str, unit: str) -> bool:
    """Whether `unit` (as in `Measured`) is one of `field`."""
    return unit in ("C", "F", "K") if field in TEMPERATURES else unit in _FITTING.get(field, ())


def unit_of(text: str) -> str | None:
    """The unit that `text` is, as in `Measured`; None for a stranger."""
    found = _UNIT.fullmatch(text.strip())
    return _NAMES[int(str(found.lastgroup)[1:])] if found else None


UNIT_AT_END = re.compile(rf"(.*?)[\s_,]*({_UNIT.pattern})", re.IGNORECASE | re.DOTALL)
"""A name with a unit behind it: `Temperature°C`, `Temp, °F`; group 1 is the name, 2 the unit."""


def text_of(data: bytes) -> str:
    """Bytes from a wire as text: UTF-8, other bytes as U+FFFD, no byte order mark, NULs or line ends around it."""
    return clean(data.decode("utf-8", "replace"))


def clean(text: str) -> str:
    """`text` without a byte order mark in front, and without blanks and NULs around it."""
    return text.strip("\ufeff\x00\r\n\t \u00a0")


def _token(text: str, start: int) -> str:
    found = re.compile(r"\S{1,40}").match(text, start)
    return found.group() if found else ""
