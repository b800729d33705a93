"""The publisher: takes messages into the spool from any thread, and carries them to the broker from one.

A message is accepted when it is committed. It goes out with QoS 1, at most 20 at a time, and its row is deleted only
when the broker acknowledged it with a good reason code. What keeps the connection honest is the age of the last
acknowledgement, never the client library's opinion that it is connected.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Literal

import msgspec
from paho.mqtt.client import topic_matches_sub

from comfywear.errors import ComfyWearError, UsageError
from comfywear.publishing.broker.asides import Aside, Asides
from comfywear.publishing.broker.carrier import Carrier
from comfywear.publishing.broker.confirming import Confirming
from comfywear.publishing.broker.connection import (
    Acknowledged,
    BrokerSettings,
    Connection,
    Incoming,
    Subscribed,
    Will,
)
from comfywear.publishing.broker.credentials import client_id
from comfywear.publishing.broker.dialect import Dialect
from comfywear.publishing.broker.flapping import Losses
from comfywear.publishing.broker.pace import Pace, PublisherHealth
from comfywear.publishing.messages.device import StatusMessage, status_message
from comfywear.publishing.messages.incoming import VoteSet, read_vote
from comfywear.publishing.messages.topics import Topics
from comfywear.publishing.spool.commit import Build
from comfywear.publishing.spool.spool import Spool
from comfywear.records import Delivery
from comfywear.system.cadence import Cadence
from comfywear.system.supervisor import attend
from comfywear.texts import Text, encode
from comfywear_sensors.backoff import BackOff

_log = logging.getLogger(__name__)

OnVote = Callable[[str, VoteSet, Delivery], object]
OnMessage = Callable[[Incoming], None]

_TICK_S = 1.0
_REFUSED_VOTE_LOG_S = 10.0
_DOUBLE_LOG_S = 600.0


class Publisher:
    """Carries messages to a broker; `post` from any thread, `run` in a thread of the supervisor.

    Args:
        settings: The broker; with an empty host everything stays in the spool.
        topics: The device's topics.
        spool: Where messages wait.
        on_vote: Called in the publisher's thread with the zone, the vote and its delivery for each vote that comes over
            MQTT; it must have stored the vote when it returns, and raises a ComfyWearError to refuse it.
        on_new_session: Called when the broker begins a session anew: packet ids of earlier ones mean nothing more.
        version: Of the software, said in the birth message.
        pace: Pauses and time limits.
        confirm_by: Consumers whose word is awaited before a message is forgotten (see `SpoolLimits.confirm_s`).
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        spool: Spool,
        *,
        on_vote: OnVote | None = None,
        on_new_session: Callable[[], object] | None = None,
        version: str | None = None,
        pace: Pace | None = None,
        confirm_by: Collection[str] = (),
    ) -> None:
        self.spool = spool
        self.topics = topics
        self._settings = settings
        self._on_vote = on_vote
        self._on_new_session = on_new_session
        self._listeners = dict[str, OnMessage]()
        self._asides = Asides()
        self._version = version
        self._pace = pace or Pace()
        self._dialect = Dialect()
        self._state = "waiting: the broker has not answered yet"
        self._waits: str | None = Text("the broker has not answered yet")
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._birth: int | None = None  # the id of the birth message while its acknowledgement is due
        self._last_ack_s = self._status_s = 0.0
        self._carrier = Carrier(spool, topics, self._pace)
        self._confirming = Confirming(
            spool, topics, confirm_by, resend=self._carrier.resend, say=self.say, pace=self._pace
        )
        self._losses = Losses(self._client_id)
        self._refused_vote_log = Cadence(_REFUSED_VOTE_LOG_S, _REFUSED_VOTE_LOG_S)
        self._double_log = Cadence(_DOUBLE_LOG_S, _DOUBLE_LOG_S)
        self._connections = self._votes_refused = self._denials = 0
        self.listen(topics.ack_filter, self._confirming.take)
        self.listen(topics.status, self._notice_double)
        spool.on_commit = self._wake

    @property
    def state(self) -> str:
        """One of "connected", "waiting: <reason>" and "stopped"."""
        return self._state

    @property
    def waits(self) -> str | None:
        """The reason of "waiting", with its key."""
        return self._waits

    def health(self) -> PublisherHealth:
        """How it goes."""
        return PublisherHealth(
            self._state,
            self._connections,
            self._carrier.acknowledged,
            self._carrier.denials + self._denials,
            self._votes_refused,
            self._confirming.refused,
            self._carrier.denied_topics,
        )

    def post(self, topic: str, build: Build, *, retain: bool = False, event: bool = False) -> int:
        """Commit a message to the spool and return its sequence number; it goes out when the broker can be reached.

        Args:
            topic: One of the device's topics.
            build: Makes the message from its stamp, such as `partial(climate_message, climate)`.
            retain: True for live states.
            event: True for votes: dropped last of all.

        Raises:
            StoreError: When it could not be committed; it is then not accepted.
            UsageError: When it can never be sent.
        """
        return self.spool.accept(topic, build, retain=retain, event=event)

    def say(self, aside: Aside) -> None:
        """Send a message outside the sequence, from any thread; it waits in memory alone (`asides`)."""
        self._asides.add(aside)
        self._wake()

    def retire(self, topics: Collection[str]) -> None:
        """These topics are no longer: what still waits for them is told to collectors alone (call it before `run`)."""
        self._carrier.retired = frozenset(topics)

    def listen(self, topic_filter: str, listener: OnMessage) -> None:
        """Subscribe (call it before `run`); `listener` is called in the publisher's thread and must not raise."""
        self._listeners[topic_filter] = listener

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Connect, carry, connect again, until `stop` is set; `beat` is called at least every few seconds."""
        if not self._settings.host:
            self._wait(Text("the settings name no broker"))
        back_off = BackOff(self._pace.first_pause_s, self._pace.longest_pause_s)
        while not stop.is_set():
            beat()
            if not self._settings.host:
                stop.wait(_TICK_S)
                continue
            try:
                connection = attend(
                    partial(self._dialect.connect, self._settings, self._client_id, self._will(), stop),
                    stop,
                    beat,
                    late=Connection.abandon,
                )
            except ComfyWearError as refused:
                reason = str(refused)
            else:
                began = time.monotonic()
                reason = self._serve(connection, stop, beat)
                if time.monotonic() - began > self._pace.settled_after_s:
                    back_off.settle()
                    self._losses.settled()
                reason = self._losses.note(reason, self._carrier.heading())
                if culprit := self._losses.culprit():
                    self._carrier.hold(culprit.topic)
            if stop.is_set():
                break
            self._wait(reason)
            self._pause(back_off.fail(), stop, beat)
        self._say("stopped")

    @property
    def _client_id(self) -> str:
        return client_id(self.topics, otherwise=self.spool.epoch)

    def _wait(self, reason: str) -> None:
        self._say(f"waiting: {reason}", reason)

    def _say(self, state: str, waits: str | None = None) -> None:
        """Take a new state; one log line for each change."""
        self._waits = waits
        if state != self._state:
            self._state = state
            level = logging.WARNING if state.startswith("waiting") else logging.INFO
            _log.log(level, "broker %s:%s: %s", self._settings.host or "-", self._settings.port, state)

    def _pause(self, seconds: float, stop: threading.Event, beat: Callable[[], None]) -> None:
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            beat()
            stop.wait(min(left, _TICK_S))

    def _will(self) -> Will:
        """What the broker says when the device is gone: without a time, since nobody knows it yet."""
        stamp = replace(self.spool.stamp(), ts=None, time_ok=False)
        message = status_message("offline", stamp, reason="connection lost", version=self._version)
        return Will(self.topics.status, encode(message, self.spool.language), self._pace.will_delay_s)

    def _say_status(
        self, connection: Connection, state: Literal["online", "offline"], *, reason: str | None, qos: int
    ) -> int | None:
        message = status_message(state, self.spool.stamp(), reason=reason, version=self._version)
        expiry_s = int(3 * self._pace.status_every_s) if state == "online" else None
        self._status_s = time.monotonic()
        payload = encode(message, self.spool.language)
        return connection.publish(self.topics.status, payload, retain=True, qos=qos, expiry_s=expiry_s)

    def _serve(self, connection: Connection, stop: threading.Event, beat: Callable[[], None]) -> str:
        """Carry messages until the connection is lost or `stop` is set; returns why it ended."""
        self._greet(connection)
        flush_until: float | None = None
        while connection.lost is None:
            beat()
            now = time.monotonic()
            if stop.is_set() and flush_until is None:
                self.spool.flush()
                flush_until = now + self._pace.flush_s
            if self._birth is None and now - self._status_s > self._pace.status_every_s:
                self._birth = self._say_status(connection, "online", reason=None, qos=1)
            self._fill(connection)
            if flush_until is not None and (not (self._carrier.on_the_way or self._asides) or now > flush_until):
                self._part(connection)
                break
            connection.poll(self._carrier.pause_s(_TICK_S), self._wake_out)
            self._drain_wake()
            while connection.events:
                self._handle(connection, connection.events.popleft())
            self._carrier.settle()
            self.spool.tend()
            self._confirming.tend()
            if self._is_stuck():
                connection.abandon()
                connection.lost = f"no acknowledgement for {self._pace.ack_timeout_s:g} s"
        self._carrier.settle()
        return connection.lost or "stopped"

    def _greet(self, connection: Connection) -> None:
        """Birth message and subscription of a new connection; rows that were on their way go again."""
        self._connections += 1
        self._carrier.renew()
        self._asides.renew()
        self._last_ack_s = time.monotonic()
        self._say("connected")
        if self._on_new_session is not None and not connection.taken_up:
            self._on_new_session()
        self._birth = self._say_status(connection, "online", reason=None, qos=1)
        if self._on_vote is not None:
            connection.subscribe(self.topics.vote_set_filter)
        for topic_filter in self._listeners:
            connection.subscribe(topic_filter)

    def _part(self, connection: Connection) -> None:
        """An orderly end: say offline (without acknowledgement: the window may be full), and go."""
        self._say_status(connection, "offline", reason="stopped", qos=0)
        connection.close()
        while connection.events:
            event = connection.events.popleft()
            if isinstance(event, Acknowledged):
                self._handle(connection, event)

    def _fill(self, connection: Connection) -> None:
        """Send asides, then what waits in the spool, until the window is full."""
        free = connection.window - self._carrier.on_the_way - (self._birth is not None)
        free -= self._asides.send(connection, free)
        self._carrier.fill(connection, free)

    def _is_stuck(self) -> bool:
        due = self._carrier.on_the_way or self._asides.on_the_way or self._birth is not None
        last_ack_s = max(self._last_ack_s, self._carrier.last_ack_s)
        return bool(due) and time.monotonic() - last_ack_s > self._pace.ack_timeout_s

    def _handle(self, connection: Connection, event: Acknowledged | Subscribed | Incoming) -> None:
        if isinstance(event, Incoming):
            takers = (taker for wanted, taker in self._listeners.items() if topic_matches_sub(wanted, event.topic))
            next(takers, self._take_vote)(event)
            connection.done(event)
        elif isinstance(event, Subscribed):
            if event.refusal:
                _log.warning("the broker does not let votes or commands in over MQTT: %s", event.refusal)
        elif not self._carrier.acknowledge(event.mid, event.refusal):
            self._last_ack_s = time.monotonic()
            if not self._asides.acknowledge(event.mid, event.refusal):
                self._take_birth(event)

    def _take_birth(self, event: Acknowledged) -> None:
        if event.mid != self._birth:
            return
        self._birth = None
        if event.refusal is not None:
            self._denials += 1
            _log.warning("the broker does not take %s: %s", self.topics.status, event.refusal)

    def _notice_double(self, message: Incoming) -> None:
        """Another device that says "online" in this one's name: their topics are mixed up."""
        try:
            other = msgspec.json.decode(message.payload, type=StatusMessage)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return
        if message.retained or other.state != "online" or other.epoch == self.spool.epoch:
            return
        if self._double_log.due("double", None, time.monotonic()):
            _log.error("another device has the name %s: give one of them another device.id", self.topics.device)

    def _take_vote(self, message: Incoming) -> None:
        """Hand an incoming vote on; whatever is wrong with it is said, counted and forgotten."""
        zone = self.topics.zone_of_vote_set(message.topic)
        try:
            if zone is None:
                raise UsageError(Text("not a zone of this device"))
            if message.retained:
                raise UsageError(Text("a retained vote would be cast again at every connection"))
            vote = read_vote(message.payload)
            if self._on_vote is not None:
                self._on_vote(zone, vote, Delivery(message.mid, message.again))
        except ComfyWearError as error:
            self._votes_refused += 1
            if self._refused_vote_log.due("vote", None, time.monotonic()):
                _log.warning(
                    "vote on %r refused (%d so far): %s", message.topic[:200], self._votes_refused, str(error)[:300]
                )

    def close(self) -> None:
        """Let go of what wakes it; call it when `run` has ended."""
        self.spool.on_commit = lambda: None
        self._wake_in.close()
        self._wake_out.close()

    def _wake(self) -> None:
        with suppress(OSError):  # enough wake-ups wait already, or it is closed
            self._wake_in.send(b"\0")

    def _drain_wake(self) -> None:
        with suppress(OSError):  # nothing waits any more
            while self._wake_out.recv(4096):
                pass
