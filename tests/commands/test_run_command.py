"""`comfywear run` as a service manager runs it: it answers, stops when told, and says goodbye."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from children import Child
from comfywear.demo.consumer import Consumer
from comfywear.errors import DeviceNotRunningError
from comfywear.feedback import ask
from comfywear.publishing.messages.device import StatusMessage
from comfywear.publishing.messages.zone import ClimateMessage
from waiting import until


def wait_for_status(folder: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            return ask(folder, {"verb": "status"})
        except DeviceNotRunningError:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.05)
    pytest.fail("the device does not answer")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_device_runs_until_it_is_told_to_stop(tmp_path: Path, mosquitto: Any, number: int) -> None:
    config = tmp_path / "device.toml"
    config.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n[[sensors]]\nuri = 'fake://'\n"
        f"[mqtt]\nhost = '127.0.0.1'\nport = {mosquitto.port}\n"
    )
    command = [sys.executable, "-m", "comfywear.cli", "run", "--config", str(config)]
    with (
        Consumer("127.0.0.1", mosquitto.port, "comfywear/v1/home/d1/#") as consumer,
        Child(command, stderr=subprocess.PIPE, text=True) as process,
    ):
        status = wait_for_status(tmp_path / "state", process)
        assert {"publisher", "control", "comfort"} <= set(status["workers"])
        until(lambda: consumer.newest(ClimateMessage))
        process.send_signal(number)
        _, said = process.communicate(timeout=90)
        assert process.returncode == 0
        assert "Traceback" not in said
        last = until(lambda: (said := consumer.newest(StatusMessage)) and said.state == "offline" and said)
        assert last.reason == "stopped"
        assert not (tmp_path / "state" / "control.sock").exists()


@pytest.mark.parametrize("kept", [True, False])
def test_a_service_takes_the_settings_that_its_machine_keeps_and_else_those_of_its_page(
    tmp_path: Path, kept: bool
) -> None:
    for name in ("etc", "state"):
        (tmp_path / name).mkdir()
        if name == "state" or kept:
            (tmp_path / name / "device.toml").write_text(f"[[zones]]\nname = 'of-{name}'\n")
    folders = {"CONFIGURATION_DIRECTORY": str(tmp_path / "etc"), "STATE_DIRECTORY": str(tmp_path / "state")}
    command = [sys.executable, "-m", "comfywear.cli", "run"]
    with Child(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **folders}) as process:
        wait_for_status(tmp_path / "state", process)
        vote = ask(tmp_path / "state", {"verb": "vote", "level": 4})
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=90)
    assert vote["vote"]["zone"] == ("of-etc" if kept else "of-state")
    assert ("are passed over" in said) is kept


def test_a_second_device_on_the_same_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "device.toml"
    config.write_text(f"[device]\nstate_dir = '{tmp_path / 'state'}'\n")
    command = [sys.executable, "-m", "comfywear.cli", "run", "--config", str(config)]
    with Child(command, stderr=subprocess.PIPE, text=True) as first:
        wait_for_status(tmp_path / "state", first)
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
        first.terminate()
        first.communicate(timeout=90)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "another device runs" in second.stderr
