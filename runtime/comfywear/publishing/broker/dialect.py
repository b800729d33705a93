"""Which version of MQTT a broker speaks."""

from __future__ import annotations

import threading

from paho.mqtt.enums import MQTTProtocolVersion

from comfywear.publishing.broker.connection import BrokerSettings, Connection, Kind, Refused, Will
from comfywear.texts import Text

__all__ = ["Dialect"]


class Dialect:
    """Finds the version of MQTT that a broker speaks: v5, else 3.1.1 where that is all it speaks.

    A broker may refuse v5 in words or by closing the connection. A closed connection alone proves nothing (the
    broker may be starting), so 3.1.1 is settled for only when v5 fails again right after 3.1.1 was let in: under
    3.1.1 a device cannot see that a message was denied.
    """

    def __init__(self) -> None:
        self._known: MQTTProtocolVersion | None = None

    def connect(
        self, settings: BrokerSettings, client_id: str, will: Will | None = None, stop: threading.Event | None = None
    ) -> Connection:
        """An open connection.

        Raises:
            Refused: With the reason.
        """
        five, older = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311

        def opened(protocol: MQTTProtocolVersion) -> Connection:
            connection = Connection(settings, client_id, protocol, will)
            connection.open(stop)
            self._known = protocol
            return connection

        known, self._known = self._known, None
        if known is older:
            return opened(older)
        try:
            return opened(five)
        except Refused as refused:
            if refused.kind not in (Kind.VERSION, Kind.SILENT) or (refused.kind is Kind.SILENT and known is five):
                raise
            said_so = refused.kind is Kind.VERSION
        try:
            connection = opened(older)
        except Refused as refused:
            if refused.kind is not Kind.SILENT:
                raise
            raise Refused(
                Text(
                    "{why} (a wrong user name or password, a port that wants TLS, or not an MQTT broker)",
                    why=refused,
                ),
                Kind.SILENT,
            ) from refused
        if said_so:
            return connection
        connection.close()
        try:
            return opened(five)
        except Refused as refused:
            if refused.kind is not Kind.SILENT:
                raise
        return opened(older)
