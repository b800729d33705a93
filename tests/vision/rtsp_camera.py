"""A camera over RTSP for tests (RFC 2326): JPEG in RTP (RFC 2435) over the same connection, with a digest login."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import cv2
import numpy as np
from http_camera import Request, digest_is_right

_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"


@dataclass
class RtspCamera:
    """A running camera.

    Attributes:
        port: Where it listens.
        logins: Of each request that came with one, whether it was right.
        size: Width and height of the next pictures, multiples of 8.
        paused: No picture comes while it is set.
    """

    port: int
    logins: list[bool] = field(default_factory=list)
    size: tuple[int, int] = (160, 120)
    paused: threading.Event = field(default_factory=threading.Event)
    _connections: list[socket.socket] = field(default_factory=list)

    def cut(self) -> None:
        """Break all connections off."""
        while self._connections:
            with suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)


@contextmanager
def rtsp_camera(user: str, password: str, path: str = "/live") -> Iterator[RtspCamera]:
    """Serve a picture ten times a second to who knows the password."""
    server = socket.create_server(("127.0.0.1", 0))
    camera = RtspCamera(server.getsockname()[1])

    def accept() -> None:
        with suppress(OSError):
            while True:
                found = server.accept()[0]
                camera._connections.append(found)
                threading.Thread(target=serve, args=(found,), daemon=True).start()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as lines:
            while line := lines.readline():
                if b" RTSP/1.0" not in line:
                    continue
                method, url, _ = line.decode().split(" ", 2)
                headers = {}
                while text := lines.readline().strip().decode():
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                connection.sendall(_answer(camera, Request(url, headers, connection), method, user, password, path))
                if method == "PLAY":
                    threading.Thread(target=_play, args=(camera, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield camera
    finally:
        server.close()
        camera.cut()


def _answer(camera: RtspCamera, request: Request, method: str, user: str, password: str, path: str) -> bytes:
    def said(status: str, *more: str, body: str = "") -> bytes:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {request.headers['cseq']}", *more]
        lines += [f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*lines, "", body]).encode()

    if method == "OPTIONS":
        return said("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
    if "authorization" in request.headers:
        camera.logins.append(digest_is_right(request, user, password, method=method))
    if "authorization" not in request.headers or not camera.logins[-1]:
        return said("401 Unauthorized", 'WWW-Authenticate: Digest realm="cam", nonce="n0"')
    if path not in request.target:
        return said("404 Not Found")
    if method == "DESCRIBE":
        return said("200 OK", "Content-Type: application/sdp", body=_SDP)
    if method == "SETUP":
        return said("200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1")
    return said("200 OK", "Session: 1")


def _play(camera: RtspCamera, connection: socket.socket) -> None:
    count, packets = 0, 0
    with suppress(OSError):
        while True:
            if camera.paused.is_set():
                time.sleep(0.05)
                continue
            tables, scan = _parts(_picture(40 + count % 20 * 10, *camera.size))
            for at in range(0, len(scan), 1200):
                last = at + 1200 >= len(scan)
                jpeg = struct.pack(">I4B", at, 1, 255, camera.size[0] // 8, camera.size[1] // 8)
                jpeg += struct.pack(">BBH", 0, 0, len(tables)) + tables if at == 0 else b""
                rtp = struct.pack(">BBHII", 0x80, 26 | last << 7, packets & 0xFFFF, count * 9000, 1)
                packet = rtp + jpeg + scan[at : at + 1200]
                connection.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                packets += 1
            count += 1
            time.sleep(0.1)


def _picture(level: int, width: int, height: int) -> bytes:
    slope = np.linspace(0, 40, width, dtype=np.uint8)[None, :, None]
    image = np.broadcast_to(slope + np.uint8(level), (height, width, 3))
    sampled = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_QUALITY, 80]
    return bytes(cv2.imencode(".jpg", image, sampled)[1])


def _parts(jpeg: bytes) -> tuple[bytes, bytes]:
    """Quantisation tables and scan, which are what RTP carries of a JPEG."""
    at, tables = 2, b""
    while True:
        code, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if code == 0xDB:
            body = jpeg[at + 4 : at + 2 + length]
            tables += b"".join(body[i + 1 : i + 65] for i in range(0, len(body), 65))
        if code == 0xDA:
            return tables, jpeg[at + 2 + length : -2]
        at += 2 + length
