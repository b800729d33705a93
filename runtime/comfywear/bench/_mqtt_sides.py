"""The two sides of `comfywear bench mqtt`, each a process of its own that can be killed.

`python -m comfywear.bench._mqtt_sides ours|paho JOB` says "ready", waits for a line, makes messages, and says what
that took.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from comfywear.publishing import BrokerSettings, Message, Pace, Publisher, Spool, SpoolLimits, Stamp, Topics
from comfywear.system.process import rss_mb

OURS, PAHO = "ours", "paho"
TOPICS = Topics("bench", OURS)
PAHO_TOPIC = "bench/paho"
_GROUP = 500
# As long as a climate message.
_FILLER = "x" * 250


class Job(msgspec.Struct, frozen=True):
    """What a side does: `count` messages at `rate` a second (0 = as fast as it can), and notes each in `notes`.

    With `spool_first` the messages are stored before the broker is spoken to.
    """

    port: int
    folder: str
    count: int
    rate: float = 0.0
    notes: str = ""
    spool_first: bool = False


class Timed(Message, frozen=True, kw_only=True):
    """A message that says when it was made, in seconds of the machine's monotonic clock."""

    number: int
    made_s: Annotated[float, Meta(description="Monotonic seconds.")]
    filler: str = _FILLER


def _timed(number: int, made_s: float, stamp: Stamp) -> Timed:
    return Timed(
        device=stamp.device,
        epoch=stamp.epoch,
        seq=stamp.seq,
        ts=stamp.ts,
        time_ok=stamp.time_ok,
        number=number,
        made_s=made_s,
    )


def ours(job: Job) -> None:
    """The spool and the publisher, in the threads that a device gives them."""
    spool = Spool(Path(job.folder) / "spool.sqlite", OURS, limits=SpoolLimits(bytes=10**9))
    publisher = Publisher(BrokerSettings("127.0.0.1", job.port), TOPICS, spool, pace=Pace(backlog_spread_s=0))
    stop = threading.Event()
    threads = [threading.Thread(target=worker, args=(stop,)) for worker in (spool.run, publisher.run)]

    def offer(number: int) -> None:
        made_s = time.monotonic()
        spool.offer(TOPICS.metrics, lambda stamp: _timed(number, made_s, stamp))
        if number % _GROUP == 0:
            spool.flush()

    if job.spool_first:
        _make(job, offer)
        spool.flush()
    for thread in threads[: 1 if job.spool_first else 2]:
        thread.start()
    while not job.spool_first and publisher.state != "connected":
        time.sleep(0.01)
    before = _usage(ready=True)
    if job.spool_first:
        threads[1].start()
    else:
        _make(job, offer)
    peak_mb = before[2]
    while spool.health().rows:
        time.sleep(0.05)
        peak_mb = max(peak_mb, rss_mb() or 0.0)
    _report(before, peak_mb, spool.health().written_day_bytes)
    stop.set()
    for thread in threads:
        thread.join()
    spool.close()


def paho(job: Job) -> None:
    """Plain paho with its defaults: a thread of its own, a queue in memory without a limit, 20 on their way."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=PAHO, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect_async("127.0.0.1", job.port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    before = _usage(ready=True)
    done = 0

    def publish(number: int) -> None:
        body = {"device": PAHO, "epoch": "0123456789abcdef", "seq": number, "ts": None, "time_ok": False}
        body |= {"number": number, "made_s": time.monotonic(), "filler": _FILLER}
        client.publish(PAHO_TOPIC, json.dumps(body).encode(), qos=1)

    def count(*_: object) -> None:
        nonlocal done
        done += 1

    client.on_publish = count
    _make(job, publish)
    while done < job.count:
        time.sleep(0.05)
    _report(before, rss_mb() or 0.0, None)
    client.disconnect()
    client.loop_stop()


def _make(job: Job, send: Callable[[int], None]) -> None:
    notes = os.open(job.notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if job.notes else None
    began_s = time.monotonic()
    for number in range(1, job.count + 1):
        if job.rate:
            time.sleep(max(0.0, began_s + number / job.rate - time.monotonic()))
        send(number)
        if notes is not None:
            os.write(notes, f"{number}\n".encode())


def _usage(*, ready: bool = False) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and memory in MB; with `ready`, once the other side says go."""
    if ready:
        print("ready", flush=True)
        sys.stdin.readline()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), used.ru_utime + used.ru_stime, rss_mb() or 0.0


def _report(before: tuple[float, float, float], peak_mb: float, written: int | None) -> None:
    now = _usage()
    figures = {
        "seconds": now[0] - before[0],
        "cpu_s": now[1] - before[1],
        "rss_mb": [before[2], peak_mb, now[2]],
        "written_bytes": written,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    {OURS: ours, PAHO: paho}[sys.argv[1]](msgspec.json.decode(sys.argv[2], type=Job))
