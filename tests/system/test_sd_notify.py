"""What the service manager hears, on a real notification socket."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from children import Child
from comfywear import settings as settings_file
from comfywear.device.runner import Runner
from comfywear.device.sight.vision_worker import patience_s
from comfywear.system.sd_notify import ServiceManager
from comfywear.system.supervisor import WorkerHealth, summary

WELL = WorkerHealth("running", 0.1, 0, None)
HUNG = WorkerHealth("hung", 71.0, 2, "no camera")


class Manager:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(60)
        self.environ = {"NOTIFY_SOCKET": address}

    def next(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def until(self, key: str) -> dict[str, str]:
        while key not in (heard := self.next()):
            pass
        return heard


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(str(tmp_path / "notify"))
    yield found
    found.socket.close()


def test_it_says_ready_alive_and_the_end_with_a_line_on_how_it_is(manager: Manager) -> None:
    told = ServiceManager({**manager.environ, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())})
    assert told.watchdog_s == 3.0
    told.ready("9 of 9\nworkers run")
    assert manager.next() == {"READY": "1", "STATUS": "9 of 9 workers run"}
    told.alive("well")
    assert manager.next() == {"WATCHDOG": "1", "STATUS": "well"}
    told.reloading()
    heard = manager.next()
    assert heard["RELOADING"] == "1"
    assert abs(int(heard["MONOTONIC_USEC"]) / 1e6 - time.monotonic()) < 60
    told.stopping()
    assert manager.next() == {"STOPPING": "1"}


def test_an_abstract_address_is_reached() -> None:
    manager = Manager(f"@comfywear-test-{os.getpid()}")
    ServiceManager(manager.environ).ready("well")
    assert manager.next()["READY"] == "1"
    manager.socket.close()


@pytest.mark.parametrize(
    "environ",
    [
        {"WATCHDOG_USEC": "3000000"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"},
    ],
    ids=["no socket", "another process", "none", "no number"],
)
def test_nobody_watches_where_this_process_is_not_asked_to_say_that_it_lives(environ: dict[str, str]) -> None:
    assert ServiceManager(environ).watchdog_s is None


def test_a_manager_that_cannot_be_reached_is_said_once_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    for _ in range(3):
        told.alive("well")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    ServiceManager({}).alive("well")


def test_the_summary_names_each_worker_that_does_not_run() -> None:
    waiting = WorkerHealth("waiting", 4.0, 3, "no such camera")
    assert summary({"a": WELL, "vision": waiting, "b": HUNG}) == (
        "1 of 3 workers run; vision waiting: no such camera; b hung: no camera"
    )


def test_the_watchdog_is_fed_only_while_no_worker_hangs(
    tmp_path: Path, manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    health = {"vision": WELL, "comfort": WELL}

    class Device:
        def health(self) -> Mapping[str, WorkerHealth]:
            return health

    @contextmanager
    def make(settings: settings_file.Settings, *, reload: Callable[[], None]) -> Iterator[Device]:
        yield Device()

    path = tmp_path / "device.toml"
    path.write_text("[device]\nid = 'd1'\n")
    told = ServiceManager({**manager.environ, "WATCHDOG_USEC": "150000"})
    runner = Runner(path, settings_file.load(path), make, told)
    thread = threading.Thread(target=runner.run)
    thread.start()
    assert manager.next() == {"EXTEND_TIMEOUT_USEC": "600000000"}, "a start may take longer than the unit says"
    assert manager.next()["READY"] == "1"
    assert manager.next() == {"WATCHDOG": "1", "STATUS": "2 of 2 workers run"}
    health["vision"] = HUNG
    while "hung" not in (heard := manager.next())["STATUS"]:
        pass
    for _ in range(4):
        assert heard == {"STATUS": "1 of 2 workers run; vision hung: no camera"}
        heard = manager.next()
    health["vision"] = WELL
    manager.until("WATCHDOG")
    runner.stop()
    thread.join(60)
    assert not thread.is_alive()
    manager.until("STOPPING")
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == ["no sign of life from vision: the service manager will end the device"]


def test_an_engine_that_compiles_for_minutes_is_not_taken_for_one_that_hangs() -> None:
    assert patience_s("onnxruntime") == patience_s("auto") == 60.0
    assert patience_s("tensorrt") > 600.0


def test_the_device_tells_its_service_manager_of_start_reload_and_end(
    tmp_path: Path, manager: Manager, mosquitto: Any
) -> None:
    config = tmp_path / "device.toml"
    config.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n[[sensors]]\nuri = 'fake://'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\n"
    )
    environ = {**os.environ, **manager.environ, "WATCHDOG_USEC": "3000000"}
    command = [sys.executable, "-m", "comfywear.cli", "run", "--config", str(config)]
    with Child(command, env=environ) as process:
        try:
            assert "workers run" in manager.until("READY")["STATUS"]
            assert manager.next()["WATCHDOG"] == "1"
            process.send_signal(signal.SIGHUP)
            manager.until("RELOADING")
            assert int(manager.next()["EXTEND_TIMEOUT_USEC"]) > 120e6
            assert manager.until("READY")
        finally:
            process.send_signal(signal.SIGTERM)
        manager.until("STOPPING")
        assert process.wait(90) == 0
