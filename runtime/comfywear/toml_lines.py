"""TOML with line numbers: says on which line of a file a refused field stands."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from comfywear.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]")
_HEADER = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")


def parse(text: str, path: str) -> dict[str, Any]:
    """The file's content; SettingsError with the line where it is not TOML."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = int(found.group(1)) if found else len(text.splitlines())
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise SettingsError(f"{path}:{line}: not valid TOML: {reason}") from error
    return data


def explain(message: str, text: str, path: str, known: Mapping[str, Sequence[str]] | None = None) -> str:
    """One line "FILE:LINE: FIELD: what is wrong" from msgspec's "… - at `$.camera.fps`".

    For an unknown field, the nearest name in `known` (fields by table) is offered.
    """
    reason, _, where = message.partition(" - at `$")
    where = where.rstrip("`")
    steps = _steps(where)
    unknown = re.match(r"Object contains unknown field `(.+)`", reason)
    if unknown:
        steps.append(unknown.group(1))
        reason = "there is no such field"
        names = (known or {}).get(str(steps[0]) if len(steps) > 1 else "", [])
        near = difflib.get_close_matches(unknown.group(1), names, n=1)
        reason += f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(names)}" if names else ""
    missing = re.match(r"Object missing required field `(.+)`", reason)
    if missing:
        reason = f"the field {missing.group(1)!r} is missing"
    field = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    line = line_of(text, steps)
    place = f"{path}:{line}" if line else path
    return f"{place}: {field}: {reason}" if field else f"{place}: {reason}"


def _steps(where: str) -> list[str | int]:
    return [int(index) if index else name for name, index in _STEP.findall(where)]


def line_of(text: str, steps: Sequence[str | int]) -> int | None:
    """The line (from 1) on which the field at `steps` stands, or its nearest parent that can be found."""
    table = [step for step in steps if isinstance(step, str)]
    index = next((step for step in steps if isinstance(step, int)), 0)
    best: int | None = None
    current: list[str] = []
    seen = -1
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            current = [part.strip().strip("\"'") for part in header.group(2).split(".")]
            if header.group(1) == "[[" and current == table[:1]:
                seen += 1
            if current == table[: len(current)] and (header.group(1) == "[" or seen == index):
                best = number
            continue
        inside = current == table[: len(current)] and (seen in (-1, index) or not current)
        rest = table[len(current) :]
        if inside and rest and re.match(rf"^\s*(['\"]?){re.escape(rest[0])}\1\s*[.=]", line):
            return number
    return best
