"""MQTT messages that hold measurements: Tasmota, zigbee2mqtt, ESPHome, and JSON by path."""

from __future__ import annotations

from collections.abc import Mapping

from comfywear_sensors.errors import NotAReading
from comfywear_sensors.lines import MAX_LINE_BYTES, json_unit, json_values, line_parser, load_json
from comfywear_sensors.measured import number_of, text_of
from comfywear_sensors.quantities import Values
from comfywear_sensors.texts import Text


def parse_message(
    payload: bytes,
    *,
    unit: str = "C",
    path: str = "",
    paths: Mapping[str, str] | None = None,
    decimal: str = "auto",
) -> Values:
    """What a message says; `NotAReading` when that is nothing.

    Args:
        payload: The bytes.
        unit: "C" or "F" where the message does not say it (Tasmota's `TempUnit` does).
        path: Where in the JSON the sensor's object is, such as `StatusSNS.AM2301`; nothing for the whole.
        paths: Field of `Reading` → where its number is, such as {"air_temp_c": "AM2301.Temperature"}.
        decimal: One of `DECIMALS`.
    """
    text = _text(payload)
    if not path and not paths:
        try:
            return line_parser(unit=unit, decimal=decimal)(text)
        except NotAReading as error:
            if _is_a_number(text, decimal):
                raise NotAReading(
                    Text("{text} does not say of what: use temperature_topic= or humidity_topic=", text=repr(text[:60]))
                ) from None
            raise error from None
    document = load_json(text)
    unit = json_unit(document, unit)
    if paths:
        found = {
            field: number_of(_at(document, place), field, unit=unit, decimal=decimal) for field, place in paths.items()
        }
        values = {field: number for field, number in found.items() if number is not None}
    else:
        values = json_values(_at(document, path), unit, decimal)
    if not values:
        raise NotAReading(
            Text(
                "no number at {value} in {text}", value=path or ", ".join((paths or {}).values()), text=repr(text[:60])
            )
        )
    return values


def parse_number(payload: bytes, field: str, unit: str = "C", decimal: str = "auto") -> Values:
    """One field of `Reading` from a message that is just a number, with or without a unit (ESPHome, Homie, Zigbee)."""
    text = _text(payload)
    number = number_of(text, field, unit=unit, decimal=decimal)
    if number is None:
        raise NotAReading(Text("{text} is not a number", text=repr(text[:60])))
    return {field: number}


def _is_a_number(text: str, decimal: str) -> bool:
    try:
        return number_of(text, "air_temp_c", decimal=decimal) is not None and ("," not in text or decimal == "comma")
    except NotAReading:
        return False


def _text(payload: bytes) -> str:
    if len(payload) > MAX_LINE_BYTES * 4:
        raise NotAReading(Text("a message of {payload} bytes is no measurement", payload=len(payload)))
    return text_of(payload)


def _at(document: object, path: str) -> object:
    """The member at `a.b.0.c`; a key that holds dots itself is found whole first."""
    if not path:
        return document
    if isinstance(document, dict) and path in document:
        return document[path]
    head, _, rest = path.partition(".")
    if isinstance(document, dict) and head in document:
        return _at(document[head], rest)
    if isinstance(document, list) and head.isdecimal() and int(head[:6]) < len(document):
        return _at(document[int(head[:6])], rest)
    return None
