"""A folder that may not be looked into, read or written is said in one line, whatever command meets it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PHOTO = Path(__file__).resolve().parents[2] / "docs" / "demo.png"
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def as_anybody() -> None:
    """Permissions count for this process and its children, also where it is root's."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def comfywear(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "comfywear.cli", *words],
        capture_output=True, text=True, check=False, timeout=900, preexec_fn=as_anybody,
    )  # fmt: skip


@pytest.fixture
def barred(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody may look into."""
    folder = tmp_path / "barred"
    (folder / "inside").mkdir(parents=True)
    folder.chmod(0)
    probe = [sys.executable, "-c", "import os, sys; os.listdir(sys.argv[1])", str(folder)]
    if subprocess.run(probe, capture_output=True, check=False, preexec_fn=as_anybody).returncode == 0:
        folder.chmod(0o700)
        pytest.skip("this user may look into every folder, and cannot give that up")
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize(
    "words",
    [
        ("detect", "{}/inside"),
        ("detect", "{}/inside/a.jpg"),
        ("detect", str(PHOTO), "--out", "{}/inside/out.jpg"),
        ("zones", str(PHOTO), "--out", "{}/inside/out.png"),
        ("record", "--camera", str(PHOTO), "--out", "{}/inside/out"),
        ("votes", "list", "--state-dir", "{}/inside"),
        ("votes", "export", "--out", "{}/inside/v.csv"),
        ("vote", "4", "--state-dir", "{}/inside"),
        ("config", "check", "{}/inside/device.toml"),
        ("run", "--config", "{}/inside/device.toml"),
        ("models", "verify", "{}/inside/x.card.json"),
        ("models", "import", "{}/inside/x.onnx"),
        ("learning", "show", "--state-dir", "{}/inside"),
        ("sensors", "watch", "replay://{}/inside/x.csv", "--patience", "1"),
    ],
    ids=" ".join,
)
def test_no_command_ends_in_a_traceback(words: tuple[str, ...], barred: Path) -> None:
    result = comfywear(*(word.format(barred) for word in words))
    assert result.returncode in (1, 2)
    assert "Traceback" not in result.stderr
    assert (result.stderr + result.stdout).strip()


def test_doctor_says_that_the_state_folder_may_not_be_read(barred: Path, tmp_path: Path) -> None:
    config = tmp_path / "device.toml"
    config.write_text(f"[device]\nstate_dir = '{barred}/inside'\n")
    result = comfywear("doctor", str(config))
    assert "Traceback" not in result.stderr
    assert result.returncode == 1
    assert "✗ state folder" in result.stdout
    assert os.fspath(barred) in result.stdout
