"""A camera over RTMP for tests (Adobe's RTMP specification 1.0): plays the video of an FLV file to whoever asks."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 16


@contextmanager
def rtmp_camera(flv: Path) -> Iterator[int]:
    """Serve on a free port; yields it."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=_serve, args=(server.accept()[0], flv), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def _serve(connection: socket.socket, flv: Path) -> None:
    with suppress(OSError, EOFError), connection, connection.makefile("rb") as given:
        first = _exactly(given, 1537)
        connection.sendall(b"\x03" + bytes(1536) + first[1:])
        _exactly(given, 1536)
        _send(connection, 1, struct.pack(">I", _CHUNK))
        for kind, body in _messages(given):
            if kind != 20:
                continue
            name, number = body[3 : 3 + body[2]].decode(), body[3 + body[2] : 12 + body[2]]
            if name == "connect":
                _send(
                    connection, 20, _text("_result") + number + b"\x05" + _object(code="NetConnection.Connect.Success")
                )
            elif name == "createStream":
                _send(connection, 20, _text("_result") + number + b"\x05" + _number(1))
            elif name == "play":
                status = _object(level="status", code="NetStream.Play.Start", description="it plays")
                _send(connection, 20, _text("onStatus") + _number(0) + b"\x05" + status, stream=1)
                threading.Thread(target=_play, args=(connection, flv), daemon=True).start()


def _play(connection: socket.socket, flv: Path) -> None:
    data, at = flv.read_bytes(), 13
    with suppress(OSError):
        while at + 11 < len(data):
            kind, size, low, high = struct.unpack(">B3s3sB", data[at : at + 8])
            length, when = int.from_bytes(size, "big"), int.from_bytes(low, "big") | high << 24
            if kind == 9:
                _send(connection, 9, data[at + 11 : at + 11 + length], stream=1, when=when)
                time.sleep(0.02)
            at += 11 + length + 4
        connection.shutdown(socket.SHUT_RDWR)


def _messages(given: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Type and body of each message, put together from its chunks."""
    size = 128
    known: dict[int, tuple[int, int]] = {}
    parts: dict[int, bytearray] = {}
    while True:
        (basic,) = _exactly(given, 1)
        form, lane = basic >> 6, basic & 63
        length, kind = known.get(lane, (0, 0))
        head = _exactly(given, (11, 7, 3, 0)[form])
        if form < 2:
            length, kind = int.from_bytes(head[3:6], "big"), head[6]
            known[lane] = length, kind
        if head[:3] == b"\xff\xff\xff":
            _exactly(given, 4)
        body = parts.setdefault(lane, bytearray())
        body += _exactly(given, min(size, length - len(body)))
        if len(body) == length:
            del parts[lane]
            if kind == 1:
                size = int.from_bytes(body, "big")
            yield kind, bytes(body)


def _send(connection: socket.socket, kind: int, body: bytes, stream: int = 0, when: int = 0) -> None:
    head = when.to_bytes(3, "big") + len(body).to_bytes(3, "big") + bytes([kind]) + struct.pack("<I", stream)
    connection.sendall(b"\x03" + head + body[:_CHUNK])
    assert len(body) <= _CHUNK


def _exactly(given: BinaryIO, count: int) -> bytes:
    data = given.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _text(text: str) -> bytes:
    return b"\x02" + struct.pack(">H", len(text)) + text.encode()


def _number(value: float) -> bytes:
    return b"\x00" + struct.pack(">d", value)


def _object(**values: str) -> bytes:
    pairs = b"".join(struct.pack(">H", len(name)) + name.encode() + _text(value) for name, value in values.items())
    return b"\x03" + pairs + b"\0\0\x09"
