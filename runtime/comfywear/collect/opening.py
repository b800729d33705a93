"""Which database a place names, and the store in it."""

from __future__ import annotations

from comfywear.collect.ledger import AckPace
from comfywear.collect.store import Store
from comfywear.errors import UsageError

__all__ = ["open_store"]


def open_store(place: str, pace: AckPace | None = None) -> Store:
    """The store that `place` names: a PostgreSQL URL, or the path of an SQLite file.

    Raises:
        UsageError: When it is neither, or what PostgreSQL needs is not installed.
        StoreAwayError: When it cannot be reached now.
        StoreError: When it can never be used (not allowed in, not a file).
    """
    scheme, mark, _ = place.partition("://")
    if mark and scheme in ("postgresql", "postgres"):
        try:
            from comfywear.collect.postgres import PostgresStore
        except ImportError as error:
            raise UsageError(f"PostgreSQL needs psycopg ({error}): pip install 'comfywear[collect]'") from error
        return PostgresStore(place, pace or AckPace())
    if mark:
        raise UsageError(f"{scheme}:// is no database known here: give postgresql://… or the path of an SQLite file")
    if not place:
        raise UsageError("--db is empty: give postgresql://… or the path of an SQLite file")
    from comfywear.collect.sqlite import SqliteStore

    return SqliteStore(place, pace or AckPace())
