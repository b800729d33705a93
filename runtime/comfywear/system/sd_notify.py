"""What the service manager is told: that the device is ready, how it is, and that it is alive (sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

__all__ = ["ServiceManager"]

_log = logging.getLogger(__name__)


class ServiceManager:
    """systemd's notification socket; where nobody asked for it (`$NOTIFY_SOCKET` is not set), nothing is sent.

    Args:
        environ: The environment, of which `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are read.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._failed = False
        self.watchdog_s = _watchdog_s(environ) if address else None
        """The service is ended when it does not say `alive` for so long, seconds; None: nobody watches."""

    def extend(self, seconds: float) -> None:
        """A start or reload that is under way may take so long from now: a damaged store is being read, for example."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def ready(self, status: str) -> None:
        """The service runs, after a start or a reload."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The settings are being read again; `ready` follows."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send("STOPPING=1")

    def alive(self, status: str) -> None:
        """Feed the watchdog, and say in a line how the device is."""
        self._send("WATCHDOG=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """Say in a line how the device is, without feeding the watchdog."""
        self._send(f"STATUS={status}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        message = "\n".join(line.replace("\n", " ") for line in lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                door.connect(self._address)
                door.sendall(message.encode())
        except OSError as error:
            if not self._failed:
                _log.warning("the service manager cannot be told anything: %s", error)
            self._failed = True


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """What the manager asks for, if it asks this process."""
    asked, process = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (asked.isdecimal() and len(asked) <= 18) or int(asked) == 0 or (process and process != str(os.getpid())):
        return None
    return int(asked) / 1e6
