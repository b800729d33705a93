"""A camera over HTTP for tests: raw bytes on a real socket, so that it can be as odd as real ones are."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np


@dataclass
class Request:
    """What a client asked, and its connection."""

    target: str
    headers: Mapping[str, str]
    connection: socket.socket

    def send(self, *parts: bytes) -> None:
        self.connection.sendall(b"".join(parts))

    def trickle(self, data: bytes, size: int) -> None:
        """Send in pieces of `size` bytes."""
        for at in range(0, len(data), size):
            self.connection.sendall(data[at : at + size])


@dataclass
class HttpCamera:
    """A running camera; `asked` holds every request with its headers."""

    port: int
    asked: list[Request] = field(default_factory=list)


@contextmanager
def http_camera(answer: Callable[[Request], None], tls: tuple[Path, Path] | None = None) -> Iterator[HttpCamera]:
    """Serve `answer` on a free port; with `tls` (certificate and key) over TLS."""
    server = socket.create_server(("127.0.0.1", 0))
    camera = HttpCamera(server.getsockname()[1])
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            found = context.wrap_socket(connection, server_side=True) if context else connection
            with found, found.makefile("rb") as lines:
                words = lines.readline().decode(errors="replace").split(" ")
                if len(words) < 2:
                    return
                headers = {}
                while line := lines.readline().strip().decode(errors="replace"):
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                camera.asked.append(request := Request(words[1], headers, found))
                answer(request)
                with suppress(OSError):
                    found.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield camera
    finally:
        server.close()


def jpeg(level: int, width: int = 64, height: int = 48) -> bytes:
    """A grey picture of one level."""
    return bytes(cv2.imencode(".jpg", np.full((height, width, 3), level, np.uint8))[1])


def multipart(boundary: str, *, lengths: bool = True, first: bool = True, count: int = 6) -> bytes:
    """The body of an MJPEG stream of ever brighter pictures."""
    body = b""
    for index in range(count):
        picture = jpeg(40 + 30 * index)
        length = f"Content-Length: {len(picture)}\r\n" if lengths else ""
        start = f"--{boundary}\r\n" if first or index else ""
        body += f"{start}Content-Type: image/jpeg\r\n{length}\r\n".encode() + picture + b"\r\n"
    return body


def head(kind: str, *more: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []), *more, "", ""]).encode()


def hold(request: Request) -> None:
    """Keep a stream open without a word more."""
    with suppress(OSError):
        request.connection.settimeout(30)
        request.connection.recv(1)
    time.sleep(0.01)


def digest_is_right(request: Request, user: str, password: str, hashed: str = "md5", method: str = "GET") -> bool:
    """Whether the request's digest (RFC 7616) fits."""

    def digest(*parts: str) -> str:
        return hashlib.new(hashed, ":".join(parts).encode()).hexdigest()

    pairs = re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', request.headers.get("authorization", ""))
    said: dict[str, str] = {name: quoted or plain for name, quoted, plain in pairs}
    if said.get("username") != user or said["uri"] not in request.target:
        return False
    who, what = digest(user, said["realm"], password), digest(method, request.target)
    if said.get("algorithm", "").endswith("-sess"):
        who = digest(who, said["nonce"], said["cnonce"])
    if "qop" in said:
        return said["response"] == digest(who, said["nonce"], said["nc"], said["cnonce"], said["qop"], what)
    return said["response"] == digest(who, said["nonce"], what)
