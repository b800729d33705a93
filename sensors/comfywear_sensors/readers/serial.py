"""`serial:///dev/serial/by-id/NAME?baud=9600&format=auto`: sensors that send lines of text.

Options: `baud` (9600), `format` (auto, labels, xy-md02, csv, json), `pattern` (a regular expression with named
groups, instead of a format), `columns` (of CSV: temperature,humidity), `unit` (C or F where the line does not say
it), `send` (a text that asks for a line, such as READ for an XY-MD02 in ASCII mode), `simulated` (1 marks the
readings of a device that only plays a recording).
"""

from __future__ import annotations

import select
from typing import Any

import serial

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, ReaderTimeout, SensorError
from comfywear_sensors.lines import LINE_FORMATS, LineBuffer, LineParser, line_parser, understood
from comfywear_sensors.quantities import reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S
from comfywear_sensors.uri import SensorURI


def open_uri(uri: SensorURI, clock: Clock) -> SerialReader:
    """Open the port; `BadSensorURI` or `SensorError` when that cannot be."""
    if uri.host or not uri.path:
        raise BadSensorURI(f"{uri.source}: name the port with three slashes, such as serial:///dev/ttyUSB0")
    parser = line_parser(
        uri.choice("format", LINE_FORMATS, "auto"),
        unit=uri.choice("unit", ("C", "F"), "C"),
        columns=[name.strip() for name in uri.text("columns").split(",") if name.strip()],
        pattern=uri.text("pattern"),
    )
    baud = uri.integer("baud", 9600, 50, 4_000_000)
    send = uri.text("send").encode()
    simulated = uri.flag("simulated")
    uri.finish()
    return SerialReader(open_port(uri.path, baudrate=baud), parser, uri.source, clock, send=send, simulated=simulated)


def open_port(path: str, **settings: object) -> Any:
    """The open pyserial port at `path`, for this process alone; `SensorError` says why it cannot be."""
    try:
        return serial.Serial(path, timeout=0, write_timeout=2.0, exclusive=True, **settings)
    except (serial.SerialException, OSError, ValueError) as error:
        raise SensorError(f"{path}: {_advice(error)}") from None


def _advice(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == 2:
        return "no such port; is the sensor plugged in? (comfywear sensors list)"
    if number == 13:
        return "not allowed; add this user to the group dialout and log in again"
    if number in (11, 16):
        return "another program uses this port; stop it first"
    return f"cannot be opened as a serial port: {error}"


class SerialReader:
    """Lines from a serial port; damaged and strange lines are passed over and counted in `strange_lines`."""

    def __init__(
        self, port: Any, parser: LineParser, source: str, clock: Clock, *, send: bytes = b"", simulated: bool = False
    ) -> None:
        self.source = source
        self.polled = bool(send)
        self.strange_lines = 0
        self._port = port
        self._parse = parser
        self._clock = clock
        self._send = send
        self._simulated = simulated
        self._buffer = LineBuffer(skip_first=not send)

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:
        """The newest reading among the lines that have come; waits up to `timeout_s` for one."""
        deadline = self._clock.monotonic() + timeout_s
        last_strange = ""
        try:
            if self._send:
                self._port.reset_input_buffer()
                self._buffer = LineBuffer(skip_first=False)
                self._port.write(self._send)
            while True:
                reading = None
                for line in self._buffer.feed(self._receive(deadline)):
                    values = understood(line, self._parse)
                    if values:
                        now_s = self._clock.monotonic()
                        reading = reading_of(values, now_s, self.source, simulated=self._simulated)
                    else:
                        self.strange_lines += 1
                        last_strange = line
                if reading:
                    return reading
                if self._clock.monotonic() >= deadline:
                    break
        except (serial.SerialException, OSError, TypeError) as error:
            # TypeError: pyserial's answer when the port is closed under a read.
            raise SensorError(f"{self.source}: the port is gone ({error}); plug the sensor in again") from None
        seen = f"; the last line was {last_strange[:60]!r}" if last_strange else "; check baud rate and wiring"
        raise ReaderTimeout(f"{self.source}: no reading in {timeout_s:g} s{seen}")

    def _receive(self, deadline: float) -> bytes:
        """What has come, at least one byte unless the deadline passes first."""
        select.select([self._port.fileno()], [], [], max(0.0, deadline - self._clock.monotonic()))
        data: bytes = self._port.read(max(1, self._port.in_waiting))
        return data

    def close(self) -> None:
        """Close the port."""
        self._port.close()
