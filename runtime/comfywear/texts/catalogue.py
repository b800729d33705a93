"""The languages: one JSON file each, named by its code; English says which words of the page and the report there are.

`sentences` holds what the device says: each by its key, which is the English sentence in the code. A value is the
sentence in that language, or forms of it by CLDR's plural categories ("one", "few", "other"), chosen by the place `n`
with the rule of `plural`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from gettext import c2py
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from comfywear_sensors.texts import PLACE, Text

__all__ = ["ENGLISH", "Parts", "languages", "parts", "said", "words"]

ENGLISH = "en"
Parts = list[tuple[str, str]]
"""A sentence in pieces, each with the code of its language."""
FOLDER = Path(__file__).parent


@cache
def languages() -> Mapping[str, str]:
    """Language codes with the language's own name, such as {"de": "Deutsch"}."""
    return {code: str(words(code)["language"]) for code in sorted(path.stem for path in FOLDER.glob("*.json"))}


@cache
def words(code: str) -> Mapping[str, Any]:
    """All that the file of a language holds; raises KeyError for one that there is none of."""
    path = FOLDER / f"{code}.json"
    if not code.isalpha() or not path.is_file():
        raise KeyError(code)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def said(sentence: str, code: str) -> str:
    """A sentence of the device in a language; in English where that language does not know it."""
    return sentence if code == ENGLISH else "".join(text for _, text in parts(sentence, code))


def parts(sentence: str, code: str) -> Parts:
    """The same in pieces: what that language does not know, such as an error of the system, stands in English.

    English has sentences of its own here, where what is good for messages is not for people.
    """
    form = words(code)["sentences"].get(sentence.key) if isinstance(sentence, Text) else None
    if form is None and code == ENGLISH and isinstance(sentence, Text):
        form = sentence.key
    if form is None or not isinstance(sentence, Text):
        return [(ENGLISH, sentence[:])]
    if not isinstance(form, str):
        form = _form(form, words(code)["plural"], sentence.values["n"])
    found: Parts = []
    at = 0
    for place in PLACE.finditer(form):
        found += [(code, form[at : place.start()]), *_filled(sentence.values[place[1]], place, code)]
        at = place.end()
    found = [(language, text) for language, text in [*found, (code, form[at:])] if text]
    return [(language, "".join(text for _, text in run)) for language, run in groupby(found, itemgetter(0))]


def _filled(value: str, place: re.Match[str], code: str) -> Parts:
    if isinstance(value, Text):
        return parts(value, code)
    if place[2] == "n":
        return [(code, value.replace(".", words(code)["decimal"]))]
    if place[2]:
        return [(code, words(code)[place[2]].get(value, value))]
    return [(ENGLISH if place[1] == "why" else code, value)]


def _form(forms: Mapping[str, str], rule: Sequence[str], n: str) -> str:
    """The form for `n`; the rule is gettext's, and the names of the categories that its numbers stand for."""
    expression, *categories = rule
    return forms.get(categories[c2py(expression)(int(n))], forms["other"])
