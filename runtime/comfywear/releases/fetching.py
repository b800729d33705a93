"""Brings a release's files here: from a web server, bounded, verified and resumed, or from a folder."""

from __future__ import annotations

import http.client
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from comfywear import __version__
from comfywear.errors import ComfyWearError, ModelError, StoreError, UsageError
from comfywear.releases.answers import HttpByDeadline, HttpsByDeadline, TooSlowError
from comfywear.releases.rules import Rules, check_url
from comfywear.system.loopback import is_loopback
from comfywear_models.release import LARGEST_MANIFEST_BYTES, SUFFIX

__all__ = ["MissingError", "ReleaseSource", "open_source"]

Tick = Callable[[int], None]
"""Hears how many bytes of a file are there; may raise to end the fetching."""

Alive = Callable[[], None]
"""Is called now and then; may raise to end the fetching."""

_CHUNK = 64 * 1024
_SILENCE_S = 20.0
_LONGEST_S, _LONGEST_MANIFEST_S = 3600.0, 60.0
_MISSING = (403, 404, 410)
# What another try may mend: a busy or restarting server.
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class MissingError(ModelError):
    """There is no such file."""


class ReleaseSource(Protocol):
    """Where releases lie."""

    def manifest(self) -> bytes:
        """The signed manifest; ModelError when it cannot be had."""

    def read(self, name: str, most: int) -> bytes:
        """A small file as a whole; of one that is larger than `most` bytes, one byte more than that.

        Raises:
            MissingError: There is none of that name.
            ModelError: It cannot be had.
        """

    def fetch(self, name: str, path: Path, size: int, tick: Tick) -> None:
        """Bring the file `name`, of `size` bytes, to `path`, going on from what is there already.

        Raises:
            ModelError: It cannot be had, or it is not of that size; what came stays for another try.
            StoreError: It cannot be written here.
        """


def open_source(url_or_file: str, rules: Rules, alive: Alive = lambda: None) -> ReleaseSource:
    """Where a release is to be taken from: an http(s) URL of a manifest or a repository (which ends in /), or its path.

    Raises:
        UsageError: When the rules do not allow it.
    """
    if "://" not in url_or_file:
        if rules.prefixes is not None:
            raise UsageError("only a URL can be pulled from afar")
        return _Folder(Path(url_or_file))
    check_url(url_or_file, rules)
    return _Web(url_or_file, rules, alive)


