"""What the device runs on, in words."""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path

from comfywear.system.files import matching

__all__ = ["board", "headroom_of", "hottest_c", "serial", "system"]

# Single boards say their name in the device tree, PCs in the firmware's tables.
_BOARD_NAMES = ("/proc/device-tree/model", "/sys/class/dmi/id/product_name")

_EASING_K = 10.0
# Thermal zones that say nothing about the processor: Jetson's PMIC-Die is always 100 °C, drives and radios run hot.
_ELSEWHERE = ("pmic", "nvme", "wifi", "battery", "charger")


def board(names: tuple[str, ...] = _BOARD_NAMES) -> str:
    """The board's name with its processor's kind, such as "Raspberry Pi 5 Model B Rev 1.0, aarch64"."""
    for name in names:
        with suppress(OSError):
            found = Path(name).read_text(encoding="utf-8", errors="replace").strip("\0 \n")
            if found and found.isprintable():
                return f"{found[:100]}, {platform.machine()}"
    return platform.machine()


def serial(path: str = "/proc/device-tree/serial-number") -> str | None:
    """The board's serial number, where its device tree says one (Raspberry Pi, Jetson)."""
    try:
        found = Path(path).read_text(encoding="ascii", errors="replace").strip("\0 \n")
    except OSError:
        return None
    return found[:64] if found and found.isprintable() else None


def system() -> str:
    """The operating system's name, such as "Debian GNU/Linux 12 (bookworm)"."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"][:100]
    except (OSError, KeyError):
        return platform.system()


def hottest_c(root: Path = Path("/sys")) -> float | None:
    """The temperature of the hottest thermal zone of the processor, °C; None where the kernel says none."""
    readings = [_degrees(zone) for zone in matching(root, "class/thermal/thermal_zone*")]
    return max((reading for reading in readings if reading is not None and -40.0 < reading < 150.0), default=None)


def headroom_of(temp_c: float | None, hot_c: float) -> float:
    """How much of the work a machine of `temp_c` may do, 0…1: all up to 10 K below `hot_c`, nothing from there on.

    In between it falls evenly, so that the machine settles at a temperature instead of swinging between two. Where the
    temperature is not known, or `hot_c` is 0, nothing is held back.
    """
    if temp_c is None or hot_c <= 0.0:
        return 1.0
    return min(max((hot_c - temp_c) / _EASING_K, 0.0), 1.0)


def _degrees(zone: Path) -> float | None:
    with suppress(OSError):
        kind = (zone / "type").read_text(encoding="utf-8", errors="replace").lower()
        if any(word in kind for word in _ELSEWHERE):
            return None
    try:
        return int((zone / "temp").read_text()) / 1000
    except (OSError, ValueError):
        return None
