"""The models that the vision worker runs: which file each is, and what becomes of one on trial."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

import msgspec

from comfywear.errors import ModelError, StoreError, UsageError
from comfywear.releases.store import MOST_STARTS, Releases
from comfywear.releases.trial import TrialWatch
from comfywear.settings import VisionSettings
from comfywear_models import Card

__all__ = ["InService", "Loaded"]

_log = logging.getLogger(__name__)


class Loaded(Protocol):
    """A loaded model."""

    @property
    def card(self) -> Card:
        """Its card."""

    @property
    def engine_s(self) -> float:
        """Seconds inside its engine."""

    @property
    def pictures(self) -> int:
        """Pictures in that time."""


class InService:
    """Chooses the files of the models of the settings and watches those on trial; for one thread.

    A store that cannot be written stops nothing: what must not be used any more is then kept in memory.

    Args:
        releases: What was taken over.
        names: The models of the settings (empty names are passed over).
        trial_s: How long a trial lasts.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        releases: Releases,
        names: Iterable[str],
        trial_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._releases, self._clock, self._trial_s = releases, clock, trial_s
        self._names = tuple(dict.fromkeys(name for name in names if name and "/" not in name))
        self._chosen: dict[str, str] = {}
        self._bad: dict[str, str] = {}
        self._watches: dict[str, TrialWatch] = {}

    def begin(self) -> None:
        """The models are about to be loaded: a trial that was begun too often without an orderly end is over."""
        self._watches.clear()
        self._chosen.clear()
        for name in self._names:
            while not self._chose(name):
                pass

    def _chose(self, name: str) -> bool:
        """Choose the release in service of a model; false when it was rolled back, so that there is another."""
        slots = self._releases.slots(name)
        if slots.current is None or slots.current.folder == self._bad.get(name):
            return True
        self._chosen[name] = slots.current.folder
        if wrong := self._releases.fault(name, slots.current):
            self._roll_back(name, wrong)
            return False
        if slots.trial and slots.trial.starts >= MOST_STARTS:
            ends = f"the device ended {slots.trial.starts} times with it without an orderly stop"
            self._roll_back(name, f"{ends} (a crash, a hang or a loss of power)")
            return False
        if slots.trial:
            self._watches[name] = TrialWatch(slots.trial.limit_ms, self._trial_s, self._clock())
            with _said():
                self._releases.count_start(name)
        return True

    def card_of(self, name: str) -> str:
        """What to load for a model of the settings: a card's path, or the name itself."""
        return self._releases.card_of(name, but=self._bad.get(name, ""))

    def vision_of(self, vision: VisionSettings) -> VisionSettings:
        """The settings with the cards of the releases in service in place of names."""
        names = {role: self.card_of(getattr(vision, role)) for role in ("detector", "garments", "attributes")}
        return msgspec.structs.replace(vision, **names)

    @contextmanager
    def loading(self, *names: str) -> Iterator[None]:
        """Around the loading of models: where it fails, each of them that is a release is rolled back."""
        try:
            yield
        except ModelError as error:
            for name in dict.fromkeys(names):
                self._roll_back(name, f"it cannot be loaded: {error}")
            raise

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Around looking at a frame: where it fails, each model on trial is rolled back."""
        try:
            yield
        except Exception as error:
            for name in list(self._watches):
                self._roll_back(name, f"an error at work: {type(error).__name__}: {error}")
            raise

    def look(self, models: Sequence[tuple[str, Loaded]]) -> bool:
        """Judge the models on trial; true when one was rolled back, so that the models are to be loaded again."""
        again = False
        for name, watch in list(self._watches.items()):
            own = [model for _, model in models if model.card.name == name]
            verdict = watch.add(sum(m.engine_s for m in own), sum(m.pictures for m in own), self._clock())
            if verdict is None:
                continue
            if not verdict.good:
                again = self._roll_back(name, verdict.said) or again
                continue
            del self._watches[name]
            _log.info("model %s is kept: %s", name, verdict.said)
            with _said():
                self._releases.end_trial(name, self._chosen[name], verdict.said)
        return again

    def end(self) -> None:
        """The end of looking in an orderly manner, of whatever kind: it does not count against a model on trial."""
        for name in self._watches:
            with _said():
                self._releases.end_orderly(name, self._chosen[name])

    def _roll_back(self, name: str, reason: str) -> bool:
        """Roll back the release that was chosen; false where none was, or it is in service no more."""
        self._watches.pop(name, None)
        chosen = self._chosen.pop(name, None)
        if chosen is None:
            return False
        self._bad[name] = chosen
        _log.warning("model %s %s is rolled back: %s", name, chosen, reason)
        with _said(), suppress(UsageError):
            self._releases.roll_back(name, reason, only=chosen)
        return True


@contextmanager
def _said() -> Iterator[None]:
    """A store that cannot be written is said in the log."""
    try:
        yield
    except StoreError as error:
        _log.error("%s", error)
