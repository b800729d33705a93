"""The rules of the house that code alone does not show: who imports whom, and what the device never loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "comfywear": ROOT / "runtime" / "comfywear",
    "comfywear_sensors": ROOT / "sensors" / "comfywear_sensors",
    "comfywear_models": ROOT / "models" / "comfywear_models",
    "comfywear_export": ROOT / "export" / "comfywear_export",
}
ROOMS = {"vision", "comfort", "feedback", "publishing", "web"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def under(names: set[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(package + ".")}


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("comfywear", ["comfywear_export", "torch", "pandas"]),
        ("comfywear_sensors", ["comfywear", "comfywear_export", "comfywear_models"]),
        ("comfywear_models", ["comfywear", "comfywear_export", "comfywear_sensors"]),
    ],
)
def test_packages_import_downward_only(package: str, never: list[str]) -> None:
    for path in SOURCES[package].rglob("*.py"):
        for name in never:
            assert not under(imported(path), name), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_rooms_do_not_import_each_other(room: str) -> None:
    others = ROOMS - {room} | {"device", "cli", "commands", "demo", "supervisor", "settings"}
    for path in (SOURCES["comfywear"] / room).rglob("*.py"):
        for other in others:
            found = under(imported(path), f"comfywear.{other}")
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_the_collector_stands_on_publishing_alone_and_the_device_does_without_it() -> None:
    above = {"device", "cli", "commands", "demo", "supervisor", "settings"}
    for path in (SOURCES["comfywear"] / "collect").rglob("*.py"):
        for other in ROOMS - {"publishing"} | above:
            assert not under(imported(path), f"comfywear.{other}"), f"{path.relative_to(ROOT)} imports {other}"
    for path in SOURCES["comfywear"].rglob("*.py"):
        if path.parent.name not in ("collect", "commands"):
            assert not under(imported(path), "comfywear.collect"), f"{path.relative_to(ROOT)} imports collect"


@pytest.mark.parametrize("room", ["colour", "comfort"])
def test_pure_rooms_have_no_clock_no_log_no_files_of_their_own(room: str) -> None:
    for path in (SOURCES["comfywear"] / room).rglob("*.py"):
        for name in ("logging", "time", "socket", "threading", "subprocess", "cv2", "onnxruntime", "sqlite3"):
            assert not under(imported(path), name), f"{path.relative_to(ROOT)} imports {name}"


def test_starting_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys; from comfywear.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'pandas', 'numba', 'cv2', 'onnxruntime'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr


def test_committed_files_name_no_path_or_registry_of_a_machine() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    photographs = [name for name in files if name.lower().endswith((".jpg", ".jpeg"))]
    assert photographs == []
