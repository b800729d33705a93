"""One connection to a broker, driven by the thread that calls it: no thread of paho's, no queue of paho's.

A `Connection` lives from one CONNECT to one loss and is then thrown away: whatever was on its way stays in the spool
and is sent again by the next. Callbacks only append to a deque, since an exception or a lock in one would stop paho.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, MQTT_LOG_ERR, Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from comfywear.errors import BrokerError
from comfywear.publishing.broker import reasons, v5
from comfywear.publishing.broker.credentials import read_password, tls_context
from comfywear.texts import Text

# Unacknowledged messages each way; larger windows overrun the queues of brokers, which drop after acknowledging.
WINDOW = 20
_POLL_S = 0.2
_GOODBYE_S = 1.0
_READ_BYTES = 64 * 1024
_UNSUPPORTED_VERSION = 0x84
_V5 = MQTTProtocolVersion.MQTTv5
# A session outlives its will's delay by this: what came for us meanwhile is a vote or command of the last moments.
_KEEP_LONGER_S = 20


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and how it is spoken to.

    Attributes:
        host: Name or address; empty = there is no broker.
        port: TCP port.
        username: Empty = none.
        password_file: A file that holds the password alone, read at each connection; empty = none.
        tls: Encrypt, and verify certificate and name.
        ca_file: The authority's certificate; empty = the system's authorities.
        client_cert: Our certificate, for a broker that wants one; empty = none. Each file may be `credential:NAME`.
        client_key: Its key; empty = it stands in the same file.
        keepalive_s: A silent connection is probed this often.
        timeout_s: How long connecting, and then the broker's answer, may take.
    """

    host: str
    port: int = 1883
    username: str = ""
    password_file: str = ""
    tls: bool = False
    ca_file: str = ""
    keepalive_s: int = 30
    timeout_s: float = 8.0
    client_cert: str = ""
    client_key: str = ""


class Kind(Enum):
    """How a connection was refused."""

    UNREACHABLE = "unreachable"
    VERSION = "version"  # it said that it does not speak this version of MQTT
    SILENT = "silent"  # it closed the connection without an answer
    REFUSED = "refused"


class Refused(BrokerError):  # noqa: N818 - it is the broker's answer
    """The broker cannot be reached or does not let us in; the message says why."""

    def __init__(self, reason: str, kind: Kind) -> None:
        super().__init__(reason)
        self.kind = kind


class Acknowledged(NamedTuple):
    """The broker's word on what was sent with `mid`; `refusal` says why when it did not take it."""

    mid: int
    refusal: str | None


class Subscribed(NamedTuple):
    """The broker's word on a subscription."""

    refusal: str | None


