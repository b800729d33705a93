"""A server that wishes its client ill: whatever it sends and however slowly, a pull ends, in little memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from comfywear.errors import ModelError
from comfywear.releases import fetching
from comfywear.releases.fetching import ReleaseSource, open_source
from comfywear.releases.rules import Rules

MOST = 64_000_000
QUICK = Rules(pauses_s=())


class Talker:
    """Answers every request by one function; `sent` counts the bytes that went to clients."""

    def __init__(self, listener: socket.socket, answer: Callable[[Talker, socket.socket], None]) -> None:
        self.stopped = threading.Event()
        self.sent = 0
        self._listener, self._answer = listener, answer

    def send(self, client: socket.socket, data: bytes) -> None:
        client.sendall(data)
        self.sent += len(data)

    def run(self) -> None:
        while not self.stopped.is_set():
            with suppress(OSError):
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    client.settimeout(5)
                    client.recv(65_536)
                    self._answer(self, client)


@contextmanager
def talking(answer: Callable[[Talker, socket.socket], None]) -> Iterator[tuple[ReleaseSource, Talker]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        talker = Talker(listener, answer)
        thread = threading.Thread(target=talker.run)
        thread.start()
        try:
            yield open_source(f"http://127.0.0.1:{listener.getsockname()[1]}/m.release.json", QUICK), talker
        finally:
            talker.stopped.set()
            thread.join()


def endless(head: bytes) -> Callable[[Talker, socket.socket], None]:
    def answer(talker: Talker, client: socket.socket) -> None:
        talker.send(client, head)
        while talker.sent < MOST and not talker.stopped.is_set():
            talker.send(client, bytes(65_536))

    return answer


def dripping(head: bytes, drop: bytes) -> Callable[[Talker, socket.socket], None]:
    def answer(talker: Talker, client: socket.socket) -> None:
        talker.send(client, head)
        until_s = time.monotonic() + 20
        while time.monotonic() < until_s and not talker.stopped.is_set():
            talker.send(client, drop)
            time.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 302 Found\r\nLocation: /n.release.json\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
    ],
)
def test_what_has_no_end_is_not_read_to_its_end(head: bytes) -> None:
    with talking(endless(head)) as (source, talker):
        with pytest.raises(ModelError):
            source.manifest()
        assert talker.sent < MOST / 2


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
    ],
)
def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, head: bytes, drop: bytes) -> None:
    monkeypatch.setattr(fetching, "_LONGEST_MANIFEST_S", 0.5)
    with talking(dripping(head, drop)) as (source, _), pytest.raises(ModelError, match="does not come in time"):
        source.manifest()


def test_a_file_that_drips_is_given_up_and_what_came_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fetching, "_LONGEST_S", 0.5)
    answer = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x")
    with talking(answer) as (source, _), pytest.raises(ModelError, match="in time; pull again to go on from there"):
        source.fetch("m.onnx", tmp_path / "part", 1_000_000, lambda _: None)
    assert 0 < (tmp_path / "part").stat().st_size < 1000


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 404 \x1b]0;owned\x07" + b"A" * 60_000 + b"\r\n\r\n",
        b"\x1b[2Jno http " + b"A" * 60_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /m.release.json\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_a_server_says_comes_to_people_as_one_short_line(head: bytes) -> None:
    with talking(lambda talker, client: talker.send(client, head)) as (source, _):
        with pytest.raises(ModelError) as said:
            source.manifest()
        assert str(said.value).isprintable()
        assert len(str(said.value)) < 400


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000,
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + b"9" * 5000 + b"-2/3",
    ],
)
def test_a_length_without_end_is_another_than_the_file_has(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "part").write_bytes(b"x")
    words = r"the release says 3|another part than it was asked for"
    answer = head + b"\r\n\r\n"
    with (
        talking(lambda talker, client: talker.send(client, answer)) as (source, _),
        pytest.raises(ModelError, match=words),
    ):
        source.fetch("m.onnx", tmp_path / "part", 3, lambda _: None)
