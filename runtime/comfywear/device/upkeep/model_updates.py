"""Models over the air for a running device: pulls what a command asks for, and says which release is in service."""

from __future__ import annotations

import logging
import math
import queue
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from comfywear.errors import ComfyWearError, ModelError, UsageError
from comfywear.publishing import ModelUpdate, ReleaseInfo
from comfywear.releases import releases_of
from comfywear.releases.offers import due, is_repository
from comfywear.releases.rules import check_url, rules_of
from comfywear.settings import Settings
from comfywear.system.supervisor import Pulse, Supervisor
from comfywear.texts import Text
from comfywear_models.rollouts import place_of

if TYPE_CHECKING:
    from comfywear.device.sight.vision_worker import VisionWorker

__all__ = ["Done", "ModelUpdates", "Result"]

_log = logging.getLogger(__name__)

Result = dict[str, str | float | None]
Done = Callable[[str | None, Result], None]
"""Hears how a pull ended: why not (None = it is in service), and what came of it."""

# Whatever a server does, and be it to drip for ever: the worker is not taken for hung, which would end the device.
_HANG_AFTER_S = math.inf
_LOOK_EVERY_S = 2.0


class ModelUpdates:
    """Takes orders for models and carries them out one after another, in its worker.

    Args:
        settings: Of the device.
        vision: Loads the models; None on a device without a camera.
    """

    def __init__(self, settings: Settings, vision: VisionWorker | None) -> None:
        self._settings, self._vision = settings, vision
        self._releases = releases_of(settings)
        self._orders: queue.Queue[tuple[str, Done]] = queue.Queue(1)
        self._busy = False
        self._check_at_s = time.monotonic() + self._first_check_s()
        self._given_up: set[tuple[str, str]] = set()
        self._coming: tuple[str, str, float] | None = None
        self._seen: tuple[float, tuple[ReleaseInfo, ...]] = (float("-inf"), ())

    def add_worker(self, supervisor: Supervisor) -> None:
        """Have the supervisor run it, where the settings allow that models are pulled by MQTT, or name a repository."""
        if self._allowed:
            supervisor.add("models", self.work, hang_after_s=_HANG_AFTER_S)

    @property
    def _allowed(self) -> bool:
        updates = self._settings.updates
        return bool((updates.keys or updates.root) and (updates.sources or updates.repository))

    def pull(self, url: str, done: Done) -> None:
        """Have a release, or what is new in a repository, pulled; returns at once, `done` is called from the worker.

        Raises:
            UsageError: Models are not pulled by MQTT, not from there, or another is being pulled.
        """
        if not self._allowed:
            raise UsageError(Text("models are not pulled by MQTT here: updates.keys and updates.sources name nothing"))
        url = url or self._settings.updates.repository
        if not url:
            raise UsageError(Text("say which: url; the settings name no updates.repository"))
        check_url(url, rules_of(self._settings, from_afar=True))
        if self._busy:
            raise UsageError(Text("another release is being pulled; wait for its end"))
        try:
            self._orders.put_nowait((url, done))
        except queue.Full:
            raise UsageError(Text("another release is being pulled; wait for its end")) from None

    def roll_back(self, name: str | None, reason: str) -> Result:
        """Put the release before, or the shipped model, into service; errors as `Releases.roll_back`."""
        there = [each for each in self._releases.names() if self._releases.slots(each).current]
        if name is None and len(there) != 1:
            several = Text("say which model: {models}", models=", ".join(there))
            raise UsageError(several if there else Text("no release is in service"))
        chosen = name if name is not None else there[0]
        if chosen not in there:
            raise UsageError(Text("{chosen}: no release of it is in service", chosen=chosen[:64]))
        from_version = self._releases.slots(chosen).version
        version = self._releases.roll_back(chosen, reason)
        said = Text(
            "{model} {before} is rolled back to {version}, {why}",
            model=chosen, before=from_version, version=version, why=reason,
        )  # fmt: skip
        self.renew(said)
        return {"model": chosen, "version": version, "from": from_version}

    def renew(self, reason: str) -> None:
        """Have the models loaded that are in service now."""
        self._seen = (float("-inf"), ())
        if self._vision is not None:
            self._vision.reopen(reason)

    def work(self, pulse: Pulse) -> None:
        """The worker."""
        while pulse.wait(0.0):
            try:
                url, done = self._orders.get(timeout=0.5)
            except queue.Empty:
                self._check(pulse)
                continue
            self._busy = True
            error, result = self._carry_out(url, pulse)
            self._busy, self._coming = False, None  # before the answer: who hears it may ask for the next
            done(error, result)

    def state(self) -> tuple[ReleaseInfo, ...]:
        """Which releases are in service, looked up every few seconds at most."""
        seen_s, found = self._seen
        if time.monotonic() - seen_s > _LOOK_EVERY_S:
            found = tuple(self._info(name) for name in self._releases.names())
            self._seen = (time.monotonic(), found)
        return found

    def updates(self) -> tuple[ModelUpdate, ...]:
        """The models that work, with what comes for one of them now."""
        working = {model.card.name: model.card.version for _, model in self._vision.models} if self._vision else {}
        return tuple(self._update(name, str(version)) for name, version in working.items())

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The control socket's verb "models": what a picture costs; with `renew`, load the models again."""
        if request.get("renew"):
            self.renew(Text("other releases are in service"))
        return {"picture_ms": self._vision.picture_ms() if self._vision else {}}

    def _carry_out(self, url: str, pulse: Pulse) -> tuple[str | None, Result]:
        """Why a release was not taken over, or what came of it."""
        try:
            return None, self._pull(url, pulse)
        except ComfyWearError as error:
            _log.warning("%s is not taken over: %s", url, error)
            return str(error), {}
        except Exception as error:  # a bug must not take the worker down without a word
            _log.exception("%s is not taken over", url)
            return Text("the device failed at it: {why}", why=f"{type(error).__name__}: {error}"), {}

    def _check(self, pulse: Pulse) -> None:
        """Ask the repository of the settings, when it is time, and take what is this device's turn to take."""
        updates = self._settings.updates
        if not updates.repository or not updates.check_s or time.monotonic() < self._check_at_s:
            return
        self._check_at_s = time.monotonic() + updates.check_s
        self._busy = True
        try:
            found = due(self._releases, updates.repository, self._settings, from_afar=True, alive=self._alive(pulse))
        except UsageError as error:
            _log.info("%s", error)
        except ComfyWearError as error:
            _log.warning("%s", error)
        else:
            for name, version in found.items():
                if not self._was_bad(name, version):
                    self._take(name, version, pulse)
        finally:
            self._busy, self._coming = False, None

    def _was_bad(self, name: str, version: str) -> bool:
        """Whether a release was rolled back or refused here: it is not taken again unless somebody asks for it."""
        back = any(
            entry.what == "rolled back" and entry.version == version for entry in self._releases.slots(name).history
        )
        return back or (name, version) in self._given_up

    def _take(self, name: str, version: str, pulse: Pulse) -> None:
        from comfywear.releases.pulling import CutShortError

        try:
            self._pull_one(self._settings.updates.repository, name, version, pulse)
        except CutShortError as error:
            _log.warning("%s", error)
        except ModelError as error:
            self._given_up.add((name, version))
            _log.warning("%s", error)
        except ComfyWearError as error:
            _log.warning("%s", error)

    def _pull(self, url: str, pulse: Pulse) -> Result:
        if not is_repository(url):
            return self._pull_one(url, "", "", pulse)
        wanted = due(self._releases, url, self._settings, from_afar=True, alive=self._alive(pulse))
        results = [self._pull_one(url, name, version, pulse) for name, version in wanted.items()]
        return {
            **results[-1],
            **{key: ", ".join(str(each[key]) for each in results) for key in ("model", "version", "from")},
        }

    def _pull_one(self, url: str, name: str, version: str, pulse: Pulse) -> Result:
        from comfywear.releases.pulling import pull

        work_ms = self._vision.picture_ms() if self._vision else {}
        pulled = pull(
            self._releases,
            url,
            self._settings,
            model=name,
            version=version,
            from_afar=True,
            say=lambda what: _log.info("pulling %s: %s", url, what),
            alive=self._alive(pulse),
            progress=self._progress,
            work_ms=work_ms.get,
        )
        self.renew(Text("{model} {version} is in service", model=pulled.name, version=pulled.version))
        return {
            "model": pulled.name,
            "version": pulled.version,
            "from": pulled.before,
            "state": "on trial",
            "picture_ms": round(pulled.gate.cost_ms, 3),
        }

    @staticmethod
    def _alive(pulse: Pulse) -> Callable[[], None]:
        def alive() -> None:
            pulse.beat()
            if pulse.stopping:
                raise ComfyWearError(Text("the device stops; pull again"))

        return alive

    def _first_check_s(self) -> float:
        """Not all devices ask at the same moment, also after a loss of power in a whole building."""
        return self._settings.updates.check_s * place_of("", "", self._settings.device.name())

    def _progress(self, name: str, version: str, share: float) -> None:
        self._coming = name, version, share

    def _update(self, name: str, installed: str) -> ModelUpdate:
        coming = self._coming
        if coming is None or coming[0] != name:
            return ModelUpdate(name=name, installed=installed, available=installed)
        _, version, share = coming
        phase: Literal["fetching", "trying"] = "trying" if share >= 1.0 else "fetching"
        return ModelUpdate(name=name, installed=installed, available=version, phase=phase, percent=int(100 * share))

    def _info(self, name: str) -> ReleaseInfo:
        slots = self._releases.slots(name)
        last = slots.history[-1] if slots.history else None
        return ReleaseInfo(
            name=name,
            version=slots.version,
            before=slots.before,
            on_trial=slots.trial is not None,
            last=last.what if last else None,
            last_version=last.version if last else None,
            reason=(last.reason or None) if last else None,
        )
