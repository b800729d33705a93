"""The folder that a data set is written to: a file appears whole or not at all, what is there is not done again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from comfywear.errors import StoreError, UsageError
from comfywear_export.data.formats.photos import check_photo
from comfywear_export.data.formats.records import Damaged, Picture
from comfywear_export.progress import counted

__all__ = ["MARK", "Target"]

MARK = "comfywear-dataset.json"


class Target:
    """A folder that a run fills; where an earlier one was cut off, only what is missing is done.

    Args:
        folder: Where it goes; it is made.
        plan: What is converted, and how: another plan in the same folder is refused.
        damaged: What happens to damaged pictures.
        again: Bring a finished folder up to date; labels that were changed in it are then lost.

    Attributes:
        finished: What an earlier run said when it was done, or None: then there is something to do.
        copied: How many pictures this run has copied.

    Raises:
        UsageError: The folder holds something else.
        StoreError: It cannot be written.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any], damaged: Damaged, again: bool = False) -> None:
        self.folder, self._plan, self._damaged = folder, dict(plan), damaged
        self._files: set[Path] = {folder / MARK}
        self.copied = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            before = json.loads((folder / MARK).read_text(encoding="utf-8")) if (folder / MARK).exists() else None
            if before is None and any(folder.iterdir()):
                raise UsageError(f"{folder}: the folder holds something else; give a new or an empty one")
        except (NotADirectoryError, FileExistsError) as error:
            raise UsageError(f"{folder}: not a folder") from error
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
        except ValueError as error:
            raise UsageError(f"{folder / MARK}: not readable ({error}); give a new folder") from error
        if before is not None and before.get("plan") != self._plan:
            raise UsageError(f"{folder}: it holds another conversion ({before.get('plan')}); give a new folder")
        self.finished: Any = before.get("finished") if before and not again else None
        if not self.finished:
            self.write(MARK, json.dumps({"plan": self._plan, "finished": None}))

    def place(
        self, pictures: Sequence[Picture], splits: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Picture, str]]:
        """Copy the pictures to `images/SPLIT/NAME`; yields each with that path.

        Args:
            pictures: In this order.
            splits: What the folders of splits are called, where not as the splits.
        """
        taken: set[str] = set()
        for picture in counted(pictures, "pictures"):
            folder = (splits or {}).get(picture.split, picture.split)
            placed = "/".join(part for part in ("images", folder, picture.name) if part)
            if placed in taken:
                self._damaged.refuse(picture.path, f"a second picture is named {placed}")
                continue
            taken.add(placed)
            with self._damaged.within(picture.path, ""):
                self._copy(picture.path, self.folder / placed)
            if self.folder / placed in self._files:
                yield picture, placed

    def write(self, name: str, text: str) -> None:
        """A text file, whole or not at all; one that says the same already is left alone."""
        path = self.folder / name
        self._files.add(path)
        data = text.encode()
        try:
            if path.is_file() and path.read_bytes() == data:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            part = _part(path)
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from error

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Remove what an earlier run left that no longer belongs to the set, and say that it is complete."""
        for path in sorted(path for root in ("images", "labels") for path in (self.folder / root).rglob("*")):
            if path.is_file() and path not in self._files:
                path.unlink()
        self.write(MARK, json.dumps({"plan": self._plan, "finished": facts}, indent=1))

    def _copy(self, source: Path, path: Path) -> None:
        """The same bytes at `path`; ValueError when the picture is damaged."""
        try:
            mine = source.stat()
            self._files.add(path)
            if path.is_file():
                theirs = path.stat()
                if (theirs.st_size, theirs.st_mtime_ns) == (mine.st_size, mine.st_mtime_ns):
                    return
            check_photo(source)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = _part(path)
            shutil.copyfile(source, part)
            os.utime(part, ns=(mine.st_atime_ns, mine.st_mtime_ns))
            part.replace(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
        except ValueError:
            self._files.discard(path)
            raise
        self.copied += 1


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
