"""The catalogue: every sentence of the code in every language, every word of the page and the report, none unused."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from gettext import c2py
from pathlib import Path
from typing import Any

import pytest

import comfywear
import comfywear_sensors
from comfywear.colour import BASIC_TERMS
from comfywear.comfort import SCALE
from comfywear.report import wording
from comfywear.settings.file import sections
from comfywear.texts import languages, words
from comfywear.texts.catalogue import FOLDER
from comfywear_sensors.texts import PLACE

SOURCES = (Path(comfywear.__file__).parent, Path(comfywear_sensors.__file__).parent)
OTHERS = [code for code in languages() if code != "en"]
STATIC_FOLDER = SOURCES[0] / "web" / "static"
PLURALS = {"zero", "one", "two", "few", "many", "other"}


def test_a_made_up_text_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text(
        'Text("one" if n == 1 else "{n} of them", n=n)\nText("gone: {why}", why=Text("lost"))\nText(name)\n'
    )
    assert dict(texts_of(path)) == {
        "one": {"n"},
        "{n} of them": {"n"},
        "gone: {why}": {"why"},
        "lost": set(),
        "": set(),
    }


def texts_of(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Each key that a file makes a `Text` with, and the places that it fills; "" for one that is not written out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text"):
            continue
        filled = {word.arg or "**" for word in node.keywords}
        chosen = [node.args[0].body, node.args[0].orelse] if isinstance(node.args[0], ast.IfExp) else [node.args[0]]
        for each in chosen:
            yield (str(each.value) if isinstance(each, ast.Constant) else "", filled)


def texts() -> dict[str, list[set[str]]]:
    """All of the code, by key; the files that make texts of keys that come from elsewhere are left out."""
    found: dict[str, list[set[str]]] = {}
    for source in SOURCES:
        for path in source.rglob("*.py"):
            if path.name not in ("encoding.py", "recalling.py") and path != SOURCES[1] / "texts.py":
                for key, filled in texts_of(path):
                    assert key, f"{path}: a key is written out where its text is made"
                    found.setdefault(key, []).append(filled)
    for key in ("{first}; {then}", "{first}, {then}"):
        found[key] = [{"first", "then"}]
    return found


def places(text: str) -> set[str]:
    return {place[1] for place in PLACE.finditer(text)}


def forms(text: Any) -> list[str]:
    return list(text.values()) if isinstance(text, Mapping) else [text]


def test_every_place_of_a_key_is_filled_where_its_text_is_made() -> None:
    for key, made in texts().items():
        for filled in made:
            assert places(key) <= filled or "**" in filled, key


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_in_every_language_with_the_same_places_and_none_is_unused(code: str) -> None:
    sentences = words(code)["sentences"]
    assert sorted(set(texts()) - set(sentences)) == [], f"{code}.json lacks them"
    assert sorted(set(sentences) - set(texts())) == [], f"{code}.json holds what no code says"
    for key, said in sentences.items():
        for form in forms(said):
            assert form, key
            assert places(form) == places(key), key


def test_what_english_says_otherwise_to_people_is_a_sentence_with_the_same_places() -> None:
    for key, said in words("en")["sentences"].items():
        assert key in texts()
        assert places(said) == places(key)


@pytest.mark.parametrize("code", languages())
def test_kinds_of_places_are_numbers_or_tables_of_the_language(code: str) -> None:
    for said in words(code)["sentences"].values():
        for form in forms(said):
            for place in PLACE.finditer(form):
                assert place[2] in (None, "n") or isinstance(words(code)[place[2]], dict), form


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and not ("other" in value and set(value) <= PLURALS):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def vocabulary(code: str) -> dict[tuple[str, ...], Any]:
    """The words of page and report, without what English has in the code: sentences, and the settings' titles."""
    return dict(leaves({name: each for name, each in words(code).items() if name not in ("sentences", "fields")}))


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_says_everything_that_english_says(code: str) -> None:
    ours, theirs = vocabulary("en"), vocabulary(code)
    assert theirs.keys() == ours.keys()
    for path, text in ours.items():
        said = theirs[path]
        assert said, path
        if isinstance(text, list):
            assert len(said) == len(text) or path == ("plural",), path
        else:
            wanted = set().union(*map(places, forms(text)))
            assert all(places(form) <= wanted for form in forms(said)), path
            assert set().union(*map(places, forms(said))) == wanted, path


@pytest.mark.parametrize("code", languages())
def test_a_language_s_rule_of_plurals_names_a_form_for_each_number(code: str) -> None:
    expression, *categories = words(code)["plural"]
    rule = c2py(expression)
    assert set(categories) <= PLURALS
    assert "other" in categories
    assert all(0 <= rule(n) < len(categories) for n in range(200))


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_a_title_and_a_meaning_for_each_table_and_field_of_the_settings(code: str) -> None:
    """English is in the settings' own schema."""
    own = {
        table: [name for name in section.__struct_fields__ if name not in section.__base__.__struct_fields__]  # type: ignore[union-attr]
        for table, section in sections().items()
    }
    found = words(code)["fields"]
    assert {table: sorted(each) for table, each in found.items()} == {
        table: sorted(["", *names]) for table, names in own.items()
    }
    assert all(title and meaning for each in found.values() for title, meaning in each.values())


@pytest.mark.parametrize("code", languages())
def test_no_word_of_a_language_stands_there_twice(code: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert sorted(set(names)) == sorted(names)
        return dict(pairs)

    json.loads((FOLDER / f"{code}.json").read_bytes(), object_pairs_hook=once)


def test_english_says_the_words_of_the_scale_and_of_the_colours() -> None:
    assert [text.lower() for text in words("en")["vote"]["levels"]] == [SCALE.words[level] for level in range(1, 6)]
    assert set(words("en")["scale"]) == set(SCALE.words.values())
    assert set(words("en")["colours"]) == set(BASIC_TERMS)


def test_every_word_that_the_page_asks_for_is_there_and_each_is_asked_for() -> None:
    known = {".".join(path) for path in vocabulary("en") if path[0] != "report"}
    files = [path for path in STATIC_FOLDER.glob("*.*") if path.suffix in (".html", ".js")]
    text = "".join(path.read_text() for path in [*files, *STATIC_FOLDER.parent.glob("*.py")])
    asked = set(re.findall(r'data-(?:word|label)="([\w.]+)"', text)) | set(re.findall(r'word\("([\w. ]+)"', text))
    assert len(asked) > 60
    lists = {re.sub(r"\.\d$", "", each) for each in asked}
    assert {each for each in lists if each not in known and each not in words("en")} == set()
    # What stands in tables that places of sentences name is looked up there.
    tables = {place[2] for said in words("de")["sentences"].values() for place in PLACE.finditer(said)}
    unasked = {each for each in known if each.partition(".")[0] not in tables and not is_asked(each, text)}
    assert {each for each in unasked if not each.startswith("setup.login.")} == {"plural"}


def is_asked(name: str, text: str) -> bool:
    """By its name, by that of its whole group, or by the group's with a name that comes from elsewhere."""
    if re.search(rf"[\"'`]{re.escape(name)}[\"'`]", text):
        return True
    group = name.rpartition(".")[0]
    return bool(group) and re.search(rf"[\"'`]{re.escape(group)}([\"'`]|\.\$\{{)", text) is not None


def test_every_word_of_the_report_is_asked_for() -> None:
    text = "".join(path.read_text() for path in Path(wording.__file__).parent.glob("*.py"))
    names = {path[1] for path in vocabulary("en") if path[0] == "report"}
    assert {name for name in names if not re.search(rf"[\"']{name}[.\"']", text)} == set()
