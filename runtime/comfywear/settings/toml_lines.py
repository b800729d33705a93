"""TOML with line numbers: says on which line of a file a refused field stands."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from math import isfinite
from typing import Any

from comfywear.errors import SettingsError
from comfywear.texts import Text, together

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Explained(str):
    """A sentence "FILE:LINE: FIELD: what is wrong" that knows its parts.

    Attributes:
        steps: The way to the field, names and indices from 0; one that is missing is in it.
        reason: What is wrong, alone.
    """

    steps: tuple[str | int, ...] = ()
    reason: str = ""


_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]")
_ENDLESS = re.compile(r"\d(?:_?\d){1000}")
_KINDS = {
    "int": Text("a whole number"),
    "float": Text("a number"),
    "str": Text("a text in quotes"),
    "bool": Text("true or false"),
    "array": Text("a list in [ ]"),
    "object": Text("a table"),
    "null": Text("nothing"),
}
_HEADER = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")


def parse(text: str, path: str) -> dict[str, Any]:
    """The file's content; SettingsError with the line where it is not TOML."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = int(found.group(1)) if found else len(text.splitlines())
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        lines = text.splitlines()
        reason += _bare_word(lines[line - 1]) if 0 < line <= len(lines) else ""
        raise SettingsError(Text("{path}:{line}: not valid TOML: {why}", path=path, line=line, why=reason)) from error
    except RecursionError:
        line = next((number for number, each in enumerate(text.splitlines(), 1) if each.count("[") > 50), 1)
        raise SettingsError(
            Text("{path}:{line}: not valid TOML: brackets are nested too deep", path=path, line=line)
        ) from None
    except ValueError:  # an integer of more digits than Python reads
        line = next((number for number, each in enumerate(text.splitlines(), 1) if _ENDLESS.search(each)), 1)
        raise SettingsError(Text("{path}:{line}: a number has too many digits", path=path, line=line)) from None
    return data


def not_finite(data: object, field: str = "") -> Iterator[tuple[str, float]]:
    """The path (".zones[0].name") and the value of each number that is infinite or none: TOML knows such."""
    if isinstance(data, float) and not isfinite(data):
        yield field, data
    elif isinstance(data, dict):
        for name, value in data.items():
            yield from not_finite(value, f"{field}.{name}")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from not_finite(value, f"{field}[{index}]")


