"""The rules of the house that code alone does not show: who imports whom, and what the device never loads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "comfywear": ROOT / "runtime" / "comfywear",
    "comfywear_sensors": ROOT / "sensors" / "comfywear_sensors",
    "comfywear_models": ROOT / "models" / "comfywear_models",
    "comfywear_export": ROOT / "export" / "comfywear_export",
}

# Files beside the rooms: whoever adds one thinks twice.
GROUND_FLOOR = {
    "comfywear": {"__init__.py", "cli.py", "records.py", "errors.py", "py.typed"},
    "comfywear_export": {"__init__.py", "cli.py", "ledger.py", "progress.py", "py.typed"},
}

# Which of its neighbours a room may import. What stands on the ground floor (records, errors, ledger, progress) is
# open to all rooms, `cli` to none; so are the readers and the model files, which know nothing of the rooms.
LOW = "texts system settings"
VISION = f"colour {LOW}"
BELOW_DEVICE = f"calibration vision learning comfort feedback publishing buildings web releases {VISION}"
NEIGHBOURS = {
    "comfywear": {
        "texts": "",
        "system": "texts",
        "settings": "texts system",
        "colour": "",
        "comfort": "texts",
        "calibration": "texts",
        "vision": VISION,
        "learning": f"comfort {LOW}",
        "feedback": LOW,
        "publishing": LOW,
        "buildings": LOW,
        "web": LOW,
        "releases": f"vision {LOW}",
        "device": f"backup {BELOW_DEVICE}",
        "collect": "texts publishing system",
        "backup": LOW,
        "report": f"learning comfort feedback publishing web {LOW}",
        "doctor": f"device {BELOW_DEVICE}",
        "setup": f"doctor device {BELOW_DEVICE}",
        "demo": f"device {BELOW_DEVICE}",
        "bench": f"demo device {BELOW_DEVICE}",
        "commands": f"bench demo setup doctor report backup collect device {BELOW_DEVICE}",
    },
    "comfywear.device": {
        "telemetry": "",
        "zones": "",
        "votes": "",
        "air": "",
        "sight": "telemetry zones votes",
        "upkeep": "sight",
        "mqtt": "upkeep sight votes zones telemetry",
        "page": "mqtt upkeep sight air votes zones telemetry",
    },
    "comfywear.comfort": {"standards": "", "clothing": "", "votes": ""},
    "comfywear.feedback": {"buttons": "", "capture": ""},
    "comfywear.publishing": {
        "messages": "",
        "spool": "messages",
        "broker": "messages spool",
        "homeassistant": "messages",
    },
    "comfywear.vision": {
        "camera": "",
        "engines": "",
        "layouts": "",
        "detectors": "engines layouts",
        "tracking": "",
        "people": "tracking",
        "drawing": "camera people",
    },
    "comfywear_export": {
        "data": "",
        "nets": "data",
        "forms": "data",
        "measure": "data",
        "report": "data measure",
        "training": "data nets",
        "release": "",
        "active": "data measure nets",
        "dral": "data",
        "room": "active data measure nets training",
        "colour": "",
        "comfort": "measure",
        "rewards": "data measure nets",
        "setpoint": "measure",
        "environments": "dral setpoint",
        "train": "colour comfort data nets training",
        "evaluate": "comfort data dral measure nets report room training",
        "label": "dral",
        "tune": "comfort measure rewards setpoint",
        "commands": "train evaluate label tune active data forms measure nets release report room training",
    },
}
PURE = ("calibration", "colour", "comfort")


@cache
def modules() -> dict[str, Path]:
    """Every module of the house by its dotted name; a room's face, `__init__.py`, has the name of the room."""
    found = {}
    for package, folder in SOURCES.items():
        for path in folder.rglob("*.py"):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def names(path: Path) -> frozenset[str]:
    """All that a file imports by its whole name, also inside functions and for the type checker alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: an import is written whole"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@cache
def imports() -> dict[str, set[str]]:
    """Module by module, from which other modules of the house it imports something."""
    return {module: {owner(name) for name in names(path)} - {module, ""} for module, path in modules().items()}


def owner(name: str) -> str:
    """The module that an imported name is, or lies in; nothing where that is no module of the house."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name


def rooms(package: str) -> set[str]:
    """The folders with code right in a package."""
    folder = modules()[package].parent
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def within(package: str) -> dict[str, set[str]]:
    """Which of a package's files and rooms imports which other of them; its face is above them all and left out."""
    graph: dict[str, set[str]] = {}
    for module, found in imports().items():
        if module.startswith(f"{package}."):
            child = _child(package, module)
            others = {_child(package, name) for name in found if name.startswith(f"{package}.")}
            graph[child] = graph.get(child, set()) | others - {child}
    return graph


def _child(package: str, module: str) -> str:
    return module[len(package) + 1 :].partition(".")[0]


def packages() -> list[str]:
    return sorted(name for name, path in modules().items() if path.name == "__init__.py")


def under(found: Iterable[str], package: str) -> set[str]:
    return {name for name in found if name == package or name.startswith(package + ".")}


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
            assert not under(names(path), name), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("package", sorted(NEIGHBOURS))
