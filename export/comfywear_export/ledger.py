"""Keeps what a long run has finished, so that a run which was killed goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfywear.errors import UsageError

__all__ = ["Ledger", "write_whole"]


class Ledger:
    """Finished parts of a run by key, in one JSON file that is replaced whole: never half-written, whenever killed.

    Args:
        path: Of the file; made when the first part is put.
        settings: What the run was asked for; parts of a run with other settings are not taken over.

    Raises:
        UsageError: the file is of a run with other settings, or no such file.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self._settings = json.loads(json.dumps(settings))
        self._parts: dict[str, Any] = {}
        if not path.is_file():
            return
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            before, self._parts = dict(data["settings"]), dict(data["parts"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: not the record of a run ({error}); remove it or give another --out") from error
        names = set(before) | set(self._settings)
        if changed := sorted(name for name in names if before.get(name) != self._settings.get(name)):
            raise UsageError(f"{path}: is of a run with other {', '.join(changed)}; give another --out")

    def __len__(self) -> int:
        return len(self._parts)

    def get(self, key: str) -> Any | None:
        """The finished part, or None."""
        return self._parts.get(key)

    def put(self, key: str, value: Any) -> None:
        """Keep a finished part (JSON values); on the disk when this returns."""
        self._parts[key] = value
        write_whole(self.path, json.dumps({"settings": self._settings, "parts": self._parts}))


def write_whole(path: Path, text: str) -> None:
    """Replace a file by `text`: a reader, and a run after a power cut, sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