def explain(
    message: str,
    text: str,
    path: str,
    known: Mapping[str, Sequence[str]] | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> Explained:
    """One line "FILE:LINE: FIELD: what is wrong" from msgspec's "… - at `$.camera.fps`".

    For an unknown field, the nearest name in `known` (fields by table) is offered; for a word that is not one of a
    few, those in `choices` (words by "table.field").
    """
    reason, _, where = message.partition(" - at `$")
    steps = _steps(where.rstrip("`"))
    unknown = re.match(r"Object contains unknown field `(.+)`", reason)
    if unknown:
        steps.append(unknown.group(1))
        names = (known or {}).get(".".join(step for step in steps[:-1] if isinstance(step, str)), [])
        near = difflib.get_close_matches(unknown.group(1), names, n=1)
        reason = Text("there is no such field")
        if near:
            reason = Text("there is no such field; did you mean {near}?", near=repr(near[0]))
        elif names:
            reason = Text("there is no such field; there are: {names}", names=", ".join(names))
    missing = re.match(r"Object missing required field `(.+)`", reason)
    if missing:
        reason = Text("the field {name} is missing", name=repr(missing.group(1)))
    found = _explained(_plain(reason, steps, choices or {}), steps, text, path)
    found.steps = (*steps, missing.group(1)) if missing else tuple(steps)
    return found


def pointed(reason: str, field: str, text: str, path: str) -> Explained:
    """The same of what is wrong with a field, such as "zones[0].name"."""
    return _explained(reason, _steps(f".{field}" if field[:1] not in (".", "[") else field), text, path)


def _explained(reason: str, steps: Sequence[str | int], text: str, path: str) -> Explained:
    field = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    line = line_of(text, steps)
    place = f"{path}:{line}" if line else path
    said = f"{place}: {field}: {reason}" if field else f"{place}: {reason}"
    made = Explained(said)
    made.steps, made.reason = tuple(steps), reason
    return made


def _plain(reason: str, steps: Sequence[str | int], choices: Mapping[str, Sequence[str]]) -> str:
    """What msgspec says, in the words of somebody who writes a settings file."""
    last = next((step for step in reversed(steps) if isinstance(step, str)), "")
    if len(steps) == 1 and reason == "Expected `array`, got `object`":
        return Text("there may be several: write [[{last}]] with two brackets", last=last)
    if len(steps) == 1 and reason == "Expected `object`, got `array`":
        return Text("there is only one: write [{last}] with one bracket", last=last)
    if "polygon" in steps and re.match(r"Expected `(?:float|int)` [<>]= ", reason):
        return Text("a corner is given in parts of the picture, 0 to 1 (50 % is 0.5), not in percent or pixels")
    if "matching regex" in reason and "schedule" in steps:
        return Text("a time of day is wanted, such as 08:00 or 17:30")
    if "matching regex" in reason:
        allowed = Text("letters A-Z, digits, _ and - are allowed, without spaces or umlauts, 64 at most")
        if steps[:1] == ["zones"]:
            return together(allowed, Text("people may read another name: set-zone-name in docs/mqtt.md"))
        return allowed
    words = choices.get(".".join(str(step) for step in steps if isinstance(step, str)))
    if reason.startswith("Invalid enum value"):
        given = re.search(r"Invalid enum value (.+)", reason)
        said, known = given[1] if given else "this", ", ".join(map(repr, words or []))
        if near := difflib.get_close_matches(said.strip("'"), words or [], n=1, cutoff=0.5):
            return Text(
                "{said} is not known; did you mean {near}? There are: {known}",
                said=said,
                near=repr(near[0]),
                known=known,
            )
        return Text("{said} is not known; There are: {known}", said=said, known=known)
    found = re.fullmatch(r"Expected `([a-z |]+)`( [<>]=? \S+)?(?:, got `([a-z]+)`)?", reason)
    if found:
        kinds = [_KINDS.get(kind, kind) for kind in found[1].split(" | ")]
        wanted = reduce(lambda first, then: Text("{first} or {then}", first=first, then=then), kinds)
        limit = re.sub(r"\.0$", "", found[2] or "")
        if found[3]:
            got = _KINDS.get(found[3], found[3])
            return Text("{wanted}{limit} is wanted, not {got}", wanted=wanted, limit=limit, got=got)
        return _limited(wanted, *limit.split()) if limit else Text("{wanted} is wanted", wanted=wanted)
    if found := re.fullmatch(r"Expected `(str|array)` of length (<=|>=)? ?(\d+)(?:, got (\d+))?", reason):
        what = Text("{n} characters", n=found[3]) if found[1] == "str" else Text("{n} entries", n=found[3])
        some = {"<=": Text("at most {what}", what=what), ">=": Text("at least {what}", what=what)}.get(
            found[2] or "", what
        )
        if found[4]:
            return Text("{some} are wanted, not {got}", some=some, got=found[4])
        return Text("{some} are wanted", some=some)
    return reason


def _limited(wanted: str, sign: str, limit: str) -> Text:
    return {
        ">=": Text("{wanted} >= {limit} is wanted", wanted=wanted, limit=limit),
        "<=": Text("{wanted} <= {limit} is wanted", wanted=wanted, limit=limit),
        ">": Text("{wanted} > {limit} is wanted", wanted=wanted, limit=limit),
        "<": Text("{wanted} < {limit} is wanted", wanted=wanted, limit=limit),
    }[sign]


def _bare_word(line: str) -> str:
    """What was probably meant by a value without quotes."""
    found = re.match(r"^\s*[\w.\"'-]+\s*=\s*([^\s\"'\[{#][^#]*)", line)
    if not found:
        return ""
    word = found[1].strip()
    if word.lower() in ("yes", "on", "true", "no", "off", "false"):
        return f"; write {'true' if word.lower() in ('yes', 'on', 'true') else 'false'}, in small letters"
    if re.fullmatch(r"[+-]?\d+,\d+", word):
        return f"; write a decimal point: {word.replace(',', '.')}"
    return "; a text stands in quotes" if word[:1].isalpha() else ""


def _steps(where: str) -> list[str | int]:
    return [int(index) if index else name for name, index in _STEP.findall(where)]


def line_of(text: str, steps: Sequence[str | int]) -> int | None:
    """The line (from 1) on which the field at `steps` stands, or its nearest parent that can be found."""
    wanted = list(steps)
    best: int | None = None
    current: list[str | int] = []
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            names = [part.strip().strip("\"'") for part in header.group(2).split(".")]
            current = _place(names, counts, begins=header.group(1) == "[[")
            same = current[: len(wanted)] == wanted[: len(current)]
            if same and (best is None or len(current) <= len(wanted)):
                best = number
            continue
        rest = [step for step in wanted[len(current) :] if isinstance(step, str)]
        inside = current == wanted[: len(current)]
        if inside and rest and re.match(rf"^\s*(['\"]?){re.escape(rest[0])}\1\s*[.=]", line):
            return number
    return best


def _place(names: Sequence[str], counts: dict[tuple[str | int, ...], int], *, begins: bool) -> list[str | int]:
    """The steps to the table of a header, numbered where it is one of a list; notes where one `begins`."""
    place: list[str | int] = []
    for depth, name in enumerate(names, 1):
        place.append(name)
        key = tuple(place)
        if begins and depth == len(names):
            counts[key] = counts.get(key, -1) + 1
        if key in counts:
            place.append(counts[key])
    return place
