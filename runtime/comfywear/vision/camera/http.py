"""Cameras that speak HTTP: MJPEG streams, and addresses of a single picture that is asked for again and again."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import LoginRefusedError, SourceError
from comfywear.settings.camera_uri import CameraUri
from comfywear.texts import Text
from comfywear.vision.camera.jpegs import LARGEST_BYTES, cut_jpegs
from comfywear.vision.camera.login import Login
from comfywear.vision.camera.pace import FramePace
from comfywear.vision.camera.photo import decode

__all__ = ["http_frames"]

_TIMEOUT_S = 5.0
_USUAL_PORT = {"http": 80, "https": 443}
_REDIRECTS = 5
_POLL_FPS = 1.0  # of single pictures where nothing is said
_FAILED_POLLS = 2  # of single pictures, one after the other, that are no loss of the camera yet
_MOST_BEFORE_A_PICTURE = 8 * 1024 * 1024
_OTHER_PART = re.compile(rb"(?i)\ncontent-type: *(video/[\w.+-]+)")  # of a multipart stream that holds no pictures


def http_frames(uri: CameraUri, fps: float | None) -> Iterator[NDArray[np.uint8]]:
    """Frames `(H, W, 3) uint8` BGR of an MJPEG stream, thinned to `fps`, or of one picture, asked for at `fps`.

    Raises:
        LoginRefusedError: The camera refuses the login, or wants one and none is given.
        SourceError: It cannot be reached, gives no pictures, or stopped giving them.
    """
    camera = _HttpCamera(uri)
    pace, failed, snapshots = FramePace(fps or _POLL_FPS), 0, False
    while True:
        try:
            with camera.open() as response:
                kind = response.headers.get_content_type() if "Content-Type" in response.headers else ""
                _check_kind(uri, kind)
                if kind.startswith("image/"):
                    image = decode(_whole(response))
                    if image is None:
                        raise SourceError(Text("{shown} gives {kind} that is no picture", shown=uri.shown, kind=kind))
                    yield image
                else:
                    count = yield from _stream(response, uri, fps)
                    if count != 1:
                        raise SourceError(
                            Text(
                                "{shown} stopped giving pictures" if count else "{shown} gives no JPEG picture",
                                shown=uri.shown,
                            )
                        )
            snapshots, failed = True, 0
        except LoginRefusedError:
            raise
        except (SourceError, OSError, http.client.HTTPException) as error:
            failed += 1
            if not snapshots or failed > _FAILED_POLLS:
                raise error if isinstance(error, SourceError) else SourceError(_words(uri, error)) from error
        pace.wait()


def _stream(
    response: http.client.HTTPResponse, uri: CameraUri, fps: float | None
) -> Generator[NDArray[np.uint8], None, int]:
    """The pictures of an answer that are due; returns how many came. Each is read, so that none gets old."""
    count, due_s = 0, time.monotonic()
    for count, picture in enumerate(cut_jpegs(_chunks(response, uri)), 1):  # noqa: B007 - it is returned
        now_s = time.monotonic()
        image = decode(picture) if now_s >= due_s else None
        if image is not None:
            due_s = max(due_s + 1.0 / fps, now_s) if fps else now_s
            yield image
    return count


def _check_kind(uri: CameraUri, kind: str) -> None:
    if kind in ("text/html", "application/xhtml+xml"):
        raise SourceError(
            Text(
                "{shown} is a web page, not a picture: give the address of its MJPEG stream or snapshot",
                shown=uri.shown,
            )
        )
    if (kind.startswith(("video/", "audio/")) and "jpeg" not in kind) or "mpegurl" in kind:
        raise SourceError(
            Text(
                "{shown} gives {kind}; read here are MJPEG and pictures: use the camera's rtsp:// address",
                shown=uri.shown,
                kind=kind,
            )
        )


def _whole(response: http.client.HTTPResponse) -> bytes:
    """One picture: up to its end where it is a JPEG, since some cameras leave the connection open behind it."""
    head = response.read1(4096)
    while len(head) < 3 and (more := response.read1(4096)):
        head += more

    def rest() -> Iterator[bytes]:
        yield head
        while chunk := response.read1(65536):
            yield chunk

    if head.startswith(b"\xff\xd8\xff"):
        return next(cut_jpegs(rest()), b"")
    return head + response.read(LARGEST_BYTES)


def _chunks(response: http.client.HTTPResponse, uri: CameraUri) -> Iterator[bytes]:
    passed, found = 0, False
    while chunk := response.read1(65536):
        found = found or b"\xff\xd8\xff" in chunk
        other = None if found else _OTHER_PART.search(chunk)
        if other:
            _check_kind(uri, other[1].decode().lower())
        passed += len(chunk)
        if not found and passed > _MOST_BEFORE_A_PICTURE:
            raise SourceError(
                Text(
                    "{shown} gives no JPEG pictures (is it H.264? then use the camera's rtsp:// address)",
                    shown=uri.shown,
                )
            )
        yield chunk


def _words(uri: CameraUri, error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return Text(
                "{shown}: its certificate cannot be trusted ({why}); name the certificate of who "
                "signed it in the environment variable SSL_CERT_FILE",
                shown=uri.shown,
                why=error.verify_message,
            )
        case ssl.SSLError():
            return Text(
                "{shown} does not speak TLS as it should ({why}); is it http:// instead of https://?",
                shown=uri.shown,
                why=error.reason,
            )
        case socket.gaierror():
            return Text("{shown}: there is no such host", shown=uri.shown)
        case ConnectionRefusedError():
            return Text("{shown}: nothing answers at this address and port", shown=uri.shown)
        case TimeoutError():
            return Text("{shown} gave nothing for {timeout} s", shown=uri.shown, timeout=f"{_TIMEOUT_S:g}")
        case http.client.IncompleteRead():
            return Text("{shown} stopped giving pictures", shown=uri.shown)
        case http.client.HTTPException():
            return Text("{shown} does not answer in HTTP", shown=uri.shown)
        case _:
            return Text(
                "{shown} cannot be read ({why})",
                shown=uri.shown,
                why=getattr(error, "strerror", None) or type(error).__name__,
            )


class _HttpCamera:
    """One camera over HTTP: logs in once, follows redirects, and takes its password to no other host."""

    def __init__(self, uri: CameraUri) -> None:
        parts = urlsplit(uri.target)
        self._uri = uri
        self._scheme, self._host, self._port = parts.scheme.lower(), parts.hostname or "", parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._login = Login(unquote(parts.username), unquote(parts.password or "")) if parts.username else None

    @contextmanager
    def open(self) -> Iterator[http.client.HTTPResponse]:
        """The answer with the pictures; read it to its end or not, and leave."""
        url = f"{self._scheme}://{_joined(self._host, self._port)}{self._target}"
        heard = False
        for _ in range(2 * _REDIRECTS):
            connection, response, sent = self._ask(url)
            try:
                if response.status == 401:
                    if self._login is None or not self._own(url):
                        raise LoginRefusedError(
                            Text(
                                "{shown} asks for a user name and password (401): put NAME:PASSWORD and an at sign "
                                "in front of the host",
                                shown=self._uri.shown,
                            )
                        )
                    if sent and heard:
                        raise LoginRefusedError(
                            Text("{shown}: user name or password refused (401)", shown=self._uri.shown)
                        )
                    if not self._login.hear(response.headers.get_all("WWW-Authenticate", [])):
                        raise SourceError(
                            Text(
                                "{shown} asks for a login of a kind that is not known here (401)", shown=self._uri.shown
                            )
                        )
                    heard = True
                elif response.status in (301, 302, 303, 307, 308) and response.headers.get("Location"):
                    url, heard = _led_to(url, response.headers["Location"]), False
                    if not _is_http(url):
                        raise SourceError(Text("{shown} leads to an address that is not HTTP", shown=self._uri.shown))
                elif response.status == 403:
                    raise LoginRefusedError(Text("{shown}: access refused (403)", shown=self._uri.shown))
                elif response.status != 200:
                    words = f"{response.status} {response.reason}".rstrip()
                    raise SourceError(Text("{shown} answers {words}", shown=self._uri.shown, words=words))
                else:
                    yield response
                    return
            finally:
                response.close()
                connection.close()
        raise SourceError(Text("{shown} leads from one address to the next without an end", shown=self._uri.shown))

    def _own(self, url: str) -> bool:
        """Whether `url` is at the host that the password is for, and no less protected."""
        parts = urlsplit(url)
        port, own = parts.port or _USUAL_PORT.get(parts.scheme), self._port or _USUAL_PORT.get(self._scheme)
        same = (parts.scheme, port) == (self._scheme, own) or parts.scheme == "https"
        return parts.hostname == self._host and same

    def _ask(self, url: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse, bool]:
        parts = urlsplit(url)
        assert parts.hostname is not None
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=_TIMEOUT_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT_S)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        said = self._login.answer("GET", target) if self._login and self._own(url) else None
        headers: dict[str, str | bytes] = {"User-Agent": "comfywear", "Accept": "*/*", "Connection": "close"}
        if said:
            headers["Authorization"] = said.encode()
        try:
            connection.request("GET", target, headers=headers)
            return connection, connection.getresponse(), said is not None
        except BaseException:
            connection.close()
            raise


def _led_to(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _joined(host: str, port: int | None) -> str:
    return (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
