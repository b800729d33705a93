"""Asks in the terminal, by the names of the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from comfywear_export.dral.answers import Verdict
from comfywear_export.dral.asking import Asker

__all__ = ["ask_in_terminal"]

_KEYS: Final[dict[str, Verdict]] = {"y": "same", "n": "different", "s": "skipped"}


def ask_in_terminal(
    asker: Asker, folder: Path, read: Callable[[str], str] = input, show: Callable[[str], None] = print
) -> None:
    """Ask until nothing is open, or q or the end of the input is read."""
    session = asker.session
    while (question := asker.question()) is not None:
        show(
            f"\npicture {question.query + 1} of {session.queries}, question {question.asked + 1} about it, "
            f"{session.answered} answered\n  {folder / session.names[question.query]}\n"
            f"  {folder / session.names[question.item]}"
        )
        try:
            typed = read("the same person? [y]es [n]o [s]kip [u]ndo [q]uit: ").strip().lower()[:1]
        except EOFError:
            return
        if typed == "q":
            return
        if typed in _KEYS:
            asker.answer(question.query, question.item, _KEYS[typed])
        elif typed == "u":
            show("taken back" if asker.undo() else "there is nothing to take back")
        else:
            show("type y, n, s, u or q")
    show("\nnothing is left to ask")
