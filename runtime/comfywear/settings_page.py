"""`docs/settings.md`, written from the fields themselves."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from comfywear.settings import json_schema, sections

_LISTS = ("zones", "sensors", "buttons")


def settings_page() -> str:
    """The Markdown page: a table a section, a row a field, with unit and default."""
    lines = [
        "# Settings",
        "",
        "One TOML file. Check it with `comfywear config check FILE`; a field that is left out takes its default.",
        "This page is written by `comfywear config page`; the JSON Schema is printed by `comfywear config schema`.",
    ]
    definitions = json_schema()["$defs"]
    for table, section in sections().items():
        schema = definitions[section.__name__]
        head = f"[[{table}]]" if table in _LISTS else f"[{table}]"
        lines += ["", f"## `{head}`", "", inspect.getdoc(section) or "", ""]
        if table in _LISTS:
            lines += ["One such table each; there may be several.", ""]
        lines += ["| field | what | unit | allowed | default |", "|---|---|---|---|---|"]
        units = _units(section)
        for name, field in schema["properties"].items():
            required = name in schema.get("required", [])
            default = "must be given" if required else f"`{_toml(field.get('default'))}`"
            what = f"**{field.get('title', name)}.** {field.get('description', '')}".strip()
            lines.append(f"| `{name}` | {what} | {units.get(name, '')} | {_allowed(field)} | {default} |")
    return "\n".join(lines) + "\n"


def _units(section: type[msgspec.Struct]) -> dict[str, str]:
    info = msgspec.inspect.type_info(section)
    assert isinstance(info, msgspec.inspect.StructType)
    units = {}
    for field in info.fields:
        if isinstance(field.type, msgspec.inspect.Metadata):
            units[field.name] = str((field.type.extra or {}).get("unit", ""))
    return units


def _allowed(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    words = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
    limits = [f"{sign} {field[key]:g}" for key, sign in words.items() if key in field]
    return " and ".join(limits)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)
