"""Hears what a device says over a broker."""

from __future__ import annotations

import threading
from typing import TypeVar, final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from comfywear.publishing import Message
from comfywear.publishing.messages.kinds import read_message

M = TypeVar("M", bound=Message)


@final
class Listener:
    """A client of the broker that keeps all that came from the device, in order.

    With a `name` the broker keeps for it what comes while it is away.
    """

    def __init__(self, port: int, name: str = "") -> None:
        self.heard: list[Message] = []
        self._client = Client(CallbackAPIVersion.VERSION2, name, clean_session=not name)
        self._subscribed = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe("comfywear/v1/home/d1/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _data, message: self._hear(message)
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Listener:
        self._client.loop_start()
        assert self._subscribed.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, message: MQTTMessage) -> None:
        if "/cmd/" not in message.topic:
            self.heard.append(read_message(message.payload))

    def messages(self, kind: type[M]) -> list[M]:
        """All of a kind."""
        return [each for each in self.heard.copy() if isinstance(each, kind)]

    def newest(self, kind: type[M]) -> M | None:
        """The last of a kind."""
        return next(reversed(self.messages(kind)), None)
