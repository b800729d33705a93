"""Files of /sys in which the kernel's drivers show their measurements."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from comfywear_sensors.errors import BadSensorURI, NotAReading, ReaderTimeout, SensorError
from comfywear_sensors.measured import scan
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI, format_uri

# What a driver says when the chip did not answer this time; the next try may work (a DHT11 does it often).
_PASSING = {errno.EIO, errno.ETIMEDOUT, errno.EAGAIN, errno.EREMOTEIO, errno.ENXIO, errno.EBUSY, errno.EINVAL}


def read_text(path: Path) -> str:
    """The content of a small file; a named pipe or the like never blocks it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(descriptor, 4096).decode("utf-8", "replace")
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _PASSING:
            raise ReaderTimeout(
                Text("{path}: the driver could not read the chip ({why})", path=path, why=error.strerror)
            ) from None
        advice = {
            errno.ENOENT: Text("the sensor is gone or its driver not loaded"),
            errno.EACCES: Text("not allowed to read it"),
        }
        raise SensorError(Text("{path}: {why}", path=path, why=advice.get(error.errno or 0, error.strerror))) from None


def read_number(path: Path) -> float:
    """The one number in a file; `NotAReading` when it is none."""
    text = read_text(path)
    try:
        number = scan(text.strip(), decimal="point")
    except NotAReading:
        number = None
    if number is None or number.end < len(text.strip()) or number.unit:
        raise NotAReading(Text("{path}: {text} is not a number", path=path, text=repr(text[:40])))
    return number.value


def check_device(uri: SensorURI) -> None:
    """`BadSensorURI` when the URI's host cannot name a device."""
    wanted = uri.host
    if not wanted or uri.path not in ("", "/"):
        raise BadSensorURI(
            Text(
                "{source}: name one device, such as {scheme}://bme280 (comfywear sensors list)",
                source=uri.source,
                scheme=uri.scheme,
            )
        )
    if wanted in (".", "..") or "/" in wanted:
        raise BadSensorURI(Text("{source}: {wanted} is not a device", source=uri.source, wanted=repr(wanted)))


def find_device(uri: SensorURI, root: Path) -> Path:
    """The folder below `root` that the URI's host names: itself, or by the chip's name in its file `name`."""
    wanted = uri.host
    if not root.is_dir():
        raise SensorError(Text("{root}: no such folder; the kernel driver of the sensor is not loaded", root=root))
    folder = root / wanted
    if _is_folder(folder):
        return folder
    named = [folder for folder in sorted(root.iterdir()) if device_name(folder) == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        choices = ", ".join(format_uri(uri.scheme, host=folder.name) for folder in named)
        raise SensorError(
            Text(
                "{source}: {named} devices have this name; say which: {choices}",
                source=uri.source,
                named=len(named),
                choices=choices,
            )
        )
    present = ", ".join(device_name(folder) or folder.name for folder in sorted(root.iterdir())) or "none"
    raise SensorError(
        Text("{source}: no such device below {root} (there: {present})", source=uri.source, root=root, present=present)
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        return False


def device_name(folder: Path) -> str:
    """The content of the file `name`, or nothing."""
    try:
        return read_text(folder / "name").strip()
    except SensorError:
        return ""
