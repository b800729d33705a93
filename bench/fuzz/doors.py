"""The doors that read foreign bytes: for each a function of bytes, seeds that it understands, and what it may raise."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from comfywear import settings, web
from comfywear.errors import ComfyWearError
from comfywear.feedback import ControlServer, socket_path
from comfywear.publishing.messages.commands import COMMANDS, read_command, read_sender
from comfywear.publishing.messages.incoming import read_ack, read_vote
from comfywear.publishing.messages.topics import Topics
from comfywear.settings.button_uri import parse_button_uri
from comfywear.vision.layouts import LAYOUTS
from comfywear.vision.layouts.guess import guess
from comfywear_export.data.formats import read_dataset
from comfywear_models import CardError, available, load_card
from comfywear_models.release import ReleaseError, new_key, open_release, sign
from comfywear_sensors import SensorError, check_uri
from comfywear_sensors.lines import LineBuffer, line_parser
from comfywear_sensors.payloads import parse_message

Read = Callable[[bytes], object]


@dataclass(frozen=True)
class Door:
    """One way in.

    Attributes:
        name: As it is asked for.
        open: Makes the function that reads, and closes what it needed.
        seeds: Bytes that it understands.
        refuses: What it may raise; anything else is a fault.
    """

    name: str
    open: Callable[[], Any]
    seeds: tuple[bytes, ...]
    refuses: tuple[type[BaseException], ...] = (ComfyWearError, SensorError)


def _plain(read: Read) -> Callable[[], Any]:
    @contextmanager
    def door() -> Iterator[Read]:
        yield read

    return door


def _serial(data: bytes) -> None:
    form, _, rest = data.partition(b"|")
    parse = line_parser("auto" if form != b"json" else "json")
    buffer = LineBuffer(skip_first=False)
    for line in buffer.feed(rest):
        with suppress(SensorError):
            parse(line)


def _payload(data: bytes) -> None:
    parse_message(data)


def _commands(data: bytes) -> None:
    name, _, payload = data.partition(b"|")
    read_sender(payload)
    read_command(name.decode("latin-1"), payload)


def _topic(data: bytes) -> None:
    Topics("home", "dev").zone_of_vote_set(data.decode("utf-8", "replace"))


@contextmanager
def _file(name: str, read: Callable[[Path], object]) -> Iterator[Read]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name

        def door(data: bytes) -> None:
            path.write_bytes(data)
            read(path)

        yield door


@contextmanager
def _control() -> Iterator[Read]:
    """The control socket of a server that runs; a hang or a closed server is a fault."""
    with tempfile.TemporaryDirectory() as text:
        folder, stop = Path(text), threading.Event()
        server = ControlServer(folder, {"status": lambda _: {"fine": True}})
        worker = threading.Thread(target=server.run, args=(stop, lambda: None), daemon=True)
        worker.start()
        while not socket_path(folder).exists():
            stop.wait(0.01)

        def door(data: bytes) -> None:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(10)
                peer.connect(str(socket_path(folder)))
                with suppress(BrokenPipeError, ConnectionResetError):
                    peer.sendall(data + b"\n")
                    answer = peer.recv(65536)
                    if answer:
                        json.loads(answer)
            assert worker.is_alive(), "the server ended"

        yield door
        stop.set()
        worker.join(10)


class _Nothing:
    """A device for the page that has nothing to show."""

    def zones(self) -> list[Any]:
        return [web.Zone("desk", "Desk")]

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


@contextmanager
def _page() -> Iterator[Read]:
    """Bytes to the page's port; no answer may be a 500, and the page lives."""
    server, stop = web.PageServer(_Nothing(), web.Access("", b"s" * 32)), threading.Event()  # type: ignore[arg-type]
    worker = threading.Thread(target=server.run, args=(stop, lambda: None), daemon=True)
    worker.start()
    while server.url is None:
        stop.wait(0.01)
    host, port = server.url.removeprefix("http://").strip("/").split(":")

    def door(data: bytes) -> None:
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.settimeout(0.5)
            with suppress(OSError):
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
                answer = peer.recv(4096)
                assert not answer.startswith(b"HTTP/1.1 500"), answer[:200]
        assert worker.is_alive(), "the page ended"

    yield door
    check = http.client.HTTPConnection(host, int(port), timeout=10)
    check.request("GET", "/api/start")
    assert check.getresponse().status == 200
    stop.set()
    worker.join(10)


