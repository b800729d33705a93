"""An SQLite file that keeps what was accepted: durable at commit, set aside and replaced when damaged."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from comfywear.clock import Clock, wall_time
from comfywear.errors import StoreError

_log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Salvage = Callable[[sqlite3.Connection, Path], int]


class Database:
    """One SQLite file, used by any thread, each piece of work in a transaction of its own.

    WAL with `synchronous=FULL`: when `write()` has returned, the rows survive kill -9 and loss of power.

    Args:
        path: The file, or None for memory alone (nothing survives; for a device whose disk cannot be written).
        what: What it is to the user, such as "the store of votes".
        prepare: Creates the tables if they are missing; runs in a transaction on each opening. It raises
            sqlite3.DatabaseError for a file with tables of another kind, which is then treated as damaged.
        salvage: Called in a transaction of the new file with the one that was set aside; brings over the rows that
            can still be read and returns how many.
        clock: Names the day in the name of a file that is set aside.

    Raises:
        StoreError: When the folder or the file cannot be written.
    """

    def __init__(
        self,
        path: Path | None,
        what: str,
        prepare: Work[None],
        *,
        salvage: Salvage | None = None,
        clock: Clock = wall_time,
    ) -> None:
        self.path = path
        self.what = what
        self.lock = threading.RLock()
        self.set_aside: list[Path] = []
        self._prepare = prepare
        self._salvage = salvage
        self._clock = clock
        self._connection = self._open_or_replace()

    def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction and return what it returns once that is committed.

        Raises:
            StoreError: When it could not be committed (disk full, read-only); nothing of it is then kept.
        """
        return self._guarded(lambda: self._transact(self._connection, work))

    def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, and return what it returns."""
        return self._guarded(lambda: work(self._connection))

    def close(self) -> None:
        """Close the file; a later call of `write` or `read` fails."""
        with self.lock:
            self._connection.close()

    def _guarded(self, act: Callable[[], T]) -> T:
        """Do `act`; on damage once more, with a new file."""
        with self.lock:
            try:
                return act()
            except sqlite3.OperationalError as error:  # no room, no permission, locked: the file itself is sound
                raise self._refusal(error) from error
            except sqlite3.DatabaseError as error:
                if type(error) is not sqlite3.DatabaseError:
                    raise
                self._replace(str(error))
            try:
                return act()
            except sqlite3.Error as error:
                raise self._refusal(error) from error

    def _transact(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # some failures have rolled back already
                connection.execute("ROLLBACK")
            raise
        return result

    def _open_or_replace(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.OperationalError as error:
            raise self._refusal(error) from error
        except sqlite3.DatabaseError as error:
            return self._begin_anew(str(error))

    def _open(self) -> sqlite3.Connection:
        if self.path is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._refusal(error) from error
        name = ":memory:" if self.path is None else str(self.path)
        connection = sqlite3.connect(name, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            self._transact(connection, self._prepare)
        except BaseException:
            connection.close()
            raise
        return connection

    def _replace(self, reason: str) -> None:
        self._connection.close()
        self._connection = self._begin_anew(reason)

    def _begin_anew(self, reason: str) -> sqlite3.Connection:
        """Set the file aside, open a new one, and bring over what can be read."""
        aside = self._move_aside(reason)
        try:
            connection = self._open()
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        if aside is not None and self._salvage is not None:
            salvage = self._salvage
            try:
                kept = self._transact(connection, lambda c: salvage(c, aside))
                _log.error("%s: %d rows could be read and are kept", self.what, kept)
            except (sqlite3.Error, OSError) as error:
                _log.error("%s: nothing could be brought over from %s (%s)", self.what, aside, error)
        return connection

    def _move_aside(self, reason: str) -> Path | None:
        if self.path is None:
            return None
        ts, _ = self._clock()
        day = ts[:19].replace(":", "") if ts else "undated"
        number = 1
        while (target := self.path.with_name(f"{self.path.name}.damaged-{day}-{number}")).exists():
            number += 1
        try:
            self.path.rename(target)
            for suffix in ("-wal", "-shm"):
                companion = self.path.with_name(self.path.name + suffix)
                if companion.exists():
                    companion.rename(target.with_name(target.name + suffix))
        except OSError as error:
            raise self._refusal(error) from error
        self.set_aside.append(target)
        _log.error("%s was damaged (%s): set aside as %s, a new one begins", self.what, reason, target)
        return target

    def _refusal(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.what} ({self.path or 'in memory'}) cannot be used: {error}; "
            "check that its folder is writable and the disk has room"
        )
