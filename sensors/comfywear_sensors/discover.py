"""What is plugged in: serial ports by id, IIO and hwmon devices, 1-Wire thermometers, I²C buses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comfywear_sensors.readers.iio import channels
from comfywear_sensors.sysfs import device_name
from comfywear_sensors.uri import format_uri

# Chips inside computers whose temperature is not the room's.
_INTERNAL = ("coretemp", "k10temp", "cpu", "soc", "acpitz", "nvme", "drivetemp", "amdgpu", "nouveau", "iwlwifi", "bat")


@dataclass(frozen=True, slots=True)
class Found:
    """A door that may lead to a sensor: its URI, and what to know about it."""

    uri: str
    note: str


def find_sensors(root: Path = Path("/")) -> Iterator[Found]:
    """Everything below `root` (`/dev` and `/sys` in it) that a reader could open; nothing is opened or written to."""
    yield from _serial_ports(root)
    yield from _iio(root / "sys/bus/iio/devices")
    yield from _hwmon(root / "sys/class/hwmon")
    for folder in _folders(root / "sys/bus/w1/devices", "[0-9]*-*"):
        if (folder / "w1_slave").exists():
            yield Found(format_uri("w1", host=folder.name), "1-Wire thermometer")
    for device in _folders(root / "dev", "i2c-*"):
        adapter = device_name(root / "sys/class/i2c-dev" / device.name)
        note = f"I²C bus {adapter}".strip()
        yield Found(f"i2c://{device.name[4:]}/sht4x", f"{note}; name your chip: sht3x, sht4x, aht20 or bme280")


def _serial_ports(root: Path) -> Iterator[Found]:
    named = _folders(root / "dev/serial/by-id", "*")
    for link in named:
        yield Found(
            format_uri("serial", path=_absolute(link, root)),
            "serial port; for Modbus write modbus:// and ?preset=xy-md02",
        )
    targets = {link.resolve() for link in named}
    for pattern in ("ttyUSB*", "ttyACM*", "ttyAMA*", "serial[0-9]"):
        for port in _folders(root / "dev", pattern):
            if port.resolve() not in targets:
                targets.add(port.resolve())
                yield Found(format_uri("serial", path=_absolute(port, root)), "serial port without a name that stays")


def _iio(folder: Path) -> Iterator[Found]:
    devices = _folders(folder, "iio:device*")
    names = [device_name(device) for device in devices]
    for device, name in zip(devices, names, strict=True):
        found = channels(device)
        if found:
            humid = any(channel.startswith("in_humidity") for channel in found)
            note = f"{name or 'IIO device'}, " + ("temperature and humidity" if humid else "temperature only")
            yield Found(format_uri("iio", host=_sure_name(name, names, device)), note)


def _sure_name(name: str, names: list[str], device: Path) -> str:
    """The chip's name where it is the only one of this name and can stand in a URI, else the folder's."""
    return name if name and names.count(name) == 1 and name not in (".", "..") and "/" not in name else device.name


def _hwmon(folder: Path) -> Iterator[Found]:
    devices = _folders(folder, "hwmon*")
    names = [device_name(device) for device in devices]
    for device, name in zip(devices, names, strict=True):
        uri = format_uri("hwmon", host=_sure_name(name, names, device))
        if (device / "humidity1_input").exists():
            yield Found(uri, f"{name}, temperature and humidity")
        elif (device / "temp1_input").exists() and not name.startswith(_INTERNAL):
            yield Found(uri, f"{name}, temperature only; perhaps a chip's own and not the room's")


def _folders(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _absolute(path: Path, root: Path) -> str:
    return f"/{path.relative_to(root)}"
