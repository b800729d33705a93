"""Each trouble that a watch can find, at a device whose surroundings are given by hand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from comfywear import settings as settings_file
from comfywear.device import watch as watching
from comfywear.device.device import Device
from comfywear.device.sight.camera_sight import CameraSight
from comfywear.device.watch import sensor_advice
from comfywear.system.clock import WallTime
from comfywear.system.supervisor import WorkerHealth

WELL = WorkerHealth("running", 0.1, 0, None)


class Disk(NamedTuple):
    """What statvfs(3) says of it."""

    f_frsize: int
    f_blocks: int
    f_bavail: int


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    """One that is not started, with a camera that is not there and nothing wrong."""
    path = tmp_path / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n[camera]\nsource = 'v4l2:///dev/video99'\nfps = 2\n"
    )
    made = Device(settings_file.load(path))
    monkeypatch.setattr(watching, "hottest_c", lambda: 55.0)
    monkeypatch.setattr(watching, "wall_time", lambda: WallTime("2027-01-01T00:00:00.000+00:00", True))
    monkeypatch.setattr(watching.os, "statvfs", lambda _: Disk(4096, 10**7, 9 * 10**6))
    monkeypatch.setattr(made, "health", lambda: {"vision": WELL, "votes": WELL})
    assert made.vision is not None
    monkeypatch.setattr(only(made), "_missing", None)
    monkeypatch.setattr(only(made), "_starting_s", None)
    yield made
    made.stop()


def only(device: Device) -> CameraSight:
    """Its camera."""
    assert device.vision is not None
    (camera,) = device.vision.cameras.values()
    return camera


def after(device: Device, seconds: float, begin_s: float = 1000.0) -> dict[str, Any]:
    """What counts as trouble after so long, looked at once a second."""
    for second in range(int(seconds) + 1):
        only(device)._seen_s = watching.time.monotonic()
        device.watch.tick(begin_s + second)
    return {each.name: each for each in device.watch.book.now()}


def test_nothing_is_wrong_where_nothing_is_wrong(device: Device) -> None:
    assert after(device, 120) == {}


def test_a_machine_that_is_too_hot_for_half_of_the_work_is_hot(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "hottest_c", lambda: 74.0)
    assert after(device, 10) == {}
    monkeypatch.setattr(watching, "hottest_c", lambda: 77.0)
    assert "77 °C" in after(device, 10, 2000.0)["hot"].reason


def test_looking_that_is_always_busy_and_misses_frames_is_slow(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = only(device)
    device.watch._speed = watching._Speed(1000.0, {}, 0.0)
    for second in range(200):
        camera._seen_s = watching.time.monotonic()
        camera.frames, camera.looked_s = second // 2, 0.99 * second
        device.watch.tick(1000.0 + second)
    (found,) = device.watch.book.now()
    assert found.name == "slow"
    assert "0.5 frames a second are looked at of 2" in found.reason
    assert "int8" in found.do


@pytest.mark.parametrize(("free", "full"), [(200_000, False), (100_000, True)])
def test_a_disk_with_little_left_is_nearly_full(
    free: int, full: bool, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching.os, "statvfs", lambda _: Disk(4096, 10**7, free))
    assert ("disk-full" in after(device, 3)) is full


def test_a_clock_that_was_never_set_is_said_after_a_while(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "wall_time", lambda: WallTime(None, False))
    assert after(device, 30) == {}
    assert "timedatectl" in after(device, 61, 2000.0)["no-clock"].do


def test_workers_that_fail_or_hang_are_named(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = WorkerHealth("waiting", 3.0, 2, "no such door")
    hung = WorkerHealth("hung", 99.0, 0, None)
    monkeypatch.setattr(device, "health", lambda: {"vision": hung, "votes": waiting, "page": WELL})
    after(device, 5)
    found = {each.about: each.reason for each in device.watch.book.now()}
    assert found == {"vision": "it gives no sign of life", "votes": "no such door"}


def test_a_start_is_no_trouble_unless_it_never_ends(device: Device) -> None:
    camera = only(device)
    camera.say("the camera is starting", logging.INFO)
    assert after(device, 50) == {}
    camera._starting_s = watching.time.monotonic() - 61.0
    assert after(device, 11, 2000.0)["no-camera"].reason == "the camera is starting"
    camera.say("camera gone: unplugged")
    assert camera.starting_s() is None


def test_free_memory_goes_back_every_few_minutes_and_the_journal_gets_a_line_an_hour(
    device: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given: list[float] = []
    monkeypatch.setattr(watching, "give_back", lambda: given.append(1.0))
    begin_s = watching.time.monotonic()
    with caplog.at_level(logging.INFO):
        for second in range(0, 3700, 10):
            device.watch.tick(begin_s + second)
    assert len(given) == 12
    (line,) = [record.message for record in caplog.records if record.message.startswith("the last hour:")]
    assert "0 dropped" in line


def test_a_child_that_tries_an_engine_while_looking_starts_opens_nothing_anew(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "family_rss_mb", lambda: 1e6)
    camera = only(device)
    camera.say("the camera is starting", logging.INFO)
    assert after(device, 50) == {}
    assert device.watch.memory.reopened == 0
    camera._starting_s = None
    assert "1000000 MB of" in after(device, 120, 2000.0)["memory"].reason
    assert device.watch.memory.reopened == 1


def test_no_picture_is_a_trouble_and_a_device_without_a_camera_has_none(device: Device, tmp_path: Path) -> None:
    only(device)._missing = "camera gone: unplugged"
    assert after(device, 11)["no-camera"].reason == "camera gone: unplugged"
    path = tmp_path / "bare.toml"
    path.write_text(f"[device]\nstate_dir = '{tmp_path / 'bare'}'\n")
    bare = Device(settings_file.load(path))
    assert [each.name for each in bare.watch._eyes(0.0)] == []
    bare.stop()


def test_the_advice_fits_the_reason() -> None:
    assert "end the other program" in sensor_advice("/dev/ttyUSB0: another program uses this port")
    assert "right" in sensor_advice("/dev/ttyUSB0: Permission denied")
    assert "plug" in sensor_advice("/dev/ttyUSB0: there is no such device")
