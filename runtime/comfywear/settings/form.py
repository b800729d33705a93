"""The settings' own schema as a form: groups of fields with title, meaning, unit, default, bounds and choices."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from comfywear.settings.file import json_schema, sections
from comfywear.settings.reference import units_of
from comfywear.settings.types import Section

__all__ = ["SECRET_FIELDS", "FormField", "FormGroup", "settings_form"]

FieldKind = Literal["switch", "whole", "number", "text", "choice", "choices", "texts", "numbers", "table", "tables"]
"""`numbers`: lists of numbers, such as corners, in brackets; `texts`: one a line; `choices`: any of some."""

SECRET_FIELDS = frozenset(
    ("mqtt.password_file", "mqtt.client_key", "web.token_file", "web.tokens.file", "web.certificate_key")
)
"""Fields that name a file with a secret."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form.

    Attributes:
        name: In the file.
        table: The table of the settings page that describes it.
        title, meaning, unit: For people.
        kind: What is put in.
        required: Whether it must be given.
        default: What holds where it is not given, as the file would have it; None for nothing.
        choices: The values of a choice, or words that a number may be instead.
        low, above, high, below: Bounds: at least, more than, at most, less than.
        pattern: A text matches it (a regular expression).
        longest: Characters of a text at most, or entries of a list.
        secret: Names a file with a secret, which may be given here and is kept in it.
        fields: Those of a table within.
    """

    name: str
    table: str
    title: str
    meaning: str
    unit: str
    kind: FieldKind
    required: bool
    default: Any = None
    choices: tuple[str | int | float, ...] = ()
    low: float | None = None
    above: float | None = None
    high: float | None = None
    below: float | None = None
    pattern: str | None = None
    longest: int | None = None
    secret: bool = False
    fields: tuple[FormField, ...] = ()


@dataclass(frozen=True, slots=True)
class FormGroup:
    """A table of the file: its name, whether there may be several, and its fields."""

    name: str
    title: str
    meaning: str
    several: bool
    fields: tuple[FormField, ...]


def settings_form() -> tuple[FormGroup, ...]:
    """All tables of the settings file in its order."""
    definitions = json_schema()["$defs"]
    tables = {section.__name__: table for table, section in sections().items()}
    groups = []
    for name, field in definitions["Settings"]["properties"].items():
        kind, inner = _kind(field)
        section = _section(inner)
        groups.append(
            FormGroup(
                name,
                str(field.get("title", name)),
                inspect.getdoc(section) or "",
                kind == "tables",
                _fields(section, definitions, tables),
            )
        )
    return tuple(groups)


def _fields(section: type[Section], definitions: Mapping[str, Any], tables: Mapping[str, str]) -> tuple[FormField, ...]:
    schema = definitions[section.__name__]
    required = schema.get("required", [])
    return tuple(
        _field(name, field, name in required, section, definitions, tables)
        for name, field in schema["properties"].items()
    )


def _field(
    name: str,
    schema: Mapping[str, Any],
    required: bool,
    section: type[Section],
    definitions: Mapping[str, Any],
    tables: Mapping[str, str],
) -> FormField:
    kind, inner = _kind(schema)
    owners = [each for each in reversed(section.__mro__) if issubclass(each, Section) and each is not Section]
    owner = next(each for each in owners if name in each.__struct_fields__)
    table = tables[owner.__name__]
    words = [each for part in schema.get("anyOf", [schema]) for each in part.get("enum", [])]
    items = schema.get("items")
    if kind == "choices" and isinstance(items, Mapping):
        words = items["enum"]
    longest = schema.get("maxItems") if schema.get("type") == "array" else inner.get("maxLength")
    return FormField(
        name,
        table,
        str(schema.get("title", name)),
        str(schema.get("description", "")),
        units_of(section).get(name) or str(inner.get("unit", "")),
        kind,
        required,
        schema.get("default"),
        tuple(words),
        low=inner.get("minimum"),
        above=inner.get("exclusiveMinimum"),
        high=inner.get("maximum"),
        below=inner.get("exclusiveMaximum"),
        pattern=inner.get("pattern"),
        longest=longest,
        secret=f"{table}.{name}" in SECRET_FIELDS,
        fields=_fields(_section(inner), definitions, tables) if kind in ("table", "tables") else (),
    )


def _kind(schema: Mapping[str, Any]) -> tuple[FieldKind, Mapping[str, Any]]:
    """The kind of a field, and the part of its schema that says more."""
    options = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    inner = next((part for part in options if "enum" not in part), options[0])
    if "$ref" in inner:
        return "table", inner
    if "enum" in inner:
        return "choice", inner
    if inner["type"] == "array":
        return _kind_of_list(inner)
    kinds: dict[str, FieldKind] = {"boolean": "switch", "integer": "whole", "number": "number", "string": "text"}
    return kinds[inner["type"]], inner


def _kind_of_list(schema: Mapping[str, Any]) -> tuple[FieldKind, Mapping[str, Any]]:
    items = schema.get("items")
    if isinstance(items, Mapping) and "$ref" in items:
        return "tables", items
    if isinstance(items, Mapping) and "enum" in items:
        return "choices", schema
    if isinstance(items, Mapping) and items.get("type") == "string":
        return "texts", items
    return "numbers", schema


def _section(schema: Mapping[str, Any]) -> type[Section]:
    name = schema["$ref"].rsplit("/", 1)[-1]
    return next(each for each in sections().values() if each.__name__ == name)
