"""The tables and views in both databases; docs/collect.md says what the columns mean."""

from __future__ import annotations

from collections.abc import Callable

VERSION = 1

# View, kind of message, and the fields of the payload that become columns: n a number, t a text, b true or false.
_VIEWS = (
    (
        "climate",
        "climate",
        "t:state n:air_temp_c n:humidity_pct n:radiant_temp_c n:air_speed_m_s n:age_s t:reason b:simulated",
    ),
    ("comfort", "comfort", "n:expected_vote n:uncertainty t:decision n:level n:pmv n:ppd_pct t:model t:reason"),
    ("people", "people", "t:state n:count t:reason"),
    (
        "votes",
        "vote",
        "t:id n:level t:scale t:words t:source n:persons n:climate.air_temp_c n:climate.humidity_pct n:clothing.clo",
    ),
    ("metrics", "metrics", "n:uptime_s n:rss_mb n:frames_per_s n:spool_rows n:spool_bytes n:connections n:restarts"),
)

# No foreign keys: ids of streams come from that table alone, and each row would look up and lock its stream.
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name text PRIMARY KEY, value integer NOT NULL);
INSERT INTO facts VALUES ('version', {version}) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS streams (
    id {id},
    site text NOT NULL, device text NOT NULL, epoch text NOT NULL,
    scanned bigint NOT NULL DEFAULT 0,
    contiguous bigint NOT NULL DEFAULT 0,
    confirmed bigint NOT NULL DEFAULT 0,
    reviewed_s {seconds} NOT NULL DEFAULT 0,
    advanced_s {seconds} NOT NULL,
    UNIQUE (site, device, epoch));
CREATE INDEX IF NOT EXISTS streams_reviewed ON streams (reviewed_s);
CREATE TABLE IF NOT EXISTS entries (
    {row_id}
    stream integer NOT NULL,
    seq bigint NOT NULL,
    received_at {time} NOT NULL,
    ts {time},
    zone text,
    kind text NOT NULL,
    payload {json},
    {entry_key} (stream, seq));
CREATE INDEX IF NOT EXISTS entries_received ON entries {received_index};
CREATE TABLE IF NOT EXISTS gaps (
    stream integer NOT NULL,
    first_seq bigint NOT NULL, last_seq bigint NOT NULL,
    since_s {seconds} NOT NULL, asked integer NOT NULL, ask_at_s {seconds} NOT NULL,
    PRIMARY KEY (stream, first_seq));
CREATE INDEX IF NOT EXISTS gaps_due ON gaps (ask_at_s);
CREATE TABLE IF NOT EXISTS gone (
    stream integer NOT NULL,
    first_seq bigint NOT NULL, last_seq bigint NOT NULL,
    why text NOT NULL, at_s {seconds} NOT NULL,
    PRIMARY KEY (stream, first_seq, last_seq));
CREATE TABLE IF NOT EXISTS deleted (
    site text NOT NULL, device text NOT NULL, vote text NOT NULL,
    PRIMARY KEY (site, device, vote));
CREATE TABLE IF NOT EXISTS devices (
    site text NOT NULL, device text NOT NULL,
    state text NOT NULL, reason text, version text, heard_at {time} NOT NULL,
    PRIMARY KEY (site, device));
CREATE TABLE IF NOT EXISTS refused (
    id {id},
    received_at {time} NOT NULL, topic text NOT NULL, reason text NOT NULL, payload {bytes} NOT NULL);
{view} messages AS
    SELECT e.received_at, e.ts, s.site, s.device, e.zone, e.kind, s.epoch, e.seq, e.payload
    FROM entries e JOIN streams s ON s.id = e.stream;
{view} completeness AS
    SELECT s.site, s.device, s.epoch, s.contiguous AS complete_to, s.scanned AS newest,
        (SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM gaps g WHERE g.stream = s.id) AS missing,
        (SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM gone g WHERE g.stream = s.id) AS gone
    FROM streams s
"""

_VIEW = """
{view} {name} AS
    SELECT e.received_at, e.ts, s.site, s.device, e.zone, s.epoch, e.seq{columns}
    FROM entries e JOIN streams s ON s.id = e.stream WHERE e.kind = '{kind}'
"""


def sqlite_statements() -> list[str]:
    """What makes the tables and views in SQLite where they are missing."""
    return _statements(
        lambda field, _type: f"json_extract(e.payload, '$.{field}')",
        id="integer PRIMARY KEY AUTOINCREMENT",
        row_id="id integer PRIMARY KEY,",
        entry_key="UNIQUE",
        received_index="(received_at)",
        seconds="real",
        time="text",
        json="text",
        bytes="blob",
        view="CREATE VIEW IF NOT EXISTS",
    )


def postgres_statements() -> list[str]:
    """What makes the tables and views in PostgreSQL where they are missing, in the first schema of the search path."""
    return _statements(
        _postgres_column,
        id="integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        row_id="",
        entry_key="PRIMARY KEY",
        received_index="USING brin (received_at)",  # a few pages for a billion rows, which come in this order
        seconds="double precision",
        time="timestamptz",
        json="jsonb",
        bytes="bytea",
        view="CREATE OR REPLACE VIEW",
    )


def _postgres_column(field: str, kind: str) -> str:
    """A field with its type; null where a payload holds another type, so that no message breaks the view."""
    path = "{" + field.replace(".", ",") + "}"
    value = f"e.payload #>> '{path}'"
    json_type, cast = {"n": ("number", "double precision"), "b": ("boolean", "boolean"), "t": ("string", "text")}[kind]
    return f"CASE jsonb_typeof(e.payload #> '{path}') WHEN '{json_type}' THEN ({value})::{cast} END"


def _statements(column: Callable[[str, str], str], **words: str) -> list[str]:
    statements = [part.strip() for part in _TABLES.format(version=VERSION, **words).split(";")]
    for name, kind, fields in _VIEWS:
        columns = "".join(
            f", {column(field, type_)} AS {field.replace('.', '_')}"
            for type_, _, field in (item.partition(":") for item in fields.split())
        )
        statements.append(_VIEW.format(view=words["view"], name=name, columns=columns, kind=kind))
    return statements
