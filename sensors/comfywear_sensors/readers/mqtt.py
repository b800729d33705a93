"""`mqtt://[user:password@]broker[:1883]/TOPIC`: sensors that already publish (`mqtts://` with TLS, port 8883).

MQTT 5, or 3.1.1 where the broker speaks only that. Options: `topic` (more topics, repeatable); `path` (where the
sensor's object is in the JSON); `temperature`, `humidity`, `radiant`, `air_speed`, `illuminance`, `irradiance`, `co2`
(JSON paths of numbers); `temperature_topic`, `humidity_topic` … (topics whose messages are just a number, as
ESPHome's); `unit` (C or F); `decimal` (auto, point, comma); `retained` (1 takes messages that the broker kept, whose
age nobody knows); `password_file`; `ca` (a file of the CA for `mqtts`).
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from comfywear_sensors.clock import Clock
from comfywear_sensors.errors import BadSensorURI, NotAReading, ReaderTimeout, SensorError
from comfywear_sensors.measured import DECIMALS
from comfywear_sensors.payloads import parse_message, parse_number
from comfywear_sensors.quantities import QUANTITY_OPTIONS, Values, reading_of
from comfywear_sensors.reading import Reading
from comfywear_sensors.registry import DEFAULT_TIMEOUT_S, Opener, Reader
from comfywear_sensors.texts import Text
from comfywear_sensors.uri import SensorURI

Parser = Callable[[bytes], Values]


def plan(uri: SensorURI, clock: Clock) -> Opener:
    """What connects and subscribes; `BadSensorURI` when the URI cannot be meant."""
    parsers = _parsers(uri)
    if not uri.host or not parsers:
        raise BadSensorURI(
            Text("{source}: write mqtt://BROKER/TOPIC, such as mqtt://localhost/tele/office/SENSOR", source=uri.source)
        )
    for topic in parsers:
        if "+" in topic or "#" in topic:
            raise BadSensorURI(
                Text(
                    "{source}: {topic}: name each topic; a wildcard would mix several sensors into one",
                    source=uri.source,
                    topic=topic,
                )
            )
    secure = uri.scheme == "mqtts"
    host, port = uri.host_port(8883 if secure else 1883)
    password = uri.password or uri.text("password")
    password_file = uri.text("password_file")
    ca = uri.text("ca")
    retained = uri.flag("retained")
    uri.finish()

    def connect() -> MqttReader:
        secret = password or _secret(password_file)
        for protocol in (MQTTv5, MQTTv311):
            client = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
            if uri.user:
                client.username_pw_set(uri.user, secret or None)
            if secure:
                client.tls_set_context(_tls_context(ca))
            reader = MqttReader(client, parsers, uri.source, clock, take_retained=retained)
            try:
                reader.connect(host, port)
            except _OtherVersion as error:
                fault = error
            else:
                return reader
        raise fault

    return connect


class _OtherVersion(SensorError):  # noqa: N818 - a reason to try the other one
    """The broker hung up on this version of MQTT."""


def _parsers(uri: SensorURI) -> dict[str, Parser]:
    """Topic → parser of its messages."""
    unit = uri.choice("unit", ("C", "F"), "C")
    decimal = uri.choice("decimal", DECIMALS, "auto")
    path = uri.text("path")
    paths = {field: place for name, field in QUANTITY_OPTIONS.items() if (place := uri.text(name))}
    topics = [topic for topic in (uri.path.removeprefix("/"), *uri.all("topic")) if topic]
    parsers: dict[str, Parser] = {
        topic: partial(parse_message, unit=unit, path=path, paths=paths or None, decimal=decimal) for topic in topics
    }
    for name, field in QUANTITY_OPTIONS.items():
        topic = uri.text(f"{name}_topic")
        if topic:
            parsers[topic] = partial(parse_number, field=field, unit=unit, decimal=decimal)
    return parsers


def _secret(file: str) -> str:
    try:
        return Path(file).read_text("utf-8").strip() if file else ""
    except (OSError, UnicodeDecodeError):
        raise SensorError(Text("{file}: the password file cannot be read", file=file)) from None


def _tls_context(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError):
        raise SensorError(Text("{ca}: not a file of CA certificates in PEM form", ca=ca)) from None


class MqttReader(Reader):
    """Messages of a broker, waited for inside `read`: no thread."""

    polled = False

    def __init__(
        self, client: Any, parsers: Mapping[str, Parser], source: str, clock: Clock, *, take_retained: bool = False
    ) -> None:
        self.source = source
        self.on_raw: Callable[[str], None] | None = None
        self._client = client
        self._parsers = parsers
        self._clock = clock
        self._take_retained = take_retained
        self._waiting: deque[tuple[float, str, bytes, bool]] = deque(maxlen=100)
        self._refusal: str | None = None
        self._subscribed = False
        self._other_version = False
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    # Callbacks only note what came: paho swallows or dies of what is raised in them.

    def _on_connect(self, client: Any, _userdata: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason == "Unsupported protocol version":
            self._other_version = True
        elif reason.is_failure:
            self._refusal = Text("the broker refuses: {why}; check user and password", why=reason)
        else:
            client.subscribe([(topic, 0) for topic in self._parsers])

    def _on_subscribe(self, _c: object, _u: object, _mid: object, reasons: list[Any], _properties: object) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = Text("the broker does not allow this user to read the topic")
        self._subscribed = True

    def _on_message(self, _client: object, _userdata: object, message: Any) -> None:
        if self._take_retained or not message.retain:
            self._waiting.append((self._clock.monotonic(), message.topic, message.payload, message.retain))

    def connect(self, host: str, port: int) -> None:
        """Connect and wait until the broker has granted the subscriptions."""
        try:
            # A name may have many addresses, each of which is given this time.
            addresses = len(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            self._client.connect_timeout = max(1.0, DEFAULT_TIMEOUT_S / max(1, addresses))
            self._client.connect(host, port, keepalive=60)
        except (OSError, ValueError) as error:
            raise SensorError(
                Text(
                    "{source}: no broker at {host}:{port} ({why}); is it running?",
                    source=self.source,
                    host=host,
                    port=port,
                    why=error,
                )
            ) from None
        deadline = self._clock.monotonic() + DEFAULT_TIMEOUT_S
        while not self._subscribed:
            try:
                self._loop(deadline)
            except SensorError:
                self._other_version = True
            if self._other_version:
                self.close()
                raise _OtherVersion(
                    Text(
                        "{source}: what answers at {host}:{port} hangs up; is it an MQTT broker?",
                        source=self.source,
                        host=host,
                        port=port,
                    )
                )
            if self._refusal or self._clock.monotonic() >= deadline:
                self.close()
                raise SensorError(
                    Text(
                        "{source}: {why}",
                        source=self.source,
                        why=self._refusal
                        or Text("what answers at {host}:{port} is no MQTT broker", host=host, port=port),
                    )
                )

    def _loop(self, deadline: float) -> None:
        wait_s = min(1.0, max(0.0, deadline - self._clock.monotonic()))
        try:
            result = self._client.loop(wait_s)
        except Exception as error:  # paho's answer to a packet that it cannot take apart
            raise SensorError(
                Text(
                    "{source}: the broker sends what is no MQTT ({name})", source=self.source, name=type(error).__name__
                )
            ) from None
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS and not self._refusal:
            raise SensorError(Text("{source}: the broker is gone ({name})", source=self.source, name=result.name))

    def read(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reading:
        """The next message that says something; waits up to `timeout_s` for one."""
        deadline = self._clock.monotonic() + timeout_s
        last_fault = ""
        while True:
            while self._waiting:
                heard_s, topic, payload, retained = self._waiting.popleft()
                if self.on_raw:
                    self.on_raw(f"{topic} {payload.decode('utf-8', 'replace')}")
                try:
                    values = self._parsers[topic](payload)
                except NotAReading as error:
                    last_fault = Text("; the last message on {topic}: {why}", topic=topic, why=error)
                    continue
                flags = ("retained",) if retained else ()
                return reading_of(values, heard_s, self.source, flags=flags)
            if self._clock.monotonic() >= deadline:
                raise ReaderTimeout(
                    Text(
                        "{source}: no reading in {timeout} s{last_fault}",
                        source=self.source,
                        timeout=f"{timeout_s:g}",
                        last_fault=last_fault,
                    )
                )
            self._loop(deadline)

    def close(self) -> None:
        """Say goodbye to the broker."""
        self._client.disconnect()
