"""What is on its way to the broker: fills the window from the spool, and takes the broker's word on each message.

Oldest first; on a new connection, and while behind, the newest state of each retained topic goes before all that was
kept. What comes late (a state after a newer one, an event of long ago) goes to the backlog topic: who shows what is now
would take it for now. Of a topic, only the newest row carries the retain flag.
"""

from __future__ import annotations

import logging
import random
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import replace

from comfywear.errors import StoreError
from comfywear.publishing.broker.connection import Connection
from comfywear.publishing.broker.pace import Pace
from comfywear.publishing.messages.topics import Topics
from comfywear.publishing.spool.file import FIRST
from comfywear.publishing.spool.rows import Key, Row
from comfywear.publishing.spool.spool import Spool
from comfywear.system.log_once import LogOnce

_log = logging.getLogger(__name__)

# Rows read from the spool at once; when so many wait, the device is behind and live states go first.
_READ_AT_ONCE = 200
# Rows whose topics are denied are passed over, so many at once: the network thread must not be kept.
_MOST_PASSED = 4000
_LIVE_EVERY_S = 0.25
_MOST_RESENDS = 10_000
_TRYING = float("inf")


class Carrier:
    """Belongs to the publisher's thread.

    Attributes:
        retired: Topics that are no longer: what waits for them goes to the backlog.
        last_ack_s: Monotonic time of the last acknowledgement, or of the moment since which one is due.
        acknowledged: Messages that the broker took since the start.
        denials: Messages that it refused since the start.
    """

    def __init__(self, spool: Spool, topics: Topics, pace: Pace) -> None:
        self.retired: frozenset[str] = frozenset()
        self.last_ack_s = 0.0
        self.acknowledged = 0
        self.denials = 0
        self._spool = spool
        self._topics = topics
        self._pace = pace
        # Rows of an earlier run may be on the live topics already: again there, an event would happen twice.
        self._earlier = spool.last_seq
        self._shown: dict[str, int] = {}  # the newest row of each topic that went to it
        self._sent: dict[int, Row] = {}
        self._arrived: list[Key] = []
        self._buffer: deque[Row] = deque()
        self._epoch = spool.epoch
        self._cursor = FIRST
        self._read_to = FIRST
        # Rows that went before their turn: live states, and what was sent again.
        self._ahead: set[int] = set()
        self._behind = self._new = False
        self._hold_until_s: float | None = None
        self._next_live_s = 0.0
        self._again: OrderedDict[Key, None] = OrderedDict()
        self._recent: OrderedDict[Key, float] = OrderedDict()
        # Topics, as rows go to them, that the broker denied: when to try again, or infinity while that is being tried.
        self._denied: dict[str, float] = {}
        self._complaint = LogOnce(_log)

    @property
    def on_the_way(self) -> int:
        """Messages that are sent and not acknowledged."""
        return len(self._sent)

    @property
    def denied_topics(self) -> tuple[str, ...]:
        """Topics that the broker refuses now."""
        return tuple(sorted(self._denied.copy()))

    def heading(self) -> Row | None:
        """The oldest message on its way: where a connection breaks again and again, the one to look at."""
        return next(iter(self._sent.values()), None)

    def renew(self) -> None:
        """A new connection: what was on its way on the old one goes again."""
        self._sent.clear()
        self._recent.clear()
        self._rewind()
        self._hold_until_s = None
        self._new = True
        self.last_ack_s = time.monotonic()

    def fill(self, connection: Connection, free: int) -> None:
        """Send what is next until `free` more messages are on their way."""
        if free <= 0:
            return
        now_s = time.monotonic()
        for topic in [topic for topic, again in self._denied.items() if again <= now_s]:
            self._denied[topic] = _TRYING
            self._rewind()
        try:
            for row in self._next(free, now_s):
                if not self._sent:
                    self.last_ack_s = now_s  # nothing was due until now
                topic = self._goes_to(row)
                retain = row.retain and topic == row.topic and self._spool.is_newest(row)
                mid = connection.publish(topic, row.payload, retain=retain)
                if mid is None:
                    return
                if topic == row.topic:
                    self._shown[topic] = max(row.key[1], self._shown.get(topic, FIRST))
                self._sent[mid] = replace(row, topic=topic)
                if self._spool.limits.confirm_s is not None:
                    self._recent[row.key] = now_s
                    self._recent.move_to_end(row.key)
                    self._forget_recent(now_s)
        except StoreError as error:
            self._complaint.trouble(error)

    def acknowledge(self, mid: int, refusal: str | None) -> bool:
        """Take the broker's word on a message; False when it is none of these."""
        row = self._sent.pop(mid, None)
        if row is None:
            return False
        self.last_ack_s = time.monotonic()
        if refusal is not None:
            self.denials += 1
            if row.topic not in self._denied:
                _log.warning(
                    "the broker does not take %s: %s; kept, tried again every %g s",
                    row.topic,
                    refusal,
                    self._pace.denied_retry_s,
                )
            self.hold(row.topic)
        else:
            if self._denied.pop(row.topic, None) is not None:
                _log.info("the broker takes %s again", row.topic)
            self.acknowledged += 1
            self._arrived.append(row.key)
        return True

    def settle(self) -> None:
        """Tell the spool what arrived."""
        if self._arrived:
            self._spool.arrived(self._arrived)
            self._arrived.clear()

    def pause_s(self, longest_s: float) -> float:
        """How long nothing has to be sent unless something happens; at most `longest_s`."""
        now_s = time.monotonic()
        wanted = [longest_s]
        if self._buffer and not self._sent and self._hold_until_s is not None:
            wanted.append(self._hold_until_s - now_s)
        if self._behind:
            wanted.append(_LIVE_EVERY_S)
        if self._again and not self._sent:
            wanted.append(0.0)
        return max(0.0, min(wanted))

    def hold(self, topic: str) -> None:
        """Try a topic again only after a while; other topics go on."""
        self._denied[topic] = time.monotonic() + self._pace.denied_retry_s
        self._buffer = deque(row for row in self._buffer if self._goes_to(row) != topic)

    def _goes_to(self, row: Row) -> str:
        """The row's topic, or its backlog where it would be taken for now and is not."""
        if row.retain and self._spool.is_newest(row) and row.topic not in self.retired:
            return row.topic
        late = (
            row.topic in self.retired
            or row.key[1] <= self._earlier
            or self._spool.waited_s(row) > self._pace.late_s
            or (row.retain and row.key[1] < self._shown.get(row.topic, FIRST))
        )
        return self._topics.backlog(row.topic) if late else row.topic

    def _held(self, row: Row) -> bool:
        """True while the broker denies where a row goes."""
        return bool(self._denied) and self._denied.get(self._goes_to(row), _TRYING) != _TRYING

    def resend(self, keys: Iterable[Key]) -> None:
        """Send rows again that the broker took and a consumer misses, unless they went a moment ago."""
        self._forget_recent(time.monotonic())
        on_the_way = {row.key for row in self._sent.values()}
        for key in keys:
            if len(self._again) >= _MOST_RESENDS:
                return  # the consumer will ask again
            if key not in self._recent and key not in on_the_way:
                self._again[key] = None

    def _forget_recent(self, now_s: float) -> None:
        """What was sent long ago may be sent again; a connection that lasts for years must not remember it all."""
        while self._recent and next(iter(self._recent.values())) < now_s - self._pace.resend_s:
            self._recent.popitem(last=False)

    def _next(self, free: int, now_s: float) -> list[Row]:
        """At most `free` rows: those asked for again, live states while behind, then the oldest."""
        if self._epoch != self._spool.epoch:
            self._epoch = self._spool.epoch
            self._again.clear()
            self._shown.clear()
            self._earlier = 0  # what was brought over from a damaged store has numbers below 1
            self._rewind()
        rows: list[Row] = []
        if self._again:
            keys = [self._again.popitem(last=False)[0] for _ in range(min(free, len(self._again)))]
            rows += [row for row in self._spool.again(keys) if self._goes_to(row) not in self._denied]
        if len(self._buffer) < free:
            self._read_on(now_s)
        if (self._new or (self._behind and now_s >= self._next_live_s)) and len(rows) < free:
            self._next_live_s = now_s + _LIVE_EVERY_S
            found = self._live(free - len(rows))
            self._new = self._new and bool(found)
            rows += found
        if self._hold_until_s is None or now_s >= self._hold_until_s:
            while self._buffer and len(rows) < free:
                row = self._buffer.popleft()
                self._cursor = row.key[1]
                if row.key[1] in self._ahead:
                    self._ahead.discard(row.key[1])
                elif not self._held(row):
                    rows.append(row)
        return rows

    def _live(self, limit: int) -> list[Row]:
        """Newest states that are not sent yet; they are passed over when their turn comes."""
        on_the_way = {row.key for row in self._sent.values()}
        found = [
            row
            for row in self._spool.live()
            if row.key[1] > self._cursor
            and row.key[1] not in self._ahead
            and row.key not in on_the_way
            and row.topic not in self._denied
        ][:limit]
        self._ahead.update(row.key[1] for row in found)
        return found

    def _read_on(self, now_s: float) -> None:
        """Read more rows; the first look on a connection says whether the device is behind."""
        if len(self._ahead) > _READ_AT_ONCE:  # those that are gone from the spool will not come by
            self._ahead &= {row.key[1] for row in (*self._spool.live(), *self._buffer)}
        on_the_way = {row.key for row in self._sent.values()}
        for _ in range(_MOST_PASSED // _READ_AT_ONCE):
            found = self._spool.waiting(self._read_to, _READ_AT_ONCE)
            if found:
                self._read_to = found[-1].key[1]
            self._buffer.extend(row for row in found if row.key not in on_the_way and not self._held(row))
            self._behind = len(found) >= _READ_AT_ONCE
            if self._buffer or not self._behind:
                break
        if self._hold_until_s is None:
            spread_s = self._pace.backlog_spread_s if self._behind else 0.0
            self._hold_until_s = now_s + random.uniform(0, spread_s)  # noqa: S311 - jitter, not a secret

    def _rewind(self) -> None:
        """Look at the spool from the front again."""
        self._buffer.clear()
        self._ahead.clear()
        self._cursor = self._read_to = FIRST
