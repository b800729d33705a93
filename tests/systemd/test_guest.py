"""The proof in a guest (scripts/prove-service) takes an hour; here, that it fits the product of today."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from comfywear import settings as settings_file

GUEST = Path(__file__).resolve().parent / "guest"


def test_the_settings_of_the_guest_are_still_settings(tmp_path: Path) -> None:
    for name in ("device.toml", "container.toml"):
        text = (GUEST / "inside" / "opt" / "guest" / name).read_text()
        for mark, value in (("SERIAL", "/dev/serial/by-id/usb-x"), ("BROKER", "127.0.0.1"), ("PORT", "1883")):
            text = text.replace(f"@{mark}@", value)
        file = tmp_path / name
        file.write_text(text)
        settings = settings_file.load(str(file))
        assert settings.camera.source
        assert len(settings.sensors) == len(settings.zones) == 2
        assert settings.mqtt.host


def test_the_proof_says_how_it_is_used() -> None:
    command = [sys.executable, str(GUEST / "prove.py"), "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "--power-cuts" in said


def test_every_program_of_the_guest_is_python_of_debian_12() -> None:
    programs = sorted(GUEST.glob("inside/opt/guest/*.py"))
    assert programs
    for program in programs:
        compile(program.read_text(), str(program), "exec")


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("mmdebstrap", "systemd-nspawn"))),
    reason="needs root, mmdebstrap and systemd-nspawn (apt install mmdebstrap systemd-container)",
)
def test_the_package_is_a_service_in_a_container() -> None:
    """Installed under a running systemd: active, reloaded, a vote, and everything else refused."""
    command = ["scripts/prove-service", "--container", "--only", "doors", "--only", "refusals"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800, cwd=GUEST.parents[2])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
