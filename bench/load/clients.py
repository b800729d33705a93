"""Clients that wish a device ill, in a process of their own: clients.py KIND PORT SECONDS; prints what came of it.

silent: 1,000 connections that say nothing. requests: 50 clients ask as often as they are answered. streams: 24 event
streams that are never read. strangers: 100,000 retained commands. large: one message of 200 MB. All on 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

SILENT, ASKING, STREAMS, RETAINED, LARGE = 1000, 50, 24, 100_000, 200_000_000
BASE = "comfywear/v1/load/d1/cmd"
_GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def silent(port: int, seconds: float) -> dict[str, Any]:
    """Connect, say nothing, and look how many are left at the end."""
    writers = []
    for _ in range(SILENT):
        with suppress(OSError):
            writers.append(await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 2))
    await asyncio.sleep(seconds)
    closed = sum(reader.at_eof() or reader.exception() is not None for reader, _ in writers)
    return {"connected": len(writers), "closed by the device": closed}


async def requests(port: int, seconds: float) -> dict[str, Any]:
    """Ask again as soon as there is an answer."""
    until_s = time.monotonic() + seconds
    answers: Counter[str] = Counter()

    async def ask_on_one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < until_s:
            writer.write(_GET % b"/api/now")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            answers[head.split(b" ", 2)[1].decode()] += 1

    async def ask() -> None:
        while time.monotonic() < until_s:
            with suppress(OSError, EOFError, asyncio.TimeoutError):
                await ask_on_one()
                break
            answers["broken off"] += 1
            await asyncio.sleep(0.05)

    began_s = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(ASKING)))
    return {"answers": dict(answers), "a second": round(answers["200"] / (time.monotonic() - began_s))}


async def streams(port: int, seconds: float) -> dict[str, Any]:
    """Open event streams with the smallest window, and never read."""
    import socket

    open_ones = []
    for _ in range(STREAMS):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.settimeout(2)
        with suppress(OSError):
            connection.connect(("127.0.0.1", port))
            connection.sendall(_GET % b"/api/events")
            open_ones.append(connection)
    await asyncio.sleep(seconds)
    return {"streams": len(open_ones)}


async def strangers(port: int, seconds: float) -> dict[str, Any]:
    """Retained messages to topics that the device listens to."""
    client = _mqtt(port)
    until_s, sent = time.monotonic() + seconds, 0
    for number in range(RETAINED):
        client.publish(f"{BASE}/x{number}", b'{"id": "x"}', retain=True)
        sent += 1
        if number % 500 == 0:
            while client.want_write() and time.monotonic() < until_s:
                await asyncio.sleep(0.01)
        if time.monotonic() > until_s:
            break
    last = client.publish(f"{BASE}/last", b"{}", qos=1)
    last.wait_for_publish(10)
    client.disconnect()
    return {"retained": sent}


async def large(port: int, seconds: float) -> dict[str, Any]:
    """One message as large as a broker takes."""
    client = _mqtt(port)
    sent = client.publish(f"{BASE}/identify", bytes(LARGE), qos=1)
    with suppress(RuntimeError, ValueError):
        sent.wait_for_publish(seconds)
    client.disconnect()
    return {"bytes": LARGE, "taken by the broker": sent.is_published()}


def _mqtt(port: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id="stranger")
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


KINDS = {each.__name__: each for each in (silent, requests, streams, strangers, large)}

if __name__ == "__main__":
    print(json.dumps(asyncio.run(KINDS[sys.argv[1]](int(sys.argv[2]), float(sys.argv[3])))))
