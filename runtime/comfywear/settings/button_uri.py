"""What a source of votes is called: `gpio://?pins=5,6,13,19,26&led=17`, `input:///dev/input/…`, `serial:///dev/…`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import UsageError
from comfywear.texts import Text
from comfywear_sensors.errors import BadSensorURI
from comfywear_sensors.redaction import is_scheme
from comfywear_sensors.uri import SensorURI

FORMS = "gpio://?pins=5,6,13,19,26&led=17, input:///dev/input/by-id/…, serial:///dev/serial/by-id/…?baud=9600"
_PINS = 28  # GPIO0…GPIO27 of the 40-pin header
_LEDS = ("numlock", "capslock", "scrolllock", "none")


@dataclass(frozen=True, slots=True)
class GpioButtons:
    """Five pins (BCM numbers) for 1…5, a light and a buzzer; `active_low` when a press connects the pin to ground."""

    pins: tuple[int, ...]
    led: int | None
    buzzer: int | None
    active_low: bool
    debounce_s: float
    name: str = "gpio"


@dataclass(frozen=True, slots=True)
class Keypad:
    """An input device of the kernel; `grab` keeps its keys from everybody else, `led` is the light that it blinks."""

    path: Path
    grab: bool
    led: str
    name: str


@dataclass(frozen=True, slots=True)
class SerialBox:
    """A box that writes a line for each press."""

    path: Path
    baud: int
    name: str


ButtonSpec = GpioButtons | Keypad | SerialBox


@dataclass(frozen=True, slots=True)
class GpioSwitch:
    """One pin (BCM number) with a switch; `active_low` when the closed switch connects it to ground."""

    pin: int
    active_low: bool


def parse_button_uri(text: str) -> ButtonSpec:
    """Read a source of votes; nothing is opened.

    Raises:
        UsageError: When it cannot be meant.
    """
    scheme = text.partition("://")[0]
    if scheme not in ("gpio", "input", "serial") or "://" not in text:
        named = f"{scheme}://" if is_scheme(scheme) and "://" in text else "this"
        raise UsageError(Text("{named} names no buttons; known forms: {forms}", named=named, forms=FORMS))
    try:
        uri = SensorURI(text)
        found: ButtonSpec = _gpio(uri) if scheme == "gpio" else _input(uri) if scheme == "input" else _serial(uri)
        uri.finish()
    except BadSensorURI as error:
        raise UsageError(str(error)) from error
    return found


def parse_switch_uri(text: str) -> GpioSwitch:
    """Read where a switch is, `gpio://?pin=22`; nothing is opened.

    Raises:
        UsageError: When it cannot be meant.
    """
    try:
        if not text.startswith("gpio://"):
            raise BadSensorURI(
                Text("{text} names no switch; write gpio://?pin=22, or gpio://?pin=22&active=high", text=repr(text))
            )
        uri = SensorURI(text)
        if uri.host or uri.path.strip("/"):
            raise BadSensorURI(Text("{source}: a switch has no path: write gpio://?pin=22", source=uri.source))
        found = GpioSwitch(_pin(uri, uri.text("pin")), uri.choice("active", ("low", "high"), "low") == "low")
        uri.finish()
    except BadSensorURI as error:
        raise UsageError(str(error)) from error
    return found


def _gpio(uri: SensorURI) -> GpioButtons:
    if uri.host or uri.path.strip("/"):
        raise BadSensorURI(
            Text("{source}: GPIO buttons have no path: write gpio://?pins=5,6,13,19,26", source=uri.source)
        )
    pins = tuple(_pin(uri, word) for word in uri.text("pins").split(","))
    led, buzzer = (_pin(uri, uri.text(name)) if uri.text(name) else None for name in ("led", "buzzer"))
    used = [pin for pin in (*pins, led, buzzer) if pin is not None]
    if len(pins) != 5:
        raise BadSensorURI(
            Text(
                "{source}: pins= needs five numbers, for 1…5 in order; there are {pins}",
                source=uri.source,
                pins=len(pins),
            )
        )
    if len(set(used)) != len(used):
        raise BadSensorURI(Text("{source}: a pin is named twice", source=uri.source))
    active_low = uri.choice("active", ("low", "high"), "low") == "low"
    return GpioButtons(pins, led, buzzer, active_low, uri.number("debounce_ms", 25.0, 0.0, 500.0) / 1000.0)


def _pin(uri: SensorURI, word: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word[:4]) < _PINS):
        raise BadSensorURI(
            Text(
                "{source}: {word} is no GPIO; use the BCM numbers 0…{pins}",
                source=uri.source,
                word=repr(word),
                pins=_PINS - 1,
            )
        )
    return int(word)


def _input(uri: SensorURI) -> Keypad:
    path = _device(uri, "input:///dev/input/by-id/usb-…-event-kbd")
    return Keypad(path, uri.flag("grab"), uri.choice("led", _LEDS, "numlock"), f"keypad:{path.name}")


def _serial(uri: SensorURI) -> SerialBox:
    path = _device(uri, "serial:///dev/serial/by-id/usb-…")
    return SerialBox(path, uri.integer("baud", 9600, 300, 921_600), f"box:{path.name}")


def _device(uri: SensorURI, example: str) -> Path:
    if uri.host or not uri.path.startswith("/") or uri.path == "/" or "\0" in uri.path:
        raise BadSensorURI(
            Text(
                "{source} names no device; it should look like {example} (three slashes)",
                source=uri.source,
                example=example,
            )
        )
    return Path(uri.path)
