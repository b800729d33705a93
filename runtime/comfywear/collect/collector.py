"""The collector: takes messages from a broker, commits them to a store, and only then acknowledges them.

One thread does everything. What is in memory is what the broker still holds as unacknowledged, so the collector can be
killed at any moment; while the database is away, messages wait at the broker.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice, takewhile

from comfywear.collect.ledger import AckPace
from comfywear.collect.patient import PatientStore
from comfywear.collect.progress import Counts, Progress
from comfywear.collect.reading import filters, read
from comfywear.collect.rollout_watch import RolloutGuard, RolloutPlace, meta_filters
from comfywear.collect.session import AHEAD, Session
from comfywear.collect.store import Received, Store, Word
from comfywear.errors import BrokerError
from comfywear.publishing.broker.connection import Acknowledged, BrokerSettings, Incoming, Refused, Subscribed
from comfywear.publishing.messages.topics import Topics, check_name
from comfywear.system.cadence import Cadence
from comfywear.texts import encode
from comfywear_sensors.backoff import BackOff

_log = logging.getLogger(__name__)

_TICK_S = 0.2
# A batch is committed when it is this old, this large, or, from the usual window of brokers (20) on, when no more is
# at hand: few commits when little comes, no waiting when much does.
_LINGER_S = 0.2
_LARGEST_BATCH = AHEAD // 2
_USUAL_WINDOW = 20
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_REVIEW_S = 0.25
_DUE_S = 1.0
_MOST_REVIEWED = 500
_COMPLAINT_S = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a collector is.

    Attributes:
        name: The consumer's name: devices that have it in `mqtt.confirm_by` keep messages until it confirms them.
        sites: Only these; empty = all.
        group: Of a shared subscription: collectors with the same group share the messages; empty = all for this one.
        instance: Tells the collectors of a group apart; empty = the machine's host name.
        session_s: How long the broker keeps messages while the collector is away.
        progress_s: Between progress lines; 0 = none.
        pace: How often devices hear from it.
        rollouts: Where roll-outs of models are stopped; None = nowhere.

    Raises:
        UsageError: When a name cannot stand in a topic.
    """

    name: str = "collect"
    sites: tuple[str, ...] = ()
    group: str = ""
    instance: str = ""
    session_s: int = 7 * 86400
    progress_s: float = 60.0
    pace: AckPace = field(default_factory=AckPace)
    rollouts: RolloutPlace | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "the consumer's name")
        for site in self.sites:
            check_name(site, "site")
        for what, name in (("group", self.group), ("instance", self.instance)):
            if name:
                check_name(name, what)

    @property
    def client_id(self) -> str:
        """Names the session at the broker."""
        parts = ["comfywear-collect", self.name]
        if self.group:
            parts += [self.group, self.instance or socket.gethostname()]
        elif self.instance:
            parts.append(self.instance)
        return "-".join(parts)


