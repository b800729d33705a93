"""A real device with everything around it: a broker, a collector, a camera's clip, a sensor's pty, a small disk."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from wrong import Wrong

from comfywear.demo.scene import sample_photo, sensor_lines
from comfywear.errors import ComfyWearError
from comfywear.feedback import ask
from comfywear.vision.drawing.moving_clip import write_clip
from comfywear_sensors.pty_replay import PtyReplay

# Debian keeps it where only root looks.
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
DISK_MB = 48


class Stage:
    """Starts all of it; every part is a process of its own, the device one that nobody starts again.

    Attributes:
        disk: The small file system of the state folder; None where this user may not mount one.
        wrong: What is wrong with the device's clock, disk and name server.
        votes: Ids of the votes that the device accepted.
        undone: Ids of those that it took back.
        refused: Why votes were refused, with counts.
        heard: Live messages by the last part of their topic.
        comfort_s: Monotonic time of the newest comfort message.
    """

    def __init__(self, out: Path, *, fps: float) -> None:
        if MOSQUITTO is None:
            sys.exit("needs the broker mosquitto (Debian: apt install mosquitto)")
        self.folder = Path(tempfile.mkdtemp(prefix="comfywear-soak-"))
        self.disk = _mounted(self.folder / "disk")
        self.state = (self.disk or self.folder) / "state"
        self.port = _free_port()
        self.clip = write_clip(sample_photo(), self.folder / "clip.avi", frames=60)
        lines = sensor_lines()
        self.sensor = PtyReplay(lines)
        self.votes: list[str] = []
        self.undone: set[str] = set()
        self.refused: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.comfort_s = time.monotonic()
        self.wrong = Wrong(self.folder, self.state)
        self._log = (out / "device.log").open("wb")
        self._rest = (out / "around.log").open("wb")
        self._broker: subprocess.Popen[bytes] | None = None
        self.start_broker()
        config = self.folder / "device.toml"
        config.write_text(self._settings(fps))
        self.device = subprocess.Popen(
            [sys.executable, "-m", "comfywear.cli", "run", "--config", str(config)],
            env=self.wrong.environ(), stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self._collected = self.folder / "collected.sqlite"
        self._collector = subprocess.Popen(
            [sys.executable, "-m", "comfywear.cli", "collect", "--db", str(self._collected), "--name", "soak",
             "--broker", f"127.0.0.1:{self.port}", "--ack-every", "2"],
            stdout=self._rest, stderr=self._rest,
        )  # fmt: skip
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 2)
        self._client.on_connect = lambda client, *_: client.subscribe("comfywear/v1/soak/d1/#", qos=1)
        self._client.on_message = lambda _client, _data, message: self._hear(message.topic)
        self._client.connect_async("127.0.0.1", self.port)
        self._client.loop_start()

    def close(self) -> None:
        """Stop everything and take the disk away."""
        self._client.loop_stop()
        for process in (self.device, self._collector):
            _end(process)
        self.stop_broker(signal.SIGKILL)
        self.sensor.close()
        self._log.close()
        self._rest.close()
        if self.disk:
            subprocess.run(["umount", "-l", str(self.disk)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_broker(self) -> None:
        """Start mosquitto, unless it runs."""
        if self._broker is None:
            config = self.folder / "mosquitto.conf"
            user = "user root\n" if os.geteuid() == 0 else ""
            config.write_text(f"{user}listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
            self._broker = subprocess.Popen([str(MOSQUITTO), "-c", str(config)], stdout=self._rest, stderr=self._rest)

    def stop_broker(self, number: int) -> None:
        """Send mosquitto a signal; unless that only pauses it, wait until it is gone."""
        if self._broker is not None:
            self._broker.send_signal(number)
            if number not in (signal.SIGSTOP, signal.SIGCONT):
                self._broker.wait(10)
                self._broker = None

    def cameras(self) -> list[int]:
        """The device's camera processes."""
        found = []
        for path in Path(f"/proc/{self.device.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [pid for pid in map(int, path.read_text().split()) if _is_camera(pid)]
        return found

    def signal_cameras(self, number: int) -> None:
        """Send the camera's process a signal."""
        for pid in self.cameras():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def vote(self, level: int) -> None:
        """Press a button; what the device accepts must arrive."""
        try:
            self.votes.append(ask(self.state, {"verb": "vote", "level": level, "source": "soak"})["vote"]["id"])
        except ComfyWearError as error:
            reason = str(error).replace(str(self.state), "…")
            self.refused["disk" if "disk" in reason else reason[:80]] += 1

    def undo(self) -> None:
        """Take the newest vote back; the collector's last word on it must be that."""
        with contextlib.suppress(ComfyWearError):
            self.undone.add(ask(self.state, {"verb": "undo", "source": "soak"})["vote"]["id"])

    def status(self) -> dict[str, Any]:
        """What the device says of itself; empty when it does not answer."""
        try:
            return ask(self.state, {"verb": "status"})
        except ComfyWearError:
            return {}

    def arrived(self) -> dict[str, bool]:
        """Ids of all votes that the collector stored, and whether its newest word is that they were undone."""
        import sqlite3

        with contextlib.closing(sqlite3.connect(f"file:{self._collected}?mode=ro", uri=True)) as connection:
            rows: Sequence[tuple[str]] = connection.execute(
                "SELECT payload FROM messages WHERE kind = 'vote' ORDER BY rowid"
            ).fetchall()
        said = [json.loads(payload) for (payload,) in rows]
        return {each["id"]: each["undone"] for each in said}

    def _hear(self, topic: str) -> None:
        kind = topic.rsplit("/", 1)[-1]
        self.heard[kind] += 1
        if kind == "comfort":
            self.comfort_s = time.monotonic()

    def _settings(self, fps: float) -> str:
        return f"""
[device]
site = "soak"
id = "d1"
state_dir = "{self.state}"
[camera]
source = "file://{self.clip}"
fps = {fps}
loop = true
[vision]
precision = "int8"
threads = 1
[[sensors]]
uri = "serial://{self.sensor.path}?simulated=1"
[climate]
stale_after_s = 20
[mqtt]
host = "localhost"
port = {self.port}
interval_s = 5
confirm_by = ["soak"]
spool_mb = 8
write_mb_per_day = 0
[votes]
repeat_s = 0
per_minute = 0
[web]
enabled = true
port = {_free_port()}
"""


def _mounted(folder: Path) -> Path | None:
    folder.mkdir()
    order = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    return folder if subprocess.run(order, capture_output=True, check=False).returncode == 0 else None


def _is_camera(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"camera.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
