"""Buttons and switches on GPIO pins, by gpiozero on lgpio (never RPi.GPIO: its edges are broken since kernel 6.6)."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from typing import Any, final

from comfywear.errors import ComfyWearError, SourceError
from comfywear.feedback.buttons.presses import Presses, Wish
from comfywear.feedback.buttons.signals import (
    BEEP_ACCEPTED,
    BEEP_REFUSED,
    LIGHT_ACCEPTED,
    LIGHT_REFUSED,
    Call,
    Lamp,
    Pattern,
    show,
)
from comfywear.records import Vote
from comfywear.settings.button_uri import GpioButtons, GpioSwitch


@final
class GpioPanel:
    """The pins of `spec`, open. Edges come from the factory's thread, which only puts them into a queue.

    Args:
        spec: The pins.
        long_press_s: See `Presses`.
        factory: A pin factory of gpiozero; None = the one that is set, or lgpio's.

    Raises:
        SourceError: When gpiozero is missing or refuses a pin.
    """

    def __init__(self, spec: GpioButtons, long_press_s: float, factory: Any = None) -> None:
        self._presses = Presses(long_press_s, spec.debounce_s)
        self._edges: queue.SimpleQueue[tuple[int, bool, float]] = queue.SimpleQueue()
        self._open = ExitStack()
        try:
            gpiozero = import_module("gpiozero")
            factory = factory or _factory(gpiozero)
            for key, pin in enumerate(spec.pins, start=1):
                button = gpiozero.DigitalInputDevice(pin, pull_up=spec.active_low, pin_factory=factory)
                self._open.callback(button.close)
                button.when_activated = self._noting(key, True)
                button.when_deactivated = self._noting(key, False)
            light, self._buzzer = (self._output(gpiozero, factory, pin) for pin in (spec.led, spec.buzzer))
            self._lamp = None if light is None else Lamp(lambda on: light.on() if on else light.off())
        except ComfyWearError:
            raise
        except Exception as error:  # gpiozero, lgpio and the kernel each have errors of their own
            self._open.close()
            raise SourceError(_why(error)) from error

    def _noting(self, key: int, down: bool) -> Callable[[], None]:
        return lambda: self._edges.put((key, down, time.monotonic()))

    def _output(self, gpiozero: Any, factory: Any, pin: int | None) -> Any:
        if pin is None:
            return None
        device = gpiozero.DigitalOutputDevice(pin, pin_factory=factory)
        self._open.callback(device.close)
        return device

    def read(self, timeout_s: float) -> list[Wish]:
        """What was pressed, after `timeout_s` seconds at most."""
        due_s = self._presses.due_s()
        if due_s is not None:
            timeout_s = min(timeout_s, max(due_s - time.monotonic(), 0.0))
        wishes: list[Wish] = []
        try:
            wishes += self._presses.edge(*self._edges.get(timeout=timeout_s))
            while True:
                wishes += self._presses.edge(*self._edges.get_nowait())
        except queue.Empty:
            return wishes + self._presses.tick(time.monotonic())

    def accepted(self, wish: Wish, vote: Vote) -> None:  # noqa: ARG002 - every source is told what was stored
        """Show that it is stored: the light once, one beep."""
        self._show(LIGHT_ACCEPTED, BEEP_ACCEPTED)

    def refused(self, wish: Wish, reason: str) -> None:  # noqa: ARG002 - a light cannot say why
        """Show that it is not: a fast blink, two beeps."""
        self._show(LIGHT_REFUSED, BEEP_REFUSED)

    def _show(self, light: Pattern, beeps: Pattern) -> None:
        if self._buzzer is not None:
            show(beeps, lambda on: self._buzzer.on() if on else self._buzzer.off())
        if self._lamp is not None:
            self._lamp.play(light)

    def attend(self, call: Call) -> None:
        """Show on the light what the device wants."""
        if self._lamp is not None:
            self._lamp.attend(call, time.monotonic())

    def close(self) -> None:
        """Give the pins back."""
        self._open.close()


@final
class GpioSwitchPin:
    """A switch on the pin of `spec`, open.

    Args:
        spec: The pin.
        factory: As for `GpioPanel`.

    Raises:
        SourceError: When gpiozero is missing or refuses the pin.
    """

    def __init__(self, spec: GpioSwitch, factory: Any = None) -> None:
        try:
            gpiozero = import_module("gpiozero")
            self._pin = gpiozero.DigitalInputDevice(
                spec.pin, pull_up=spec.active_low, pin_factory=factory or _factory(gpiozero)
            )
        except Exception as error:  # gpiozero, lgpio and the kernel each have errors of their own
            raise SourceError(_why(error)) from error

    def closed(self) -> bool:
        """Whether the switch is closed now.

        Raises:
            SourceError: When the pin cannot be read.
        """
        try:
            return bool(self._pin.is_active)
        except Exception as error:  # as above
            raise SourceError(_why(error)) from error

    def close(self) -> None:
        """Give the pin back."""
        self._pin.close()


def _factory(gpiozero: Any) -> Any:
    if gpiozero.Device.pin_factory is not None:
        return gpiozero.Device.pin_factory
    if os.environ.get("GPIOZERO_PIN_FACTORY"):
        gpiozero.Device.ensure_pin_factory()
    else:
        gpiozero.Device.pin_factory = import_module("gpiozero.pins.lgpio").LGPIOFactory()
    return gpiozero.Device.pin_factory


def _why(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"GPIO pins need {error.name}: pip install 'comfywear[pi]'"
    return f"the GPIO pins cannot be used ({type(error).__name__}: {error}); is the user in the group gpio?"
