"""Settings that are being tried: whether the device came up with them, and what was there before where it did not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from comfywear import web
from comfywear.errors import StoreError
from comfywear.settings.on_disk import SettingsOnDisk
from comfywear.system.supervisor import WorkerHealth
from comfywear.texts import Text, together

__all__ = ["SettingsTrial"]

_log = logging.getLogger(__name__)

TRIAL_S = 10.0


class SettingsTrial:
    """Watches one device after another; from any thread.

    A device came up with its settings when for `trial_s` no worker failed that had not failed before.

    Args:
        disk: The settings.
        trial_s: How long a device is watched after a change.
        clock: Seconds that only grow.
    """

    def __init__(
        self, disk: SettingsOnDisk, *, trial_s: float = TRIAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.disk = disk
        self._trial_s = trial_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failing: frozenset[str] = frozenset()
        self._made: tuple[Path, ...] = ()
        self._until_s: float | None = None
        self.outcome = web.SettingsOutcome("none")

    @property
    def active(self) -> bool:
        """Whether settings are being tried."""
        return self.outcome.state == "tried"

    def recover(self) -> None:
        """Go back where the process ended during a trial.

        Raises:
            StoreError: What was there before could not be put back.
        """
        if self.disk.recover():
            self.outcome = web.SettingsOutcome("taken back", Text("the device ended while it tried them"))
            _log.error("the settings are as they were before: %s", self.outcome.why)

    def begin(self, fields: Sequence[str], made: Sequence[Path]) -> None:
        """Others have been written; the device is about to start anew.

        Args:
            fields: What changed.
            made: Files with secrets that go with them.
        """
        with self._lock:
            self._made, self._until_s = tuple(made), None
            self.outcome = web.SettingsOutcome("tried", "", tuple(fields))

    def restarted(self) -> None:
        """The device that runs from now on is the one with the new settings."""
        with self._lock:
            if self.active:
                self._until_s = self._clock() + self._trial_s

    def fault(self, health: Mapping[str, WorkerHealth]) -> str | None:
        """Why the new settings do not stay, once that is known; notes when they do."""
        with self._lock:
            if self._until_s is None:  # still the device before, or no trial
                self._failing = frozenset(name for name, each in health.items() if each.restarts)
                return None
            for name, each in health.items():
                if each.restarts and name not in self._failing:
                    return Text("{name} does not run with them: {why}", name=name, why=each.failure)
            if self._clock() >= self._until_s:
                self._until_s = None
                self.outcome = web.SettingsOutcome("kept", "", self.outcome.fields)
                self.disk.keep()
                _log.info("the device came up with the changed settings; they stay")
            return None

    def take_back(self, why: str) -> None:
        """Put back what was there before, if settings are being tried; what cannot be is said."""
        with self._lock:
            if not self.active:
                return
            self._until_s = None
            try:
                self.disk.go_back()
            except StoreError as error:
                why = together(why, str(error))
            for each in self._made:
                with suppress(OSError):
                    each.unlink()
            self.outcome = web.SettingsOutcome("taken back", why, self.outcome.fields)
        _log.error("the settings are as they were before: %s", why)
