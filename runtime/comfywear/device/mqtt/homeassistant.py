"""Tells Home Assistant what the device is: at each connection, when Home Assistant starts, and when names change."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import msgspec

from comfywear.errors import StoreError
from comfywear.publishing import Aside, Publisher
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.homeassistant.discovery import (
    Message,
    platforms,
    revived,
    status_topics,
    without,
)
from comfywear.system.json_file import load_json, save_json
from comfywear.texts import encode

__all__ = ["FILE_NAME", "Discovery", "Told"]

_log = logging.getLogger(__name__)

FILE_NAME = "homeassistant.json"
# After Home Assistant has started, each device waits a moment of its own: hundreds speak at once otherwise.
WAIT_S = (1.0, 10.0)
# Home Assistant has then removed what it was told to remove: the same entity elsewhere would else be refused.
PAUSE_S = 3.0
_AGAIN_AFTER_S = 1.0

Platforms = dict[str, str]


class Told(msgspec.Struct, frozen=True):
    """What Home Assistant was told last.

    Attributes:
        topic: Where, by versions that had one topic; "" = see `topics`.
        components: Platforms by key, likewise.
        topics: Platforms of the components by key, by topic.
        gone: The same of components that are no more, until Home Assistant was certainly there to hear it.
    """

    topic: str = ""
    components: Platforms = {}
    topics: dict[str, Platforms] = {}
    gone: dict[str, Platforms] = {}

    def all(self) -> dict[str, Platforms]:
        """What was told by topic, whichever version told it."""
        return {**({self.topic: self.components} if self.topic else {}), **self.topics}


class Discovery:
    """Keeps Home Assistant's picture of the device; `tick` belongs to one thread.

    What was told is kept in the state folder, so that a zone that is gone from the settings, another prefix, or
    switching this off is told as well. Who was not there to hear it is told at its next start.

    Args:
        publisher: Carries the messages.
        folder: The state folder.
        enabled: False = tell nothing, and take back what was told.
        prefix: The first part of Home Assistant's topics.
        describe: The discovery messages by topic; takes the keys of all components that were told.
        again: Sends every live state again.
        wait_s: Least and most of the random pause after Home Assistant's start.
        pause_s: Between taking something back and telling it elsewhere.
    """

    def __init__(
        self,
        publisher: Publisher,
        folder: Path,
        *,
        enabled: bool,
        prefix: str,
        describe: Callable[[Collection[str]], Mapping[str, Message]],
        again: Callable[[], None],
        wait_s: tuple[float, float] = WAIT_S,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._publisher = publisher
        self._path = folder / FILE_NAME
        self._enabled = enabled
        self._describe = describe
        self._again = again
        self._wait_s, self._pause_s = wait_s, pause_s
        told = load_json(self._path, Told())
        self._told = Told(topics=told.all(), gone=told.gone)
        self._connections = 0
        self._changed = False
        self._started_at_s: float | None = None
        self._later: list[tuple[float, Callable[[], None]]] = []
        if enabled:
            for topic in status_topics(prefix):
                publisher.listen(topic, self.take_status)

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
            self._later.clear()
            self._tell(now_s)
        elif self._changed and connections:
            self._changed = False
            self._tell(now_s)
            self._in(now_s, _AGAIN_AFTER_S, self._again)  # a described entity is unavailable until it hears its state
        if self._started_at_s is not None and now_s >= self._started_at_s:
            self._started_at_s = None
            self._bury(now_s)
        due = [act for at_s, act in self._later if at_s <= now_s]
        self._later = [each for each in self._later if each[0] > now_s]
        for act in due:
            act()

    def _in(self, now_s: float, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((now_s + seconds, act))

    def _messages(self) -> Mapping[str, Message]:
        if not self._enabled:
            return {}
        return self._describe([key for told in self._told.topics.values() for key in told])

    def _tell(self, now_s: float) -> None:
        """Tell what there is, and take back what is no more.

        What moved from one topic to another is first taken back there, and told anew a moment later.
        """
        messages, told = self._messages(), self._told.topics
        new = {topic: platforms(message) for topic, message in messages.items()}
        moved = [
            key
            for topic, keys in new.items()
            for key in keys
            if key not in told.get(topic, {}) and any(key in before for before in told.values())
        ]
        for topic in told:
            if topic not in messages:
                self._say(topic, None)
        if moved:
            for topic, message in messages.items():
                if topic in told:
                    self._say(topic, _only(message, told[topic]))
            self._in(now_s, self._pause_s, self._tell_all)
            self._in(now_s, self._pause_s + _AGAIN_AFTER_S, self._again)
        else:
            self._tell_all()

    def _tell_all(self) -> None:
        for topic, message in self._messages().items():
            self._say(topic, message)

    def _bury(self, now_s: float) -> None:
        """Home Assistant has started and listens: what is gone is named whole, so that it knows it, then removed."""
        messages, living = self._messages(), self._living()
        gone = {
            topic: {key: platform for key, platform in keys.items() if key not in living}
            for topic, keys in self._told.gone.items()
        }
        gone = {topic: keys for topic, keys in gone.items() if keys}
        for topic, keys in gone.items():
            said = revived(self._publisher.topics, messages.get(topic), keys)
            self._publisher.say(Aside(topic, encode(said, self._publisher.spool.language)))
        self._in(now_s, self._pause_s if gone else 0.0, self._buried)

    def _buried(self) -> None:
        messages = self._messages()
        for topic in self._told.gone:
            if topic not in messages:
                self._say(topic, None, heard=True)
        for topic, message in messages.items():
            self._say(topic, message, heard=True)
        self._again()

    def _living(self) -> set[str]:
        return {key for message in self._messages().values() for key in platforms(message)}

    def _say(self, topic: str, message: Message | None, *, heard: bool = False) -> None:
        """Describe what `topic` describes, or take it back; what is missing of what was told before is gone.

        It is named as gone each time until it is said while Home Assistant certainly listens (`heard`).
        """
        now = platforms(message) if message else {}
        before = {**self._told.gone.get(topic, {}), **self._told.topics.get(topic, {})}
        gone = {key: platform for key, platform in before.items() if key not in now}
        payload = encode(without(message, gone), self._publisher.spool.language) if message else b""
        self._publisher.say(Aside(topic, payload, retain=True, on_taken=partial(self._taken, topic, now, gone, heard)))

    def _taken(self, topic: str, now: Platforms, gone: Platforms, heard: bool) -> None:
        topics = {each: keys for each, keys in self._told.topics.items() if each != topic}
        earlier = {each: keys for each, keys in self._told.gone.items() if each != topic}
        self._remember(
            Told(
                topics={**topics, topic: now} if now else topics,
                gone={**earlier, topic: gone} if gone and not heard else earlier,
            )
        )

    def _remember(self, told: Told) -> None:
        if told == self._told:
            return
        self._told = told
        try:
            save_json(self._path, told)
        except StoreError as error:
            _log.error("%s; a component that is removed later will stay in Home Assistant", error)


def _only(message: Message, keys: Collection[str]) -> Message:
    return {**message, "components": {key: each for key, each in message["components"].items() if key in keys}}
