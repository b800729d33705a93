"""Runs the device, and starts it anew with changed settings: checked while the old ones still run, refused in words."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from comfywear import settings as settings_file
from comfywear.device.upkeep.maintenance import Maintenance
from comfywear.errors import ComfyWearError, UsageError
from comfywear.settings import Settings, state_folder
from comfywear.settings.views import cameras_of
from comfywear.system.sd_notify import ServiceManager
from comfywear.system.signal_event import SignalEvent
from comfywear.system.supervisor import WorkerHealth, summary
from comfywear.texts import Text

_log = logging.getLogger(__name__)


# How often the service manager hears of the device; at least three times within its watchdog's patience.
SAID_EVERY_S = 10.0
# And how often it is looked at while other settings are tried.
TRIED_EVERY_S = 0.5
# What a damaged store of a year may take to be brought over on a memory card. Engines do not count: they are tried, and
# compiled, while the device runs already.
START_MAY_TAKE_S = 600.0


class Running(Protocol):
    """A device that has begun."""

    def health(self) -> Mapping[str, WorkerHealth]:
        """How each worker is."""


class MakeDevice(Protocol):
    """Makes a device that begins when its context is entered."""

    def __call__(self, settings: Settings, *, reload: Callable[[], None]) -> AbstractContextManager[Running]:
        """The device; `reload` is what it calls to start anew, and raises a ComfyWearError to refuse."""


class ChangeTrial(Protocol):
    """Watches a device whose settings were changed."""

    @property
    def active(self) -> bool:
        """Whether settings are being tried."""

    def restarted(self) -> None:
        """The device with them runs from now on."""

    def fault(self, health: Mapping[str, WorkerHealth]) -> str | None:
        """Why they do not stay, once that is known."""

    def take_back(self, why: str) -> None:
        """Put back what the file held before, if settings are being tried."""


class Runner:
    """Runs one device after another until it is told to stop.

    Everything of a device depends on its settings (workers, camera, models, topics), so nothing is changed in place:
    the device stops in an orderly manner (what waits is sent, `offline` is said) and starts again, in seconds.

    The service manager's watchdog is fed only while no worker hangs: a thread that is stuck in a driver cannot be
    ended from inside, so that the process must be.

    Args:
        path: The settings file.
        settings: What it held.
        make: Makes the device.
        manager: Is told how the device is.
        trial: Watches it after a change from the page.
        maintenance: What is to be done while no device runs.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        make: MakeDevice,
        manager: ServiceManager | None = None,
        trial: ChangeTrial | None = None,
        maintenance: Maintenance | None = None,
    ) -> None:
        self._path = path
        self._make = make
        self._settings = self._before = settings
        self._trial = trial
        self._next: Settings | None = None
        self._stopping = self._asked = False
        self._wake = SignalEvent()
        self._manager = manager or ServiceManager({})
        self._maintenance = maintenance or Maintenance()
        self._maintenance.wake = self._wake.set
        self._hung: list[str] = []

    def stop(self) -> None:
        """End `run`; from any thread, or a signal's handler (which is why what wakes `run` is a `SignalEvent`)."""
        self._stopping = True
        self._wake.set()

    def reload(self) -> None:
        """Read the settings again and have the device start anew with them; returns at once, from any thread.

        Raises:
            UsageError: When they are wrong, or change what a running device cannot become; nothing then happens.
        """
        found = settings_file.load(self._path)
        check_change(self._settings, found)
        self._next = found
        self._wake.set()

    def reload_soon(self) -> None:
        """As `reload`, from a signal's handler: what is wrong is logged."""
        self._asked = True
        self._wake.set()

    def run(self) -> None:
        """Run the device until `stop`; errors of the first device are raised."""
        self._manager.extend(START_MAY_TAKE_S)
        device = self._make(self._settings, reload=self.reload)
        while True:
            with device as running:
                self._manager.ready(summary(running.health()))
                self._attend(running)
                if self._stopping:
                    self._manager.stopping()
                else:
                    self._manager.reloading()
                    self._manager.extend(START_MAY_TAKE_S)
            if self._stopping:
                return
            device = self._renewed()

    def _attend(self, device: Running) -> None:
        """Tell the service manager how the device is, until something is wanted."""
        every_s = min(SAID_EVERY_S, (self._manager.watchdog_s or math.inf) / 3)
        while not self._wanted(min(every_s, TRIED_EVERY_S) if self._trial and self._trial.active else every_s):
            health = device.health()
            if self._trial and (why := self._trial.fault(health)) is not None:
                self._trial.take_back(why)
                self._next = self._before
                return
            hung = [name for name, each in health.items() if each.state == "hung"]
            if hung and hung != self._hung:
                outcome = "the service manager will end the device" if self._manager.watchdog_s else "nobody watches"
                _log.error("no sign of life from %s: %s", ", ".join(hung), outcome)
            self._hung = hung
            (self._manager.status if hung else self._manager.alive)(summary(health))

    def _wanted(self, within_s: float) -> bool:
        """Whether an end or other settings are wanted, now or within so many seconds."""
        self._wake.wait(within_s)
        self._wake.clear()
        if self._asked:
            self._asked = False
            try:
                self.reload()
            except Exception as error:  # whatever is wrong with a file must not end the device that runs
                _log.error("the settings are not read again: %s", said_of(error))
        return self._stopping or self._next is not None or self._maintenance.wanted

    def _renewed(self) -> AbstractContextManager[Running]:
        """The device with the next settings, or with the earlier ones where those turn out not to work."""
        wanted, self._next = self._next or self._settings, None
        work = self._maintenance.begin()
        try:
            wanted = (work.do() if work else None) or wanted
            device = self._make(wanted, reload=self.reload)
        except Exception as error:  # the earlier settings worked
            _log.error("the new settings cannot be used, the earlier ones stay: %s", said_of(error))
            _log.debug("details", exc_info=True)
            if self._trial:
                self._trial.take_back(said_of(error))
            self._maintenance.end(said_of(error))
        else:
            self._maintenance.end()
            _log.info("started anew with the settings of %s", self._path)
            self._before, self._settings = self._settings, wanted
            if self._trial:
                self._trial.restarted()
            return device
        return self._make(self._settings, reload=self.reload)


def check_change(now: Settings, found: Settings) -> None:
    """That a running device can go on with the settings `found`.

    Raises:
        UsageError: When they make it another device, or name a camera that cannot be meant.
    """
    for what, old, new in (
        ("device.site", now.device.site, found.device.site),
        ("device.id", now.device.name(), found.device.name()),
        ("device.state_dir", state_folder(now), state_folder(found)),
    ):
        if old != new:
            raise UsageError(
                Text(
                    "{what} changes from {old} to {new}: that is another device; restart the service instead",
                    what=what,
                    old=old,
                    new=new,
                )
            )
    for camera in cameras_of(found).values():
        from comfywear.device.sight.vision_worker import shown_camera

        shown_camera(camera.source)


def said_of(error: Exception) -> str:
    """An error in words; one that is not of our own says its kind too."""
    return str(error) if isinstance(error, ComfyWearError) else f"{type(error).__name__}: {error}"
