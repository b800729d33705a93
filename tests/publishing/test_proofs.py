"""Nothing accepted is lost: kills, restarts, partitions and a full disk, counted at the real collector.

Two or three rounds run with all tests; `scripts/test --slow` runs as many as the figures of docs/mqtt.md come from.
`-s` shows what was accepted, delivered, lost and came twice.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rounds import KEEPING, Archive, Device, Figures, count

from waiting import until

# Every warning is a fault, but of what other tests left to the collector nothing is known here.
pytestmark = pytest.mark.filterwarnings("error", "ignore::ResourceWarning")


def rounds(smoke: int, full: int) -> pytest.MarkDecorator:
    """Few rounds among all tests, many among the slow ones."""
    return pytest.mark.parametrize("times", [smoke, pytest.param(full, marks=pytest.mark.slow)])


confirmed_or_not = pytest.mark.parametrize(
    "confirmed", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["confirmed", "broker alone"]
)


@contextmanager
def scene(make_mosquitto: Any, folder: Path, confirmed: bool) -> Iterator[tuple[Any, Device, Archive]]:
    """A broker, a device that is not started, and a collector that listens."""
    broker = make_mosquitto(settings=KEEPING.format(folder=folder))
    broker.start()
    device, archive = Device(broker.port, folder, confirmed), Archive(broker.port, folder)
    archive.come()
    try:
        yield broker, device, archive
    finally:
        archive.go()
        if device.process is not None and device.process.poll() is None:
            device.process.kill()
            device.process.wait(90)


def judge(figures: Figures, confirmed: bool) -> None:
    assert figures.accepted > 100
    if confirmed:
        assert figures.lost == 0


@rounds(2, 50)
@confirmed_or_not
def test_the_device_is_killed_while_it_publishes(
    times: int, confirmed: bool, make_mosquitto: Any, tmp_path: Path
) -> None:
    with scene(make_mosquitto, tmp_path, confirmed) as (_, device, archive):
        for _ in range(times):
            device.start()
            device.accept_more(200)
            device.kill()
        device.start()
        device.accept_more(1)
        device.finish()
        figures = count(f"{times} x kill -9 of the device at {device.rate} messages/s", device, archive)
    judge(figures, confirmed=True)  # also without confirmation: the broker never forgot


@rounds(2, 20)
@confirmed_or_not
def test_the_broker_is_restarted(times: int, confirmed: bool, make_mosquitto: Any, tmp_path: Path) -> None:
    with scene(make_mosquitto, tmp_path, confirmed) as (broker, device, archive):
        device.start()
        for _ in range(times):
            device.accept_more(200)
            broker.restart()
        device.accept_more(200)
        device.finish()
        figures = count(f"{times} restarts of the broker", device, archive)
    judge(figures, confirmed)


@rounds(2, 20)
@confirmed_or_not
def test_the_broker_is_killed(times: int, confirmed: bool, make_mosquitto: Any, tmp_path: Path) -> None:
    with scene(make_mosquitto, tmp_path, confirmed) as (broker, device, archive):
        device.start()
        for _ in range(times):
            device.accept_more(200)
            broker.stop(signal.SIGKILL)
            broker.start()
        device.accept_more(200)
        device.finish()
        figures = count(f"{times} x kill -9 of the broker", device, archive)
    judge(figures, confirmed)


@rounds(1, 5)
@confirmed_or_not
def test_the_broker_is_killed_while_the_collector_is_away(
    times: int, confirmed: bool, make_mosquitto: Any, tmp_path: Path
) -> None:
    with scene(make_mosquitto, tmp_path, confirmed) as (broker, device, archive):
        device.start()
        for _ in range(times):
            device.accept_more(200)
            archive.go()
            device.accept_more(400)
            broker.stop(signal.SIGKILL)
            broker.start()
            device.accept_more(200)
            archive.come()
        device.accept_more(200)
        device.finish()
        figures = count(f"{times} x kill -9 of the broker with the collector away", device, archive)
    judge(figures, confirmed)


@pytest.mark.slow
@pytest.mark.parametrize("times", [10])
@confirmed_or_not
def test_the_network_swallows_packets(times: int, confirmed: bool, make_mosquitto: Any, tmp_path: Path) -> None:
    with scene(make_mosquitto, tmp_path, confirmed) as (broker, device, archive):
        device.start()
        for _ in range(times):
            device.accept_more(200)
            with dropped(broker.port):
                time.sleep(20)
        device.accept_more(200)
        device.finish()
        figures = count(f"{times} partitions of 20 s", device, archive)
    judge(figures, confirmed)


@contextmanager
def dropped(port: int) -> Iterator[None]:
    """Every packet from and to a port of the loopback interface is thrown away, as by a broken network."""
    table = f"comfywear_proof_{port}"
    rules = (
        f"table inet {table} {{ chain input {{ type filter hook input priority 0; "
        f"iif lo tcp dport {port} drop; iif lo tcp sport {port} drop; }}; }}"
    )
    nft = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nft is None:
        pytest.skip("needs nft (Debian: apt install nftables)")
    made = subprocess.run([nft, rules], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"packets can only be dropped by root: {made.stderr.strip().splitlines()[0]}")
    try:
        yield
    finally:
        subprocess.run([nft, f"delete table inet {table}"], check=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A real file system of a few megabytes."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    made = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"a small file system can only be mounted by root: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path, leave: int) -> None:
    """Take the room of a file system but for `leave` bytes."""
    disk = os.statvfs(path.parent)
    with path.open("ab") as file:
        file.truncate(0)
        disk = os.statvfs(path.parent)
        os.posix_fallocate(file.fileno(), 0, max(1, disk.f_bavail * disk.f_frsize - leave))


@confirmed_or_not
def test_the_disk_is_full_for_a_while(confirmed: bool, make_mosquitto: Any, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 16) as disk,
        scene(make_mosquitto, tmp_path, confirmed) as (broker, device, archive),
    ):
        device.state = disk
        device.start()
        device.accept_more(200)
        broker.stop()  # what is accepted now must stay on the disk
        device.accept_more(200)
        fill(disk / "ballast", leave=900_000)
        until(lambda: any("nearly full: telemetry is refused" in line for line in device.said), 120)
        until(stands(device), 120)
        fill(disk / "ballast", leave=0)  # now even SQLite finds no room
        broker.start()
        time.sleep(2)
        (disk / "ballast").unlink()
        device.accept_more(200)
        until(lambda: any("can be used again" in line for line in device.said), 120)
        device.finish()
        figures = count("the disk full once", device, archive)
    judge(figures, confirmed=True)


def stands(device: Device) -> Callable[[], bool]:
    """True once nothing more is accepted for a second and a half."""
    seen = [(-1, 0.0)]

    def check() -> bool:
        now = sum(device.accepted().values())
        if now != seen[0][0]:
            seen[0] = (now, time.monotonic())
        return time.monotonic() - seen[0][1] > 1.5

    return check
