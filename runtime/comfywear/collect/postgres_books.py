"""The books of the collected messages in PostgreSQL: what is stored of each device, what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg

from comfywear.collect.ledger import AckPace, Gap, Ledger, Range
from comfywear.collect.reading import Source
from comfywear.collect.store import MOST_NUMBERS, SourceLedger, Turn, gap_of

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresBooks:
    """The books within a transaction that somebody else ends; see `comfywear.collect.store.Books`."""

    def __init__(self, connection: Connection, pace: AckPace) -> None:
        self._connection = connection
        self._pace = pace

    def claim(self, streams: Collection[int]) -> tuple[float, list[SourceLedger]]:
        """The time, and the pages that are due, locked."""
        ids = list(streams)
        # In the order of ids, so that two collectors never wait in a circle; a page that another one has just turned
        # is seen as it left it, and is then too young.
        rows = self._connection.execute(
            "SELECT id, site, device, epoch, scanned, confirmed FROM streams WHERE id = ANY(%s::int[]) "
            "AND abs(extract(epoch FROM clock_timestamp()) - reviewed_s) > %s "
            "ORDER BY id FOR NO KEY UPDATE",
            (ids, self._pace.ack_every_s),
        ).fetchall()
        gaps: dict[int, list[Gap]] = defaultdict(list)
        for stream, *columns in self._connection.execute(
            "SELECT stream, first_seq, last_seq, since_s, asked, ask_at_s FROM gaps WHERE stream = ANY(%s::int[]) "
            "ORDER BY stream, first_seq",
            (ids,),
        ):
            gaps[stream].append(gap_of(*columns))
        found = self._connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        assert found is not None
        return float(found[0]), [
            SourceLedger(stream, Source(site, device, epoch), Ledger(scanned, confirmed, tuple(gaps[stream])))
            for stream, site, device, epoch, scanned, confirmed in rows
        ]

    def numbers(self, streams: Collection[int]) -> Mapping[int, Sequence[int]]:
        """Stored numbers above `scanned` and inside gaps."""
        # LATERAL with a LIMIT of its own makes each source one walk along the primary key, whatever the statistics say.
        found: dict[int, list[int]] = defaultdict(list)
        for stream, seq in self._connection.execute(
            """
            SELECT g.stream, e.seq FROM gaps g, LATERAL (
                SELECT seq FROM entries WHERE stream = g.stream AND seq BETWEEN g.first_seq AND g.last_seq
                ORDER BY seq LIMIT %(most)s) e
            WHERE g.stream = ANY(%(ids)s::int[])
            UNION ALL
            SELECT s.id, e.seq FROM streams s, LATERAL (
                SELECT seq FROM entries WHERE stream = s.id AND seq > s.scanned ORDER BY seq LIMIT %(most)s) e
            WHERE s.id = ANY(%(ids)s::int[])
            ORDER BY 1, 2""",
            {"ids": list(streams), "most": MOST_NUMBERS},
        ):
            found[stream].append(seq)
        return found

    def gone(self, streams: Collection[int]) -> Mapping[int, Sequence[Range]]:
        """What the devices no longer have."""
        found: dict[int, list[Range]] = defaultdict(list)
        for stream, first, last in self._connection.execute(
            "SELECT g.stream, g.first_seq, g.last_seq FROM gone g JOIN streams s ON s.id = g.stream "
            "WHERE g.stream = ANY(%s::int[]) AND g.last_seq > s.contiguous ORDER BY 1, 2",
            (list(streams),),
        ):
            found[stream].append((first, last))
        return found

    def put(self, turns: Sequence[Turn], now_s: float) -> None:
        """Write the new state."""
        run = self._connection.execute
        run(
            "UPDATE streams s SET reviewed_s = %s, scanned = n.scanned, confirmed = n.confirmed, "
            "contiguous = n.contiguous, advanced_s = CASE WHEN n.moved THEN %s ELSE s.advanced_s END "
            "FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bool[]) "
            "AS n(id, scanned, confirmed, contiguous, moved) WHERE s.id = n.id",
            (
                now_s,
                now_s,
                [turn.stream for turn in turns],
                [turn.ledger.scanned for turn in turns],
                [turn.ledger.confirmed for turn in turns],
                [turn.ledger.contiguous for turn in turns],
                [turn.moved for turn in turns],
            ),
        )
        changed = [turn for turn in turns if turn.gaps_changed]
        if changed:
            run("DELETE FROM gaps WHERE stream = ANY(%s::int[])", ([turn.stream for turn in changed],))
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO gaps (stream, first_seq, last_seq, since_s, asked, ask_at_s) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                [(t.stream, g.first, g.last, g.since_s, g.asked, g.ask_at_s) for t in changed for g in t.ledger.gaps],
            )
            cursor.executemany(
                "INSERT INTO gone VALUES (%s, %s, %s, 'unanswered', %s) ON CONFLICT DO NOTHING",
                [(turn.stream, first, last, now_s) for turn in turns for first, last in turn.lost],
            )
