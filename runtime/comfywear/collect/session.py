"""A connection whose session the broker keeps while the collector is away, with a wide window for many devices."""

from __future__ import annotations

from collections.abc import Sequence

from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from comfywear.publishing.broker.connection import BrokerSettings, Connection, Kind, Refused

# Messages that the broker may send ahead of their acknowledgement (MQTT v5 Receive Maximum), and bytes of one: what a
# collector holds in memory at most.
AHEAD = 1000
LARGEST_PACKET = 1 << 20
# Packets read at a time before anything else is looked at.
_IN_A_ROW = 200


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

    def _dial(self) -> None:
        """Take up the session where it was left."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
        properties.ReceiveMaximum = AHEAD
        properties.MaximumPacketSize = LARGEST_PACKET
        properties.SessionExpiryInterval = self._expiry_s
        host, port, keepalive_s = self.settings.host, self.settings.port, self.settings.keepalive_s
        self._client.connect(host, port, keepalive_s, clean_start=False, properties=properties)

    def _unanswered(self) -> Refused:
        return Refused(
            f"{self.settings.host}:{self.settings.port} closed the connection without an answer (it must speak MQTT "
            "v5; a port may want TLS)",
            Kind.SILENT,
        )

    def read(self, timeout_s: float) -> None:
        """Like `poll`, then take in what else has arrived already, some hundred packets at most."""
        start = before = len(self.events)
        self.poll(timeout_s)
        while self.lost is None and before < len(self.events) < start + _IN_A_ROW:
            before = len(self.events)
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self.lost = self.lost or "the connection broke"

    def subscribe_all(self, filters: Sequence[str], *, retained: bool = False) -> None:
        """Ask for messages with QoS 1; each filter is answered by a `Subscribed`.

        Args:
            filters: Of topics.
            retained: What is retained comes at each connection, not with a new subscription only.
        """
        for topic_filter in filters:
            options = SubscribeOptions(qos=1, retainHandling=0 if retained else 1)
            self._client.subscribe(topic_filter, options=options)
