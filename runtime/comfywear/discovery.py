"""Tells Home Assistant what the device is: at each connection, when Home Assistant starts, and when names change."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from comfywear.errors import StoreError
from comfywear.kept import keep, kept
from comfywear.publishing import Aside, Publisher
from comfywear.publishing.connection import Incoming
from comfywear.publishing.homeassistant import config_topic, platforms, status_topic

_log = logging.getLogger(__name__)

FILE_NAME = "homeassistant.json"
# After Home Assistant has started, each device waits a moment of its own: hundreds speak at once otherwise.
WAIT_S = (1.0, 10.0)


class Told(msgspec.Struct, frozen=True):
    """What Home Assistant was told last: where, and the platforms of its components by key. Empty = nothing."""

    topic: str = ""
    components: dict[str, str] = {}


class Discovery:
    """Keeps Home Assistant's picture of the device; `tick` belongs to one thread.

    What was told is kept in the state folder, so that a zone that is gone from the settings, another prefix, or
    switching this off is told as well.

    Args:
        publisher: Carries the messages.
        folder: The state folder.
        enabled: False = tell nothing, and take back what was told.
        prefix: The first part of Home Assistant's topics.
        describe: The discovery message; takes the platforms, by key, of components that are gone.
        again: Sends every live state again.
        wait_s: Least and most of the random pause after Home Assistant's start.
    """

    def __init__(
        self,
        publisher: Publisher,
        folder: Path,
        *,
        enabled: bool,
        prefix: str,
        describe: Callable[[Mapping[str, str]], dict[str, Any]],
        again: Callable[[], None],
        wait_s: tuple[float, float] = WAIT_S,
    ) -> None:
        self._publisher = publisher
        self._path = folder / FILE_NAME
        self._describe = describe
        self._again = again
        self._wait_s = wait_s
        self._topic = config_topic(prefix, publisher.topics) if enabled else ""
        self._told = kept(self._path, Told())
        self._gone = self._missing()
        self._connections = 0
        self._changed = False
        self._started_at_s: float | None = None
        if enabled:
            publisher.listen(status_topic(prefix), self.take_status)

    def take_status(self, message: Incoming) -> None:
        """Home Assistant's own word; what is retained is old, and this connection has told everything."""
        if message.payload == b"online" and not message.retained:
            wait_s = random.uniform(*self._wait_s)  # noqa: S311 - jitter, not a secret
            self._started_at_s = time.monotonic() + wait_s

    def change(self) -> None:
        """What is shown has changed; from any thread."""
        self._changed = True

    def tick(self, now_s: float) -> None:
        """Tell what is to be told at `now_s` (monotonic)."""
        connections = self._publisher.health().connections
        if connections != self._connections:
            self._connections, self._changed = connections, False
            self._tell()
        elif self._changed and connections:
            self._changed = False
            self._tell()
        if self._started_at_s is not None and now_s >= self._started_at_s:
            self._started_at_s = None
            self._gone = self._missing()  # it has heard which components are gone: now they are left out
            self._tell()
            self._again()

    def _missing(self) -> dict[str, str]:
        """Components that were told and are no more, with their platforms."""
        if self._told.topic != self._topic:
            return {}
        now = platforms(self._describe({}))
        return {key: platform for key, platform in self._told.components.items() if key not in now}

    def _tell(self) -> None:
        earlier = self._told.topic
        if earlier and earlier != self._topic:
            self._publisher.say(Aside(earlier, b"", retain=True, on_taken=lambda: self._forgotten(earlier)))
        if not self._topic:
            return
        message = self._describe(self._gone)
        told = Told(self._topic, platforms(message))
        self._publisher.say(
            Aside(self._topic, msgspec.json.encode(message), retain=True, on_taken=lambda: self._remember(told))
        )

    def _forgotten(self, topic: str) -> None:
        if self._told.topic == topic:
            self._remember(Told())

    def _remember(self, told: Told) -> None:
        if told == self._told:
            return
        self._told = told
        try:
            keep(self._path, told)
        except StoreError as error:
            _log.error("%s; a component that is removed later will stay in Home Assistant", error)
