"""What the device runs on, in words."""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path

__all__ = ["board", "system"]

# Single boards say their name in the device tree, PCs in the firmware's tables.
_BOARD_NAMES = ("/proc/device-tree/model", "/sys/class/dmi/id/product_name")


def board(names: tuple[str, ...] = _BOARD_NAMES) -> str:
    """The board's name with its processor's kind, such as "Raspberry Pi 5 Model B Rev 1.0, aarch64"."""
    for name in names:
        with suppress(OSError):
            found = Path(name).read_text(encoding="utf-8", errors="replace").strip("\0 \n")
            if found and found.isprintable():
                return f"{found[:100]}, {platform.machine()}"
    return platform.machine()


def system() -> str:
    """The operating system's name, such as "Debian GNU/Linux 12 (bookworm)"."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"][:100]
    except (OSError, KeyError):
        return platform.system()
