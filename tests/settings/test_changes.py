"""Settings that go through the form: what is not changed stays as somebody wrote it, secrets are cut and come back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.settings.changes import changes_of, restored, shown_values, written
from comfywear.settings.edit import edited
from comfywear.settings.file import sections
from comfywear.settings.form import FormField, settings_form
from comfywear.settings.toml_lines import parse

ROOT = Path(__file__).resolve().parents[2]
README = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)[0]
SHIPPED = (ROOT / "systemd" / "device.toml").read_text("utf-8")
SAMPLES = {"switch": True, "whole": 3, "number": 1.5, "text": "x", "choices": ["a"], "texts": ["x"], "numbers": [0.5]}


def sample(field: FormField) -> Any:
    if field.kind == "choice":
        return field.choices[-1]
    return SAMPLES[field.kind] if field.default in (None, [], "") else field.default


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list | tuple) else str(value)


def table(name: str, fields: Sequence[FormField], several: bool) -> Iterator[str]:
    yield f"# Before {name}."
    yield f"[[{name}]]  # of {name}" if several else f"[{name}]  # of {name}"
    for field in fields:
        if field.kind not in ("table", "tables"):
            yield f"{field.name} = {toml(sample(field))}  # {name} {field.name}"
    yield ""
    for field in fields:
        if field.kind in ("table", "tables"):
            yield from table(f"{name}.{field.name}", field.fields, field.kind == "tables")


def every_table() -> Iterator[str]:
    for group in settings_form():
        for _ in range(1 + group.several):
            yield from table(group.name, group.fields, group.several)


EVERY = "\n".join([*every_table(), ""])


def leaves(data: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    for step, value in inner:
        tables = isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
        if isinstance(value, dict) or tables:
            yield from leaves(value, (*way, step))
        else:
            yield (*way, step)


def put(data: Any, way: Sequence[Any], value: Any) -> None:
    for step in way[:-1]:
        data = data[step]
    data[way[-1]] = value


def comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def test_the_file_of_these_tests_has_every_table_of_the_settings() -> None:
    heads = set(re.findall(r"^\[+([\w.]+)\]", EVERY, re.MULTILINE))
    assert set(sections()) <= heads


@pytest.mark.parametrize("text", [README, SHIPPED, EVERY], ids=["README", "installed", "every table"])
def test_what_is_not_changed_is_the_same_text(text: str) -> None:
    data = parse(text, "x")
    assert changes_of(data, deepcopy(data)) == {}
    assert edited(text, changes_of(data, restored(shown_values(data), data))) == text


@pytest.mark.parametrize("way", list(leaves(parse(EVERY, "x"))), ids=lambda way: ".".join(map(str, way)))
def test_each_field_changes_in_its_line_alone_and_its_comment_stays(way: tuple[str | int, ...]) -> None:
    wanted = parse(EVERY, "x")
    put(wanted, way, "another")
    found = edited(EVERY, changes_of(parse(EVERY, "x"), wanted))
    assert parse(found, "x") == wanted
    differing = [(one, other) for one, other in zip(EVERY.split("\n"), found.split("\n"), strict=True) if one != other]
    ((before, after),) = differing
    assert after == re.sub(r"= .*?  #", '= "another"  #', before)


@given(st.data())
def test_whatever_is_changed_taken_away_and_added_the_other_comments_stay(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([README, SHIPPED, EVERY]))
    held = parse(text, "x")
    wanted = deepcopy(held)
    for way in data.draw(st.lists(st.sampled_from(list(leaves(held))), unique=True, max_size=6)):
        put(wanted, way, data.draw(st.sampled_from(["other", 7, 2.5, False, [1, 2]])))
    if data.draw(st.booleans()):
        wanted.setdefault("sensors", []).append({"uri": "fake://", "temp_offset_k": 0.5})
        wanted.setdefault("web", {})["title"] = "Here"
        wanted["budget"] = {"hot_c": 70.0, **wanted.get("budget", {})}
    found = edited(text, changes_of(held, wanted))
    assert parse(found, "x") == wanted
    assert comments(found) == comments(text)


def test_a_table_of_a_list_goes_with_its_own_comments_alone() -> None:
    text = "# one\n[[zones]]\nname = 'a' # a\n# two\n[[zones]]\nname = 'b' # b\n# three\n[[zones]]\nname = 'c' # c\n"
    held = parse(text, "x")
    found = edited(text, changes_of(held, {"zones": [held["zones"][0], held["zones"][2]]}))
    assert parse(found, "x") == {"zones": [{"name": "a"}, {"name": "c"}]}
    assert "# b" not in found
    assert [each in found for each in ("# a", "# c", "# one", "# three")] == [True] * 4
    renamed = edited(text, changes_of(held, {"zones": [{"name": "a", "met": 1.2}, {"name": "new"}]}))
    assert parse(renamed, "x")["zones"] == [{"name": "a", "met": 1.2}, {"name": "new"}]


def test_true_is_not_one_and_no_value_is_no_change() -> None:
    assert changes_of({"a": {"b": 1}}, {"a": {"b": True}}) == {("a", "b"): True}
    assert changes_of({"a": {"b": 1}}, {"a": {"b": 1.0}}) == {}
    assert changes_of({}, {"zones": []}) == {}
    assert written({("zones", 0, "name"): "x"}) == ["zones[1].name"]


SECRET = {
    "camera": {"source": "rtsp://me:hidden@cam/one"},
    "cameras": [{"source": "rtsp://me:first@cam/a"}, {"source": "rtsp://me:second@cam/a"}],
    "mqtt": {"username": "somebody"},
}


def test_secrets_are_cut_out_and_come_back_where_nothing_else_was_said() -> None:
    shown = shown_values(SECRET)
    for word in ("hidden", "first", "second", "somebody"):
        assert word not in str(shown)
    assert restored(shown, SECRET) == SECRET
    moved = {"cameras": [{"source": shown["camera"]["source"]}]}
    assert restored(moved, SECRET)["cameras"][0]["source"] == "rtsp://me:hidden@cam/one"
    other = {"cameras": [{"name": "n"}, {"name": "o"}, {"source": shown["cameras"][0]["source"]}]}
    assert "…" in restored(other, SECRET)["cameras"][2]["source"], "which of two is meant is not guessed"
    assert restored({"camera": {"source": "rtsp://cam/two"}}, SECRET) == {"camera": {"source": "rtsp://cam/two"}}
