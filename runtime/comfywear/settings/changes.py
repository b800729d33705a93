"""What differs between two contents of a settings file, and what of it is not shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from comfywear.settings.edit import FieldPath
from comfywear_sensors.redaction import CUT, is_secret_name, redact

__all__ = ["changes_of", "restored", "shown_values", "written"]

_NAMES = ("name", "uri", "source", "file", "state_topic", "camera", "start")


def changes_of(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[FieldPath, Any]:
    """What `comfywear.settings.edit.edited` has to do so that a file which holds `held` holds `wanted`."""
    return dict(_changes(held, wanted, ()))


def _changes(held: Any, wanted: Any, way: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    if isinstance(held, Mapping) and isinstance(wanted, Mapping):
        for name in held.keys() - wanted.keys():
            yield (*way, name), None
        for name, value in wanted.items():
            if name in held:
                yield from _changes(held[name], value, (*way, name))
            elif _is_tables(value):  # each by itself, so that it becomes [[name]]
                yield from (((*way, name, number), each) for number, each in enumerate(value))
            elif value != []:
                yield (*way, name), value
    elif _is_tables(held) and (_is_tables(wanted) or wanted == []):
        left = _left(held, wanted)
        yield from (((*way, number), None) for number in range(len(held)) if number not in left)
        for number, value in zip(left, wanted, strict=False):
            yield from _changes(held[number], value, (*way, number))
        for number, value in enumerate(wanted[len(left) :], len(held)):
            yield (*way, number), value
    elif not _is_same(held, wanted):
        yield way, wanted


def _left(held: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> list[int]:
    """Which tables of a list go on as those that are wanted, in order; the others go."""
    surplus, left = len(held) - len(wanted), list[int]()
    for number, each in enumerate(held):
        if len(left) == len(wanted):
            break
        if surplus > 0 and not _is_kin(each, wanted[len(left)]):
            surplus -= 1
        else:
            left.append(number)
    return left


def _is_kin(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one == other or any(name in one and one[name] == other.get(name) for name in _NAMES)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _is_same(one: Any, other: Any) -> bool:
    """Equal also for whoever reads TOML: true is not 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def shown_values(data: Any) -> Any:
    """A content without its secrets: "…" stands where one was."""
    if isinstance(data, Mapping):
        return {
            name: CUT if value and isinstance(value, str) and is_secret_name(name) else shown_values(value)
            for name, value in data.items()
        }
    if isinstance(data, list):
        return [shown_values(each) for each in data]
    return redact(data) if isinstance(data, str) else data


def restored(values: Any, held: Any) -> Any:
    """`values` with the secrets of `held` where `shown_values` had cut them out.

    A text that was cut gets back what stood at its place; where lists have moved, what alone looks like it. What is
    left is refused by the check: "…" is a placeholder there.
    """
    by_look: dict[str, set[str]] = {}
    for name, text in _texts(held):
        cut = CUT if is_secret_name(name) else redact(text)
        if cut != text:
            by_look.setdefault(cut, set()).add(text)
    return _restored(values, held, by_look)


def _restored(value: Any, held: Any, by_look: Mapping[str, set[str]]) -> Any:
    if isinstance(value, Mapping):
        inner = held if isinstance(held, Mapping) else {}
        return {name: _restored(each, inner.get(name), by_look) for name, each in value.items()}
    if isinstance(value, list):
        places = held if isinstance(held, list) else []
        return [_restored(each, places[n] if n < len(places) else None, by_look) for n, each in enumerate(value)]
    if not isinstance(value, str) or CUT not in value:
        return value
    found = by_look.get(value, set())
    if isinstance(held, str) and held in found:
        return held
    return next(iter(found)) if len(found) == 1 else value


def _texts(data: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _texts(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, name)
    elif isinstance(data, str):
        yield name, data


def written(changes: Mapping[FieldPath, Any]) -> list[str]:
    """The fields of changes as people write them, without their values: "zones[1].name"."""
    return ["".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path)[1:] for path in changes]
