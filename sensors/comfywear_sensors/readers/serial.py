"""`serial:///dev/serial/by-id/NAME?baud=9600&format=auto`: sensors that send lines of text.

Options: `baud` (9600), `format` (auto, labels, xy-md02, csv, json), `pattern` (a regular expression with named
groups, instead of a format), `columns` (of CSV: temperature,humidity), `unit` (C or F where the line does not say it),
`decimal` (auto, point, comma), `send` (a text that asks for a line, such as READ for an XY-MD02 in ASCII mode),
`simulated` (1 marks the readings of a device that only plays a recording).
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

import serial

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, NotAReading, ReaderTimeout, SensorError
from comfywear_sensors.lines import LINE_FORMATS, LineBuffer, LineParser, line_parser
from comfywear_sensors.measured import DECIMALS
from comfywear_sensors.quantities import Values, reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What opens the port; `BadSensorURI` when the URI cannot be meant."""
    if uri.host or not uri.path:
        raise BadSensorURI(
            Text("{source}: name the port with three slashes, such as serial:///dev/ttyUSB0", source=uri.source)
        )
    parser = line_parser(
        uri.choice("format", LINE_FORMATS, "auto"),
        unit=uri.choice("unit", ("C", "F"), "C"),
        columns=uri.names("columns"),
        pattern=uri.text("pattern"),
        decimal=uri.choice("decimal", DECIMALS, "auto"),
    )
    baud = uri.integer("baud", 9600, 50, 4_000_000)
    send = uri.text("send").encode()
    simulated = uri.flag("simulated")
    uri.finish()
    return lambda: SerialReader(
        open_port(uri.path, baudrate=baud), parser, uri.source, clock, send=send, simulated=simulated
    )


def open_port(path: str, **settings: object) -> Any:
    """The open pyserial port at `path`, for this process alone; `SensorError` says why it cannot be."""
    try:
        return serial.Serial(path, timeout=0, write_timeout=2.0, exclusive=True, **settings)
    except (serial.SerialException, OSError, ValueError) as error:
        raise SensorError(Text("{path}: {why}", path=path, why=_advice(error))) from None


def _advice(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == 2:
        return Text("no such port; is the sensor plugged in? (comfywear sensors list)")
    if number == 13:
        return Text("not allowed; add this user to the group dialout and log in again")
    if number in (11, 16):
        return Text("another program uses this port; stop it first")
    return Text("cannot be opened as a serial port: {why}", why=error)


# So long without a byte ends what a sketch prints in one round of its loop.
_QUIET_S = 0.3


class SerialReader(Reader):
    """Lines from a serial port; damaged and strange lines are passed over and counted in `strange_lines`.

    Lines that say different quantities complete each other: a reading is what comes until a quantity is said again, or
    until all that the reading before had is there, or until the port is quiet.
    """

    def __init__(
        self, port: Any, parser: LineParser, source: str, clock: Clock, *, send: bytes = b"", simulated: bool = False
    ) -> None:
        self.source = source
        self.polled = bool(send)
        self.strange_lines = 0
        self.on_raw: Callable[[str], None] | None = None
        self._port = port
        self._parse = parser
        self._clock = clock
        self._send = send
        self._simulated = simulated
        self._buffer = LineBuffer(skip_first=not send)
        self._pending: Values = {}
        self._pending_s = 0.0
        self._usual: set[str] = set()
        self._strange = ""

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:
        """The newest reading among the lines that have come; waits up to `timeout_s` for one."""
        deadline = self._clock.monotonic() + timeout_s
        self._strange = ""
        try:
            if self._send:
                self._port.reset_input_buffer()
                self._buffer = LineBuffer(skip_first=False)
                self._pending = {}
                self._port.write(self._send)
            while True:
                end_s = min(deadline, self._pending_s + _QUIET_S) if self._pending else deadline
                data = self._receive(end_s)
                ended = self._take(self._buffer.feed(data))
                whole = self._whole(ended, quiet=not data or self._clock.monotonic() >= deadline)
                if whole:
                    self._usual = set(whole)
                    return reading_of(whole, self._pending_s, self.source, simulated=self._simulated)
                if self._clock.monotonic() >= deadline:
                    break
        except (serial.SerialException, OSError, TypeError) as error:
            # TypeError: pyserial's answer when the port is closed under a read.
            raise SensorError(
                Text("{source}: the port is gone ({why}); plug the sensor in again", source=self.source, why=error)
            ) from None
        strange = Text("; the last line was not read: {why}", why=self._strange)
        seen = strange if self._strange else Text("; check baud rate and wiring")
        raise ReaderTimeout(
            Text("{source}: no reading in {timeout} s{seen}", source=self.source, timeout=f"{timeout_s:g}", seen=seen)
        )

    def _whole(self, ended: Values, *, quiet: bool) -> Values:
        """The newest reading that is complete; nothing while more may come."""
        self._usual = self._usual or set(ended)
        if not (self._pending and self._usual and self._usual <= self._pending.keys()) and (ended or not quiet):
            return ended
        whole, self._pending = self._pending, {}
        return whole

    def _take(self, lines: list[str]) -> Values:
        """Gather what the lines say; returns the newest reading that a repeated quantity has ended, if any."""
        ended: Values = {}
        for line in lines:
            if self.on_raw:
                self.on_raw(line)
            try:
                values = self._parse(line)
            except NotAReading as error:
                self.strange_lines += 1
                self._strange = str(error)
                continue
            if values.keys() & self._pending.keys():
                ended, self._pending = self._pending, {}
            self._pending |= values
            self._pending_s = self._clock.monotonic()
        return ended

    def _receive(self, deadline: float) -> bytes:
        """What has come; nothing where the deadline passes first."""
        select.select([self._port.fileno()], [], [], max(0.0, deadline - self._clock.monotonic()))
        data: bytes = self._port.read(max(1, self._port.in_waiting))
        return data

    def close(self) -> None:
        """Close the port."""
        self._port.close()
