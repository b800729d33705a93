"""An I²C bus with chips that speak their command bytes and checksums; stands in for the module smbus2."""

from __future__ import annotations

import errno
from typing import Protocol

from comfywear_sensors.crc import crc8_sensirion


class FakeChip(Protocol):
    def write(self, data: bytes) -> None: ...

    def read(self, count: int) -> bytes: ...


class Message:
    """As smbus2's i2c_msg: made by `read` and `write`, its bytes taken with bytes()."""

    def __init__(self, address: int, data: bytes, reading: int) -> None:
        self.address, self.data, self.reading = address, data, reading

    @classmethod
    def read(cls, address: int, length: int) -> Message:
        return cls(address, b"", length)

    @classmethod
    def write(cls, address: int, buf: bytes) -> Message:
        return cls(address, bytes(buf), 0)

    def __bytes__(self) -> bytes:
        return self.data


class FakeSmbus2:
    """The parts of smbus2 that the reader uses; `chips` by (bus, address)."""

    i2c_msg = Message

    def __init__(self, chips: dict[tuple[int, int], FakeChip], *, smbus_alone: bool = False) -> None:
        self.chips = chips
        self.smbus_alone = smbus_alone
        self.closed = 0

    def SMBus(self, bus: int) -> _Bus:  # noqa: N802 - smbus2's name
        if not any(number == bus for number, _ in self.chips):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return _Bus(self, bus)


class _Bus:
    def __init__(self, module: FakeSmbus2, bus: int) -> None:
        self._module, self._number = module, bus

    def i2c_rdwr(self, *messages: Message) -> None:
        if self._module.smbus_alone:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        for message in messages:
            chip = self._module.chips.get((self._number, message.address))
            if chip is None:
                raise OSError(errno.EREMOTEIO, "Remote I/O error")  # nobody acknowledges
            if message.reading:
                message.data = chip.read(message.reading)
            else:
                chip.write(message.data)

    def write_i2c_block_data(self, address: int, register: int, data: list[int]) -> None:
        self._module.chips[self._number, address].write(bytes([register, *data]))

    def read_i2c_block_data(self, address: int, register: int, length: int) -> list[int]:
        chip = self._module.chips[self._number, address]
        chip.write(bytes([register]))
        return list(chip.read(length))

    def close(self) -> None:
        self._module.closed += 1


def words(*values: int) -> bytes:
    """16-bit words, each with its CRC."""
    data = [value.to_bytes(2, "big") for value in values]
    return b"".join(word + bytes([crc8_sensirion(word)]) for word in data)


class Sensirion:
    """Answers one command with words and their CRCs."""

    def __init__(self, command: bytes, answer: bytes) -> None:
        self.command, self.answer, self.asked = command, answer, False

    def write(self, data: bytes) -> None:
        if data != self.command:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        self.asked = True

    def read(self, count: int) -> bytes:
        if not self.asked:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        self.asked = False
        return self.answer[:count].ljust(count, b"\xff")


class Aosong:
    """An AHT20: status, calibration on demand, measurement."""

    def __init__(self, humidity: int, temperature: int) -> None:
        self.calibrated, self.busy, self.commands = False, False, []
        self.humidity, self.temperature = humidity, temperature

    def write(self, data: bytes) -> None:
        self.commands.append(data)
        if data == b"\xbe\x08\x00":
            self.calibrated = True

    def read(self, count: int) -> bytes:
        status = 0x18 if self.calibrated else 0x10
        if self.commands[-1] == b"\x71":
            return bytes([status])[:count]
        status |= 0x80 if self.busy else 0
        data = bytes([status]) + (self.humidity << 20 | self.temperature).to_bytes(5, "big")
        return data + bytes([crc8_sensirion(data)])


class Bosch:
    """A BME280: registers, and a measurement that a forced mode starts."""

    def __init__(self, registers: dict[int, bytes], measured: bytes) -> None:
        self.memory = bytearray(256)
        for first, data in registers.items():
            self.memory[first : first + len(data)] = data
        self.memory[0xF7:0xFF] = bytes.fromhex("80 00 00 80 00 00 80 00")  # the reset state of the data registers
        self.measured, self.pointer = measured, 0

    def write(self, data: bytes) -> None:
        self.pointer = data[0]
        if len(data) == 2:
            self.memory[data[0]] = data[1]
            if data[0] == 0xF4 and data[1] & 3 == 1 and self.memory[0xF2] & 7:
                self.memory[0xF7:0xFF] = self.measured

    def read(self, count: int) -> bytes:
        return bytes(self.memory[self.pointer : self.pointer + count])
