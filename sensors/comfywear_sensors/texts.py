"""Sentences for people that remember how they were made, so that they can be said in another language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce

__all__ = ["PLACE", "Text", "changed", "listed", "together"]

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
"""A place in a sentence: `{name}`; in a language's file also `{name:n}` for a number, which gets its decimal sign, and
`{name:garments}` for a word that its table `garments` has."""


class Text(str):
    """An English sentence with its key, which is the sentence before its places were filled, and their values.

    It is a str and is used as one. `str()` of it, and of an error that was raised with it, keeps the key; joining it to
    other text gives plain text.

    Attributes:
        key: Such as "no frame for {seconds} s".
        values: By place; a value may itself be such a sentence.
    """

    __slots__ = ("key", "values")
    key: str
    values: Mapping[str, str]

    def __new__(cls, key: str, /, **values: object) -> Text:  # noqa: PYI034 - it has no subclass
        """A sentence; `key` is written out where it is made, for the catalogue is checked against the code."""
        said = {name: value if isinstance(value, Text) else str(value) for name, value in values.items()}
        made = super().__new__(cls, PLACE.sub(lambda place: said[place[1]], key))
        made.key, made.values = key, said
        return made

    def __str__(self) -> str:
        """Itself."""
        return self

    def __reduce__(self) -> tuple[Callable[..., Text], tuple[str, Mapping[str, str]]]:
        """How it goes to another process."""
        return _again, (self.key, self.values)


def _again(key: str, values: Mapping[str, str]) -> Text:
    return Text(key, **values)


def changed(sentence: str, change: Callable[[str], str]) -> str:
    """`sentence` with something done to it; it keeps its key where only its values change."""
    if not isinstance(sentence, Text):
        return change(sentence)
    kept = Text(sentence.key, **{name: changed(each, change) for name, each in sentence.values.items()})
    plain = change(sentence[:])
    return kept if kept == plain else plain


def together(*sentences: str) -> str:
    """Sentences one after the other with semicolons; "" of none."""
    return reduce(lambda first, then: Text("{first}; {then}", first=first, then=then), sentences) if sentences else ""


def listed(*sentences: str) -> str:
    """The same with commas."""
    return reduce(lambda first, then: Text("{first}, {then}", first=first, then=then), sentences) if sentences else ""
