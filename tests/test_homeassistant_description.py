"""The Home Assistant app: its description is one that the Supervisor takes, and the folder that is made of it is whole.

What the Supervisor takes is written here after developers.home-assistant.io, "App configuration", and its own source,
`supervisor/apps/validate.py` and `options.py` of 2026.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from comfywear.settings.file import json_schema
from comfywear.setup import homeassistant_app

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "packaging" / "homeassistant-app"
CONFIG: dict[str, Any] = yaml.safe_load((FOLDER / "config.yaml").read_text(encoding="utf-8"))
LANGUAGES = [path.stem for path in sorted((FOLDER / "translations").glob("*.yaml"))]

REQUIRED = {"name", "version", "slug", "description", "arch"}
SWITCHES = {
    *("host_network", "host_ipc", "host_dbus", "host_pid", "host_uts", "hassio_api", "homeassistant_api", "docker_api"),
    *(
        "full_access",
        "audio",
        "video",
        "gpio",
        "usb",
        "uart",
        "udev",
        "devicetree",
        "kernel_modules",
        "stdin",
        "legacy",
    ),
    *("tmpfs", "auth_api", "ingress", "ingress_stream", "panel_admin", "init", "realtime", "journald", "apparmor"),
}
CHOICES = {
    "startup": {"initialize", "system", "services", "application", "once"},
    "boot": {"auto", "manual", "manual_only"},
    "stage": {"stable", "experimental", "deprecated"},
    "backup": {"hot", "cold"},
    "hassio_role": {"default", "homeassistant", "backup", "manager", "admin"},
}
PATTERNS = {
    "name": r".+",
    "version": r"\d+\.\d+\.\d+",
    "slug": r"[-_.A-Za-z0-9]+",
    "description": r".+",
    "webui": r"(?:https?|\[PROTO:\w+\]):\/\/\[HOST\]:\[PORT:\d+\].*",
    "watchdog": r"(?:https?|\[PROTO:\w+\]|tcp):\/\/\[HOST\]:(\[PORT:\d+\]|\d+).*",
}
LISTS = {
    "arch": r"aarch64|amd64",  # armhf, armv7 and i386 are deprecated, and have no model engines
    "services": r"(?:mqtt|mysql):(?:provide|want|need)",
    "devices": r"/dev/[^:]+",
}
ELEMENT = re.compile(
    r"(?:bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|str(?:\(\d*,\d*\))?|password(?:\(\d*,\d*\))?"
    r"|int(?:\(-?\d*,-?\d*\))?|float(?:\([-.\d]*,[-.\d]*\))?|match\(.*\)|list\(.+\))\??"
)
KINDS = {"str": "string", "bool": "boolean", "int": "integer", "port": "integer", "float": "number"}


def test_it_has_what_must_be_there_and_nothing_that_the_supervisor_does_not_know() -> None:
    others = {"timeout", "ports", "options", "schema"}
    assert CONFIG.keys() >= REQUIRED
    assert CONFIG.keys() <= REQUIRED | SWITCHES | CHOICES.keys() | PATTERNS.keys() | LISTS.keys() | others


def test_every_value_is_one_that_it_takes() -> None:
    for name, value in CONFIG.items():
        if name in SWITCHES:
            assert isinstance(value, bool), name
        elif name in CHOICES:
            assert value in CHOICES[name], name
        elif name in PATTERNS:
            assert isinstance(value, str), name
            assert re.fullmatch(PATTERNS[name], value), name
        elif name in LISTS:
            assert value, name
            assert [each for each in value if not re.fullmatch(LISTS[name], each)] == [], name
    assert 10 <= CONFIG["timeout"] <= 300
    assert CONFIG["ports"] == {f"{homeassistant_app.PORT}/tcp": homeassistant_app.PORT}
    assert {int(port) for name in ("webui", "watchdog") for port in re.findall(r"PORT:(\d+)", CONFIG[name])} == {
        homeassistant_app.PORT
    }


def test_it_is_of_the_program_s_version_and_asks_for_no_right_beyond_devices_and_broker() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CONFIG["version"] == project["version"]
    assert f"## {project['version']}" in (FOLDER / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {name for name in SWITCHES if CONFIG.get(name)} == {"video", "uart", "gpio"}
    assert "privileged" not in CONFIG


def options(
    schema: Mapping[str, Any] = CONFIG["schema"], way: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, kind in schema.items():
        if isinstance(kind, dict):
            yield from options(kind, (*way, name))
        else:
            yield (*way, name), kind


def test_every_option_is_a_setting_of_that_kind_and_may_be_left_empty() -> None:
    whole = json_schema()
    assert list(options())
    for way, kind in options():
        assert ELEMENT.fullmatch(kind), kind
        assert kind.endswith("?"), f"{way} could not be left to the page"
        field = followed(whole, whole)
        for step in way:
            field = followed(field["properties"][step], whole)
        assert field["type"] == KINDS[re.split(r"[(?]", kind)[0]], way
    # The Supervisor asks for every table of options; an empty one is enough.
    assert CONFIG["options"] == {name: {} for name in CONFIG["schema"]}
    assert homeassistant_app._Options().tables().keys() == CONFIG["schema"].keys()


def followed(field: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """What a field of a JSON Schema is, where it names another place in it or one of several."""
    if name := field.get("$ref"):
        return followed(whole["$defs"][name.rpartition("/")[2]], whole)
    return followed(field["anyOf"][0], whole) if "anyOf" in field else field


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_and_port_has_words(language: str) -> None:
    words = yaml.safe_load((FOLDER / "translations" / f"{language}.yaml").read_text(encoding="utf-8"))
    assert {"de", "en"} <= set(LANGUAGES)
    assert words.keys() == {"configuration", "network"}
    assert words["network"].keys() == CONFIG["ports"].keys()
    named = {(table, name) for table, each in words["configuration"].items() for name in each["fields"]}
    assert named == {way for way, _ in options()}
    for each in words["configuration"].values():
        assert {"name"} <= each.keys() <= {"name", "description", "fields"}
        assert all(field.keys() == {"name", "description"} for field in each["fields"].values())


def test_the_icon_is_a_square_of_the_size_that_is_asked_for() -> None:
    assert cv2.imread(str(FOLDER / "icon.png"), cv2.IMREAD_UNCHANGED).shape == (128, 128, 4)


def test_the_repository_that_is_made_has_one_app_with_all_that_its_build_copies(tmp_path: Path) -> None:
    out = tmp_path / "repository"
    made = subprocess.run([ROOT / "scripts/homeassistant-app", out], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    assert "name" in yaml.safe_load((out / "repository.yaml").read_text())
    assert [path.parent.name for path in out.rglob("config.*") if path.suffix in (".yaml", ".yml", ".json")] == [
        "comfywear"
    ]
    app = out / "comfywear"
    recipe = (app / "Dockerfile").read_text()
    ours = re.sub(r"(?m)^ARG EXTRAS=.*$", "ARG", (ROOT / "Containerfile").read_text())
    assert re.sub(r"(?m)^ARG EXTRAS=.*$", "ARG", recipe).startswith(ours), "it goes on where the container's ends"
    copied = re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", recipe)
    assert [name for each in copied for name in each.split() if not (app / name).exists()] == []
    assert not list(app.rglob("__pycache__"))
    for name in ("translations/de.yaml", "icon.png", "DOCS.md", "CHANGELOG.md", "README.md"):
        assert (app / name).read_bytes() == (FOLDER / name).read_bytes()
    again = subprocess.run([ROOT / "scripts/homeassistant-app", out], capture_output=True, text=True, timeout=120)
    assert again.returncode == 1
    assert "exists" in again.stderr
