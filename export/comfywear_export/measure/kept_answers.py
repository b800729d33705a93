"""Answers of a model kept in a file while a long measurement runs, so that it goes on where it was cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from comfywear.errors import StoreError

__all__ = ["KeptAnswers", "file_key"]


class KeptAnswers:
    """A file with a line an answer, each on the disk before the next is computed.

    A line that was cut off does not count; a file of another model or other settings is begun anew.

    Args:
        path: None keeps nothing.
        head: What the answers depend on, besides their picture: model, engine, precision.

    Raises:
        StoreError: The file cannot be written.
    """

    def __init__(self, path: Path | None, head: Mapping[str, Any]) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        if path is None:
            return
        lines = _lines(path)
        same = bool(lines) and lines[0] == ["head", json.loads(json.dumps(head))]
        if same:
            self._known = dict(lines[1:])
        self._write("a" if same else "w", [] if same else [["head", head]])

    def get(self, key: str, work: Callable[[], Any]) -> Any:
        """The answer for `key`: what is kept, or what `work` says, in the plain types that JSON has."""
        if key not in self._known:
            answer = work()
            if self._path is None:
                return answer
            self._write("a", [[key, answer]])
            self._known[key] = answer
        return self._known[key]

    def forget(self) -> None:
        """The measurement is done: remove the file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _write(self, mode: str, lines: list[list[Any]]) -> None:
        assert self._path is not None
        try:
            with self._path.open(mode, encoding="utf-8") as file:
                # After a line that was cut off a new one begins.
                file.write("".join(f"\n{json.dumps(line)}" for line in lines))
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written ({error.strerror})") from error


def file_key(path: Path, *more: object) -> str:
    """A picture as it is now, and what else the answer depends on."""
    state = path.stat()
    return json.dumps([str(path), state.st_size, state.st_mtime_ns, *more])


def _lines(path: Path) -> list[list[Any]]:
    found: list[list[Any]] = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return found
    for line in text.splitlines():
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str):
                found.append(entry)
    return found
