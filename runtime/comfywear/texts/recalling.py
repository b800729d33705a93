"""Sentences that were stored, or came in a message, with their keys again."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from comfywear.texts.catalogue import ENGLISH, languages, words
from comfywear_sensors.texts import PLACE, Text

__all__ = ["recalled"]

_LEAST = 8
"""Characters beside its places that a key must have: "{path}: {why}" is whatever has a colon."""


_MOST = 500
"""Characters of a sentence that is looked for: with many places and long values, to try them all takes ever longer."""


class _Known(NamedTuple):
    """What a sentence looks like in a language, and the kind of each place by its name."""

    pattern: re.Pattern[str]
    key: str
    kinds: dict[str, str]
    code: str


@lru_cache(maxsize=512)
def recalled(sentence: str) -> str:
    """`sentence` with its key, whichever language it is in; as it is where it is long or nothing is known like it."""
    if not sentence or isinstance(sentence, Text):
        return sentence
    if sentence in _keys():
        return Text(sentence)
    if len(sentence) > _MOST:
        return sentence
    possible = [
        Text(known.key, **{name: _value(value, name, known) for name, value in found.groupdict().items()})
        for known in _known()
        if (found := known.pattern.fullmatch(sentence))
    ]
    return max(possible, key=_words, default=sentence)


def _words(sentence: str) -> int:
    """How much of a sentence, and of those in it, stands in the catalogue, in characters."""
    if not isinstance(sentence, Text):
        return 0
    return len(PLACE.sub("", sentence.key)) + sum(_words(value) for value in sentence.values.values())


def _value(text: str, name: str, known: _Known) -> str:
    kind = known.kinds.get(name, "")
    if kind == "n":
        return text.replace(words(known.code)["decimal"], ".")
    if kind:
        return next((english for english, said in words(known.code)[kind].items() if said == text), text)
    return recalled(text)


@cache
def _keys() -> frozenset[str]:
    return frozenset(key for code in languages() for key in words(code)["sentences"])


@cache
def _known() -> tuple[_Known, ...]:
    """All that are known, the English ones first."""
    forms = [(key, key, ENGLISH) for key in _keys()]
    for code in languages():
        for key, form in words(code)["sentences"].items():
            forms += [(key, each, code) for each in ([form] if isinstance(form, str) else form.values())]
    chosen = [each for each in forms if len(PLACE.sub("", each[1])) >= _LEAST]
    chosen.sort(key=lambda each: (each[2] != ENGLISH, each))
    return tuple(_Known(_pattern(form), key, dict(PLACE.findall(form)), code) for key, form, code in chosen)


def _pattern(form: str) -> re.Pattern[str]:
    """Of all that the sentence can be; a place that stands there twice holds the same both times."""
    seen: set[str] = set()
    pieces, at = [], 0
    for place in PLACE.finditer(form):
        name = place[1]
        pieces += [re.escape(form[at : place.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
        seen.add(name)
        at = place.end()
    return re.compile("".join([*pieces, re.escape(form[at:])]), re.DOTALL)
