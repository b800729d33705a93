"""HTTP answers that a server cannot draw out: each byte of one, headers too, comes before a deadline or not at all.

http.client alone knows how long one read may take: a server that sends a byte a second keeps it for hours with the
headers of an answer.
"""

from __future__ import annotations

import io
import socket
import time
import urllib.request
from functools import partial
from http.client import HTTPResponse
from typing import Any

__all__ = ["HttpByDeadline", "HttpsByDeadline", "TooSlowError"]

HEADERS_S = 60.0
"""The headers of an answer must have come so long after the question."""


class TooSlowError(Exception):
    """An answer is not here in time."""


class _Bytes(io.RawIOBase):
    """What a connection brings, until the deadline."""

    def __init__(self, connection: socket.socket, until_s: float) -> None:
        self._connection = connection
        self._hold = connection.makefile("rb", buffering=0)  # the connection stays open as long as this
        self._silence_s = connection.gettimeout() or HEADERS_S
        self.until_s = until_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise TooSlowError("its answer does not come in time")
        self._connection.settimeout(min(self._silence_s, left_s))
        try:
            return self._connection.recv_into(buffer)
        except TimeoutError:
            if left_s > self._silence_s:
                raise
            raise TooSlowError("its answer does not come in time") from None

    def close(self) -> None:
        self._hold.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, until_s: float, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self._bytes = _Bytes(sock, min(until_s, time.monotonic() + HEADERS_S))
        self.fp.close()
        self.fp = io.BufferedReader(self._bytes)
        self._until_s = until_s

    def begin(self) -> None:
        """Read the headers."""
        super().begin()
        self._bytes.until_s = self._until_s


class _ByDeadline(urllib.request.AbstractHTTPHandler):
    """Opens connections whose answers come until `until_s` (monotonic)."""

    until_s = float("inf")

    def do_open(self, http_class: Any, req: Any, **named: Any) -> HTTPResponse:
        """As urllib has it."""

        def connection(host: str, **more: Any) -> Any:
            made = http_class(host, **more)
            made.response_class = partial(_Answer, until_s=self.until_s)
            return made

        return super().do_open(connection, req, **named)


class HttpByDeadline(_ByDeadline, urllib.request.HTTPHandler):
    """For http://."""


class HttpsByDeadline(_ByDeadline, urllib.request.HTTPSHandler):
    """For https://."""