class _Folder:
    """A manifest on a memory stick or a disk, with its files beside it; or a repository there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path if path.is_dir() else path.parent

    def manifest(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                return file.read(LARGEST_MANIFEST_BYTES + 1)
        except OSError as error:
            raise ModelError(
                f"{self._path}: the release cannot be read ({error.strerror}); name its *{SUFFIX}"
            ) from error

    def read(self, name: str, most: int) -> bytes:
        try:
            with (self._folder / name).open("rb") as file:
                return file.read(most + 1)
        except FileNotFoundError as error:
            raise MissingError(f"{self._folder / name}: there is no such file") from error
        except OSError as error:
            raise ModelError(f"{self._folder / name}: cannot be read ({error.strerror})") from error

    def fetch(self, name: str, path: Path, size: int, tick: Tick) -> None:
        source = self._folder / name
        try:
            there = source.stat().st_size
        except OSError as error:
            raise ModelError(f"{source}: a file of the release cannot be read ({error.strerror})") from error
        if there != size:
            raise ModelError(f"{source}: it has {there} bytes, the release says {size}")
        try:
            shutil.copyfile(source, path)
        except OSError as error:
            raise _not_written(path, error) from error
        tick(size)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server elsewhere only to where the rules allow, and never from https to http."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        fp.close()  # urllib would read its body to the end
        try:
            check_url(newurl, self._rules)
        except UsageError as error:
            raise UsageError(f"the server sends elsewhere, which is not followed: {error}") from error
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise UsageError(f"{newurl}: the server sends from https:// to http://, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Web:
    """A web server."""

    def __init__(self, url: str, rules: Rules, alive: Alive) -> None:
        self._url, self._rules, self._alive = url, rules, alive
        try:
            context = ssl.create_default_context(cafile=rules.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"updates.ca_file {rules.ca_file}: not a certificate that can be read ({error})"
            ) from error
        self._opener = urllib.request.OpenerDirector()
        self._by_deadline = (HttpByDeadline(), HttpsByDeadline(context=context))
        handlers: list[urllib.request.BaseHandler] = [
            *self._by_deadline,
            _Redirects(rules),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ]
        if not is_loopback(urlsplit(url).hostname or ""):
            handlers.append(urllib.request.ProxyHandler())
        for handler in handlers:
            self._opener.add_handler(handler)

    def manifest(self) -> bytes:
        data = self.read("", LARGEST_MANIFEST_BYTES)
        if len(data) > LARGEST_MANIFEST_BYTES:
            raise ModelError(f"{self._url}: more than {LARGEST_MANIFEST_BYTES} bytes: not a release's manifest")
        return data

    def read(self, name: str, most: int) -> bytes:
        url = urljoin(self._url, name)
        data: bytes = self._patiently(url, lambda: self._read_small(url, most))
        return data

    def fetch(self, name: str, path: Path, size: int, tick: Tick) -> None:
        url = urljoin(self._url, name)
        until_s = time.monotonic() + _LONGEST_S

        def read() -> None:
            self._read_file(url, path, size, tick, until_s)

        self._patiently(url, read, lambda: _size(path))

    def _patiently(self, url: str, read: Callable[[], Any], progress: Callable[[], int] = int) -> Any:
        """`read()`, tried again after what may pass; progress begins the pauses anew."""
        pauses, there = list(self._rules.pauses_s), progress()
        while True:
            try:
                return read()
            except ComfyWearError:
                raise
            except urllib.error.HTTPError as error:
                error.close()
                if error.code not in _PASSING or not pauses:
                    kind = MissingError if error.code in _MISSING else ModelError
                    raise kind(f"{url}: the server answers {error.code} {_words(error.reason)}") from error
            except TooSlowError as error:
                raise ModelError(f"{url}: {error}; pull again to go on from there") from error
            except (_BrokenError, OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", error)
                if isinstance(reason, ssl.SSLCertVerificationError):
                    raise ModelError(f"{url}: the server's certificate is not verified ({reason})") from error
                if not pauses:
                    raise ModelError(
                        f"{url}: it broke off ({_words(reason)}); pull again to go on from there"
                    ) from error
            if progress() > there:
                pauses, there = list(self._rules.pauses_s), progress()
            until_s = time.monotonic() + pauses.pop(0)
            while (left_s := until_s - time.monotonic()) > 0:
                self._alive()
                time.sleep(min(left_s, 0.5))

    def _read_small(self, url: str, most: int) -> bytes:
        data, until_s = bytearray(), time.monotonic() + _LONGEST_MANIFEST_S
        with closing(self._open(url, 0, until_s)) as answer:
            while part := answer.read1(_CHUNK):
                data += part
                if len(data) > most:
                    return bytes(data[: most + 1])
            if answer.length:
                raise _BrokenError(f"{answer.length} bytes are missing")
        return bytes(data)

    def _read_file(self, url: str, path: Path, size: int, tick: Tick, until_s: float) -> None:
        there = _size(path)
        if there > size:
            path.unlink()
            there = 0
        if there == size:
            return
        with closing(self._open(url, there, until_s)) as answer:
            there = _begins_at(answer, there, size, url)
            try:
                file = path.open("r+b" if there else "wb")
            except OSError as error:
                raise _not_written(path, error) from error
            with file:
                file.seek(there)
                while there < size:
                    data = answer.read1(_CHUNK)
                    if not data:
                        raise _BrokenError(f"{there} of {size} bytes came")
                    if there + len(data) > size:
                        raise ModelError(f"{url}: more bytes than the {size} that the release says")
                    try:
                        file.write(data)
                        file.flush()
                    except OSError as error:
                        raise _not_written(path, error) from error
                    there += len(data)
                    tick(there)
                if answer.read1(1):
                    raise ModelError(f"{url}: more bytes than the {size} that the release says")

    def _open(self, url: str, start: int, until_s: float) -> Any:
        for handler in self._by_deadline:
            handler.until_s = until_s
        headers = {"User-Agent": f"comfywear/{__version__}", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was checked: check_url
        return self._opener.open(request, timeout=_SILENCE_S)


class _BrokenError(Exception):
    """The server ended early."""


def _begins_at(answer: Any, asked: int, size: int, url: str) -> int:
    """From which byte an answer goes on: where it was asked to, or the beginning.

    Raises:
        ModelError: The file on the server has another size than the release says.
    """
    if answer.status == 206:
        told = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if told is None or told[1] != str(asked):
            raise ModelError(f"{url}: the server sends another part than it was asked for")
        if told[3] not in ("*", str(size)):
            raise ModelError(f"{url}: the server's file has {told[3]} bytes, the release says {size}")
        return asked
    length = answer.headers.get("Content-Length", "")
    if length and length != str(size):
        raise ModelError(f"{url}: the server's file has {length} bytes, the release says {size}")
    return 0


def _words(said: object) -> str:
    """What a server may have had a hand in, fit for a log and a terminal: one short line that can be printed."""
    text = "".join(each if each.isprintable() else " " for each in str(said)[:1000])
    return " ".join(text.split())[:200]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _not_written(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be written ({error.strerror})")
