"""Drafts: every fault at its field, bad input on every field that there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from comfywear.settings.draft import checked_draft
from comfywear.settings.form import FormField, FormGroup, settings_form

# What must stand beside a field so that its table is right but for it.
REQUIRED: dict[str, dict[str, Any]] = {
    "camera.mask": {"polygon": [[0, 0], [1, 0], [1, 1]]},
    "camera.dewarp": {"lens_deg": 180},
    "cameras": {"name": "c", "source": "images:///x"},
    "zones": {"name": "room"},
    "zones.views": {"camera": "c"},
    "zones.schedule": {"start": "08:00", "end": "09:00", "met": 1.0},
    "lines": {"name": "l", "points": [[0, 0], [1, 1]]},
    "sensors": {"uri": "fake://"},
    "thermostats": {"state_topic": "a", "command_topic": "b"},
    "buttons": {"source": "serial:///dev/x"},
    "web.tokens": {"file": "x"},
}


def bad_values(field: FormField) -> Iterator[Any]:
    if field.kind in ("whole", "number"):
        yield "eleven"
        yield from (bound - 1 for bound in (field.low, field.above) if bound is not None)
        yield from (bound + 1 for bound in (field.high, field.below) if bound is not None)
    elif field.kind in ("switch", "text"):
        yield 5
        if field.pattern:
            yield "a b\u00e4#+"
        if field.kind == "text" and field.longest:
            yield "x" * (field.longest + 1)
    elif field.kind == "choice":
        yield "no such word"
    else:
        yield "no list"
        if field.kind == "choices":
            yield ["no such word"]


def cases() -> Iterator[Any]:
    for group in settings_form():
        for way, fields in tables(group):
            for field in fields:
                for bad in bad_values(field):
                    name = ".".join(str(step) for step in way)
                    yield pytest.param(way, field, bad, id=f"{name}.{field.name}={str(bad)[:12]}")


def tables(group: FormGroup) -> Iterator[tuple[tuple[str | int, ...], Sequence[FormField]]]:
    way: tuple[str | int, ...] = (group.name, 0) if group.several else (group.name,)
    yield way, group.fields
    for field in group.fields:
        if field.fields:
            yield (*way, field.name, *([0] if field.kind == "tables" else [])), field.fields


def draft_with(way: Sequence[str | int], name: str, value: Any) -> dict[str, Any]:
    data: Any = {}
    whole = data
    steps = [*way, name]
    seen: list[str] = []
    for number, step in enumerate(steps[:-1]):
        following = steps[number + 1]
        if isinstance(step, str):
            seen.append(step)
            data = data.setdefault(step, [] if isinstance(following, int) else {})
        else:
            data.append({})
            data = data[step]
        if isinstance(data, dict):
            key = ".".join(seen)
            data.update(REQUIRED.get(key.replace("cameras.", "camera."), {}))
    data[name] = value
    return whole


@pytest.mark.parametrize(("way", "field", "bad"), list(cases()))
def test_bad_input_on_a_field_is_said_at_that_field(way: Sequence[str | int], field: FormField, bad: Any) -> None:
    found, faults = checked_draft(draft_with(way, field.name, bad))
    assert found is None
    path = (*way, field.name)
    assert [each for each in faults if each.path[: len(path)] == path], faults
    assert all(each.text and "`" not in each.text for each in faults if each.path == path), "in plain words"


def test_one_fault_hides_no_other_and_places_are_those_of_the_draft() -> None:
    _, faults = checked_draft(
        {
            "camera": {"fps": 0, "sorce": "x"},
            "zones": [{"name": "a b"}, {"name": "b"}, {"met": 1.0}, {"name": "d", "met": 99.0}],
            "sensors": [{"uri": "fake://"}, {"uri": "nothing://"}, {"uri": "fake://", "zone": "none"}],
            "web": {"host": "0.0.0.0", "enabled": True},
        }
    )
    said = {each.path: each.text for each in faults}
    assert said.keys() == {
        ("camera", "fps"),
        ("camera", "sorce"),
        ("zones", 0, "name"),
        ("zones", 2, "name"),
        ("zones", 3, "met"),
        ("sensors", 1, "uri"),
        ("sensors", 2, "zone"),
        ("web", "host"),
    }
    assert "did you mean 'source'" in said["camera", "sorce"]
    assert said["zones", 2, "name"] == "the field 'name' is missing"


def test_a_secret_in_a_refused_address_is_not_said() -> None:
    _, faults = checked_draft({"camera": {"source": "rtps://me:hidden@cam/x"}})
    assert faults
    assert "hidden" not in str(faults)


def test_a_right_draft_is_the_settings() -> None:
    found, faults = checked_draft({"zones": [{"name": "desk"}], "camera": {"fps": 3}})
    assert faults == []
    assert found is not None
    assert (found.zones[0].name, found.camera.fps) == ("desk", 3)
    assert checked_draft({})[0] is not None
