"""Simulated devices, many in one process: each has its own connection, client id, epoch and sequence numbers.

They speak MQTT v5 themselves (a client library a device would be the bottleneck) and keep to the contract of confirmed
delivery: a message is kept until the consumer has confirmed it, and sent again when the consumer asks.

    python bench/fleet/devices.py --port 1883 --devices 1000 --rate 500 --seconds 30
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

from comfywear.system import arguments

WINDOW = 20
PROBE_S = 10.0
_RECONNECT_S = (0.1, 1.0)


@dataclass
class Figures:
    """What became of a fleet's messages."""

    accepted: int = 0
    taken: int = 0  # acknowledged by the broker
    asked_again: int = 0
    confirmations: int = 0
    said_gone: int = 0
    connections: int = 0
    refused: int = 0
    unconfirmed: int = 0


class Device(asyncio.Protocol):
    """One device.

    Args:
        name: Its name.
        consumer: Who confirms; empty = nobody, and what the broker takes is forgotten.
        figures: Counts of the fleet.
        send: Decides how often a new message really goes out: 1, or 0 and 2 to play a broker that loses and repeats.
    """

    def __init__(
        self,
        name: str,
        consumer: str,
        figures: Figures,
        *,
        site: str = "fleet",
        send: Callable[[int], int] = lambda _: 1,
    ) -> None:
        self.name, self.consumer, self.figures = name, consumer, figures
        self.base = f"comfywear/v1/{site}/{name}"
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self.kept: dict[int, bytes] = {}  # until confirmed
        self.waiting: deque[int] = deque()  # to be sent
        self._send_times = send
        self._on_the_way: dict[int, int] = {}
        self._mid = self._probed = 0
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._ready = False
        self.closed = asyncio.Event()

    def accept(self) -> None:
        """Make a message; it is kept from now on."""
        self.seq += 1
        self.figures.accepted += 1
        self.kept[self.seq] = climate(self.name, self.epoch, self.seq)
        for _ in range(self._send_times(self.seq)):
            self.waiting.append(self.seq)
        self._flush()

    def forget(self, first: int, last: int) -> None:
        """Lose messages, as a device does whose store was full."""
        for seq in range(first, last + 1):
            self.kept.pop(seq, None)

    def probe(self) -> None:
        """Send the last message again when it is still not confirmed: nothing after it could show that it is missed."""
        last = max(self.kept, default=0)
        if last and last == self._probed:
            self.waiting.append(last)
            self._flush()
        self._probed = last

    async def stay_connected(self, host: str, port: int) -> None:
        """Connect, and connect again, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self.closed.clear()
            try:
                await loop.create_connection(lambda: self, host, port)
                await self.closed.wait()
            except OSError:
                pass
            await asyncio.sleep(random.uniform(*_RECONNECT_S))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer.clear()
        # What the broker had not acknowledged goes again, first.
        self.waiting.extendleft(sorted(set(self._on_the_way.values()), reverse=True))
        self._on_the_way.clear()
        client_id = _text(f"fleet-{self.name}")
        transport.write(_packet(0x10, _text("MQTT") + b"\x05\x02\x00\x3c\x00" + client_id))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        self._transport, self._ready = None, False
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (found := _take(self._buffer)) is not None:
            kind, body = found
            if kind >> 4 == 4:
                self._taken(body)
            elif kind >> 4 == 3:
                self._heard(kind, body)
            elif kind >> 4 == 2:
                self._connected(body)
        self._flush()

    def ping(self) -> None:
        """Keep the connection when nothing is to be said."""
        if self._transport is not None and self._ready:
            self._transport.write(b"\xc0\x00")

    def _connected(self, body: bytes) -> None:
        if body[1] != 0:
            self.figures.refused += 1
            return
        self.figures.connections += 1
        self._ready = True
        if self.consumer and self._transport is not None:
            topic = _text(f"{self.base}/ack/{self.consumer}")
            self._transport.write(_packet(0x82, self._next_mid() + b"\x00" + topic + b"\x01"))

    def _taken(self, body: bytes) -> None:
        seq = self._on_the_way.pop(int.from_bytes(body[:2], "big"), None)
        if seq is None:
            return
        if len(body) > 2 and body[2] >= 0x80:
            self.figures.refused += 1
            return
        self.figures.taken += 1
        if not self.consumer:
            self.kept.pop(seq, None)

    def _heard(self, kind: int, body: bytes) -> None:
        length = int.from_bytes(body[:2], "big")
        at = 2 + length
        if kind & 0x06 and self._transport is not None:
            self._transport.write(b"\x40\x02" + body[at : at + 2])
            at += 2
        found = json.loads(body[at + 1 + body[at] :])
        self.figures.confirmations += 1
        if found["epoch"] != self.epoch:
            return
        wanted = {seq for first, last in found["missing"] for seq in range(first, min(last, self.seq) + 1)}
        for seq in [seq for seq in self.kept if seq <= found["seq"] and seq not in wanted]:
            del self.kept[seq]
        again = sorted(wanted & self.kept.keys())
        self.figures.asked_again += len(again)
        self.waiting.extend(again)
        if gone := _ranges(sorted(wanted - self.kept.keys())):
            self.figures.said_gone += 1
            self._publish(f"gone/{self.consumer}", json.dumps({"epoch": self.epoch, "ranges": gone}).encode(), None)

    def _flush(self) -> None:
        while self._ready and self.waiting and len(self._on_the_way) < WINDOW:
            seq = self.waiting.popleft()
            if (payload := self.kept.get(seq)) is not None:
                self._publish("zone/desk/climate", payload, seq)

    def _publish(self, tail: str, payload: bytes, seq: int | None) -> None:
        if self._transport is not None:
            mid = self._next_mid()
            if seq is not None:
                self._on_the_way[int.from_bytes(mid, "big")] = seq
            self._transport.write(_packet(0x32, _text(f"{self.base}/{tail}") + mid + b"\x00" + payload))

    def _next_mid(self) -> bytes:
        self._mid = self._mid % 65535 + 1
        return self._mid.to_bytes(2, "big")


def climate(device: str, epoch: str, seq: int) -> bytes:
    """A message of the size that a real device sends for the air of a zone."""
    ts = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return (
        f'{{"device":"{device}","epoch":"{epoch}","seq":{seq},"ts":"{ts}","time_ok":true,'
        f'"schema":"comfywear/v1/climate","zone":"desk","state":"fresh","air_temp_c":{20 + seq % 700 / 100},'
        f'"humidity_pct":{30 + seq % 400 / 10},"radiant_temp_c":null,"air_speed_m_s":null,"age_s":0.4,"reason":null,'
        '"sources":["serial:///dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"],"simulated":true,"rejected":0}'
    ).encode()


async def drive(
    devices: list[Device],
    host: str,
    port: int,
    rate: float,
    seconds: float,
    *,
    settle_s: float = 60.0,
    sent: Callable[[], object] = lambda: None,
) -> None:
    """Let `devices` make `rate` messages a second together for `seconds`, call `sent`, wait until all are confirmed."""
    tasks = []
    for device in devices:
        tasks.append(asyncio.create_task(device.stay_connected(host, port)))
        await asyncio.sleep(0.001)  # a thousand connections in the same millisecond overrun the broker's backlog
    figures = devices[0].figures
    while figures.connections < len(devices):
        await asyncio.sleep(0.05)
    order, began, made, pinged = list(devices), time.monotonic(), 0, time.monotonic()
    random.shuffle(order)
    while (now := time.monotonic()) - began < seconds:
        while made < (now - began) * rate:
            order[made % len(order)].accept()
            made += 1
        pinged = _ping(devices, pinged)
        await asyncio.sleep(0.01)
    sent()
    deadline, said = time.monotonic() + settle_s, time.monotonic()
    while any(device.kept for device in devices) and time.monotonic() < deadline:
        if time.monotonic() - said > PROBE_S:
            said = time.monotonic()
            for device in devices:
                device.probe()
        pinged = _ping(devices, pinged)
        await asyncio.sleep(0.05)
    figures.unconfirmed = sum(len(device.kept) for device in devices)
    for task in tasks:
        task.cancel()


def _ping(devices: list[Device], last: float) -> float:
    if time.monotonic() - last < 20:
        return last
    for device in devices:
        device.ping()
    return time.monotonic()


def _ranges(numbers: list[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(kind: int, body: bytes) -> bytes:
    head, length = bytearray([kind]), len(body)
    while True:
        length, digit = length >> 7, length & 127
        head.append(digit | 128 if length else digit)
        if not length:
            return bytes(head) + body


def _take(buffer: bytearray) -> tuple[int, bytes] | None:
    """The first packet of `buffer`, taken out of it, or None when it is not complete."""
    length = shift = 0
    for at in range(1, min(5, len(buffer))):
        length |= (buffer[at] & 127) << shift
        shift += 7
        if not buffer[at] & 128:
            if len(buffer) < at + 1 + length:
                return None
            kind, body = buffer[0], bytes(buffer[at + 1 : at + 1 + length])
            del buffer[: at + 1 + length]
            return kind, body
    return None


def main() -> int:
    parser = argparse.ArgumentParser(
        description="simulated devices; a JSON object when all is sent, and one at the end"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=arguments.whole(1, 65535), required=True)
    parser.add_argument("--devices", type=arguments.whole(1), default=1000)
    parser.add_argument(
        "--rate",
        type=arguments.number(0.0, 1e6, above=True),
        default=100.0,
        help="messages a second of all devices together",
    )
    parser.add_argument("--seconds", type=arguments.seconds, default=10.0)
    parser.add_argument(
        "--settle", type=arguments.seconds, default=60.0, help="wait at most so long for the last confirmation"
    )
    parser.add_argument("--consumer", default="collect", help="who confirms; empty = nobody")
    args = parser.parse_args()
    figures = Figures()

    async def run() -> dict[str, object]:
        devices = [Device(f"d{number:06d}", args.consumer, figures) for number in range(args.devices)]
        await drive(
            devices,
            args.host,
            args.port,
            args.rate,
            args.seconds,
            settle_s=args.settle,
            sent=lambda: print(json.dumps(asdict(figures)), flush=True),
        )
        return {"last": {f"{device.name} {device.epoch}": device.seq for device in devices}}

    last = asyncio.run(run())
    print(json.dumps({**asdict(figures), **last}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
