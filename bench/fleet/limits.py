"""One broker, collectors that share a subscription, one PostgreSQL, and simulated devices at rising rates.

    .venv/bin/python bench/fleet/limits.py --rates 100,200,400,800 --seconds 20 --out bench/fleet/figures.json

Finds the rate at which the stored messages no longer keep up with the accepted ones, and checks at each rate that
nothing was lost and nothing stored twice. Everything runs on this machine, the devices too: they take their share.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from cluster import Cluster, find_binaries

from comfywear.system.arguments import seconds, whole
from comfywear.system.process import rss_mb

BROKER_SETTINGS = ("max_queued_messages 0", "max_inflight_messages 0", "max_connections -1")
# Debian keeps it where only root looks.
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
_TICKS = os.sysconf("SC_CLK_TCK")


class Stage:
    """A broker, a PostgreSQL and collectors, each a process of its own.

    Args:
        collectors: How many share the subscription.
        broker_settings: Lines of mosquitto.conf(5).
        arguments: More for `comfywear collect`.
    """

    def __init__(
        self, collectors: int = 2, broker_settings: Sequence[str] = BROKER_SETTINGS, arguments: Sequence[str] = ()
    ) -> None:
        binaries = find_binaries()
        if binaries is None or MOSQUITTO is None:
            sys.exit("needs mosquitto and PostgreSQL's server (Debian: apt install mosquitto postgresql)")
        self.folder = Path(tempfile.mkdtemp(prefix="comfywear-fleet-"))
        self.cluster = Cluster(binaries)
        self.port = _free_port()
        self._arguments = [*arguments]
        config = self.folder / "mosquitto.conf"
        user = ["user root"] if os.geteuid() == 0 else []
        lines = [*user, *broker_settings, f"listener {self.port} 127.0.0.1", "allow_anonymous true"]
        config.write_text("\n".join(lines) + "\n")
        self.broker = self._start(MOSQUITTO, "-c", str(config))
        self.collectors = [self.start_collector(number) for number in range(collectors)]

    def start_collector(self, number: int) -> subprocess.Popen[bytes]:
        """Start a collector and wait until it is subscribed."""
        log = self.folder / f"collector-{number}.log"
        before = log.stat().st_size if log.exists() else 0
        command = [sys.executable, "-m", "comfywear.cli", "collect", "--db", self.cluster.url, "--progress", "10"]
        command += ["--broker", f"127.0.0.1:{self.port}", "--share", "load", "--instance", f"c{number}"]
        process = self._start(*command, *self._arguments, log=log)
        for _ in range(600):
            if "collecting from" in log.read_text()[before:]:
                time.sleep(0.5)
                return process
            time.sleep(0.1)
        sys.exit(f"the collector does not start: {log.read_text()}")

    def kill_collector(self, number: int) -> None:
        """End one with -9."""
        self.collectors[number].send_signal(signal.SIGKILL)
        self.collectors[number].wait()

    def devices(
        self, count: int, rate: float, seconds: float, settle: float, consumer: str = "collect"
    ) -> subprocess.Popen[str]:
        """Start a fleet; without a consumer it waits for nobody's confirmation."""
        command = [sys.executable, str(Path(__file__).parent / "devices.py"), "--port", str(self.port)]
        command += ["--devices", str(count), "--rate", str(rate), "--seconds", str(seconds), "--settle", str(settle)]
        return subprocess.Popen([*command, "--consumer", consumer], stdout=subprocess.PIPE, text=True)

    def cpu_seconds(self) -> dict[str, float]:
        """What each has used since its start."""
        return {
            "broker": _cpu_s(self.broker.pid),
            "collectors": sum(_cpu_s(process.pid) for process in self.collectors),
            "postgresql": _cpu_s(self.cluster.pid, children=True),
        }

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of the broker, and of the largest collector."""
        return {
            "broker": rss_mb(self.broker.pid) or 0.0,
            "collector": max(rss_mb(process.pid) or 0.0 for process in self.collectors),
        }

    def query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.cluster.url, options="-c search_path=comfywear") as connection:
            return connection.execute(query, values).fetchall()

    def stored(self) -> int:
        """Messages in the database."""
        return int(self.query("SELECT count(*) FROM entries")[0][0])

    def close(self) -> None:
        """End everything."""
        for process in [*self.collectors, self.broker]:
            process.terminate()
            process.wait(20)
        self.cluster.remove()

    def _start(self, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        with (log or self.folder / "log").open("ab") as file:
            return subprocess.Popen(command, stdout=file, stderr=file)


def verdict(stage: Stage, last: dict[str, int]) -> dict[str, int]:
    """How many of the messages that devices accepted are not there, and how many are there twice.

    Args:
        stage: Where they are stored.
        last: The last number of each "device epoch".
    """
    found = {
        (device, epoch): (int(count), int(distinct))
        for device, epoch, count, distinct in stage.query(
            "SELECT device, epoch, count(*), count(DISTINCT seq) FILTER (WHERE payload IS NOT NULL) "
            "FROM messages WHERE epoch = ANY(%s) GROUP BY 1, 2",
            [key.split()[1] for key in last],
        )
    }
    lost = twice = 0
    for key, accepted in last.items():
        device, epoch = key.split()
        count, distinct = found.get((device, epoch), (0, 0))
        lost += accepted - distinct
        twice += count - distinct
    return {"lost": lost, "twice": twice}


def measure(stage: Stage, count: int, rate: float, seconds: float, settle: float = 120.0) -> dict[str, Any]:
    """One rate: what was stored when the last message was made, what it cost, and whether anything is missing."""
    before = stage.stored()
    fleet = stage.devices(count, rate, seconds, settle)
    while stage.stored() == before and fleet.poll() is None:
        time.sleep(0.1)
    cpu, began = stage.cpu_seconds(), time.monotonic()
    fleet_cpu = _cpu_s(fleet.pid)
    assert fleet.stdout is not None
    sent = json.loads(fleet.stdout.readline())
    took_s, stored = time.monotonic() - began, stage.stored() - before
    spent = {name: value - cpu[name] for name, value in stage.cpu_seconds().items()}
    spent["devices"] = _cpu_s(fleet.pid) - fleet_cpu
    memory = stage.memory_mb()
    ended = json.loads(fleet.stdout.readline())
    fleet.wait()
    last = ended.pop("last")
    latency = stage.query(
        "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - ts)) "
        "FROM messages WHERE epoch = ANY(%s)",
        [key.split()[1] for key in last],
    )[0][0]
    return {
        "devices": count,
        "offered_per_s": rate,
        "accepted_per_s": round(sent["accepted"] / seconds, 1),
        "stored_per_s": round(stored / took_s, 1),
        "backlog": sent["accepted"] - stored,
        "backlog_s": round((sent["accepted"] - stored) / rate, 2),
        "cpu_cores": {name: round(seconds / took_s, 3) for name, seconds in spent.items()},
        "cpu_us_per_message": {name: round(seconds / max(1, stored) * 1e6) for name, seconds in spent.items()},
        "memory_mb": memory,
        "to_collector_s": {"median": round(float(latency[0]), 3), "p99": round(float(latency[1]), 3)},
        "asked_again": ended["asked_again"],
        "unconfirmed": ended["unconfirmed"],
        **verdict(stage, last),
    }


def drain(stage: Stage, count: int, messages: int, patience_s: float = 300.0) -> dict[str, Any]:
    """What collectors do when a queue of `messages` waits for them at the broker: their highest rate, and its cost."""
    for process in stage.collectors:
        process.terminate()
        process.wait()
    fleet = stage.devices(count, messages / 10, 10, 60, consumer="")
    accepted = int(json.loads(fleet.communicate()[0].splitlines()[-1])["accepted"])
    before = stage.stored()
    stage.collectors = [stage.start_collector(number) for number in range(len(stage.collectors))]
    first, cpu, began = stage.stored() - before, stage.cpu_seconds(), time.monotonic()  # without starting
    while (stored := stage.stored() - before) < accepted and time.monotonic() - began < patience_s:
        time.sleep(0.2)
    took_s = time.monotonic() - began
    spent = {name: value - cpu[name] for name, value in stage.cpu_seconds().items()}
    return {
        "messages": accepted,
        "lost": accepted - stored,
        "stored_per_s": round((stored - first) / took_s, 1),
        "cpu_us_per_message": {name: round(seconds / max(1, stored - first) * 1e6) for name, seconds in spent.items()},
    }


def storage(stage: Stage) -> dict[str, float]:
    """Bytes a message: its payload, and what it takes in the database with its indexes."""
    payload, total, count = stage.query(
        "SELECT avg(octet_length(payload::text)), pg_total_relation_size('entries'), count(*) FROM entries"
    )[0]
    return {"payload_bytes": round(float(payload)), "stored_bytes": round(total / max(1, count)), "messages": count}


def _cpu_s(pid: int, *, children: bool = False) -> float:
    """User and system time of a process; with `children` also of those it has and had."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = sum(int(field) for field in fields[11 : 15 if children else 13])
    if children:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            ticks += sum(int(_cpu_s(int(child)) * _TICKS) for child in path.read_text().split())
    return ticks / _TICKS