class Collector:
    """Collects until it is told to stop.

    Args:
        broker: Where messages come from.
        open_store: Opens the store; called again when it is away at the start.
        options: What it is.

    Attributes:
        counts: What it has done.
    """

    def __init__(self, broker: BrokerSettings, open_store: Callable[[], Store], options: Options | None = None) -> None:
        self.options = options or Options()
        self.counts = Counts()
        self._broker = broker
        self._store = PatientStore(open_store)
        self._guard = RolloutGuard(self.options.rollouts) if self.options.rollouts else None
        self._progress = Progress(self.counts, self.options.progress_s)
        self._pending: list[tuple[Incoming, Received]] = []
        self._oldest_s = 0.0
        self._touched: dict[int, float] = {}  # sources of which something was stored, and when they are to be reviewed
        self._again: set[int] = set()  # sources that are to be told even what they were told before
        self._next_review_s = self._next_due_s = 0.0
        self._complaint = Cadence(_COMPLAINT_S, _COMPLAINT_S)

    def run(self, stop: threading.Event) -> None:
        """Collect until `stop` is set.

        Raises:
            BrokerError: When the broker refuses the subscription.
            UsageError: When the store's name cannot be read.
            StoreError: When the store refuses at the start.
        """
        back_off = BackOff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        while not stop.is_set():
            if not self._store.place and self._store.attempt(lambda store: store.place) is None:
                stop.wait(_TICK_S)
                continue
            session = Session(self._broker, self.options.client_id, self.options.session_s)
            began_s = time.monotonic()
            try:
                session.open(stop)
                self._serve(session, stop)
            except Refused as refused:
                session.lost = session.lost or str(refused)
                reason = str(refused)
            else:
                reason = session.lost or "stopped"
            finally:
                self._part(session)
            if stop.is_set():
                break
            if time.monotonic() - began_s > _LONGEST_PAUSE_S:
                back_off.settle()
            if "the same id" in reason:
                reason += f" (is another collector called {self.options.client_id}? --instance tells them apart)"
            pause_s = back_off.fail()
            _log.warning("broker: %s; trying again in %.1f s", reason, pause_s)
            stop.wait(pause_s)
        self._progress.say(self._store.attempt(lambda store: store.totals()) if self._store.place else None)
        self._store.close()

    def _serve(self, session: Session, stop: threading.Event) -> None:
        """Take, store and answer until the connection is lost or `stop` is set."""
        _log.info("collecting from %s:%d into %s", self._broker.host, self._broker.port, self._store.place)
        session.subscribe_all(filters(self.options.name, self.options.sites, self.options.group))
        if self._guard is not None:  # what it heard before it ended was kept nowhere else
            session.subscribe_all(meta_filters(self.options.sites), retained=True)
            self._guard.begin(time.monotonic())
        # The last confirmations may not have arrived: they are said again.
        self._again = set(self._store.attempt(lambda store: store.known(self.options.sites)) or ())
        while session.lost is None and not stop.is_set():
            before = len(self._pending)
            session.read(0 if before >= _USUAL_WINDOW and not self._store.away else _TICK_S)
            self._take(session)
            full = len(self._pending) >= _LARGEST_BATCH
            quiet = len(self._pending) == before >= _USUAL_WINDOW
            if self._pending and (full or quiet or time.monotonic() - self._oldest_s > _LINGER_S):
                self._save(session)
            self._review(session)
            if self._guard is not None:
                self._guard.act(time.monotonic())
            if self._progress.due:
                self._progress.say(self._store.attempt(lambda store: store.totals()))

    def _part(self, session: Session) -> None:
        """Store what came; what cannot be stored now stays with the broker, and comes again."""
        if self._pending:
            self._save(session)
        self._pending.clear()
        session.close()

    def _take(self, session: Session) -> None:
        """Sort what the broker said."""
        while session.events:
            event = session.events.popleft()
            if isinstance(event, Incoming):
                if self._guard is not None:
                    self._guard.hear(event.topic, event.payload, time.monotonic())
                item = read(event.topic, event.payload, self.options.name)
                if item is None:
                    session.done(event)
                    continue
                if not self._pending:
                    self._oldest_s = time.monotonic()
                self._pending.append((event, Received(item, datetime.now(timezone.utc))))
            elif isinstance(event, Subscribed) and event.refusal:
                raise BrokerError(f"the broker refuses the subscription: {event.refusal}")
            elif isinstance(event, Acknowledged) and event.refusal:
                self._complain(event.refusal)

    def _complain(self, refusal: str) -> None:
        if self._complaint.due("refusal", None, time.monotonic()):
            _log.warning("the broker does not take confirmations (…/ack/%s): %s", self.options.name, refusal)

    def _save(self, session: Session) -> None:
        """Commit what is pending, then acknowledge it; it stays pending while the database is away."""
        batch = [received for _, received in self._pending]
        saved = self._store.attempt(lambda store: store.save(batch))
        if saved is None:
            return
        for message, _ in self._pending:
            if session.lost is None:
                session.done(message)
        self._pending.clear()
        review_at_s = time.monotonic() + self.options.pace.ack_every_s
        for stream in saved.streams:
            self._touched.setdefault(stream, review_at_s)
        self.counts.batches += 1
        self.counts.messages += saved.new
        self.counts.repeats += saved.repeats
        self.counts.refused += saved.refused

    def _review(self, session: Session) -> None:
        """Look at the books of sources that are due, and publish what is to be said to them."""
        now_s = time.monotonic()
        if now_s < self._next_review_s:
            return
        self._next_review_s = now_s + _REVIEW_S
        # In the order in which they fall due, since each is put at the end with the same delay.
        due = takewhile(lambda item: item[1] <= now_s, self._touched.items())
        touched = [stream for stream, _ in islice(due, _MOST_REVIEWED)]
        if touched and self._tell(session, touched, again=False) is not None:
            for stream in touched:
                # One that was not due has been reviewed, by another collector, since this one stored its messages.
                del self._touched[stream]
        if now_s < self._next_due_s:
            return
        self._next_due_s = now_s + _DUE_S
        again = list(islice(self._again, _MOST_REVIEWED))
        if again and (told := self._tell(session, again, again=True)) is not None:
            self._again -= told
        asking, reminding = self._store.attempt(lambda store: store.due(_MOST_REVIEWED, self.options.sites)) or ([], [])
        if asking:
            self._tell(session, asking, again=False)
        if reminding:
            self._tell(session, reminding, again=True)

    def _tell(self, session: Session, streams: Collection[int], *, again: bool) -> set[int] | None:
        """Review `streams`, publish, and return those that were due; None when the database is away."""
        found = self._store.attempt(lambda store: store.review(streams, again=again))
        if found is None:
            return None
        for word in found.words:
            self._publish(session, word)
        return found.streams

    def _publish(self, session: Session, word: Word) -> None:
        source, answer = word
        if session.lost is None:
            payload = encode({"epoch": source.epoch, "seq": answer.seq, "missing": answer.missing})
            session.publish(Topics(source.site, source.device).ack(self.options.name), payload, retain=False)
            self.counts.answers += 1
