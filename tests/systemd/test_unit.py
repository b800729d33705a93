"""The service unit: systemd understands it and finds it little exposed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "comfywear.service"

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
    result = analyse("security", "--offline=true", "--threshold=20", str(UNIT))
    assert result.returncode == 0, result.stdout[-400:]