def allow_many_files(wanted: int = 20_000) -> None:
    """Let this process and those it starts hold a connection a device, as far as the system lets them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else wanted, hard))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    parser = argparse.ArgumentParser(description="the rate at which a broker, collectors and PostgreSQL keep up")
    parser.add_argument("--devices", type=whole(1), default=1000)
    parser.add_argument("--collectors", type=whole(1), default=2)
    parser.add_argument("--rates", default="100,200,400,800,1600", help="messages a second, one after the other")
    parser.add_argument("--seconds", type=seconds, default=20.0, help="of each rate")
    parser.add_argument(
        "--drain", type=whole(0), default=20_000, help="messages that wait for the collectors; 0 = none"
    )
    parser.add_argument("--ack-every", type=seconds, default=5.0, help="of the collectors")
    parser.add_argument("--broker-defaults", action="store_true", help="mosquitto's own limits instead of none")
    parser.add_argument("--out", metavar="FILE", help="write the figures here as JSON")
    args = parser.parse_args()
    allow_many_files()
    settings = () if args.broker_defaults else BROKER_SETTINGS
    stage = Stage(args.collectors, settings, ("--ack-every", str(args.ack_every)))
    steps = []
    try:
        for rate in args.rates.split(","):
            load = os.getloadavg()[0]
            step = {**measure(stage, args.devices, float(rate), args.seconds), "load_before": round(load, 1)}
            print(json.dumps(step), flush=True)
            steps.append(step)
            if step["backlog_s"] > args.seconds / 2:
                break
        drained = drain(stage, args.devices, args.drain) if args.drain else None
        print(json.dumps({"drain": drained}), flush=True)
        figures = {
            "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
            "collectors": args.collectors,
            "ack_every_s": args.ack_every,
            "broker_settings": list(settings),
            "storage": storage(stage),
            "steps": steps,
            "drain": drained,
        }
    finally:
        stage.close()
    if args.out:
        Path(args.out).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures["storage"]))
    return 0 if all(step["lost"] == step["twice"] == step["unconfirmed"] == 0 for step in steps) else 1


if __name__ == "__main__":
    sys.exit(main())
