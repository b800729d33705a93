"""MQTT messages that hold measurements: Tasmota, zigbee2mqtt, ESPHome, and JSON by path."""

from __future__ import annotations

from collections.abc import Mapping

from comfywear_sensors.errors import NotAReading
from comfywear_sensors.lines import MAX_LINE_BYTES, json_values, line_parser, load_json
from comfywear_sensors.quantities import Values, in_celsius, to_number


def parse_message(payload: bytes, *, unit: str = "C", path: str = "", paths: Mapping[str, str] | None = None) -> Values:
    """What a message says; `NotAReading` when that is nothing.

    Args:
        payload: The bytes.
        unit: "C" or "F" where the message does not say it (Tasmota's `TempUnit` does).
        path: Where in the JSON the sensor's object is, such as `StatusSNS.AM2301`; nothing for the whole.
        paths: Field of `Reading` → where its number is, such as {"air_temp_c": "AM2301.Temperature"}.
    """
    text = _text(payload)
    if not path and not paths:
        return line_parser(unit=unit)(text)
    document = load_json(text)
    if paths:
        unit = {"F": "F", "C": "C"}.get(str(document.get("TempUnit")), unit) if isinstance(document, dict) else unit
        found = {field: to_number(_at(document, place)) for field, place in paths.items()}
        values = in_celsius({field: number for field, number in found.items() if number is not None}, unit)
    else:
        if isinstance(document, dict) and document.get("TempUnit") == "F":
            unit = "F"
        values = json_values(_at(document, path), unit)
    if not values:
        raise NotAReading(f"no number at {path or ', '.join((paths or {}).values())} in {text[:60]!r}")
    return values


def parse_number(payload: bytes, field: str, unit: str = "C") -> Values:
    """One field of `Reading` from a message that is just a number, as ESPHome and Homie send them."""
    text = _text(payload)
    number = to_number(text)
    if number is None:
        raise NotAReading(f"{text[:60]!r} is not a number")
    return in_celsius({field: number}, unit)


def _text(payload: bytes) -> str:
    if len(payload) > MAX_LINE_BYTES * 4:
        raise NotAReading(f"a message of {len(payload)} bytes is no measurement")
    return payload.decode("utf-8", "replace")


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
