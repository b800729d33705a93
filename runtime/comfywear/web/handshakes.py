"""TLS before the page's connections: only so many greet at once, and none for long.

uvicorn alone would let each new connection wait for a minute in its handshake, as many as there are.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from comfywear.web.connections import MOST_CONNECTIONS, BoundedProtocol

__all__ = ["GREET_S", "tls_protocol"]

GREET_S = 10.0


class _Encrypted(BoundedProtocol):
    """A connection whose first bytes may come with the handshake's last ones."""

    _made = False
    _early = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._made = True
        super().connection_made(transport)
        if self._early and not transport.is_closing():
            self.data_received(self._early)

    def data_received(self, data: bytes) -> None:
        if self._made:
            super().data_received(data)
        else:
            self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        if self._made:
            super().connection_lost(exc)


def tls_protocol(context: ssl.SSLContext) -> type[asyncio.Protocol]:
    """What uvicorn makes for each new connection: `BoundedProtocol` behind a handshake."""
    greeting: set[asyncio.Task[None]] = set()

    class _Greeting(asyncio.Protocol):
        def __init__(self, **named: Any) -> None:
            self._inner = _Encrypted(**named)

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            if len(greeting) >= MOST_CONNECTIONS:
                transport.abort()
                return
            transport.pause_reading()  # what comes next is the handshake's
            task = asyncio.get_running_loop().create_task(self._greet(transport))
            greeting.add(task)
            task.add_done_callback(greeting.discard)

        async def _greet(self, transport: asyncio.Transport) -> None:
            loop = asyncio.get_running_loop()
            try:
                safe = await loop.start_tls(
                    transport, self._inner, context, server_side=True, ssl_handshake_timeout=GREET_S
                )
            except (
                OSError,
                ValueError,
                RuntimeError,
            ):  # it went away, spoke plain HTTP, or did not take the certificate
                transport.abort()
                return
            if safe is not None:  # None: it went away in between
                self._inner.connection_made(safe)

    return _Greeting
