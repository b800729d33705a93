"""`modbus:///dev/ttyUSB0?preset=xy-md02&device=1` (RTU) and `modbus://192.0.2.7:502?…` (TCP).

Options: `device` (1), `preset` (xy-md02, kincony-sht30) or the places of quantities, such as
`temperature=input:1:int16:0.1&humidity=input:2:uint16:0.1`, `order` (ABCD), `unit` (C or F); on a serial line `baud`
(9600), `parity` (N), `stop` (1); over TCP `framing` (tcp, or rtu for a transparent gateway).

Several devices on one serial line are several URIs: they share the port and wait for each other.
"""

from __future__ import annotations

import logging
import select
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, MissingPackage, NotAReading, ReaderTimeout, SensorError
from comfywear_sensors.quantities import QUANTITY_OPTIONS, in_celsius, reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registers import ORDERS, PRESETS, Register, parse_register, requests
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI

try:
    import serial
    from pymodbus import FramerType, ModbusException
    from pymodbus.client import ModbusSerialClient, ModbusTcpClient
    from pymodbus.exceptions import ConnectionException
except ImportError:
    raise MissingPackage(Text("modbus:// needs the package pymodbus: pip install 'comfywear[modbus]'")) from None

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it logs every lost answer; our errors say it once
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

# Modbus application protocol 1.1b3, section 7.
_EXCEPTIONS = {
    1: Text("illegal function: it does not know this kind of register"),
    2: Text("illegal data address: it has no such register"),
    3: Text("illegal data value"),
    4: Text("device failure"),
    6: Text("device busy"),
    10: Text("gateway path unavailable"),
    11: Text("the gateway's target does not answer"),
}


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What opens the line; `BadSensorURI` when the URI cannot be meant."""
    device = uri.integer("device", 1, 0, 247)
    order = uri.choice("order", ORDERS, "ABCD")
    unit = uri.choice("unit", ("C", "F"), "C")
    places = dict(PRESETS[uri.choice("preset", tuple(PRESETS), "xy-md02")]) if uri.text("preset") else {}
    places |= {name: text for name in QUANTITY_OPTIONS if (text := uri.text(name))}
    if not places:
        raise BadSensorURI(
            Text(
                "{source}: say where the values are: preset=xy-md02, preset=kincony-sht30, or registers such "
                "as temperature=input:1:int16:0.1",
                source=uri.source,
            )
        )
    registers = {QUANTITY_OPTIONS[name]: parse_register(text, order) for name, text in places.items()}
    if uri.host:
        framer = {"tcp": FramerType.SOCKET, "rtu": FramerType.RTU}[uri.choice("framing", ("tcp", "rtu"), "tcp")]
        host, port = uri.host_port(502)
        key, settings = f"{host}:{port}", (framer,)
        uri.finish()
        shared: Callable[[], _Line] = partial(
            _Line.shared, key, settings, lambda: ModbusTcpClient(host, port=port, framer=framer, retries=0)
        )
    else:
        shared = _serial_line(uri)
    return lambda: ModbusReader(shared(), device, registers, unit, uri.source, clock)


def _serial_line(uri: SensorURI) -> Callable[[], _Line]:
    if not uri.path.strip("/"):
        raise BadSensorURI(
            Text(
                "{source}: name the port or the gateway: modbus:///dev/ttyUSB0, modbus://192.0.2.7:502",
                source=uri.source,
            )
        )
    baud = uri.integer("baud", 9600, 300, 4_000_000)
    parity = uri.choice("parity", ("N", "E", "O"), "N")
    stop = uri.integer("stop", 1, 1, 2)
    uri.finish()
    settings = (baud, parity, stop)
    return partial(
        _Line.shared,
        uri.path,
        settings,
        lambda: _PromptSerialClient(uri.path, baudrate=baud, parity=parity, stopbits=stop, retries=0),
    )


class _PromptSerialClient(ModbusSerialClient):
    """Waits for an answer with `select`: pymodbus's own wait polls, and measures time on a clock that may be set."""

    def recv(self, size: int | None) -> bytes:
        """What has come, at once or before the timeout; nothing after it."""
        if self.socket is None:
            raise ConnectionException(Text("the port is closed"))
        try:
            select.select([self.socket.fileno()], [], [], self.comm_params.timeout_connect)
            data: bytes = self.socket.read(min(size or 256, self.socket.in_waiting))
        except (OSError, TypeError, ValueError, serial.SerialException):
            self.socket.close()
            self.socket = None
            raise ConnectionException(Text("the port is gone")) from None
        return data


