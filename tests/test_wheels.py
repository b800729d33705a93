"""What is installed where: the device's wheel holds what a device runs, the workstation's half is its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from comfywear import __version__

ROOT = Path(__file__).resolve().parents[1]
DEVICE = {"comfywear": "runtime", "comfywear_sensors": "sensors", "comfywear_models": "models"}
WORKSTATION = {"comfywear_export": "export"}


def wheel(project: Path, folder: Path) -> dict[str, bytes]:
    """What a project's wheel holds, by name; the models' files without what is in them."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=200)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as packed:
        return {each.filename: packed.read(each) if each.file_size < 10**6 else b"" for each in packed.infolist()}


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return wheel(ROOT, tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="module")
def workstation(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return wheel(ROOT / "export", tmp_path_factory.mktemp("workstation"))


def packed(found: dict[str, bytes]) -> set[str]:
    return {name for name in found if ".dist-info/" not in name}


def sources(packages: dict[str, str]) -> set[str]:
    """Committed or not, what a package holds beside byte code."""
    return {
        str(path.relative_to(ROOT / top))
        for package, top in packages.items()
        for path in (ROOT / top / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def info(found: dict[str, bytes], name: str) -> str:
    (text,) = (content for path, content in found.items() if path.endswith(f".dist-info/{name}"))
    return text.decode()


def test_the_two_wheels_hold_everything_and_nothing_twice(
    device: dict[str, bytes], workstation: dict[str, bytes]
) -> None:
    assert packed(device) == sources(DEVICE)
    assert packed(workstation) == sources(WORKSTATION)


def test_each_command_comes_with_the_wheel_that_holds_it(
    device: dict[str, bytes], workstation: dict[str, bytes]
) -> None:
    assert info(device, "entry_points.txt").split() == ["[console_scripts]", "comfywear", "=", "comfywear.cli:main"]
    assert "comfywear-export = comfywear_export.cli:main" in info(workstation, "entry_points.txt")


def test_both_have_the_programs_version_and_the_workstation_wants_that_device(
    device: dict[str, bytes], workstation: dict[str, bytes]
) -> None:
    for found in (device, workstation):
        assert f"Version: {__version__}\n" in info(found, "METADATA")
    assert f"Requires-Dist: comfywear[evaluate]=={__version__}\n" in info(workstation, "METADATA")
