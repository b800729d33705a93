"""What a message of each kind takes in PostgreSQL and in SQLite, with its indexes: sizes, not times.

.venv/bin/python bench/fleet/storage.py --out bench/fleet/storage.json
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import psycopg
from cluster import Cluster, find_binaries

from comfywear.system.arguments import whole

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "publishing"))

from samples import MESSAGES

from comfywear.collect import open_store
from comfywear.collect.reading import read
from comfywear.collect.store import Received

KINDS = ("climate", "people", "comfort", "vote", "metrics")


def batches(kind: str, rows: int, devices: int) -> Sequence[list[Received]]:
    """The sample message of `kind` from many devices, renumbered."""
    import msgspec

    sample = msgspec.to_builtins(MESSAGES[kind])
    tail = "device/metrics" if kind == "metrics" else f"zone/desk/{kind}"
    epochs = [secrets.token_hex(8) for _ in range(devices)]
    found: list[list[Received]] = []
    for number in range(rows):
        if number % 500 == 0:
            found.append([])
        device = f"d{number % devices:06d}"
        message = {**sample, "device": device, "epoch": epochs[number % devices], "seq": number // devices + 1}
        item = read(f"comfywear/v1/home/{device}/{tail}", json.dumps(message, separators=(",", ":")).encode(), "x")
        assert item is not None
        found[-1].append(Received(item, datetime.now(timezone.utc)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="bytes a message in both databases")
    parser.add_argument("--rows", type=whole(1), default=20_000)
    parser.add_argument("--devices", type=whole(1), default=200)
    parser.add_argument("--out", metavar="FILE", help="write the figures here as JSON")
    args = parser.parse_args()
    binaries = find_binaries()
    if binaries is None:
        sys.exit("needs PostgreSQL's server (Debian: apt install postgresql)")
    cluster = Cluster(binaries)
    figures: dict[str, dict[str, int]] = {}
    try:
        for kind in KINDS:
            work = batches(kind, args.rows, args.devices)
            payload = sum(len(received.item.payload) for received in work[0]) // len(work[0])
            with psycopg.connect(cluster.url, autocommit=True) as connection:
                connection.execute("DROP SCHEMA IF EXISTS comfywear CASCADE")
                store = open_store(cluster.url)
                for batch in work:
                    store.save(batch)
                store.close()
                size = connection.execute("SELECT pg_total_relation_size('comfywear.entries')").fetchone()
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "x.db"
                store = open_store(str(path))
                for batch in work:
                    store.save(batch)
                store.close()
                lite = path.stat().st_size
            assert size is not None
            figures[kind] = {
                "payload_bytes": payload,
                "postgresql_bytes": size[0] // args.rows,
                "sqlite_bytes": lite // args.rows,
            }
            print(json.dumps({kind: figures[kind]}), flush=True)
    finally:
        cluster.remove()
    if args.out:
        Path(args.out).write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
