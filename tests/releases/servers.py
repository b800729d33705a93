"""A real web server with ranges that breaks off, lies and stalls as it is told."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Server:
    """Serves the files of a folder.

    Attributes:
        breaks: For a file's name: after how many bytes of an answer the connection ends, one entry an answer.
        stall: For a file's name: send so many bytes, set `stalled`, and wait for `go_on`.
        ranges: Whether it knows ranges.
        elsewhere: For a file's name: the URL to which it sends on.
        asked: "NAME" or "NAME RANGE" of each request, in order.
    """

    def __init__(self, folder: Path, tls: tuple[Path, Path] | None = None) -> None:
        self.folder = folder
        self.breaks: dict[str, list[int]] = {}
        self.stall: dict[str, int] = {}
        self.stalled, self.go_on = threading.Event(), threading.Event()
        self.ranges = True
        self.elsewhere: dict[str, str] = {}
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]
        scheme = "http"
        if tls:
            scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"{scheme}://localhost:{self._http.server_port}/"

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self.go_on.set()
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        name, wanted = request.path.lstrip("/"), request.headers.get("Range", "")
        self.asked.append(f"{name} {wanted}".strip())
        if name in self.elsewhere:
            request.send_response(302)
            request.send_header("Location", self.elsewhere[name])
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        path = self.folder / name
        if not path.is_file():
            request.send_error(404)
            return
        data, start = path.read_bytes(), 0
        if wanted and self.ranges:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            request.send_response(200)
        data = data[start:]
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        if name in self.stall:
            request.wfile.write(data[: self.stall[name]])
            request.wfile.flush()
            self.stalled.set()
            self.go_on.wait(60)
            data = data[self.stall[name] :]
        if self.breaks.get(name):
            data = data[: self.breaks[name].pop(0)]
            request.close_connection = True
        request.wfile.write(data)
