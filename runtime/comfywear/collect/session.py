"""A connection whose session the broker keeps while the collector is away, with a wide window for many devices."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from comfywear.publishing import reasons
from comfywear.publishing.connection import BrokerSettings, Connection, Kind, Refused

if TYPE_CHECKING:
    import threading

# Messages that the broker may send ahead of their acknowledgement (MQTT v5 Receive Maximum), and bytes of one: what a
# collector holds in memory at most.
AHEAD = 1000
LARGEST_PACKET = 1 << 20
# Packets read at a time before anything else is looked at.
_IN_A_ROW = 200
_TICK_S = 0.2


class Session(Connection):
    """A connection under MQTT v5 with a persistent session; all methods belong to one thread.

    Args:
        settings: The broker.
        client_id: Names the session; two clients with one name throw each other out.
        expiry_s: How long the broker keeps the session, with what came meanwhile.
    """

    def __init__(self, settings: BrokerSettings, client_id: str, expiry_s: int) -> None:
        super().__init__(settings, client_id, MQTTProtocolVersion.MQTTv5)
        self._expiry_s = expiry_s

    def open(self, stop: threading.Event | None = None) -> None:
        """Connect, take up the session where it was left, and wait for the broker's answer.

        Raises:
            Refused: With the reason.
        """
        host, port = self.settings.host, self.settings.port
        place = f"{host}:{port}"
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
        properties.ReceiveMaximum = AHEAD
        properties.MaximumPacketSize = LARGEST_PACKET
        properties.SessionExpiryInterval = self._expiry_s
        try:
            self._client.connect(host, port, self.settings.keepalive_s, clean_start=False, properties=properties)
        except (OSError, ValueError) as error:
            raise Refused(reasons.of_error(error, host, port), Kind.UNREACHABLE) from error
        deadline = time.monotonic() + self.settings.timeout_s
        while self._answer is None and self.lost is None:
            if time.monotonic() > deadline or (stop is not None and stop.is_set()):
                self.abandon()
                raise Refused(f"{place} takes connections but does not answer as a broker", Kind.UNREACHABLE)
            super().poll(_TICK_S)
        if self._answer is None:
            raise Refused(
                f"{place} closed the connection without an answer (it must speak MQTT v5; a port may want TLS)",
                Kind.SILENT,
            )
        if self._answer.is_failure:
            self.abandon()
            why = reasons.of_code(self._answer.value, self._answer.getName())
            raise Refused(f"{place} refuses: {why}", Kind.REFUSED)

    def read(self, timeout_s: float) -> None:
        """Like `poll`, then take in what else has arrived already, some hundred packets at most."""
        start = before = len(self.events)
        self.poll(timeout_s)
        while self.lost is None and before < len(self.events) < start + _IN_A_ROW:
            before = len(self.events)
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self.lost = self.lost or "the connection broke"

    def subscribe_all(self, filters: Sequence[str]) -> None:
        """Ask for messages with QoS 1; each filter is answered by a `Subscribed`."""
        for topic_filter in filters:
            # What is retained comes with a new subscription only, not at each connection.
            self._client.subscribe(topic_filter, options=SubscribeOptions(qos=1, retainHandling=1))
