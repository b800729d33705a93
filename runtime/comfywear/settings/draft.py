"""A draft of the settings, checked whole: everything that is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from comfywear.errors import SettingsError
from comfywear.settings.file import Settings, checked
from comfywear.settings.toml_lines import Explained
from comfywear_sensors.redaction import redact

__all__ = ["DraftFault", "checked_draft"]

_MOST = 300
Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class DraftFault:
    """What is wrong with a field.

    Attributes:
        path: The way to it: names of tables and fields, indices from 0 in lists; empty for the whole file.
        text: What is wrong, in words.
    """

    path: Steps
    text: str


def checked_draft(values: Mapping[str, Any]) -> tuple[Settings | None, list[DraftFault]]:
    """The settings of a draft and no fault, or None and its faults, by the same code as `comfywear config check`.

    That code stops at the first fault; what is at fault is taken out and the rest checked again, so that one fault
    hides no other.

    Args:
        values: The whole content of a file, as it is parsed.
    """
    data = deepcopy(dict(values))
    found: list[DraftFault] = []
    taken: dict[Steps, list[int]] = {}
    while len(found) < _MOST:
        read = _first_fault(data)
        if isinstance(read, Settings):
            return (None, found) if found else (read, [])
        fault = DraftFault(_original(read.steps, taken), redact(read.reason))
        if all(fault.path != each.path for each in found):  # what was taken out is missing then
            found.append(fault)
        if not _take_out(data, read.steps, taken):
            break
    return None, found


def _first_fault(data: dict[str, Any]) -> Settings | Explained:
    try:
        return checked(deepcopy(data), "", "")
    except SettingsError as error:
        said = error.args[0]
        assert isinstance(said, Explained)
        return said


def _original(steps: Sequence[str | int], taken: dict[Steps, list[int]]) -> Steps:
    """The way to a field in the draft, where entries of lists before it have been taken out."""
    way: Steps = ()
    for step in steps:
        if isinstance(step, int):
            for gone in sorted(taken.get(way, [])):
                step += gone <= step
        way = (*way, step)
    return way


def _take_out(data: Any, steps: Sequence[str | int], taken: dict[Steps, list[int]]) -> bool:
    """Take a field out, or the deepest table around it where it is missing; whether there was anything to take."""
    way: list[str | int] = []
    places: list[Any] = []
    for step in steps:
        inside = isinstance(data, dict) and step in data if isinstance(step, str) else _has(data, step)
        if not inside:
            break
        way.append(step)
        places.append(data)
        data = data[step]
    # A field that is missing is at fault in the table that lacks it; a part of a list with its whole list.
    while way and isinstance(way[-1], int) and not isinstance(places[-1][way[-1]], dict):
        way.pop()
        places.pop()
    if not way:
        return False
    last = way[-1]
    if isinstance(last, int):
        taken.setdefault(_original(way[:-1], taken), []).append(int(_original(way, taken)[-1]))
    del places[-1][last]
    return True


def _has(data: Any, index: int) -> bool:
    return isinstance(data, list) and index < len(data)