_PRIVATE, _PUBLIC = new_key()


def _release(data: bytes) -> None:
    open_release(data, [_PUBLIC])
    open_release(sign(data, _PRIVATE), [_PUBLIC])


def _outputs(data: bytes) -> None:
    """Arrays of odd shapes and values, as a model of another kind gives them."""
    numbers = np.frombuffer(data[: len(data) // 4 * 4], np.float32)
    if not len(data) or not len(numbers):
        return
    count = data[0] % 5 + 1
    outputs = []
    for index in range(count):
        part = numbers[index::count]
        width = data[index % len(data)] % 9 + 1
        height = len(part) // width
        if height:
            shape = (1, height, width) if data[-1] % 2 else (height, width)
            outputs.append(part[: height * width].reshape(shape))
    if outputs:
        for each in guess(outputs, (320, 320)):
            assert each is not None
        for family in LAYOUTS.values():
            with suppress(ComfyWearError):
                family.decode(outputs, (320, 320), 3, {})


def _texts(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


_CARD = next(iter(available().values())).read_bytes()
_COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 10, "height": 10}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}],
    "categories": [{"id": 1, "name": "person"}],
}

DOORS: dict[str, Door] = {
    door.name: door
    for door in (
        Door(
            "serial",
            _plain(_serial),
            _texts(
                "auto|23.1,45.2\n", "auto|Humidity: 45.20 %\tTemperature: 23.10 *C\n", 'json|{"temperature": 21.5}\n'
            ),
        ),
        Door("mqtt-sensor", _plain(_payload), _texts("21.5", '{"temperature": 21.5, "humidity": 40}', "22,5 °C")),
        Door("mqtt-vote", _plain(read_vote), _texts("4", "4.0", '{"level": 4}', '{"level": 4, "id": "press-0001"}')),
        Door("mqtt-ack", _plain(read_ack), _texts('{"epoch": "a", "seq": 12, "missing": [[3, 4]]}')),
        Door("mqtt-command", _plain(_commands), tuple(name.encode() + b'|{"id": "x"}' for name in COMMANDS)),
        Door("mqtt-topic", _plain(_topic), _texts("comfywear/v1/home/dev/zone/desk/vote/set")),
        Door("control", _control, _texts('{"verb": "status"}', '{"verb": "vote", "level": 4}', "{}")),
        Door(
            "page",
            _page,
            _texts(
                "GET /api/start HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "POST /api/vote HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                'Content-Length: 12\r\n\r\n{"level": 4}',
                "GET /?zone=desk HTTP/1.1\r\nHost: localhost\r\nCookie: comfywear=1.2.3\r\nAccept-Language: de\r\n\r\n",
            ),
        ),
        Door(
            "settings",
            lambda: _file("device.toml", lambda path: settings.load(path)),
            _texts(
                '[device]\nsite = "a"\n[camera]\nfps = 2\n'
                '[[zones]]\nname = "desk"\npolygon = [[0, 0], [1, 0], [1, 1]]\n'
            ),
        ),
        Door(
            "sensor-uri", _plain(lambda d: check_uri(d.decode("utf-8", "replace"))), _texts("serial:///dev/x?baud=9600")
        ),
        Door(
            "button-uri", _plain(lambda d: parse_button_uri(d.decode("utf-8", "replace"))), _texts("gpio://1,2,3,4,5")
        ),
        Door("card", lambda: _file("a.card.json", load_card), (_CARD,), (CardError,)),
        Door(
            "release",
            _plain(_release),
            (b'{"payload": "e30=", "payloadType": "x", "signatures": []}',),
            (ReleaseError,),
        ),
        Door("coco", lambda: _file("a.json", lambda p: read_dataset(p, "coco")), (json.dumps(_COCO).encode(),)),
        Door("model-output", _plain(_outputs), (np.linspace(-3, 300, 900, dtype=np.float32).tobytes(),)),
    )
}
