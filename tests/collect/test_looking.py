"""Looking into what was collected: both databases, and everything that is none of ours."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import made_month
import pytest
from test_stores import came, opened

from comfywear.cli import main
from comfywear.collect.looking import look_into
from comfywear.errors import ComfyWearError, StoreError, UsageError

SINCE, UNTIL = datetime(2026, 1, 2, tzinfo=timezone.utc), datetime(2026, 1, 3, tzinfo=timezone.utc)


def message(device: str, seq: int, ts: str, kind: str = "climate") -> Any:
    return came(device, seq, tail=f"zone/desk/{kind}", ts=ts, state="fresh", air_temp_c=20.0 + seq)


def test_what_a_device_said_in_a_time_comes_by_its_own_clock(database: str) -> None:
    with opened(database) as store:
        store.save(
            [
                message("a", 1, "2026-01-01T23:59:59.999+00:00"),
                message("a", 3, "2026-01-02T23:59:59.999+00:00"),
                message("a", 2, "2026-01-02T00:00:00.000+00:00"),
                message("a", 4, "2026-01-03T00:00:00.000+00:00"),
                message("a", 5, "2026-01-02T12:00:00.000+00:00", "people"),
                came("a", 6, ts=None),
                message("b", 1, "2026-01-02T12:00:00.000+00:00"),
            ]
        )
        with look_into(database) as found:  # while the collector has it open
            assert found.devices() == [("home", "a"), ("home", "b")]
            said = list(found.said("home", "a", ("climate", "vote"), SINCE, UNTIL))
            span = found.span()
    assert [json.loads(each.payload)["seq"] for each in said] == [2, 3]
    assert {(each.zone, each.kind) for each in said} == {("desk", "climate")}
    assert said[0].unix_s == SINCE.timestamp()
    assert span is not None
    assert [f"{moment.astimezone(timezone.utc):%Y-%m-%d}" for moment in span] == ["2026-01-01", "2026-01-03"]


def test_nothing_can_be_changed(database: str) -> None:
    with opened(database) as store:
        store.save([message("a", 1, "2026-01-02T00:00:00.000+00:00")])
    change = "SELECT nextval('streams_id_seq')" if "://" in database else "DELETE FROM entries"
    with pytest.raises(StoreError, match=r"read-?only"), look_into(database) as found:
        list(found._query(change, ()))
    with look_into(database) as found:
        assert found.span() is not None


def test_a_file_is_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "collected.db"
    with opened(str(file)) as store:
        store.save([message("a", 1, "2026-01-02T00:00:00.000+00:00")])
    before = file.read_bytes(), file.stat().st_mtime_ns
    with look_into(str(file)) as found:
        assert len(list(found.said("home", "a", ("climate",), SINCE, UNTIL))) == 1
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert sorted(tmp_path.iterdir()) == [file]


def test_tables_of_another_version_are_refused_in_words(database: str) -> None:
    with opened(database):
        pass
    statement = "UPDATE facts SET value = 99"
    if "://" in database:
        import psycopg

        with psycopg.connect(database, options="-c search_path=comfywear") as server:
            server.execute(statement)
    else:
        with closing(sqlite3.connect(database)) as lite, lite:
            lite.execute(statement)
    with pytest.raises(StoreError, match=r"a later version of comfywear \(tables 99"), look_into(database):
        pass


def made(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as other, other:
        for statement in statements:
            other.execute(statement)


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE things (name)",),
        ("CREATE TABLE facts (name, value)",),
        ("CREATE TABLE facts (name, value)", "INSERT INTO facts VALUES ('version', 'two')"),
        ("CREATE TABLE facts (what)",),
        (),
    ],
)
def test_a_database_of_another_program_is_refused_in_words(tmp_path: Path, statements: tuple[str, ...]) -> None:
    made(tmp_path / "other.db", *statements)
    with (
        pytest.raises(StoreError, match="is no database of `comfywear collect`"),
        look_into(str(tmp_path / "other.db")),
    ):
        pass


def test_what_is_no_database_or_damaged_is_refused_in_words(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("nothing of the kind " * 100)
    with pytest.raises(StoreError, match="is no database of"), look_into(str(text)):
        pass
    file = tmp_path / "collected.db"
    with opened(str(file)) as store:
        store.save([message("a", seq, "2026-01-02T00:00:00.000+00:00") for seq in range(1, 500)])
    content = bytearray(file.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    file.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be read"), look_into(str(file)) as found:
        list(found.said("home", "a", ("climate",), SINCE, UNTIL))


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        ("mysql://host/db", UsageError, "no database known here"),
        ("/no/such/file.db", StoreError, "no such file"),
        ("", ComfyWearError, "no such file"),
        ("/tmp", StoreError, "no such file"),
        ("postgresql://127.0.0.1:1/none", StoreError, "cannot be reached"),
        ("postgresql://host:port/none", UsageError, "is no port"),
    ],
)
def test_a_place_that_is_none_is_refused_in_words(place: str, error: type[ComfyWearError], said: str) -> None:
    with pytest.raises(error, match=said), look_into(place):
        pass


def test_a_report_is_the_same_whichever_database_it_comes_from(database: str, tmp_path: Path) -> None:
    for place, out in ((str(tmp_path / "other.db"), "other.html"), (database, "this.html")):
        made_month.collect(place, days=3)
        words = ["report", "--db", place, "--month", "2026-01", "--timezone", "UTC", "--out", str(tmp_path / out)]
        assert main(words) == 0
    pages = [re.sub("Made on.*", "", (tmp_path / out).read_text()) for out in ("other.html", "this.html")]
    assert pages[0] == pages[1]
    assert "with people" in pages[0]
