"""The service unit: systemd understands it and finds it little exposed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
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
    result = analyse("security", "--offline=true", "--threshold=16", str(UNIT))
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


# prctl(2): PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN, which is what MemoryDenyWriteExecute= asks of the kernel.
CONFINED = """
import ctypes, mmap, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit(77)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    sys.exit("memory that is written and executed was given")
except PermissionError:
    pass
from comfywear.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_the_engines_run_without_memory_that_is_written_and_executed(engine: str) -> None:
    assert settings_of(UNIT, "MemoryDenyWriteExecute") == ["yes"]
    photo = FOLDER.parent / "docs" / "demo.png"
    command = [sys.executable, "-c", CONFINED, "detect", str(photo), "--engine", engine, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if result.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert result.returncode == 0, result.stderr
    assert '"person"' in result.stdout or '"persons"' in result.stdout
