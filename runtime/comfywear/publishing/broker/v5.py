"""What MQTT v5 packets carry beside their message."""

from __future__ import annotations

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

__all__ = ["of_connect", "of_disconnect", "of_publish", "of_will"]


LARGEST_PACKET_BYTES = 256 * 1024
"""What a device takes of one message: the largest that it sends itself is half of it."""


def of_connect(receive_maximum: int, session_expiry_s: int) -> Properties:
    """How much may be on its way to us, how large it may be, and how long our session is kept (0 = not at all)."""
    properties = _properties(PacketTypes.CONNECT)
    properties.ReceiveMaximum = receive_maximum
    properties.MaximumPacketSize = LARGEST_PACKET_BYTES
    if session_expiry_s:
        properties.SessionExpiryInterval = session_expiry_s
    return properties


def of_will(delay_s: int) -> Properties:
    """How long the broker waits for us to come back before it says the will."""
    properties = _properties(PacketTypes.WILLMESSAGE)
    properties.WillDelayInterval = delay_s
    return properties


def of_disconnect() -> Properties:
    """An orderly end is the end of the session too: nothing is kept for us."""
    properties = _properties(PacketTypes.DISCONNECT)
    properties.SessionExpiryInterval = 0
    return properties


def of_publish(expiry_s: int | None, correlation: bytes | None) -> Properties | None:
    """When the broker drops the message, and what ties it to a request; None when there is neither."""
    if expiry_s is None and correlation is None:
        return None
    properties = _properties(PacketTypes.PUBLISH)
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    if correlation is not None:
        properties.CorrelationData = correlation
    return properties


def _properties(kind: int) -> Properties:
    return Properties(kind)  # type: ignore[no-untyped-call]  # paho has no types here
