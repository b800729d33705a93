"""An outside consumer: subscribes, hands over what comes, and notices what did not."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from comfywear.errors import BrokerError
from comfywear.publishing.broker.connection import BrokerSettings, Incoming, Refused, Subscribed
from comfywear.publishing.broker.dialect import Dialect
from comfywear.publishing.messages.topics import ROOT

_log = logging.getLogger(__name__)

EVERYTHING = f"{ROOT}/#"
QUIET_S = 8.0
"""After so long without a message it is worth saying that nothing comes."""
_TICK_S = 0.2
_PAUSE_S = 2.0


class Listener:
    """Listens to a broker in the thread that iterates.

    Args:
        settings: The broker.
        topic_filter: What to subscribe to.
    """

    def __init__(self, settings: BrokerSettings, topic_filter: str = EVERYTHING) -> None:
        self._settings = settings
        self._filter = topic_filter
        self._client_id = f"comfywear-listen-{secrets.token_hex(4)}"
        self._dialect = Dialect()
        self.subscribed = threading.Event()

    def messages(
        self,
        stop: threading.Event | None = None,
        seconds: float | None = None,
        quiet: Callable[[], None] = lambda: None,
    ) -> Iterator[Incoming]:
        """Messages as they come, until `stop` is set or `seconds` are over; a lost connection is made again.

        `quiet` is called once, when nothing was heard for the first `QUIET_S`.

        Raises:
            BrokerError: When the first connection, or the subscription, is refused.
        """
        stop = stop or threading.Event()
        until = time.monotonic() + seconds if seconds is not None else float("inf")
        first, quiet_at_s = True, time.monotonic() + QUIET_S
        while not stop.is_set() and time.monotonic() < until:
            try:
                connection = self._dialect.connect(self._settings, self._client_id, stop=stop)
            except Refused as refused:
                if stop.is_set():
                    return
                if first:
                    raise
                _log.warning("broker: %s; trying again", refused)
                stop.wait(min(_PAUSE_S, max(0.0, until - time.monotonic())))
                continue
            first = False
            connection.subscribe(self._filter)
            try:
                while connection.lost is None and not stop.is_set() and (left := until - time.monotonic()) > 0:
                    connection.poll(min(_TICK_S, left))
                    if time.monotonic() > quiet_at_s:
                        quiet_at_s = math.inf
                        quiet()
                    while connection.events:
                        event = connection.events.popleft()
                        if isinstance(event, Incoming):
                            connection.done(event)
                            quiet_at_s = math.inf
                            yield event
                        elif isinstance(event, Subscribed):
                            if event.refusal:
                                raise BrokerError(
                                    f"the broker refuses the subscription {self._filter}: {event.refusal}"
                                )
                            self.subscribed.set()
                if connection.lost is not None:
                    _log.warning("broker: %s; connecting again", connection.lost)
            finally:
                connection.close()


@dataclass
class Sequences:
    """Which sequence numbers of each (device, epoch) came, and which did not (yet)."""

    missing: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    _next: dict[tuple[str, str], int] = field(default_factory=dict)

    def note(self, device: str, epoch: str, seq: int) -> str | None:
        """Take a number that came; returns words when it is a repeat, or when numbers before it are missing."""
        source = (device, epoch)
        expected = self._next.get(source, seq)
        missing = self.missing.setdefault(source, set())
        if seq < expected:
            if seq in missing:
                missing.remove(seq)
                return None
            return f"{device}: message {seq} came again"
        self._next[source] = seq + 1
        missing.update(range(max(expected, seq - _REMEMBERED), seq))
        if seq == expected:
            return None
        last = seq - 1
        which = f"message {last}" if last == expected else f"messages {expected}–{last}"
        return f"{device}: {which} did not come (yet)"


# A gap that is longer is said, but only its end is waited for.
_REMEMBERED = 10_000


def covers_devices(topic_filter: str) -> bool:
    """True when a subscription brings everything of each device that it brings anything of: gaps are then gaps."""
    levels = topic_filter.split("/")
    return levels[-1] == "#" and len(levels) <= len(ROOT.split("/")) + 3
