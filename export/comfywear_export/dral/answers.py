"""The file of answers: a line each, on the disk before the next question is asked."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, final, get_args

from comfywear.errors import StoreError, UsageError
from comfywear.system.clock import wall_time

__all__ = ["SCHEMA", "Answer", "AnswerFile", "Verdict"]

SCHEMA = "comfywear/v1/reid-answer"

Verdict = Literal["same", "different", "skipped"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said about two pictures, by name; the first was the query."""

    query: str
    item: str
    verdict: Verdict

    @property
    def pair(self) -> frozenset[str]:
        """The two names, whichever was the query."""
        return frozenset((self.query, self.item))


@final
class AnswerFile:
    """Answers in JSON lines; use it as a context manager.

        {"schema": "comfywear/v1/reid-answer", "query": "a.jpg", "item": "b.jpg", "answer": "same", "ts": …}

    An answer that was taken back has a later line with "answer": "undone". A last line without its end, left by a loss
    of power in the midst of writing, is cut off.

    Args:
        path: Made when it is not there.

    Attributes:
        answers: Those that hold, the oldest first.

    Raises:
        UsageError: The file holds something else.
        StoreError: It cannot be read or written, or another process asks into it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: list[Answer] = []
        try:
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror})") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise StoreError(f"{path}: another process writes answers into it; end that one first") from error
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> AnswerFile:
        """Return the open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._file.close()

    def add(self, answer: Answer) -> None:
        """Keep an answer; it is on the disk when this returns.

        Raises:
            UsageError: The pair was answered before, or is a picture beside itself.
            StoreError: It could not be written; the answer then does not count.
        """
        if answer.query == answer.item or answer.pair in {each.pair for each in self.answers}:
            raise UsageError(f"{answer.query} and {answer.item} are not asked about: answered before, or one picture")
        self._write(answer, answer.verdict)
        self.answers.append(answer)

    def undo(self) -> Answer | None:
        """Take the newest answer back; returns it, None when there is none.

        Raises:
            StoreError: It could not be written; the answer then still counts.
        """
        if not self.answers:
            return None
        self._write(self.answers[-1], "undone")
        return self.answers.pop()

    def _write(self, answer: Answer, said: str) -> None:
        line: dict[str, Any] = {"schema": SCHEMA, "query": answer.query, "item": answer.item, "answer": said}
        data = (json.dumps({**line, "ts": wall_time()[0]}, ensure_ascii=False) + "\n").encode()
        size = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(data) != len(data):
                raise OSError(28, "the disk is full")
            os.fsync(self._file.fileno())
        except OSError as error:
            os.ftruncate(self._file.fileno(), size)
            raise StoreError(f"{self.path}: the answer could not be written ({error.strerror})") from error

    def _read(self) -> None:
        self._file.seek(0)
        data = self._file.read() or b""
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._file.fileno(), whole)
        for number, line in enumerate(data[:whole].split(b"\n")[:-1], start=1):
            self._take(line, f"{self.path}:{number}")

    def _take(self, line: bytes, where: str) -> None:
        try:
            found = json.loads(line)
            query, item, said = found["query"], found["item"], found["answer"]
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{where}: no answer of `label reid`; name another --out or mend the line") from error
        if found.get("schema") != SCHEMA or not isinstance(query, str) or not isinstance(item, str) or query == item:
            raise UsageError(f"{where}: no answer of `label reid`; name another --out or mend the line")
        if said == "undone":
            self.answers = [each for each in self.answers if each.pair != frozenset((query, item))]
        elif said not in get_args(Verdict):
            raise UsageError(f"{where}: {said!r} is none of {', '.join(get_args(Verdict))}, undone")
        elif frozenset((query, item)) in {each.pair for each in self.answers}:
            raise UsageError(f"{where}: {query} and {item} were answered before; remove one of the lines")
        else:
            self.answers.append(Answer(query, item, said))
