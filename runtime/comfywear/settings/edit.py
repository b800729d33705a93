"""Changes values in the text of a settings file and leaves the rest of it, comments and order, as somebody wrote it.

text = edited(path.read_text("utf-8"), {("zones", 0, "polygon"): [[0.1, 0.2], [0.6, 0.2], [0.6, 0.9]]})
save(path, text)
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from comfywear.errors import SettingsError, StoreError
from comfywear.settings.toml_lines import parse
from comfywear.system.files import replace_file
from comfywear.texts import Text

__all__ = ["PREVIOUS", "FieldPath", "edited", "save"]

FieldPath = tuple[str | int, ...]
"""Where a value stands: names of tables and fields, and places in lists, from 0."""

PREVIOUS = ".previous"
"""What the name of the file before the last change ends in."""

_BY_HAND = Text("its text is written in a way that is not changed by a program: change it by hand")
_FROM, _TO = "\x00from\x00", "\x00to\x00"  # no TOML text holds the character 0


def edited(text: str, changes: Mapping[FieldPath, Any]) -> str:
    """The text of a settings file with other values.

    Args:
        text: The file's, TOML.
        changes: The new value by the place that it stands at: anything that TOML has, a dict for a table of a list;
            None takes away what is there. The place behind the last of a list appends to it. Places are counted before
            anything is taken away. Tables that are missing are made.

    Returns:
        The text, in which nothing else differs: that is checked, so that no unusual way to write TOML is damaged.

    Raises:
        SettingsError: When `text` is not TOML, a place cannot be, or the text is written in a way that cannot be
            changed.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    wanted = parse(text, "the settings")
    ordered = _ordered(changes)
    for path, value in ordered:
        _change(wanted, path, value)
    try:
        document = tomlkit.parse(text)
        if tomlkit.dumps(document) != text:
            raise SettingsError(Text("the settings: {by_hand}", by_hand=_BY_HAND))
        for path, value in ordered:
            _write(document, path, value)
        found = re.sub(rf"(?:(?<=\n)\n)?{_FROM}.*?{_TO}", "", tomlkit.dumps(document), flags=re.DOTALL)
    except (TOMLKitError, TypeError, ValueError, LookupError, AttributeError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(
            Text("the settings: {by_hand} ({name})", by_hand=_BY_HAND, name=type(error).__name__)
        ) from error
    if _without_empty(parse(found, "the settings")) != _without_empty(wanted):
        raise SettingsError(Text("the settings: {by_hand}", by_hand=_BY_HAND))
    return found


def save(path: Path, text: str) -> None:
    """Put a text in the place of a settings file; its owner and mode stay, and the file before is kept beside it.

    Args:
        path: The file, or a link to it, which stays one.
        text: All of it; the caller has checked it.

    Raises:
        StoreError: When it cannot be written; the file is then what it was.
    """
    path = Path(os.path.realpath(path))
    try:
        before, status = path.read_bytes(), path.stat()
        replace_file(path.with_name(path.name + PREVIOUS), before, like=status)
        replace_file(path, text.encode(), like=status)
    except OSError as error:
        raise StoreError(
            Text(
                "{path} cannot be written ({why}): it is kept by somebody else; nothing was changed",
                path=path,
                why=error.strerror or error,
            )
        ) from error


def _ordered(changes: Mapping[FieldPath, Any]) -> list[tuple[FieldPath, Any]]:
    """New values first, then what is taken away, from the end of each list."""
    taken = [path for path, value in changes.items() if value is None]
    taken.sort(key=lambda path: [(isinstance(step, str), step) for step in path], reverse=True)
    return [*((path, value) for path, value in changes.items() if value is not None), *((path, None) for path in taken)]


def _without_empty(data: Any) -> Any:
    """Values without empty lists: a list of tables without one does not stand in the text at all."""
    if isinstance(data, dict):
        return {name: _without_empty(value) for name, value in data.items() if value != []}
    return [_without_empty(value) for value in data] if isinstance(data, list) else data


def _change(data: Any, path: FieldPath, value: Any) -> None:
    """As `_write`, of plain values."""
    for step, following in pairwise(path):
        data = _entered(data, step, path, [] if isinstance(following, int) else {}, made=value is not None)
    step = path[-1]
    if value is None:
        _there(data, step, path)
        del data[step]
    elif isinstance(data, list) and step == len(data):
        data.append(copy.deepcopy(value))
    else:
        if not (isinstance(data, dict) and isinstance(step, str)):
            _there(data, step, path)
        data[step] = copy.deepcopy(value)


def _entered(data: Any, step: str | int, path: FieldPath, empty: Any, *, made: bool) -> Any:
    if made and isinstance(data, dict) and step not in data:
        data[step] = empty
    _there(data, step, path)
    return data[step]


def _there(data: Any, step: str | int, path: FieldPath) -> None:
    fits = isinstance(data, dict) if isinstance(step, str) else isinstance(data, list)
    if not fits or (step not in data if isinstance(data, dict) else not 0 <= int(step) < len(data)):
        name = "".join(f"[{each + 1}]" if isinstance(each, int) else f".{each}" for each in path).lstrip(".")
        raise SettingsError(Text("the settings: there is no {name}", name=name))


def _write(document: Any, path: FieldPath, value: Any) -> None:
    """Change a parsed text; `_change` has shown that the place is one."""
    import tomlkit
    from tomlkit.items import AoT, Table

    data, last = document, path[-1]
    step: Any
    for step, following in pairwise(path):
        if isinstance(step, str) and step not in data:
            _put(data, step, tomlkit.aot() if isinstance(following, int) else tomlkit.table())
        data = data[step]
    step = last
    if value is None and isinstance(data[step], AoT | Table):
        for table in data[step] if isinstance(data[step], AoT) else [data[step]]:
            _cut(table)
    elif value is None:
        del data[step]
    elif isinstance(data, AoT):
        if step < len(data):
            data[step] = _as_table(value)
        else:
            table = _as_table(value)
            table.trivia.indent = "\n"
            data.append(table)
    elif not isinstance(data, list):
        _put(data, step, tomlkit.item(value))
    elif step < len(data):
        data[step] = value
    else:
        data.append(value)


def _as_table(value: Mapping[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.table()
    for name, each in value.items():
        table[name] = each
    return table


def _put(table: Any, name: str, value: Any) -> None:
    """Give a field its value; a new one stands behind the last, before the comments of what follows."""
    body = _body(table)
    behind: list[Any] = []
    while name not in table and body and body[-1][0] is None:
        behind.insert(0, body.pop())
    table[name] = value
    body.extend(behind)


def _body(table: Any) -> list[Any]:
    """The lines of a table as they stand there; of one in braces none."""
    from tomlkit.items import InlineTable

    if isinstance(table, InlineTable):
        return []
    found: list[Any] = (table.value if hasattr(table, "value") and hasattr(table.value, "body") else table).body
    return found


def _cut(table: Any) -> None:
    """Mark a table of a list for taking away, without the comments of what follows."""
    from tomlkit.items import AoT, Table, Whitespace

    last = table
    while (body := _body(last)) and isinstance(behind := _last_item(body), AoT | Table):
        last = behind[-1] if isinstance(behind, AoT) else behind
    place = len(body)
    while place and body[place - 1][0] is None:
        place -= 1
    body.insert(place, (None, Whitespace(_TO)))
    table.trivia.indent = _FROM + table.trivia.indent


def _last_item(body: list[Any]) -> Any:
    return next((item for key, item in reversed(body) if key is not None), None)
