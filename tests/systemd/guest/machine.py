"""What every machine of a proof can do, virtual or in a container: run scripts as root, and be waited for."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BOOT_S = 600.0


class GuestError(AssertionError):
    """The guest did not do what it should."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command said (stdout and stderr together) and its exit status."""

    rc: int
    out: str


class Machine(ABC):
    """A bare Debian 12 that starts, runs, and is switched off.

    Attributes:
        broker_host: The address at which it finds this machine's loopback address.
        power_on_s: When it was switched on, on the monotonic clock.
    """

    broker_host = ""
    power_on_s = 0.0

    @abstractmethod
    def power_on(self) -> None:
        """Switch on; returns at once."""

    @abstractmethod
    def wait_boot(self, boots: int = 1, timeout_s: float = BOOT_S) -> float:
        """Wait until scripts can be run after so many starts since power on; returns seconds since then."""

    @abstractmethod
    def run(self, script: str, timeout_s: float = 120.0) -> Done:
        """Run a bash script as root in the guest."""

    @abstractmethod
    def reboot(self) -> float:
        """Restart in order; returns the seconds until scripts can be run again."""

    @abstractmethod
    def cut_power(self) -> None:
        """End everything in it at once, with nobody told."""

    @property
    @abstractmethod
    def off(self) -> bool:
        """Whether the power is off."""

    @abstractmethod
    def console(self) -> str:
        """What it said on its console."""

    @abstractmethod
    def power_off(self, timeout_s: float = 120.0) -> None:
        """Shut down in order; after `timeout_s` the power is cut."""

    @abstractmethod
    def close(self) -> None:
        """Leave no process and no file behind."""

    def check(self, script: str, timeout_s: float = 120.0) -> str:
        """What a script says that must succeed, stripped."""
        done = self.run(script, timeout_s)
        if done.rc != 0:
            raise GuestError(f"exit status {done.rc} of {script[:200]}: {done.out.strip()[-1500:]}")
        return done.out.strip()

    def wait(self, what: str, condition: Callable[[], Any], timeout_s: float = 120.0, step_s: float = 1.0) -> Any:
        """Ask until `condition()` is true; returns what it gave."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                raise GuestError(f"not within {timeout_s:.0f} s: {what}")
            time.sleep(step_s)
