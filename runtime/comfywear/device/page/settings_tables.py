"""The settings as the page shows them: in words, and never with a secret."""

from __future__ import annotations

from typing import Any

import msgspec

from comfywear import web
from comfywear.settings import Settings, json_schema
from comfywear.settings.types import Section
from comfywear_sensors.redaction import is_secret_name, redact

__all__ = ["settings_tables"]


def settings_tables(settings: Settings) -> list[web.SettingsTable]:
    """Every table of the settings with its values as they are used, without secrets."""
    schema = json_schema()
    tables: list[web.SettingsTable] = []
    for name in settings.__struct_fields__:
        found = getattr(settings, name)
        heading = str(schema["$defs"]["Settings"]["properties"][name].get("title", name))
        for number, section in enumerate(found if isinstance(found, list) else [found], 1):
            definition = schema["$defs"][type(section).__name__]
            fields = tuple(
                _field(definition["properties"][field], type(section), field, getattr(section, field))
                for field in section.__struct_fields__
            )
            shown = f"{heading} {number}" if isinstance(found, list) else heading
            tables.append(web.SettingsTable(shown, str(definition.get("description", "")), fields))
    return tables


def _field(definition: dict[str, Any], section: type[msgspec.Struct], name: str, value: object) -> web.Field:
    info = msgspec.inspect.type_info(section)
    assert isinstance(info, msgspec.inspect.StructType)
    kind = next(field.type for field in info.fields if field.name == name)
    unit = (kind.extra or {}).get("unit", "") if isinstance(kind, msgspec.inspect.Metadata) else ""
    return web.Field(
        str(definition.get("title", name)),
        "…" if value and is_secret_name(name) else _said(value),
        str(unit),
        str(definition.get("description", "")),
    )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Section):
        return " ".join(f"{name} {_said(getattr(value, name))}" for name in value.__struct_fields__)
    if isinstance(value, list | tuple):
        return ", ".join(f"({_said(each)})" if isinstance(each, tuple) else _said(each) for each in value) or "none"
    return redact(f"{value:g}" if isinstance(value, float) else str(value)) or "–"
