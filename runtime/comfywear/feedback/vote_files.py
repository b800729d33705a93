"""Votes read from the store's file while the device runs, and written as CSV, Parquet or JSON lines. Read-only."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from comfywear.errors import ComfyWearError, StoreError, UsageError
from comfywear.feedback.vote_rows import Selection, columns_of, vote_of
from comfywear.records import Vote
from comfywear.system.read_only import reading
from comfywear.texts import builtins

FORMATS = ("csv", "parquet", "jsonl")
_CHUNK = 500

# The flat columns and their Arrow types; `persons_json` and what follows hold what has no fixed number of columns.
_FLAT: dict[str, str] = {
    "id": "string",
    "zone": "string",
    "level": "int8",
    "scale": "string",
    "words": "string",
    "source": "string",
    "person": "string",
    "ts": "string",
    "time_ok": "bool",
    "undone": "bool",
    "climate_state": "string",
    "simulated": "bool",
    "air_temp_c": "double",
    "humidity_pct": "double",
    "radiant_temp_c": "double",
    "air_speed_m_s": "double",
    "persons": "int16",
    "clo": "double",
    "clo_sd": "double",
    "model": "string",
    "expected_vote": "double",
    "model_level": "int8",
    "decision": "string",
    "pmv": "double",
    "ppd_pct": "double",
    "probabilities_json": "string",
    "inputs_json": "string",
    "persons_json": "string",
    "worn_json": "string",
    "skin_json": "string",
    "models_json": "string",
}


def read_votes(file: Path, selection: Selection = Selection(), *, newest_first: bool = False) -> Iterator[Vote]:  # noqa: B008 - frozen
    """The selected votes of a store's file, in the order of pressing, undone ones with them.

    Raises:
        StoreError: When there is no such file or it cannot be read.
    """
    clause, values = selection.clause()
    with _reading(file) as connection:
        order = "DESC" if newest_first else "ASC"
        query = f"SELECT {columns_of(connection)} FROM votes WHERE {clause} ORDER BY number {order}"  # noqa: S608 - clauses of this room alone
        rows = connection.execute(query, values)
        while chunk := rows.fetchmany(_CHUNK):
            for row in chunk:
                yield vote_of(row)


def count_votes(file: Path) -> int:
    """How many votes of a store's file were not undone; errors as `read_votes`."""
    with _reading(file) as connection:
        return int(connection.execute("SELECT count(*) FROM votes WHERE undone = 0").fetchone()[0])


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    if not file.is_file():
        raise StoreError(f"{file}: there is no store of votes; nobody has voted, or name the folder with --state-dir")
    try:
        with reading(file) as found:
            yield found
    except sqlite3.Error as error:
        raise StoreError(f"{file}: the votes cannot be read ({error})") from error


def flat(vote: Vote) -> dict[str, Any]:
    """A vote as one row of `_FLAT`'s columns."""
    climate, clothing, comfort = vote.climate, vote.clothing, vote.comfort
    row = {name: getattr(vote, name) for name in list(_FLAT)[:10]}
    row["climate_state"] = climate and climate.state
    for name in ("simulated", "air_temp_c", "humidity_pct", "radiant_temp_c", "air_speed_m_s"):
        row[name] = climate and getattr(climate, name)
    row["persons"] = len(vote.persons)
    row["clo"], row["clo_sd"] = (clothing.clo, clothing.clo_sd) if clothing else (None, None)
    for name in ("model", "expected_vote", "decision", "pmv", "ppd_pct"):
        row[name] = comfort and getattr(comfort, name)
    row["model_level"] = comfort and comfort.level
    row["probabilities_json"] = _json(comfort.probabilities if comfort else ())
    row["inputs_json"] = _json(comfort.inputs if comfort else {})
    for name in ("persons", "worn", "skin", "models"):
        row[f"{name}_json"] = _json(getattr(vote, name))
    return {name: _finite(row[name]) for name in _FLAT}


def export_votes(file: Path, out: str, form: str, selection: Selection, *, force: bool = False) -> int:
    """Write the selected votes of the store `file` to `out` ("-" = standard output); returns how many.

    The result appears under its name only when it is complete.

    Raises:
        UsageError: When the form is not one of `FORMATS`, or `out` exists and `force` is not set.
        StoreError: When the store cannot be read.
        ComfyWearError: When `out` cannot be written, or Parquet's package is missing.
    """
    if form not in FORMATS:
        raise UsageError(f"{form!r} is no format; there are: {', '.join(FORMATS)}")
    votes = read_votes(file, selection)
    if out == "-":
        if form == "parquet":
            raise UsageError("Parquet is not text: name a file with --out")
        return _write_text(sys.stdout, form, votes)
    target = Path(out)
    if target.exists() and not force:
        raise UsageError(f"{target} exists; name another file, or write over it with --force")
    part = target.with_name(f".{target.name}.part")
    try:
        if form == "parquet":
            count = _write_parquet(part, votes)
        else:
            with part.open("w", encoding="utf-8", newline="") as stream:
                count = _write_text(stream, form, votes)
        part.replace(target)
    except StoreError:
        raise
    except OSError as error:
        raise ComfyWearError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _write_text(stream: IO[str], form: str, votes: Iterator[Vote]) -> int:
    count = 0
    writer = csv.DictWriter(stream, list(_FLAT), lineterminator="\n")
    if form == "csv":
        writer.writeheader()
    for vote in votes:
        if form == "csv":
            writer.writerow({name: _safe(value) for name, value in flat(vote).items()})
        else:
            stream.write(_json(vote) + "\n")
        count += 1
    return count


def _write_parquet(part: Path, votes: Iterator[Vote]) -> int:
    try:
        pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise ComfyWearError("Parquet needs pyarrow: pip install 'comfywear[evaluate]', or use --format csv") from error
    kinds = {"string": "string", "bool": "bool_", "int8": "int8", "int16": "int16", "double": "float64"}
    schema = pa.schema([(name, getattr(pa, kinds[kind])()) for name, kind in _FLAT.items()])
    count = 0
    with parquet.ParquetWriter(part, schema) as writer:
        chunk: list[dict[str, Any]] = []
        for vote in votes:
            chunk.append(flat(vote))
            if len(chunk) == _CHUNK:
                writer.write_table(pa.Table.from_pylist(chunk, schema))
                count, chunk = count + len(chunk), []
        writer.write_table(pa.Table.from_pylist(chunk, schema))
    return count + len(chunk)


def _json(value: object) -> str:
    """JSON without NaN and infinity, which other readers refuse: they become null."""
    return json.dumps(_finite(builtins(value)), ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value


def _safe(value: object) -> object:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV injection"); numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
