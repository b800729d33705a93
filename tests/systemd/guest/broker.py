"""The broker outside the guest, on this machine's loopback address, and somebody who listens to it."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

BASE = "comfywear/v1/proof/guest"
_MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that was not a retained one: `topic` below the device's, and when it came (monotonic seconds)."""

    topic: str
    body: dict[str, Any]
    at_s: float


class Broker:
    """A real mosquitto, and a listener with a session that outlives the connection."""

    def __init__(self, folder: Path) -> None:
        if _MOSQUITTO is None:
            raise FileNotFoundError("not installed: apt install mosquitto")
        self.port = 18831  # none of those given to outgoing connections: it is started again
        folder.mkdir(parents=True, exist_ok=True)
        self._config, self._log = folder / "mosquitto.conf", folder / "mosquitto.log"
        (folder / "mosquitto.db").unlink(missing_ok=True)
        self._config.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 1000000\n"
            f"persistence true\npersistence_location {folder}/\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._heard: list[Heard] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "proof", protocol=mqtt.MQTTv5)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe(f"{BASE}/#", qos=1)
        self._client.reconnect_delay_set(1, 1)

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([_MOSQUITTO, "-c", self._config], stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise TimeoutError("mosquitto does not listen")
        if not self._client.is_connected() and self._client._thread is None:
            session = Properties(PacketTypes.CONNECT)
            session.SessionExpiryInterval = 24 * 3600
            self._client.connect("127.0.0.1", self.port, clean_start=False, properties=session)
            self._client.loop_start()

    def stop(self) -> None:
        """Stop it in order; sessions and retained messages are kept."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        """Stop listening, and the broker."""
        self._client.loop_stop()
        self.stop()

    def send(self, topic: str, text: str) -> None:
        """Publish below the device's topics, QoS 1."""
        self._client.publish(f"{BASE}/{topic}", text, qos=1)

    def heard(self, topic: str, since_s: float = 0.0) -> list[Heard]:
        """What came on a topic below the device's since a moment of the monotonic clock, oldest first."""
        with self._lock:
            return [each for each in self._heard if each.topic == topic and each.at_s >= since_s]

    def votes(self) -> dict[str, dict[str, Any]]:
        """Every vote that was heard, by its id."""
        with self._lock:
            return {each.body["id"]: each.body for each in self._heard if each.topic.endswith("/vote")}

    def _take(self, _client: object, _data: object, message: Any) -> None:
        if message.retain or not message.payload:
            return
        try:
            body = json.loads(message.payload)
        except ValueError:
            return  # the bare level of a vote/set that we sent
        if isinstance(body, dict):
            with self._lock:
                self._heard.append(Heard(message.topic.removeprefix(f"{BASE}/"), body, time.monotonic()))
