"""The other ends of the wire in these tests: an independent consumer, and a broker that misbehaves on purpose."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from comfywear.publishing import Pace, Publisher, Topics

TOPICS = Topics("home", "dev")
FAST = Pace(first_pause_s=0.05, longest_pause_s=0.2, ack_timeout_s=5, denied_retry_s=0.3, flush_s=2, will_delay_s=0)


@contextmanager
def running(publisher: Publisher) -> Iterator[None]:
    """The publisher at work in a thread, as under the supervisor."""
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


class Consumer:
    """Plain paho with a session that the broker keeps: what comes is noted as (topic, message, retained)."""

    def __init__(self, port: int, **login: str) -> None:
        self.came: list[tuple[str, Any, bool]] = []
        self._ready = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "consumer", protocol=paho.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        if login:
            self._client.username_pw_set(login["username"], login["password"])
        self._client.on_connect = lambda client, *_: client.subscribe("comfywear/v1/#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._note
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", port, clean_start=False, properties=session)

    def __enter__(self) -> Consumer:  # noqa: PYI034 - Self is not in Python 3.10
        self._client.loop_start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        with suppress(ValueError, RecursionError):  # what tests send is nonsense on purpose
            found = json.loads(message.payload)
            if isinstance(found, dict) and "schema" in found:
                self.came.append((message.topic, found, message.retain))

    def send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(60)

    def seqs(self) -> list[int]:
        """Sequence numbers that came, in order."""
        return [message["seq"] for _, message, _ in list(self.came) if message.get("seq") is not None]

    def states(self) -> list[tuple[str, str | None]]:
        """What was said on the status topic."""
        return [(m["state"], m["reason"]) for topic, m, _ in list(self.came) if topic == TOPICS.status]


class StandIn:
    """A broker of a few lines that does what a real one cannot be made to do.

    Args:
        connack: What answers CONNECT by protocol level (4 = 3.1.1, 5 = v5); None closes the connection.
        acknowledge: Whether publishes are acknowledged.
        breaks_on: A topic that makes it close the connection.
    """

    def __init__(
        self, connack: Callable[[int], bytes | None], *, acknowledge: bool = True, breaks_on: str = ""
    ) -> None:
        self.levels: list[int] = []
        self.largest: list[int | None] = []
        """The largest packet that each CONNECT of v5 allows; None where it names none."""
        self.published: list[list[tuple[int, str]]] = []
        self._connack = connack
        self._acknowledge = acknowledge
        self._breaks_on = breaks_on
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> StandIn:  # noqa: PYI034
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                with suppress(OSError, EOFError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        kind, body = _packet(connection)
        assert kind >> 4 == 1, "CONNECT comes first"
        level = body[6]
        self.levels.append(level)
        if level == 5:
            properties = Properties(PacketTypes.CONNECT)
            properties.unpack(body[10:])
            self.largest.append(getattr(properties, "MaximumPacketSize", None))
        answer = self._connack(level)
        if answer is None:
            return
        connection.sendall(answer)
        published: list[tuple[int, str]] = []
        self.published.append(published)
        while True:
            kind, body = _packet(connection)
            if kind >> 4 == 3:
                length = int.from_bytes(body[:2], "big")
                mid = int.from_bytes(body[2 + length : 4 + length], "big")
                published.append((mid, body[2 : 2 + length].decode()))
                if published[-1][1] == self._breaks_on:
                    return
                if self._acknowledge:
                    connection.sendall(b"\x40\x02" + mid.to_bytes(2, "big"))
            elif kind >> 4 == 12:
                connection.sendall(b"\xd0\x00")


def _packet(connection: socket.socket) -> tuple[int, bytes]:
    kind = _exactly(connection, 1)[0]
    length, shift = 0, 0
    while True:
        byte = _exactly(connection, 1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return kind, _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


ACCEPT = {4: b"\x20\x02\x00\x00", 5: b"\x20\x03\x00\x00\x00"}
