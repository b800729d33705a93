"""An SQLite file that keeps what was accepted: durable at commit, set aside and replaced when damaged."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from comfywear.errors import StoreError
from comfywear.system.clock import Clock, wall_time
from comfywear.system.files import matching

_log = logging.getLogger(__name__)

MOST_SET_ASIDE = 3
TRY_AGAIN_S = 10.0
T = TypeVar("T")
DatabaseWork = Callable[[sqlite3.Connection], T]
Salvage = Callable[[sqlite3.Connection, Path], int]
Merge = Callable[[sqlite3.Connection, sqlite3.Connection], None]

# After these a connection may stay broken although the disk is well again: the file is opened anew.
_BROKEN = ("disk I/O error", "unable to open", "attempt to write a readonly")


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
        merge: Where the file cannot be opened at first, work is done in memory; once the file can be opened, this is
            called in a transaction of it with the connection in memory, and brings over what was written meanwhile.
            None: no memory stands in.

    Raises:
        StoreError: When the folder or the file cannot be written, and `merge` is None.
    """

    def __init__(
        self,
        path: Path | None,
        what: str,
        prepare: DatabaseWork[None],
        *,
        salvage: Salvage | None = None,
        clock: Clock = wall_time,
        merge: Merge | None = None,
    ) -> None:
        self.path = path
        self.what = what
        self.lock = threading.RLock()
        self.set_aside: list[Path] = []
        self._prepare = prepare
        self._salvage = salvage
        self._clock = clock
        self._merge = merge
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._stand_in: sqlite3.Connection | None = None
        self._try_again_s = time.monotonic() + TRY_AGAIN_S
        try:
            self._connection = self._open_or_replace()
        except StoreError as error:
            if merge is None:
                raise
            _log.error("%s; it is kept in memory alone until then", error)
            self._stand_in = self._open(":memory:")

    @property
    def lasting(self) -> bool:
        """False where all is kept in memory alone, or for now."""
        return self.path is not None and self._stand_in is None

    def write(self, work: DatabaseWork[T], *, durable: bool = True) -> T:
        """Run `work` in a transaction and return what it returns once that is committed.

        Args:
            work: What is done.
            durable: False where nothing is waited for: a loss of power may take it back, unless something durable was
                written after it. Never a part of it.

        Raises:
            StoreError: When it could not be committed (disk full, read-only); nothing of it is then kept.
        """
        if durable:
            return self._guarded(lambda connection: self._transact(connection, work))

        def act(connection: sqlite3.Connection) -> T:
            connection.execute("PRAGMA synchronous=NORMAL")
            try:
                return self._transact(connection, work)
            finally:
                connection.execute("PRAGMA synchronous=FULL")

        return self._guarded(act)

    def read(self, work: DatabaseWork[T]) -> T:
        """Run `work`, which only reads, and return what it returns.

        Raises:
            StoreError: When the file cannot be read now.
        """
        return self._guarded(work)

    def close(self) -> None:
        """Close the file; a later call of `write` or `read` raises StoreError."""
        with self.lock:
            self._closed = True
            self._drop()
            if self._stand_in is not None:
                self._come_back()
                self._stand_in = None

    def _guarded(self, act: DatabaseWork[T]) -> T:
        """Do `act`; on damage once more, with a new file. A file that cannot be opened is tried again at each call."""
        with self.lock:
            try:
                return act(self._opened())
            except sqlite3.OperationalError as error:  # no room, no permission, locked: the file itself is sound
                if str(error).startswith(_BROKEN):
                    self._drop()
                raise self._refusal(error) from error
            except sqlite3.DatabaseError as error:
                if type(error) is not sqlite3.DatabaseError:
                    raise self._refusal(error) from error
                self._drop()
                self._connection = self._begin_anew(str(error))
            except sqlite3.Error as error:
                raise self._refusal(error) from error
            try:
                return act(self._opened())
            except sqlite3.Error as error:
                raise self._refusal(error) from error

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self.what} is closed")
        if self._stand_in is not None:
            if time.monotonic() < self._try_again_s:
                return self._stand_in
            self._try_again_s = time.monotonic() + TRY_AGAIN_S
            self._come_back()
        if self._stand_in is not None:
            return self._stand_in
        if self._connection is None:
            self._connection = self._open_or_replace()
        return self._connection

    def _come_back(self) -> None:
        """From memory to the file, if that can be opened by now."""
        stand_in, merge = self._stand_in, self._merge
        assert stand_in is not None
        assert merge is not None
        with suppress(StoreError, sqlite3.Error):
            connection = self._open_or_replace()
            try:
                self._transact(connection, lambda file: merge(file, stand_in))
            except BaseException:
                connection.close()
                raise
            stand_in.close()
            self._connection, self._stand_in = connection, None
            _log.warning("%s: %s can be used again, and what was kept in memory is in it", self.what, self.path)

    def _drop(self) -> None:
        """Let go of the connection; the next call opens the file again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _transact(self, connection: sqlite3.Connection, work: DatabaseWork[T]) -> T:
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

    def _open(self, name: str = "") -> sqlite3.Connection:
        if self.path is not None and not name:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._refusal(error) from error
        name = name or (":memory:" if self.path is None else str(self.path))
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
        _keep_few(self.path)
        _log.error("%s was damaged (%s): set aside as %s, a new one begins", self.what, reason, target)
        return target

    def _refusal(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.what} ({self.path or 'in memory'}) cannot be used: {error}; "
            "check that its folder is writable and the disk has room"
        )


def _keep_few(path: Path) -> None:
    """Of the damaged files of a store only the newest stay: a card that damages it each day must not fill itself."""
    written: list[tuple[int, Path]] = []
    for each in matching(path.parent, f"{path.name}.damaged-*[0-9]"):
        with suppress(OSError):
            written.append((each.stat().st_mtime_ns, each))
    for _, old in sorted(written)[:-MOST_SET_ASIDE]:
        for file in (old, *(old.with_name(old.name + suffix) for suffix in ("-wal", "-shm"))):
            with suppress(OSError):
                file.unlink()