class Incoming(NamedTuple):
    """A message from the broker; call `Connection.done` when it has been dealt with."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int
    response_topic: str | None = None
    correlation: bytes | None = None
    again: bool = False


Event = Acknowledged | Subscribed | Incoming


class Will(NamedTuple):
    """What the broker says, retained, when the connection broke `delay_s` ago (at once where 3.1.1 is spoken)."""

    topic: str
    payload: bytes
    delay_s: int = 0


class _Client(Client):
    """paho's, which would take any packet (256 MB) into memory: of a large one the beginning is kept.

    The rest is read and dropped. A message is then cut, and still longer than any door of the device takes.
    """

    def _sock_recv(self, bufsize: int) -> bytes:
        del self._in_packet["packet"][v5.LARGEST_PACKET_BYTES :]
        return super()._sock_recv(min(bufsize, _READ_BYTES))


class Connection:
    """A connection to a broker; all methods belong to one thread.

    Attributes:
        events: What the broker said since the last look, oldest first.
        lost: Why the connection is gone, or None while it stands.
        window: Messages that may be on their way at once, by the broker's wish at most 20.
        taken_up: Whether the broker goes on with an earlier session, whose packet ids still mean what they meant.
    """

    def __init__(
        self, settings: BrokerSettings, client_id: str, protocol: MQTTProtocolVersion, will: Will | None = None
    ) -> None:
        self.settings = settings
        self.protocol = protocol
        self.events: deque[Event] = deque()
        self.lost: str | None = None
        self.window = WINDOW
        self.taken_up = False
        self._answer: ReasonCode | None = None
        self._trouble = ""
        self._keep_s = will.delay_s + _KEEP_LONGER_S if protocol == _V5 and will and will.delay_s else 0
        try:
            self._client = self._make_client(client_id, will)
        except BrokerError as error:
            raise Refused(str(error), Kind.REFUSED) from error

    def open(self, stop: threading.Event | None = None) -> None:
        """Connect and wait for the broker's answer.

        Raises:
            Refused: With the reason, when it cannot be reached or says no, or when `stop` is set meanwhile.
        """
        host, port = self.settings.host, self.settings.port
        try:
            self._dial()
        except (OSError, ValueError) as error:
            raise Refused(reasons.of_error(error, host, port), Kind.UNREACHABLE) from error
        deadline = time.monotonic() + self.settings.timeout_s
        while self._answer is None and self.lost is None:
            if time.monotonic() > deadline or (stop is not None and stop.is_set()):
                self.abandon()
                raise Refused(
                    Text("{host}:{port} takes connections but does not answer as a broker", host=host, port=port),
                    Kind.UNREACHABLE,
                )
            self.poll(_POLL_S)
        if self._answer is None:
            raise self._unanswered()
        if self._answer.is_failure:
            kind = Kind.VERSION if self._answer.value == _UNSUPPORTED_VERSION else Kind.REFUSED
            self.abandon()
            raise Refused(
                Text(
                    "{host}:{port} refuses: {why}",
                    host=host,
                    port=port,
                    why=reasons.of_code(self._answer.value, self._answer.getName()),
                ),
                kind,
            )

    def _dial(self) -> None:
        """Begin to connect."""
        properties = v5.of_connect(WINDOW, self._keep_s) if self.protocol == _V5 else None
        # A will waits only for the session that it belongs to, so a session is taken up again, not begun anew.
        clean = MQTT_CLEAN_START_FIRST_ONLY if not self._keep_s else False
        host, port, keepalive_s = self.settings.host, self.settings.port, self.settings.keepalive_s
        self._client.connect(host, port, keepalive_s, clean_start=clean, properties=properties)

    def _unanswered(self) -> Refused:
        """What it means that the connection was closed without an answer."""
        place = f"{self.settings.host}:{self.settings.port}"
        if alert := reasons.of_alert(self._trouble):
            return Refused(Text("{place} refuses: {why}", place=place, why=alert), Kind.REFUSED)
        hint = reasons.of_silence(self.settings.client_cert) if self.settings.tls else ""
        return Refused(
            Text("{place} closed the connection without an answer{hint}", place=place, hint=hint), Kind.SILENT
        )

    def poll(self, timeout_s: float, wake: socket.socket | None = None) -> None:
        """Move what is to be moved, waiting at most `timeout_s` for the broker or for a byte on `wake`."""
        sock = self._client.socket()
        if sock is None or self.lost is not None:
            self.lost = self.lost or Text("the connection is closed")
            return
        poller = select.poll()
        poller.register(sock.fileno(), select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        if wake is not None:
            poller.register(wake.fileno(), select.POLLIN)
        buffered = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        ready = dict(poller.poll(0 if buffered else timeout_s * 1000))
        happened = ready.get(sock.fileno(), 0)
        failure = MQTTErrorCode.MQTT_ERR_SUCCESS
        if buffered or happened & ~select.POLLOUT:
            failure = self._client.loop_read()
        if not failure and self._client.want_write():
            failure = self._client.loop_write()
        if not failure:
            failure = self._client.loop_misc()
        if failure or self._client.socket() is None:
            self.lost = self.lost or Text("the connection broke")

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool,
        qos: int = 1,
        expiry_s: int | None = None,
        correlation: bytes | None = None,
    ) -> int | None:
        """Send; returns the id that the acknowledgement will carry, None when the connection is gone.

        With MQTT v5 the broker drops the message after `expiry_s`, and `correlation` goes with it.
        """
        properties = v5.of_publish(expiry_s, correlation) if self.protocol == _V5 else None
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or self._client.socket() is None:
            self.lost = self.lost or Text("the connection broke")
            return None
        return info.mid

    def subscribe(self, topic_filter: str) -> None:
        """Ask for messages with QoS 1; the answer comes as `Subscribed`."""
        self._client.subscribe(topic_filter, qos=1)

    def done(self, message: Incoming) -> None:
        """Acknowledge a message that has been dealt with."""
        self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Say goodbye, so that the last will is not sent, and close once the broker has closed too."""
        sock = self._client.socket()
        if sock is not None and self.lost is None:
            # A copy of the socket outlives paho's: closing one with unread bytes resets the connection, and the
            # broker may then throw the goodbye away unread.
            with socket.socket(fileno=os.dup(sock.fileno())) as copy:
                self._client.disconnect(properties=v5.of_disconnect() if self._keep_s else None)
                deadline = time.monotonic() + _GOODBYE_S
                while self.lost is None and time.monotonic() < deadline:
                    self.poll(_POLL_S)
                copy.settimeout(_POLL_S)
                with suppress(OSError):
                    copy.shutdown(socket.SHUT_WR)
                    while time.monotonic() < deadline and copy.recv(65536):
                        pass
        self.abandon()

    def abandon(self) -> None:
        """Close without goodbye: the broker sends the last will."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        self.lost = self.lost or Text("given up")

    def _make_client(self, client_id: str, will: Will | None) -> Client:
        settings = self.settings
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=self.protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = settings.timeout_s
        if settings.username:
            client.username_pw_set(settings.username, read_password(settings.password_file))
        if settings.tls:
            client.tls_set_context(tls_context(settings.ca_file, settings.client_cert, settings.client_key))
        if will is not None:
            properties = v5.of_will(will.delay_s) if self._keep_s else None
            client.will_set(will.topic, will.payload, qos=1, retain=True, properties=properties)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_log = self._on_log
        return client

    def _on_log(self, _client: Client, _userdata: Any, level: int, text: str) -> None:
        """What paho only logs: the broker's last word over TLS, such as that it wants a certificate."""
        if level == MQTT_LOG_ERR:
            self._trouble = text

    def _on_connect(
        self, _client: Client, _userdata: Any, flags: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._answer = code
        self.taken_up = bool(flags.session_present)
        self.window = min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW))

    def _on_disconnect(self, _client: Client, _userdata: Any, flags: Any, code: ReasonCode, _properties: Any) -> None:
        if flags.is_disconnect_packet_from_server and code is not None:
            self.lost = Text("the broker ended the connection: {why}", why=reasons.of_code(code.value, code.getName()))
        else:
            self.lost = self.lost or Text("the connection broke")

    def _on_publish(self, _client: Client, _userdata: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        refusal = reasons.of_code(code.value, code.getName()) if code.is_failure else None
        self.events.append(Acknowledged(mid, refusal))

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        refused = [reasons.of_code(code.value, code.getName()) for code in codes if code.is_failure]
        self.events.append(Subscribed(refused[0] if refused else None))

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        said = message.properties
        self.events.append(
            Incoming(
                topic,
                bytes(message.payload),
                message.retain,
                message.mid,
                message.qos,
                getattr(said, "ResponseTopic", None),
                getattr(said, "CorrelationData", None),
                message.dup,
            )
        )
