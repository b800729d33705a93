"""`comfywear bench mqtt`: the spool and publisher beside plain paho with its queue in memory, on one broker.

Throughput, time from making a message to a subscriber, what each loses in the same kill, and a drain of what was kept.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from comfywear.bench._mqtt_sides import OURS, PAHO, PAHO_TOPIC, TOPICS, Job
from comfywear.errors import BrokerError
from comfywear.system.arguments import seconds, whole

_SIDES = (OURS, PAHO)
_KILL_RATE = 200.0
_LONGEST_WAIT_S = 300.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `mqtt`."""
    parser = commands.add_parser("mqtt", help="messages a second, delays and losses beside plain paho")
    parser.add_argument("--messages", type=whole(1), default=5000, metavar="N", help="of the throughput (default 5000)")
    parser.add_argument("--runs", type=whole(1), default=3, metavar="N", help="runs of the throughput (default 3)")
    parser.add_argument(
        "--drain", type=whole(1), default=100_000, metavar="N", help="spooled messages (default 100000)"
    )
    parser.add_argument("--seconds", type=seconds, default=30.0, metavar="S", help="of each rate (default 30)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        BrokerError: When mosquitto is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="comfywear-bench-") as name:
        figures = _measure(args, Path(name))
    if args.json:
        print(json.dumps(figures))
        return 0
    for stage, found in figures.items():
        print(stage)
        for key, value in found.items():
            print(f"  {key:28} {value}")
    return 0


def _measure(args: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    with _Broker(folder) as broker:
        throughput: dict[str, list[float]] = {side: [] for side in _SIDES}
        for _ in range(args.runs):
            for side in _SIDES:
                with _subscriber(broker.port) as came, tempfile.TemporaryDirectory(dir=folder) as state:
                    _, took_s = _carry(side, Job(broker.port, state, args.messages), came)
                    throughput[side].append(args.messages / took_s)
        medians = {side: statistics.median(throughput[side]) for side in _SIDES}
        figures: dict[str, dict[str, Any]] = {
            "throughput": {
                "messages": args.messages,
                **{f"{side}_per_s": round(medians[side]) for side in _SIDES},
                "ratio": round(medians[OURS] / medians[PAHO], 2),
            }
        }
        for rate in (1.0, 100.0):
            for side in _SIDES:
                with _subscriber(broker.port) as came, tempfile.TemporaryDirectory(dir=folder) as state:
                    count = max(2, int(rate * args.seconds))
                    said, _ = _carry(side, Job(broker.port, state, count, rate), came)
                    stage = figures.setdefault(f"delay at {rate:g}/s", {})
                    stage[f"{side}_median_ms"] = round(statistics.median(came.delays_s) * 1000, 2)
                    stage[f"{side}_p99_ms"] = round(_percentile(came.delays_s, 0.99) * 1000, 2)
                    if side == OURS and said["written_bytes"] is not None:
                        stage["ours_written_kb_per_message"] = round(said["written_bytes"] / count / 1000, 1)
        figures["kill"] = _kill(broker, folder)
        with _subscriber(broker.port) as came, tempfile.TemporaryDirectory(dir=folder) as state:
            said, took_s = _carry(OURS, Job(broker.port, state, args.drain, spool_first=True), came)
            figures["drain"] = {
                "messages": args.drain,
                "per_s": round(args.drain / took_s),
                "cpu_share": round(said["cpu_s"] / said["seconds"], 2),
                "rss_before_peak_after_mb": [round(each, 1) for each in said["rss_mb"]],
            }
    return figures


class _Came:
    """What a subscriber has heard."""

    def __init__(self) -> None:
        self.numbers: dict[str, set[int]] = {OURS: set(), PAHO: set()}
        self.delays_s: list[float] = []
        self.last_s = 0.0
        self.more = threading.Condition()

    def take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        now_s = time.monotonic()
        body = msgspec.json.decode(message.payload)
        if "number" not in body:
            return
        with self.more:
            numbers = self.numbers[body["device"]]
            if body["number"] not in numbers:
                numbers.add(body["number"])
                self.delays_s.append(now_s - body["made_s"])
                self.last_s = now_s
            self.more.notify_all()


def _subscribe(client: Client, *_: object) -> None:
    client.subscribe([(TOPICS.metrics, 1), (TOPICS.backlog(TOPICS.metrics), 1), (PAHO_TOPIC, 1)])


@contextmanager
def _subscriber(port: int) -> Iterator[_Came]:
    """Plain paho, with a session that outlives the broker's restarts."""
    came, ready = _Came(), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id="subscriber", protocol=MQTTProtocolVersion.MQTTv5)
    client.reconnect_delay_set(1, 1)
    client.on_message = came.take
    client.on_connect = _subscribe
    client.on_subscribe = lambda *_: ready.set()
    session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
    session.SessionExpiryInterval = 3600
    client.connect("127.0.0.1", port, clean_start=False, properties=session)
    client.loop_start()
    try:
        if not ready.wait(10):
            raise BrokerError("the broker does not let us subscribe")
        yield came
    finally:
        client.disconnect()
        client.loop_stop()


def _carry(side: str, job: Job, came: _Came) -> tuple[dict[str, Any], float]:
    """Let a side make its messages; returns what it says, and seconds until the last had come."""
    child = _start(side, job)
    try:
        began_s = _go(child)
        deadline_s = began_s + _LONGEST_WAIT_S
        with came.more:
            while len(came.numbers[side]) < job.count:
                if not came.more.wait(deadline_s - time.monotonic()):
                    raise BrokerError(f"{side}: {len(came.numbers[side])} of {job.count} messages came")
        said: dict[str, Any] = json.loads(child.communicate(timeout=60)[0])
    finally:
        child.kill()
        child.wait()
    return said, came.last_s - began_s


def _kill(broker: _Broker, folder: Path) -> dict[str, Any]:
    """Both make messages; the broker goes, both are killed, and everything starts again."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=folder) as state, _subscriber(broker.port) as came:
        jobs = {
            side: Job(broker.port, state, 10**6, _KILL_RATE, notes=str(Path(state) / f"made-{side}")) for side in _SIDES
        }
        children = {side: _start(side, job) for side, job in jobs.items()}
        for child in children.values():
            _go(child)
        time.sleep(2)
        broker.stop()
        time.sleep(2)
        for child in children.values():
            child.kill()
            child.wait()
        figures["ours_accepted"] = accepted = _accepted(Path(state))
        broker.start()
        for side in _SIDES:  # what each still has goes out now
            child = _start(side, Job(broker.port, state, 0))
            _go(child)
            child.communicate(timeout=60)
        time.sleep(1)
        for side in _SIDES:
            made = len(Path(jobs[side].notes).read_text().splitlines())
            figures[f"{side}_made"] = made
            figures[f"{side}_lost"] = made - len(came.numbers[side] & set(range(1, made + 1)))
        figures["ours_lost_of_accepted"] = accepted - len(came.numbers[OURS] & set(range(1, accepted + 1)))
    return figures


def _accepted(state: Path) -> int:
    """The highest number that the spool of a killed process had committed."""
    with closing(sqlite3.connect(state / "spool.sqlite")) as connection:
        found = connection.execute(
            "SELECT max((SELECT ifnull(max(seq), 0) FROM messages), (SELECT value FROM facts WHERE name = 'last_seq'))"
        ).fetchone()
    return int(found[0])


def _start(side: str, job: Job) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "comfywear.bench._mqtt_sides", side, msgspec.json.encode(job).decode()]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _go(child: subprocess.Popen[str]) -> float:
    """Wait until a side is ready, let it begin; returns when."""
    assert child.stdin is not None
    assert child.stdout is not None
    if child.stdout.readline().strip() != "ready":
        raise BrokerError("a side of the measurement did not start")
    child.stdin.write("go\n")
    child.stdin.flush()
    return time.monotonic()


def _percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


class _Broker:
    """A mosquitto of its own, on a random port of the loopback address."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if found is None:
            raise BrokerError("needs the broker mosquitto (Debian: apt install mosquitto)")
        self._command = [found, "-c", str(folder / "mosquitto.conf")]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        (folder / "mosquitto.conf").write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"persistence true\npersistence_location {folder}/\n"
        )

    def __enter__(self) -> _Broker:  # noqa: PYI034 - Self is not in Python 3.10
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise BrokerError("mosquitto does not listen")

    def stop(self) -> None:
        """Stop it in order: what it has is kept."""
        self._process.terminate()
        self._process.wait(10)
