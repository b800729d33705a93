"""Which language a page is in, and which of its words go where."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from comfywear.texts import ENGLISH, languages, words

__all__ = ["choose", "page_words", "settings_words"]

_OF_SETTINGS = ("settings", "setup")
_ELSEWHERE = (*_OF_SETTINGS, "fields", "report", "sentences")


def page_words(code: str) -> Mapping[str, Any]:
    """The words that everybody's page needs, without those of the settings and the report; errors as `words`."""
    return {name: value for name, value in words(code).items() if name not in _ELSEWHERE}


@cache
def settings_words(code: str) -> Mapping[str, Any]:
    """The words of the settings and of the first run, and the fields' titles and meanings by table, then by name.

    "" is the name of the table itself. There are no titles in English: they stand in the settings' own schema.

    Raises:
        KeyError: There are none in that language.
    """
    own = {name: words(code)[name] for name in _OF_SETTINGS}
    return {"words": own, "fields": words(code).get("fields", {})}


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
    return ENGLISH