def test_a_room_imports_only_the_rooms_below_it(package: str) -> None:
    assert rooms(package) == NEIGHBOURS[package].keys(), "a room that is new or gone: say here what it may import"
    for room, allowed in NEIGHBOURS[package].items():
        forbidden = (rooms(package) - {room, *allowed.split()}) | {"cli"}
        for module in under(imports(), f"{package}.{room}"):
            found = {name for other in forbidden for name in under(imports()[module], f"{package}.{other}")}
            assert not found, f"{module} imports {', '.join(sorted(found))}"


def test_every_package_with_several_rooms_says_who_imports_whom() -> None:
    assert {package for package in packages() if len(rooms(package)) > 1} == NEIGHBOURS.keys()


@pytest.mark.parametrize("package", packages())
def test_no_two_files_or_rooms_import_each_other_in_a_circle(package: str) -> None:
    try:
        TopologicalSorter(within(package)).prepare()
    except CycleError as error:
        pytest.fail(f"in {package}: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("package", sorted(set(packages()) - SOURCES.keys()))
def test_what_lies_in_a_room_does_not_import_its_face(package: str) -> None:
    for module, found in imports().items():
        assert not (module.startswith(f"{package}.") and package in found), f"{module} imports {package}"


@pytest.mark.parametrize("package", sorted(GROUND_FLOOR))
def test_the_ground_floor_holds_these_files_and_no_others(package: str) -> None:
    assert {path.name for path in SOURCES[package].iterdir() if path.is_file()} == GROUND_FLOOR[package]


def test_the_device_does_without_the_collector() -> None:
    for module, found in imports().items():
        if _child("comfywear", module) not in ("collect", "commands"):
            assert not under(found, "comfywear.collect"), f"{module} imports the collector"


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_have_no_clock_no_log_no_files_of_their_own(room: str) -> None:
    for path in (SOURCES["comfywear"] / room).rglob("*.py"):
        for name in ("logging", "time", "socket", "threading", "subprocess", "cv2", "onnxruntime", "sqlite3"):
            assert not under(names(path), name), f"{path.relative_to(ROOT)} imports {name}"


def test_tests_lie_where_their_subjects_do_under_names_of_their_own() -> None:
    tops = {"sensors": SOURCES["comfywear_sensors"], "models": SOURCES["comfywear_models"], "systemd": ROOT / "systemd"}
    tops["export"] = SOURCES["comfywear_export"]
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    for folder in {path.parent.relative_to(ROOT / "tests") for path in tests} - {Path()}:
        top, *rest = folder.parts
        subject = tops[top].joinpath(*rest) if top in tops else SOURCES["comfywear"] / folder
        assert subject.is_dir(), f"tests/{folder} tests no room"
    twice = [name for name, count in Counter(path.name for path in tests).items() if count > 1]
    assert not twice, "pytest imports test files by their names alone"


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_pages_for_maintainers_name_what_exists(page: str) -> None:
    spans = re.findall(r"`([^`\n]+)`", (ROOT / page).read_text(encoding="utf-8"))
    paths = {span for span in spans if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(/|\.(py|md|json|toml))", span)}
    assert len(paths) > 15
    missing = [name for name in sorted(paths) if not any((top / name).exists() for top in (ROOT, *SOURCES.values()))]
    assert not missing, "paths begin at the top of the checkout or within a package"


# Files of systemd's, and tables of PostgreSQL.
NO_MODULES = {f"comfywear.{name}" for name in ("conf", "service.d", "streams", "entries", "climate")}


def test_pages_name_modules_and_what_is_in_them() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    said = {name for page in pages for name in re.findall(r"\bcomfywear\w*(?:\.\w+)+", page.read_text("utf-8"))}
    assert len(said - NO_MODULES) > 10
    for name in sorted(said - NO_MODULES):
        parts = name.split(".")
        depth = next(depth for depth in range(len(parts), 0, -1) if ".".join(parts[:depth]) in modules())
        content = modules()[".".join(parts[:depth])].read_text(encoding="utf-8")
        assert depth == len(parts) or re.search(rf"\b{parts[depth]}\b", content), f"there is no {name}"


def test_the_page_on_architecture_has_every_room() -> None:
    spans = re.findall(r"`(\w+)/`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    for package in ("comfywear", "comfywear_export"):
        assert not rooms(package) - set(spans)


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


def test_a_public_class_of_the_device_has_a_name_of_its_own() -> None:
    """Two that state one role are one class; what is private to its file may be called as it likes."""
    found: dict[str, list[str]] = {}
    aliases: dict[str, set[str]] = {}
    for module, path in modules().items():
        if not under([module], "comfywear"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(module)
            elif isinstance(node, ast.Assign) and re.fullmatch(r"[A-Z]\w*[a-z]\w*", ast.unparse(node.targets[0])):
                aliases.setdefault(ast.unparse(node.targets[0]), set()).add(ast.unparse(node.value))
    assert len(found) > 200
    twice = {name: places for name, places in found.items() if len(places) > 1}
    assert not twice, "one meaning a name: rename the one that is less known, or share it"
    assert len(aliases) > 20
    assert not {name: values for name, values in aliases.items() if len(values) > 1}, "one name, one type"


def test_whoever_opens_a_zip_file_knows_all_that_a_damaged_one_raises() -> None:
    opening = [path for path in modules().values() if re.search(r"\bZipFile\(\w+\)", path.read_text(encoding="utf-8"))]
    assert len(opening) > 1
    for path in opening:
        assert "except DAMAGED_ZIP" in path.read_text(encoding="utf-8"), path
