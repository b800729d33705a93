from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from comfywear.errors import StoreError
from comfywear.system.clock import WallTime
from comfywear.system.database import MOST_SET_ASIDE, Database


def prepare(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT NOT NULL)")


def note(database: Database, text: str) -> None:
    database.write(lambda connection: connection.execute("INSERT INTO notes VALUES (?)", (text,)))


def notes(database: Database) -> list[str]:
    return [text for (text,) in database.read(lambda c: c.execute("SELECT text FROM notes").fetchall())]


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    database = Database(tmp_path / "new" / "a.sqlite", "the notes", prepare)
    note(database, "kept")
    # Another connection sees it at once: it was committed before write() returned.
    assert sqlite3.connect(tmp_path / "new" / "a.sqlite").execute("SELECT text FROM notes").fetchall() == [("kept",)]
    database.close()
    assert notes(Database(tmp_path / "new" / "a.sqlite", "the notes", prepare)) == ["kept"]


def test_commits_wait_for_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", "the notes", prepare)
    assert database.read(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (2,)  # FULL
    assert database.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)


def test_what_need_not_be_durable_does_not_wait_for_the_disk_and_what_follows_does(tmp_path: Path) -> None:
    def ask(connection: sqlite3.Connection) -> tuple[int]:
        connection.execute("INSERT INTO notes VALUES ('quick')")
        found: tuple[int] = connection.execute("PRAGMA synchronous").fetchone()
        return found

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES ('half')")
        raise ZeroDivisionError

    database = Database(tmp_path / "a.sqlite", "the notes", prepare)
    assert database.write(ask, durable=False) == (1,)  # NORMAL
    assert database.write(ask) == (2,)
    with pytest.raises(ZeroDivisionError):
        database.write(fail, durable=False)
    assert database.write(ask) == (2,)
    assert notes(database) == ["quick"] * 3


def test_work_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", "the notes", prepare)

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES ('half')")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(half)
    note(database, "whole")
    assert notes(database) == ["whole"]


@pytest.mark.parametrize(
    "damage", [b"not a database, but longer than its header" * 10, b"SQLite format 3\0" + b"\xff" * 500]
)
def test_a_damaged_file_is_set_aside_and_replaced(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.sqlite"
    for number in (1, 2):
        path.write_bytes(damage)
        database = Database(path, "the notes", prepare, clock=lambda: WallTime("2027-01-02T03:04:05.000+00:00", True))
        note(database, "new")
        assert notes(database) == ["new"]
        assert database.set_aside == [tmp_path / f"a.sqlite.damaged-2027-01-02T030405-{number}"]
        assert database.set_aside[0].read_bytes() == damage
        database.close()
    assert "the notes was damaged" in caplog.text


def test_damage_inside_a_sound_looking_file_is_found_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    database = Database(path, "the notes", prepare)
    for _ in range(200):
        note(database, "x" * 500)
    database.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 20_000)
    database = Database(path, "the notes", prepare)
    assert notes(database) == []
    assert len(database.set_aside) == 1


def test_damage_while_it_is_open_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    database = Database(path, "the notes", prepare)
    for _ in range(50):
        note(database, "x" * 500)
    database.read(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    database.read(lambda connection: connection.execute("PRAGMA cache_size = 0"))
    with path.open("r+b") as file:
        file.write(b"\xa5" * 30_000)
    note(database, "after")
    assert notes(database) == ["after"]
    assert len(database.set_aside) == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"the notes .* cannot be used: .*check that its folder is writable"):
        Database(tmp_path / "file" / "a.sqlite", "the notes", prepare)


# The largest file that the process may write stands in for a full disk: the write really fails.
FULL = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_database import note, notes, prepare
from comfywear.system.database import Database
from comfywear.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
database = Database(Path(sys.argv[1]), "the notes", prepare)
note(database, "before")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
refused = 0
for _ in range(5):
    try:
        note(database, "x" * 200_000)
    except StoreError:
        refused += 1
assert refused == 5, refused
assert notes(database) == ["before"]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
note(database, "after")
assert notes(database) == ["before", "after"]
"""


def test_a_full_disk_refuses_and_is_used_again_once_there_is_room(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path / "a.sqlite"), str(Path(__file__).parent)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr


def test_memory_alone_works_without_a_disk() -> None:
    database = Database(None, "the notes", prepare)
    note(database, "here")
    assert notes(database) == ["here"]


def damaged_while_open(path: Path) -> Database:
    database = Database(path, "the notes", prepare)
    for _ in range(50):
        note(database, "x" * 500)
    database.read(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    database.read(lambda connection: connection.execute("PRAGMA cache_size = 0"))
    with path.open("r+b") as file:
        file.write(b"\xa5" * 30_000)
    return database


def test_a_damaged_file_on_a_card_that_went_read_only_is_used_again_once_it_can_be_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = damaged_while_open(tmp_path / "a.sqlite")

    def read_only(*_: object) -> Path:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as card:
        card.setattr(Path, "rename", read_only)
        for _ in range(3):
            with pytest.raises(StoreError, match="cannot be used"):
                note(database, "refused")
    note(database, "after")
    assert notes(database) == ["after"]


def test_a_connection_that_the_disk_broke_is_opened_anew(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", "the notes", prepare)
    note(database, "before")
    first: list[sqlite3.Connection] = []

    def broken(connection: sqlite3.Connection) -> None:
        first.append(connection)
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreError, match="disk I/O error"):
        database.read(broken)
    assert notes(database) == ["before"]
    assert database.read(lambda connection: connection) is not first[0]


def test_a_closed_store_says_so_in_its_own_words(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", "the notes", prepare)
    database.close()
    for act in (lambda: note(database, "late"), lambda: notes(database)):
        with pytest.raises(StoreError, match="the notes is closed"):
            act()


def test_no_error_of_the_library_leaves_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite", "the notes", prepare)
    with pytest.raises(StoreError):
        database.write(lambda connection: connection.execute("INSERT INTO notes VALUES (NULL)"))
    with pytest.raises(StoreError):
        database.read(lambda connection: connection.execute("SELECT ?"))


def test_only_the_newest_damaged_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    for number in range(7):
        path.write_bytes(bytes([number]) * 4096)
        Database(path, "the notes", prepare).close()
    assert len(list(tmp_path.glob("a.sqlite.damaged-*"))) == MOST_SET_ASIDE


def bring(file: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    file.executemany("INSERT INTO notes VALUES (?)", memory.execute("SELECT text FROM notes").fetchall())


def test_memory_stands_in_for_a_file_that_cannot_be_opened_and_goes_into_it_once_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(tmp_path / "there.sqlite", "the notes", prepare).close()
    (tmp_path / "state").write_text("in the way")
    database = Database(tmp_path / "state" / "a.sqlite", "the notes", prepare, merge=bring)
    note(database, "in memory")
    assert not database.lasting
    assert notes(database) == ["in memory"]
    (tmp_path / "state").unlink()
    monkeypatch.setattr(database, "_try_again_s", 0.0)
    note(database, "on the disk")
    assert database.lasting
    assert notes(database) == ["in memory", "on the disk"]
    database.close()
    assert notes(Database(tmp_path / "state" / "a.sqlite", "the notes", prepare)) == ["in memory", "on the disk"]


def test_at_the_end_what_is_in_memory_goes_into_the_file_if_it_can(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    database = Database(tmp_path / "state" / "a.sqlite", "the notes", prepare, merge=bring)
    note(database, "kept")
    (tmp_path / "state").unlink()
    database.close()
    assert notes(Database(tmp_path / "state" / "a.sqlite", "the notes", prepare)) == ["kept"]
