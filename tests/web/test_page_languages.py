"""The page's languages: complete, and chosen as the settings and the browser wish."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_peers import MadeUp, serving

from comfywear import web
from comfywear.colour import BASIC_TERMS
from comfywear.comfort import SCALE
from comfywear.settings.file import sections
from comfywear.web import words as module
from comfywear.web.words import choose, languages, settings_words, words

STATIC = Path(web.__file__).parent / "static"
OTHERS = [code for code in languages() if code != "en"]


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_says_everything_that_english_says(code: str) -> None:
    ours, theirs = dict(leaves(words("en"))), dict(leaves(words(code)))
    assert theirs.keys() == ours.keys()
    for path, text in ours.items():
        if path == ("sentences",):
            continue
        said = theirs[path]
        assert said, path
        if isinstance(text, list):
            assert len(said) == len(text), path
        else:
            placeholders = re.compile(r"\{(\w+)\}")
            assert set(placeholders.findall(said)) == set(placeholders.findall(text)), path


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_a_title_and_a_meaning_for_each_table_and_field_of_the_settings(code: str) -> None:
    """They stand in languages/settings/, a file a language; English is in the settings' own schema."""
    own = {
        table: [name for name in section.__struct_fields__ if name not in section.__base__.__struct_fields__]  # type: ignore[union-attr]
        for table, section in sections().items()
    }
    found = settings_words(code)["fields"]
    assert {table: sorted(each) for table, each in found.items()} == {
        table: sorted(["", *names]) for table, names in own.items()
    }
    assert all(title and meaning for each in found.values() for title, meaning in each.values())


@pytest.mark.parametrize("code", languages())
def test_sentences_of_the_device_are_patterns_with_what_they_mean(code: str) -> None:
    for pattern, said in words(code)["sentences"]:
        groups = re.compile(pattern).groups
        assert all(int(number) <= groups for number in re.findall(r"\$(\d)", said)), pattern


def test_english_says_the_words_of_the_scale_and_of_the_colours() -> None:
    assert [text.lower() for text in words("en")["vote"]["levels"]] == [SCALE.words[level] for level in range(1, 6)]
    assert set(words("en")["colours"]) == set(BASIC_TERMS)


def test_every_word_that_the_page_asks_for_is_there() -> None:
    known = {".".join(path) for path, _ in leaves(words("en"))} | set(words("en"))
    known |= {f"vote.levels.{n}" for n in range(len(words("en")["vote"]["levels"]))}
    text = "".join(path.read_text() for path in STATIC.glob("*.*") if path.suffix in (".html", ".js"))
    asked = set(re.findall(r'data-(?:word|label)="([\w.]+)"', text)) | set(re.findall(r'word\("([\w. ]+)"', text))
    assert len(asked) > 60
    assert asked - known == set()


def test_the_language_is_the_settings_or_the_browsers_or_english() -> None:
    assert choose("de", "en") == "de"
    assert choose("auto", "fr-FR, de-CH;q=0.8, en;q=0.5") == "de"
    assert choose("auto", "fr, *") == "en"
    assert choose("auto", "") == "en"
    assert choose("xx", "de") == "de"


@pytest.mark.parametrize("code", ["xx", "../en", "", "en/../en"])
def test_a_language_that_there_is_none_of_is_not_read(code: str) -> None:
    with pytest.raises(KeyError):
        words(code)


@pytest.mark.parametrize("code", languages())
def test_no_word_of_a_language_stands_there_twice(code: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert sorted(set(names)) == sorted(names)
        return dict(pairs)

    json.loads((Path(web.__file__).parent / "languages" / f"{code}.json").read_bytes(), object_pairs_hook=once)


def test_language_files_are_plain_json() -> None:
    for path in (Path(web.__file__).parent / "languages").glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))


def test_a_third_language_takes_one_file(tmp_path: Path) -> None:
    folder = tmp_path / "languages"
    shutil.copytree(Path(web.__file__).parent / "languages", folder)
    made = json.loads((folder / "en.json").read_text(encoding="utf-8"), object_hook=_turned)
    made |= {"language": "Turned", "sentences": [["^too (\\w+)$", "$1 oot"]]}
    (folder / "xx.json").write_text(json.dumps(made))
    before, module._FOLDER = module._FOLDER, folder
    for each in (languages, words):
        each.cache_clear()
    try:
        with serving(MadeUp()) as url, httpx.Client(base_url=url, timeout=60) as client:
            assert client.get("/api/start").json()["languages"]["xx"] == "Turned"
            page = html.unescape(client.get("/", headers={"Accept-Language": "xx-XX, de;q=0.5"}).text)
            assert '<html lang="xx"' in page
            assert words("en")["vote"]["question"][::-1] in page
            assert client.get("/words/xx.json").json()["troubles"]["hot"] == words("en")["troubles"]["hot"][::-1]
        test_a_language_says_everything_that_english_says("xx")
    finally:
        module._FOLDER = before
        for each in (languages, words):
            each.cache_clear()
    assert "xx" not in languages()


def _turned(part: dict[str, Any]) -> dict[str, Any]:
    """Every text backwards, what stands in braces as it was."""

    def turn(text: Any) -> Any:
        if isinstance(text, list):
            return [turn(each) for each in text]
        if not isinstance(text, str):
            return text
        return "".join(each if each.startswith("{") else each[::-1] for each in re.split(r"(\{\w+\})", text)[::-1])

    return {name: turn(text) for name, text in part.items()}
