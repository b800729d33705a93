"""The page's worker: uvicorn on one socket, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from comfywear.errors import UsageError
from comfywear.system.listening import listen
from comfywear.system.loopback import is_loopback
from comfywear.texts import Text
from comfywear.web.access import Access
from comfywear.web.shown import PageDevice
from comfywear.web.tls import PageTls

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

__all__ = ["PageServer", "config_of", "serve"]

_log = logging.getLogger(__name__)
_TICK_S = 0.25


class PageServer:
    """The page of one device.

    Args:
        device: What is shown, and who takes the votes.
        access: Who may see it.
        host: The address to listen on.
        port: The port; 0 = any that is free.
        title: The page's title.
        language: A language code, or "auto" for each browser's own.
        proxy: As `config_of`.
        tls: What it encrypts with; None = it does not.

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
        proxy: str = "",
        tls: PageTls | None = None,
    ) -> None:
        self._local = is_loopback(host)
        if not self._local and not access.needed:
            raise UsageError(
                Text(
                    "web.host {host} would open the page to the network without a password: name a web.token_file",
                    host=repr(host),
                )
            )
        self._device = device
        self._access = access
        self._host = host
        self._port = port
        self._title = title
        self._language = language
        self._proxy = proxy
        self._tls = tls
        self.url: str | None = None

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Serve until `stop` is set.

        Raises:
            ComfyWearError: When the port cannot be listened on.
        """
        with listen(self._host, self._port, "the page", "set web.host and web.port") as listener:
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            self.url = f"http{'s' if self._tls else ''}://{shown}:{port}/"
            _log.info("the page is at %s", self.url)
            if self._tls:
                _log.info("its certificate's SHA-256 fingerprint is %s", self._tls.fingerprint)
            try:
                asyncio.run(self._serve(listener, stop, beat))
            finally:
                self.url = None

    async def _serve(self, listener: socket.socket, stop: threading.Event, beat: Callable[[], None]) -> None:
        from comfywear.web.app import make_app

        app = make_app(
            self._device, self._access, local=self._local, title=self._title, language=self._language, stop=stop
        )
        await serve(config_of(app, self._proxy, self._tls), listener, stop, beat)


async def serve(
    config: uvicorn.Config, listener: socket.socket, stop: threading.Event, beat: Callable[[], None]
) -> None:
    """Serve on a socket that listens until `stop` is set; `beat` is called all the while."""
    import uvicorn

    # In a thread that is not the main one, uvicorn leaves the signals alone.
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not serving.done():
        beat()
        server.should_exit = server.should_exit or stop.is_set()
        await asyncio.wait({serving}, timeout=_TICK_S)
    await serving


def config_of(app: ASGIApp, proxy: str = "", tls: PageTls | None = None) -> uvicorn.Config:
    """How an app is served: HTTP/1.1, few connections, small headers, and nothing said of who asks for what.

    Args:
        app: What answers.
        proxy: Address of a reverse proxy whose word on the client's address is taken; "" = nobody's.
        tls: What connections are encrypted with.
    """
    import uvicorn

    from comfywear.web.connections import MOST_CONNECTIONS, BoundedProtocol
    from comfywear.web.handshakes import tls_protocol

    return uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        http=tls_protocol(tls.context) if tls else BoundedProtocol,
        loop="asyncio",
        proxy_headers=bool(proxy),
        forwarded_allow_ips=proxy or None,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS + 2,  # never reached: the protocol makes room
        h11_max_incomplete_event_size=16384,
        timeout_graceful_shutdown=1,
    )
