"""What a connection to the page may cost: how long it may be silent, and how many there may be, of a client and in all.

uvicorn alone waits for a first request without end, and answers 503 to everybody once its limit is reached; so 64
silent connections would keep everybody out.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from comfywear.settings.web import proxies

__all__ = ["MOST_CONNECTIONS", "MOST_OF_A_CLIENT", "REQUEST_S", "TAKE_S", "BoundedProtocol"]

MOST_CONNECTIONS = 64
MOST_OF_A_CLIENT = 24
REQUEST_S = 10.0
"""A request's line and headers must have come so long after the connection, or after their first byte."""
TAKE_S = 30.0
"""A client that takes nothing of its answer for so long is let go."""


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 by uvicorn; one that says nothing is closed, and makes room when all places are taken."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        allowed = self.config.forwarded_allow_ips if self.config.proxy_headers else ""
        self._proxies = proxies(allowed) if isinstance(allowed, str) else ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A place for the new connection, or none."""
        super().connection_made(transport)
        if self._of_one_client() > MOST_OF_A_CLIENT or not self._has_place():
            transport.abort()
            return
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request; once it is whole, its deadline is over."""
        super().data_received(data)
        if not self.idle:
            self._forget_deadline()
        elif self._deadline is None:
            self._await_request()

    def pause_writing(self) -> None:
        """The client takes nothing more: it has so long to go on."""
        super().pause_writing()
        self._stalled = self.loop.call_later(TAKE_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It goes on."""
        self._forget_stall()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The place is free again."""
        self._forget_deadline()
        self._forget_stall()
        super().connection_lost(exc)

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _of_one_client(self) -> int:
        """Connections of this client; a program on this machine may be a proxy for many, as is one that is named."""
        address = self.client[0] if self.client else ""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return 1
        if found.is_loopback or any(found in network for network in self._proxies):
            return 1
        others = (each for each in self.connections if isinstance(each, BoundedProtocol) and each.client)
        return sum(each.client is not None and each.client[0] == address for each in others)

    def _has_place(self) -> bool:
        """True when there is one, if need be that of a connection that asks for nothing."""
        if len(self.connections) <= MOST_CONNECTIONS:
            return True
        for each in list(self.connections):
            if each is not self and isinstance(each, BoundedProtocol) and each.idle:
                self.connections.discard(each)
                each.transport.abort()
                return True
        return False

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_S, self._too_slow)

    def _too_slow(self) -> None:
        self._deadline = None
        if self.idle and not self.transport.is_closing():
            self.transport.abort()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
