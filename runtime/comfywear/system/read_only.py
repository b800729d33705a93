"""An SQLite file that somebody else may be writing, opened to be read and never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

__all__ = ["reading"]


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can only read; also while another program writes.

    Raises:
        sqlite3.Error: When it cannot be read.
    """
    # Whoever writes to it has a -wal beside it. Without one nobody does, and reading must leave none behind: one that
    # belongs to whoever looked would keep its owner out.
    alone = not file.with_name(f"{file.name}-wal").exists()
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro{'&immutable=1' * alone}", uri=True)) as found:
        yield found