class _Line:
    """One serial port or TCP connection, shared by the readers of its devices."""

    _open: dict[str, _Line] = {}  # noqa: RUF012 - one table a process, guarded by the lock
    _table_lock = threading.Lock()

    def __init__(self, key: str, settings: object, client: Any) -> None:
        self._key = key
        self._settings = settings
        self._users = 0
        self.client = client
        self.lock = threading.Lock()

    @classmethod
    def shared(cls, key: str, settings: object, make: Any) -> _Line:
        with cls._table_lock:
            line = cls._open.get(key)
            if line is None:
                line = cls(key, settings, make())
                line._connect()
                cls._open[key] = line
            elif line._settings != settings:
                raise BadSensorURI(
                    Text("modbus: {key} is already open with other settings; one line has one speed", key=key)
                )
            line._users += 1
            return line

    def _connect(self) -> None:
        self.client.comm_params.timeout_connect = DEFAULT_TIMEOUT_S
        if not self.client.connect():
            raise SensorError(
                Text("modbus: {key} cannot be opened; is it there, allowed, and used by nobody else?", key=self._key)
            )

    def release(self) -> None:
        with self._table_lock:
            self._users -= 1
            if self._users == 0:
                self.client.close()
                self._open.pop(self._key, None)


class ModbusReader(Reader):
    """Registers of one Modbus device, asked for at each `read`."""

    polled = True

    def __init__(
        self, line: _Line, device: int, registers: Mapping[str, Register], unit: str, source: str, clock: Clock
    ) -> None:
        self.source = source
        self._line: _Line | None = line
        self._device = device
        self._registers = registers
        self._requests = requests(list(registers.values()))
        self._unit = unit
        self._clock = clock

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:
        """Ask for all registers once."""
        if self._line is None:
            raise SensorError(Text("{source}: closed", source=self.source))
        deadline = self._clock.monotonic() + timeout_s
        if not self._line.lock.acquire(timeout=timeout_s):
            raise ReaderTimeout(
                Text(
                    "{source}: the line was busy with other devices for {timeout} s",
                    source=self.source,
                    timeout=f"{timeout_s:g}",
                )
            )
        try:
            words: dict[tuple[str, int], int] = {}
            for table, first, count in self._requests:
                remaining_s = deadline - self._clock.monotonic()
                answer = self._ask(self._line.client, table, first, count, remaining_s)
                words.update({(table, first + index): word for index, word in enumerate(answer)})
        finally:
            self._line.lock.release()
        values = {name: self._decode(register, words) for name, register in self._registers.items()}
        return reading_of(in_celsius(values, self._unit), self._clock.monotonic(), self.source)

    def _decode(self, register: Register, words: Mapping[tuple[str, int], int]) -> float:
        addresses = range(register.address, register.address + register.count)
        return register.decode([words[register.table, address] for address in addresses])

    def _ask(self, client: Any, table: str, first: int, count: int, remaining_s: float) -> list[int]:
        if remaining_s <= 0.0:
            raise ReaderTimeout(Text("{source}: no time was left for the next register", source=self.source))
        # Half: pymodbus may wait once for the first bytes and once more for the rest.
        client.comm_params.timeout_connect = remaining_s / 2.0
        ask = client.read_input_registers if table == "input" else client.read_holding_registers
        try:
            try:
                answer = ask(first, count=count, device_id=self._device)
            except (ConnectionException, OSError):
                # A gateway may hang up after each answer, or when nobody has asked for a while: ask once more.
                if not isinstance(client, ModbusTcpClient) or not self._line_again(client, remaining_s):
                    raise
                answer = ask(first, count=count, device_id=self._device)
        except ConnectionException:
            raise SensorError(
                Text("{source}: the line is gone; plug it in again or check the address", source=self.source)
            ) from None
        except (OSError, serial.SerialException) as error:
            client.close()
            raise SensorError(Text("{source}: the line failed: {why}", source=self.source, why=error)) from None
        except ModbusException:
            raise ReaderTimeout(
                Text(
                    "{source}: device {device} does not answer (or its answer was damaged); check its address, "
                    "baud rate, wiring and A/B polarity",
                    source=self.source,
                    device=self._device,
                )
            ) from None
        if answer.isError():
            code = int(answer.exception_code)
            raise NotAReading(
                Text(
                    "{source}: device {device} refuses {table} register {first} ({why}); check the register map",
                    source=self.source,
                    device=self._device,
                    table=table,
                    first=first,
                    why=_EXCEPTIONS.get(code) or Text("exception {code}", code=code),
                )
            )
        if len(answer.registers) != count:
            raise NotAReading(
                Text(
                    "{source}: {registers} registers came, not {count}",
                    source=self.source,
                    registers=len(answer.registers),
                    count=count,
                )
            )
        return [int(word) for word in answer.registers]

    @staticmethod
    def _line_again(client: Any, remaining_s: float) -> bool:
        client.close()
        client.comm_params.timeout_connect = remaining_s / 2.0
        return bool(client.connect())

    def close(self) -> None:
        """Let go of the line; it closes when no other device uses it."""
        line, self._line = self._line, None
        if line is not None:
            line.release()
