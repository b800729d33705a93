"""A store that may be away: work is tried, and tried again later, with a word when it goes and when it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from comfywear.collect.store import Store, StoreAwayError
from comfywear.errors import StoreError
from comfywear_sensors.backoff import BackOff

_log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


class PatientStore:
    """Opens a store when it is first needed, and waits while it is away.

    Args:
        open_store: Opens it.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._not_before_s = 0.0
        self._back_off = BackOff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        self._away_since_s: float | None = None

    @property
    def place(self) -> str:
        """What the store is called; empty until it was opened."""
        return self._store.place if self._store is not None else ""

    @property
    def away(self) -> bool:
        """True while it cannot be used."""
        return self._away_since_s is not None

    def attempt(self, work: Callable[[Store], T]) -> T | None:
        """What `work` returns, or None while the store is away; then nothing of the work is done.

        Raises:
            UsageError: When what it is opened with cannot be read.
            StoreError: When it refuses at the first opening: a wrong password or table, not a server that is away.
        """
        if time.monotonic() < self._not_before_s:
            return None
        try:
            if self._store is None:
                self._store = self._open_store()
            result = work(self._store)
        except StoreError as error:
            if self._store is None and not isinstance(error, StoreAwayError):
                raise
            self._wait(error)
            return None
        if self._away_since_s is not None:
            _log.info("the database is back after %.0f s", time.monotonic() - self._away_since_s)
        self._away_since_s, self._not_before_s = None, 0.0
        self._back_off.settle()
        return result

    def close(self) -> None:
        """Let go of it."""
        if self._store is not None:
            self._store.close()

    def _wait(self, error: StoreError) -> None:
        now_s = time.monotonic()
        if self._away_since_s is None:
            self._away_since_s = now_s
            _log.warning("%s; messages wait at the broker, trying again", error)
        else:
            _log.info("still: %s", error)
        self._not_before_s = now_s + self._back_off.fail()
