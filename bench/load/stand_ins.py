"""Servers that wish their client ill: brokers and release servers, on 127.0.0.1, for so many bytes and seconds."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST_BYTES, MOST_S = 2_000_000_000, 150.0
_CHUNK = bytes(65_536)
_OK = b"HTTP/1.1 200 OK\r\n"
Answer = Callable[[socket.socket, Callable[[], bool]], None]
"""Talks to one client while the function says so."""


@contextmanager
def server(answer: Answer) -> Iterator[int]:
    """A server that answers each client in a thread; its port."""
    until_s = time.monotonic() + MOST_S
    stopped = threading.Event()

    def goes_on() -> bool:
        return not stopped.is_set() and time.monotonic() < until_s

    def talk(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(5)
            client.recv(65_536)
            answer(client, goes_on)

    def serve() -> None:
        while goes_on():
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                threading.Thread(target=talk, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()


def slowly(data: bytes, then: bytes = b"") -> Answer:
    """`data`, and then `then` again and again, a byte a second."""

    def answer(client: socket.socket, goes_on: Callable[[], bool]) -> None:
        left = data
        while goes_on() and left:
            client.sendall(left[:1])
            left = left[1:] or then
            time.sleep(1.0)

    return answer


def slow_body() -> Answer:
    """A whole head at once, and then a byte a second."""

    def answer(client: socket.socket, goes_on: Callable[[], bool]) -> None:
        client.sendall(_OK + b"\r\n")
        slowly(b" ", b" ")(client, goes_on)

    return answer


def endless(head: bytes) -> Answer:
    """`head`, and then zeros without end (2 GB)."""

    def answer(client: socket.socket, goes_on: Callable[[], bool]) -> None:
        client.sendall(head)
        sent = 0
        while goes_on() and sent < MOST_BYTES:
            client.sendall(_CHUNK)
            sent += len(_CHUNK)

    return answer


def once(data: bytes) -> Answer:
    """`data` alone."""
    return lambda client, _: client.sendall(data)


def gzip_bomb() -> Answer:
    """A manifest of 200 MB that is 200 kB on the way."""
    body = gzip.compress(bytes(200_000_000), 9)
    head = b"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    return once(_OK + head + body)


def large_publish(size: int) -> Answer:
    """A broker that lets everybody in and then sends one message of `size` bytes."""

    def answer(client: socket.socket, goes_on: Callable[[], bool]) -> None:
        client.sendall(b"\x20\x03\x00\x00\x00")  # CONNACK of MQTT v5
        topic = b"comfywear/v1/load/d1/cmd/identify"
        body = len(topic).to_bytes(2, "big") + topic + b"\x00"
        left, length = len(body) + size, b""
        while left:
            left, digit = divmod(left, 128)
            length += bytes([digit | (128 if left else 0)])
        client.sendall(b"\x30" + length + body)
        sent = 0
        while goes_on() and sent < size:
            client.sendall(_CHUNK)
            sent += len(_CHUNK)

    return answer


RELEASES: dict[str, Answer] = {
    "endless body": endless(_OK + b"\r\n"),
    "endless headers": endless(_OK + b"X: "),
    "redirect in a circle": once(b"HTTP/1.1 302 Found\r\nLocation: /x.release.json\r\nContent-Length: 0\r\n\r\n"),
    "redirect with an endless body": endless(b"HTTP/1.1 302 Found\r\nLocation: /x.release.json\r\n\r\n"),
    "redirect elsewhere": once(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
    "error with an endless body": endless(b"HTTP/1.1 404 Not Found\r\n\r\n"),
    "headers, a byte a second": slowly(_OK + b"X: ", b"xxxxxxxx"),
    "body, a byte a second": slow_body(),
    "gzip bomb": gzip_bomb(),
}
