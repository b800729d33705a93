"""How patient the publisher is, and how it says that it is well."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Pauses and time limits, in seconds.

    Attributes:
        first_pause_s: Before the second attempt; doubles with each (and is jittered, so that a thousand devices do
            not come back at once).
        longest_pause_s: Between attempts at most.
        settled_after_s: A connection that lasted so long makes the next pause the first again.
        ack_timeout_s: Without an acknowledgement for so long while some are due, a new connection is made.
        denied_retry_s: A topic that the broker denied is tried again after this.
        flush_s: After a stop, how long unsent messages are still sent.
        backlog_spread_s: What was kept during an outage begins to go out at a random moment within this, so that a
            thousand devices do not fill the broker at once; the newest states go at once.
        late_s: What waited longer comes late: it goes to the backlog topic, unless it is the newest state of its topic.
        resend_s: A message that a consumer misses is not sent again sooner than this.
        probe_s: When nothing follows a message that nobody confirmed, it is sent again after this, then ever later.
        will_delay_s: A connection that is made again within this was never lost for those who watch (MQTT v5).
        status_every_s: "online" is said again so often; where MQTT v5 is spoken it expires after three times this, so
            that it does not stand for ever when device and broker die together.
    """

    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    settled_after_s: float = 30.0
    ack_timeout_s: float = 20.0
    denied_retry_s: float = 60.0
    flush_s: float = 2.0
    backlog_spread_s: float = 5.0
    late_s: float = 10.0
    resend_s: float = 5.0
    probe_s: float = 30.0
    will_delay_s: int = 10
    status_every_s: float = 600.0


@dataclass(frozen=True, slots=True)
class PublisherHealth:
    """How publishing goes; counts since the start. `denied_topics` are those that the broker refuses now."""

    state: str
    connections: int
    acknowledged: int
    denied: int
    votes_refused: int
    acks_refused: int
    denied_topics: tuple[str, ...]
