"""The page's worker: uvicorn on one socket, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from comfywear.errors import ComfyWearError, UsageError
from comfywear.web.access import Access, is_loopback
from comfywear.web.shown import PageDevice

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

__all__ = ["Page", "config_of", "listen"]

_log = logging.getLogger(__name__)
_TICK_S = 0.25
MOST_CONNECTIONS = 64


class Page:
    """The page of one device.

    Args:
        device: What is shown, and who takes the votes.
        access: Who may see it.
        host: The address to listen on.
        port: The port; 0 = any that is free.
        title: The page's title.
        language: A language code, or "auto" for each browser's own.

    Raises:
        UsageError: When it would be open to the network without a token.
    """

    def __init__(
        self,
        device: PageDevice,
        access: Access,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        title: str = "comfywear",
        language: str = "auto",
    ) -> None:
        self._local = is_loopback(host)
        if not self._local and not access.needed:
            raise UsageError(
                f"web.host {host!r} would open the page to the network without a password: name a web.token_file"
            )
        self._device = device
        self._access = access
        self._host = host
        self._port = port
        self._title = title
        self._language = language
        self.url: str | None = None

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Serve until `stop` is set.

        Raises:
            ComfyWearError: When the port cannot be listened on.
        """
        with listen(self._host, self._port, "set web.host and web.port") as listener:
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            self.url = f"http://{shown}:{port}/"
            _log.info("the page is at %s", self.url)
            try:
                asyncio.run(self._serve(listener, stop, beat))
            finally:
                self.url = None

    async def _serve(self, listener: socket.socket, stop: threading.Event, beat: Callable[[], None]) -> None:
        import uvicorn

        from comfywear.web.app import make_app

        app = make_app(
            self._device, self._access, local=self._local, title=self._title, language=self._language, stop=stop
        )
        # In a thread that is not the main one, uvicorn leaves the signals alone.
        server = uvicorn.Server(config_of(app))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not serving.done():
            beat()
            server.should_exit = server.should_exit or stop.is_set()
            await asyncio.wait({serving}, timeout=_TICK_S)
        await serving


def listen(host: str, port: int, advice: str) -> socket.socket:
    """A socket that listens; 0 = any port that is free.

    Raises:
        ComfyWearError: When it cannot, with the reason and `advice`.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except (OSError, OverflowError):
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ComfyWearError(f"the page cannot listen on {host} port {port} ({why}); {advice}") from error
    return listener


def config_of(app: ASGIApp) -> uvicorn.Config:
    """How an app is served: plain HTTP, few connections, small headers, and nothing said of who asks for what."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=16384,
        timeout_graceful_shutdown=1,
    )
