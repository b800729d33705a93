"""The report's words, numbers and dates in a language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from comfywear.errors import UsageError
from comfywear.texts import languages, parts, recalled, words

__all__ = ["Wording"]


class Wording:
    """Words of one language.

    Raises:
        UsageError: When there are none of it.
    """

    def __init__(self, code: str) -> None:
        if code not in languages():
            raise UsageError(f"--language {code!r} is not known here; there are: {', '.join(languages())}")
        self.code = code
        self._words = words(code)["report"]
        self._page = words(code)

    def say(self, name: str, **values: str) -> str:
        """The words of a name such as "votes.none", with values for what stands in braces."""
        found: Any = self._words
        for step in name.split("."):
            found = found[step]
        return str(found).format(**values)

    def several(self, name: str) -> Sequence[str]:
        """A list of words."""
        found: Sequence[str] = self._words[name]
        return found

    def number(self, value: float | None, digits: int = 1, *, signed: bool = False) -> str:
        """A number as it is written; – where it is not known."""
        if value is None or value != value:
            return "–"
        text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
        if float(text) == 0.0:
            text = text.lstrip("+-")
        return text.replace("-", "−").replace(".", str(self._page["decimal"]))

    def hours(self, value: float) -> str:
        """Hours, with a decimal only where they are few."""
        return self.say("hours", n=self.number(value, 0 if value >= 10 or value == 0 else 1))

    def share(self, value: float | None) -> str:
        """A share of 1 in percent."""
        return "–" if value is None else f"{self.number(100.0 * value, 0)} %"

    def day(self, moment: datetime) -> str:
        """Such as "Tue 14"."""
        return self.say("day", weekday=self.several("weekdays")[moment.weekday()], day=str(moment.day))

    def month(self, year: int, number: int) -> str:
        """Such as "January 2027"."""
        return self.say("month", month=self.several("months")[number - 1], year=str(year))

    def advice(self, what: str) -> str:
        """A sentence of advice, which messages say in the device's language; in this one where it is known."""
        text = "".join(piece for _, piece in parts(recalled(what), self.code))
        return text[:1].upper() + text[1:]
