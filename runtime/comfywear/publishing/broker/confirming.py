"""Confirmed delivery: what consumers say they have stored goes, what they miss is sent again or said to be gone.

A broker that acknowledged a message may still lose it. A consumer's own word does not: it publishes, per epoch, up to
which number it has stored everything, and what is missing below.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable

from comfywear.errors import ComfyWearError, StoreError, UsageError
from comfywear.publishing.broker.asides import Aside
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.broker.pace import Pace
from comfywear.publishing.messages.answer import gone_message
from comfywear.publishing.messages.incoming import Ack, read_ack
from comfywear.publishing.messages.topics import Topics, check_name
from comfywear.publishing.spool.ranges import Ranges
from comfywear.publishing.spool.rows import Key
from comfywear.publishing.spool.spool import Spool
from comfywear.system.cadence import Cadence
from comfywear.texts import Text, encode

_log = logging.getLogger(__name__)

_MOST_EPOCHS = 16
_MOST_GONE = 1000
_LONGEST_PROBE_S = 3600.0
_NEXT_QUESTION_S = 1.0
_REFUSED_LOG_S = 10.0


class Confirming:
    """Takes acknowledgements in the publisher's thread.

    Args:
        spool: Where the rows are.
        topics: The device's.
        consumers: Those whose word is awaited; others are answered too, but nothing waits for them.
        resend: Sends rows again.
        say: Sends a message outside the sequence.
        pace: How patient.
    """

    def __init__(
        self,
        spool: Spool,
        topics: Topics,
        consumers: Collection[str],
        resend: Callable[[Iterable[Key]], None],
        say: Callable[[Aside], None],
        pace: Pace,
    ) -> None:
        self.refused = 0
        self._spool = spool
        self._topics = topics
        self._consumers = frozenset(consumers)
        self._resend = resend
        self._say = say
        self._pace = pace
        self._acks: dict[str, dict[str, Ack]] = {}
        self._answered: dict[tuple[str, str], float] = {}
        self._probed: Key | None = None
        self._probe_s = pace.probe_s
        self._next_probe_s = 0.0
        self._refused_log = Cadence(_REFUSED_LOG_S, _REFUSED_LOG_S)

    def take(self, message: Incoming) -> None:
        """Take an acknowledgement; what is wrong with one is said, counted and forgotten."""
        try:
            consumer = check_name(message.topic.removeprefix(f"{self._topics.base}/ack/"), "consumer")
            ack = read_ack(message.payload)
            if consumer in self._consumers:
                self._confirm(consumer, ack)
            self._answer(consumer, ack)
        except ComfyWearError as error:
            self.refused += 1
            if self._refused_log.due("ack", None, time.monotonic()):
                _log.warning(
                    "acknowledgement on %r refused (%d so far): %s", message.topic[:200], self.refused, str(error)[:300]
                )

    def tend(self) -> None:
        """Send the last message again when nothing follows it and nobody confirms it: only the end can be missed."""
        now_s = time.monotonic()
        if not self._consumers or now_s < self._next_probe_s:
            return
        self._next_probe_s = now_s + self._probe_s
        try:
            last = self._spool.last_unconfirmed()
        except StoreError:  # the spool says so itself
            return
        if last is not None and last == self._probed:
            self._resend([last])
            self._probe_s = min(self._probe_s * 2, _LONGEST_PROBE_S)
        else:
            self._probed, self._probe_s = last, self._pace.probe_s
        self._next_probe_s = now_s + self._probe_s

    def _confirm(self, consumer: str, ack: Ack) -> None:
        """Let go what every awaited consumer has stored."""
        if ack.epoch == self._spool.epoch and ack.seq > self._spool.last_seq:
            raise UsageError(
                Text(
                    "{consumer} has message {seq}, this device has sent {last_seq} only: was its state folder "
                    "restored from an old copy? Stop it and remove spool.sqlite, so that its numbers begin anew",
                    consumer=consumer,
                    seq=ack.seq,
                    last_seq=self._spool.last_seq,
                )
            )
        acks = self._acks.setdefault(ack.epoch, {})
        acks[consumer] = ack
        if ack.seq < self._spool.last_seq:  # it is there, and may have missed the end
            self._probe_s = self._pace.probe_s
            self._next_probe_s = min(self._next_probe_s, time.monotonic() + self._pace.resend_s)
        while len(self._acks) > _MOST_EPOCHS:
            del self._acks[next(epoch for epoch in self._acks if epoch not in (ack.epoch, self._spool.epoch))]
        if len(acks) < len(self._consumers):
            return
        missing = Ranges(each for ack in acks.values() for each in ack.missing)
        self._spool.release(ack.epoch, missing.gaps(1, min(ack.seq for ack in acks.values())))

    def _answer(self, consumer: str, ack: Ack) -> None:
        """Send again what is missed and still here; say which is not."""
        now_s = time.monotonic()
        who = (consumer, ack.epoch)
        if not ack.missing or now_s - self._answered.get(who, float("-inf")) < _NEXT_QUESTION_S:
            return  # a consumer asks again
        if who not in self._answered and len(self._answered) >= _MOST_EPOCHS:
            del self._answered[next(iter(self._answered))]
        self._answered[who] = now_s
        asked = Ranges(ack.missing)
        keys, gone = self._spool.held(ack.epoch, asked)
        self._resend(keys)
        if gone:
            message = gone_message(consumer, ack.epoch, gone[:_MOST_GONE], self._spool.stamp())
            self._say(Aside(self._topics.gone(consumer), encode(message)))
