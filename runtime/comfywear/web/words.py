"""The page's languages: one JSON file each; English says which words there are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["FALLBACK", "choose", "languages", "page_words", "settings_words", "words"]

FALLBACK = "en"
_FOLDER = Path(__file__).parent / "languages"
_OF_SETTINGS = ("settings", "setup")


@cache
def languages() -> Mapping[str, str]:
    """Language codes with the language's own name, such as {"de": "Deutsch"}."""
    return {code: str(words(code)["language"]) for code in sorted(path.stem for path in _FOLDER.glob("*.json"))}


@cache
def words(code: str) -> Mapping[str, Any]:
    """The words of a language; raises KeyError for one that there is none of."""
    path = _FOLDER / f"{code}.json"
    if not code.isalpha() or not path.is_file():
        raise KeyError(code)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def page_words(code: str) -> Mapping[str, Any]:
    """The words of a language that everybody's page needs: without those of the settings. Errors as `words`."""
    return {name: value for name, value in words(code).items() if name not in _OF_SETTINGS}


@cache
def settings_words(code: str) -> Mapping[str, Any]:
    """The words of the settings and of the first run, and the fields' titles and meanings by table, then by name.

    "" is the name of the table itself. There are no titles in English: they stand in the settings' own schema.

    Raises:
        KeyError: There are none in that language.
    """
    path = _FOLDER / "settings" / f"{code}.json"
    own = {name: words(code)[name] for name in _OF_SETTINGS}
    return {"words": own, "fields": json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}}


def choose(wanted: str, accepted: str) -> str:
    """The language to show: the one of the settings, else the first that the browser accepts, else English.

    Args:
        wanted: A language code, or "auto".
        accepted: The header Accept-Language.
    """
    if wanted in languages():
        return wanted
    for part in accepted.split(","):
        code = part.split(";")[0].strip().split("-")[0].lower()
        if code in languages():
            return code
    return FALLBACK
