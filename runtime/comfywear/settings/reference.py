"""`docs/settings.md`, written from the fields themselves."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from comfywear.settings.file import Settings, json_schema, sections


def settings_page() -> str:
    """The Markdown page: a table a section, a row a field, with unit and default."""
    lines = [
        "# Settings",
        "",
        "One TOML file. Check it with `comfywear config check FILE`; a field that is left out takes its default.",
        "This page is written by `comfywear config page`; the JSON Schema is printed by `comfywear config schema`.",
    ]
    definitions = json_schema()["$defs"]
    lists = _lists()
    for table, section in sections().items():
        schema = definitions[section.__name__]
        head = f"[[{table}]]" if table in lists else f"[{table}]"
        lines += ["", f"## `{head}`", "", inspect.getdoc(section) or "", ""]
        if table in lists:
            lines += ["One such table each; there may be several.", ""]
        lines += ["| field | what | unit | allowed | default |", "|---|---|---|---|---|"]
        units = units_of(section)
        for name in _own_fields(section):
            field = schema["properties"][name]
            required = name in schema.get("required", [])
            default = "must be given" if required else f"`{_toml(field.get('default'))}`"
            what = f"**{field.get('title', name)}.** {field.get('description', '')}".strip()
            lines.append(f"| `{name}` | {what} | {units.get(name, '')} | {_allowed(field)} | {default} |")
    return "\n".join(lines) + "\n"


def _lists() -> set[str]:
    """The tables of which there may be several."""
    owners: dict[str, type[msgspec.Struct]] = {"": Settings, **sections()}
    found = set()
    for table in sections():
        owner, _, name = table.rpartition(".")
        fields = {field.name: field.type for field in _info(owners[owner]).fields}
        kind = fields[name]
        kind = kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
        if isinstance(kind, msgspec.inspect.ListType):
            found.add(table)
    return found


def _info(section: type[msgspec.Struct]) -> msgspec.inspect.StructType:
    info = msgspec.inspect.type_info(section)
    assert isinstance(info, msgspec.inspect.StructType)
    return info


def _own_fields(section: type[msgspec.Struct]) -> list[str]:
    """The fields of a table without those of the table that it is another kind of."""
    base = section.__base__
    assert base is not None
    assert issubclass(base, msgspec.Struct)
    return [name for name in section.__struct_fields__ if name not in base.__struct_fields__]


def units_of(section: type[msgspec.Struct]) -> dict[str, str]:
    """The unit of each field of a table that has one."""
    units = {}
    for field in _info(section).fields:
        if isinstance(field.type, msgspec.inspect.Metadata):
            units[field.name] = str((field.type.extra or {}).get("unit", ""))
    return units


def _allowed(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {field[key]:.10g}" for key, sign in words.items() if key in field]
    return " and ".join(limits)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if value is None:
        return "none"
    return str(value)
