"""The service unit: systemd understands it and finds it little exposed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "systemd"
UNIT = FOLDER / "comfywear.service"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (apt install systemd)"
)


def analyse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    # The program of the unit is not installed where the tests run: one that exists stands in for it.
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text()))
    result = analyse("verify", str(unit))
    assert result.returncode == 0, result.stderr
    assert UNIT.name not in result.stderr


@needs_systemd
def test_the_service_is_little_exposed() -> None:
    result = analyse("security", "--offline=true", "--threshold=15", str(UNIT))
    assert result.returncode == 0, result.stdout[-400:]


def settings_of(unit: Path, key: str) -> list[str]:
    return [line.split("=", 1)[1] for line in unit.read_text().splitlines() if line.startswith(key + "=")]


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="needs systemd-sysusers (apt install systemd)")
def test_every_group_of_the_unit_is_made_so_that_it_can_start(tmp_path: Path) -> None:
    """A unit with a group that does not exist fails with status 216 before its first line runs."""
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", str(FOLDER / "sysusers.d" / "comfywear.conf")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made = {line.split(":")[0] for line in (tmp_path / "etc" / "group").read_text().splitlines()}
    wanted = {group for line in settings_of(UNIT, "SupplementaryGroups") for group in line.split()}
    assert wanted == {"video", "dialout", "i2c", "gpio", "input"}
    assert wanted <= made


def test_devices_get_a_group_and_are_never_for_everybody() -> None:
    rules = [
        line
        for line in (FOLDER / "udev" / "60-comfywear.rules").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules
    groups = set(settings_of(UNIT, "SupplementaryGroups")[0].split())
    for rule in rules:
        found = re.search(r'GROUP="(\w+)", MODE="(\d+)"$', rule)
        assert found, rule
        assert found[1] in groups
        assert found[2] == "0660"


def test_the_unit_reaches_each_kind_of_device_that_settings_can_name() -> None:
    allowed = {line.split()[0] for line in settings_of(UNIT, "DeviceAllow")}
    kinds = ("video4linux", "ttyUSB", "ttyACM", "i2c", "gpiochip", "input")
    assert allowed == {f"char-{kind}" for kind in kinds}
    assert settings_of(UNIT, "DevicePolicy") == ["closed"]
    assert settings_of(UNIT, "Type") == ["notify"]


CONFINED = [sys.executable, str(Path(__file__).with_name("confined.py")), str(UNIT)]
needs_seccomp = pytest.mark.skipif(
    find_library("seccomp") is None or shutil.which("systemd-analyze") is None,
    reason="needs systemd's list of system calls and libseccomp (apt install systemd libseccomp2)",
)


@needs_seccomp
@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_the_engines_run_with_the_unit_s_system_calls_and_memory(engine: str) -> None:
    assert settings_of(UNIT, "MemoryDenyWriteExecute") == ["yes"]
    photo = FOLDER.parent / "docs" / "demo.png"
    program = [sys.executable, "-m", "comfywear.cli", "detect", str(photo), "--engine", engine, "--json"]
    result = subprocess.run([*CONFINED, *program], capture_output=True, text=True, check=False, timeout=120)
    if result.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert result.returncode == 0, result.stderr
    assert '"person"' in result.stdout or '"persons"' in result.stdout


@needs_seccomp
def test_a_system_call_that_is_refused_is_an_error_and_no_end() -> None:
    """Asking the kernel about the clock is refused; the device is to say that it does not know, not to die of it."""
    program = "from comfywear import clock; print(clock._kernel_is_synchronised(), clock.wall_time().time_ok in (0, 1))"
    command = [*CONFINED, sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if result.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert (result.returncode, result.stdout) == (0, "False True\n"), result.stderr
