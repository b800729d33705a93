"""What several rooms' tests share: the data sets, where they are at hand, and a real broker."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from ports import free_port

# How long an example takes says how busy the machine is; times are measured in bench/. The suite tries the same
# examples each time, so that no change is blamed for an unlucky draw; others: `--hypothesis-profile explore`.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, derandomize=False, max_examples=2000)
settings.load_profile("suite")

ROOT = Path(__file__).resolve().parent.parent
SLOW_S = 7200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A proof that takes minutes has hours, however it is started."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_S))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets beside the checkout (or $COMFYWEAR_DATA); skips where a user does not have it."""
    folder = Path(os.environ.get("COMFYWEAR_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"needs the data sets, which are not shipped: no folder {folder} (set COMFYWEAR_DATA)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def machine_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where what belongs to the machine is kept, such as which engine looks: nothing of the user's is touched."""
    folder = tmp_path_factory.mktemp("machine")
    before = os.environ.get("STATE_DIRECTORY")
    os.environ["STATE_DIRECTORY"] = str(folder)
    yield folder
    os.environ.pop("STATE_DIRECTORY")
    if before is not None:
        os.environ["STATE_DIRECTORY"] = before


@pytest.fixture(autouse=True)
def engines_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device of this process need not try its engines, which takes seconds; the trial has tests of its own."""
    from comfywear.vision.engines.probe import Order, Trial

    def known(order: Order, **_: Any) -> Trial:
        return Trial(order.engine, 10.0 if order.engine == "onnxruntime" else 20.0, "known")

    monkeypatch.setattr("comfywear.device.sight.vision_worker.try_engine", known)


@pytest.fixture(autouse=True)
def every_message_fits_its_schema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a device of this process sends in any test is held against the JSON Schema that it names."""
    import sent_messages

    faults = sent_messages.watch(monkeypatch)
    yield
    assert not faults, "\n".join(faults)


class Mosquitto:
    """A real mosquitto on a random port of the loopback address, as a child of the test."""

    def __init__(self, folder: Path, lines: Sequence[str] = ("allow_anonymous true",), settings: str = "") -> None:
        self.port = free_port()
        # As root mosquitto would become another user, who may not read the test's folder.
        user = "user root\n" if os.geteuid() == 0 else ""
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(f"{user}{settings}listener {self.port} 127.0.0.1\n" + "\n".join(lines) + "\n")
        self._log = folder / f"mosquitto-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        pytest.fail(f"mosquitto does not listen: {self._log.read_text()}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it with a signal and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(90)
            self._process = None

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def restart(self) -> None:
        """Stop and start it on the same port."""
        self.stop()
        self.start()


MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@pytest.fixture
def make_mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Makes brokers that are not started yet: `make_mosquitto(lines=[…])` with lines of mosquitto.conf(5)."""
    if MOSQUITTO is None:
        pytest.skip("needs the broker mosquitto (Debian: apt install mosquitto)")
    made: list[Mosquitto] = []

    def make(**options: Any) -> Mosquitto:
        made.append(Mosquitto(tmp_path, **options))
        return made[-1]

    yield make
    for broker in made:
        broker.stop(signal.SIGKILL)


@pytest.fixture
def mosquitto(make_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """A running mosquitto that lets everybody in."""
    broker = make_mosquitto()
    broker.start()
    return broker
