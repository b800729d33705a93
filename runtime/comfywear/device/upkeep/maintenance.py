"""Work that needs the device stopped, such as a restore: asked for by the device, done by the runner between two."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from comfywear.errors import StoreError
from comfywear.settings import Settings
from comfywear.texts import Text

__all__ = ["Maintenance", "MaintenanceWork"]

_log = logging.getLogger(__name__)


class MaintenanceWork(Protocol):
    """One piece of work, done while no device runs."""

    def do(self) -> Settings | None:
        """Do it; returns what the device starts with, None for the settings that it had. Raises when it cannot be."""

    def ended(self, why: str | None) -> None:
        """The device with it was made; or could not be, or it could not be done: then all is put back."""


class Maintenance:
    """Holds one piece of work at a time; every method may be called from any thread.

    Attributes:
        wake: Is called when there is work; set by whoever does it.
    """

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._wanted: MaintenanceWork | None = None
        self._begun: MaintenanceWork | None = None

    @property
    def wanted(self) -> bool:
        """Whether work waits for the device to stop."""
        return self._wanted is not None

    @property
    def busy(self) -> bool:
        """Whether work waits or is being done."""
        return self._wanted is not None or self._begun is not None

    def ask(self, work: MaintenanceWork) -> None:
        """Have the device stop and `work` be done; returns at once.

        Raises:
            StoreError: Other work was asked for before.
        """
        with self._lock:
            if self.busy:
                raise StoreError(Text("the device is about to start anew; try again in a moment"))
            self._wanted = work
        self.wake()

    def begin(self) -> MaintenanceWork | None:
        """The work, which is now being done; None where there is none."""
        with self._lock:
            self._begun, self._wanted = self._wanted, None
            return self._begun

    def end(self, why: str | None = None) -> None:
        """The work is done, or `why` not; where nothing was being done nothing happens."""
        if self._begun is None:
            return
        try:
            self._begun.ended(why)
        except Exception as error:  # the device starts with what there is
            _log.error("maintenance: %s", error)
            _log.debug("details", exc_info=True)
        self._begun = None
