"""An outside consumer: it knows the broker and the topics, nothing of the device."""

from __future__ import annotations

import threading
from collections import defaultdict
from types import TracebackType
from typing import TypeVar, final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from comfywear.errors import BrokerError
from comfywear.publishing import Message
from comfywear.publishing.messages.kinds import read_message

M = TypeVar("M", bound=Message)


@final
class Consumer:
    """Subscribes to everything of one device and keeps the newest message of each type."""

    def __init__(self, host: str, port: int, topics: str) -> None:
        self._topics = topics
        self._lock = threading.Lock()
        self._newest: dict[type[Message], tuple[str, bytes, Message]] = {}
        self.counts: defaultdict[str, int] = defaultdict(int)
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(topics, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        try:
            self._client.connect(host, port)
        except OSError as error:
            raise BrokerError(
                f"no broker answers at {host}:{port} ({error}); start one, or leave --broker out"
            ) from error

    def __enter__(self) -> Consumer:
        self._client.loop_start()
        if not self._subscribed.wait(30):
            self._client.loop_stop()
            raise BrokerError(f"the broker does not let us subscribe to {self._topics}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def newest(self, kind: type[M]) -> M | None:
        """The newest message of a type, as it was received."""
        with self._lock:
            found = self._newest.get(kind)
        return found[2] if found and isinstance(found[2], kind) else None

    def raw(self, kind: type[Message]) -> tuple[str, str] | None:
        """Topic and payload of the newest message of a type, letter by letter."""
        with self._lock:
            found = self._newest.get(kind)
        return (found[0], found[1].decode()) if found else None

    def _take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        decoded = read_message(payload)
        with self._lock:
            self._newest[type(decoded)] = (message.topic, payload, decoded)
            self.counts[message.topic] += 1
