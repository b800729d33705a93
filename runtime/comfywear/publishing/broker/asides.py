"""What is said outside the sequence: replies to commands, discovery, gaps. In memory; sent while a connection stands.

A consumer that counts sequence numbers must not see a gap for each reply that went to somebody else, so these carry
none, and what nobody was connected to hear is worthless later.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from comfywear.publishing.broker.connection import Connection

_log = logging.getLogger(__name__)

# More than this is not kept: somebody asks faster than the broker takes answers.
MOST = 1000


class Aside(NamedTuple):
    """A message outside the sequence; `expiry_s` and `correlation` are said where MQTT v5 is spoken.

    `on_taken` is called in the publisher's thread once the broker took it: quickly, and without raising. `still` is
    asked there before each sending; where it says no, the message is forgotten.
    """

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int | None = None
    correlation: bytes | None = None
    on_taken: Callable[[], None] | None = None
    still: Callable[[], bool] | None = None


class Asides:
    """Taken from any thread, sent from the publisher's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Aside] = deque(maxlen=MOST)
        self._sent: dict[int, Aside] = {}
        self._denied: set[str] = set()

    def add(self, aside: Aside) -> None:
        """Take one; when there are too many the oldest goes."""
        with self._lock:
            self._waiting.append(aside)

    def renew(self) -> None:
        """A new connection: what was on its way on the old one goes again, first."""
        with self._lock:
            self._waiting.extendleft(reversed(self._sent.values()))
            self._sent.clear()

    def send(self, connection: Connection, window: int) -> int:
        """Send while fewer than `window` are on their way; returns how many are."""
        while len(self._sent) < window:
            with self._lock:
                if not self._waiting:
                    break
                aside = self._waiting.popleft()
            if aside.still is not None and not aside.still():
                continue
            mid = connection.publish(
                aside.topic,
                aside.payload,
                retain=aside.retain,
                expiry_s=aside.expiry_s,
                correlation=aside.correlation,
            )
            if mid is None:
                self.add(aside)
                break
            self._sent[mid] = aside
        return len(self._sent)

    def acknowledge(self, mid: int, refusal: str | None) -> bool:
        """Take the broker's word; False when `mid` is none of these. A refusal is said once a topic, and final."""
        aside = self._sent.pop(mid, None)
        if aside is None:
            return False
        if refusal is None:
            self._denied.discard(aside.topic)
            if aside.on_taken is not None:
                aside.on_taken()
        elif aside.topic not in self._denied:
            self._denied.add(aside.topic)
            _log.warning("the broker does not take %s: %s", aside.topic[:200], refusal)
        return True

    def __len__(self) -> int:
        """Those that wait or are on their way."""
        return len(self._waiting) + len(self._sent)

    @property
    def on_the_way(self) -> int:
        """Those that are sent and not acknowledged."""
        return len(self._sent)
