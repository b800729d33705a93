"""A spool that nobody empties for hours or a month."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from spools import BUILD, DAY_S, Time, everything

from comfywear.publishing import Spool, SpoolLimits, climate_message
from comfywear.records import Climate


@pytest.mark.slow
def test_thirty_days_offline_leave_a_coarser_series_and_every_vote(tmp_path: Path) -> None:
    thirty_days(tmp_path, days=30, most=50_000_000)


def test_hours_offline_in_a_small_spool_leaves_a_coarser_series_and_every_vote(tmp_path: Path) -> None:
    thirty_days(tmp_path, days=0.25, most=600_000)


def thirty_days(folder: Path, *, days: float, most: int) -> None:
    """One message a second on three topics and a vote an hour, without a broker."""
    time = Time()
    spool = Spool(folder / "s.sqlite", "dev", limits=SpoolLimits(bytes=most, written_bytes_a_day=0), now=time)
    air = partial(climate_message, Climate("desk", "fresh", 23.4, 45.0))
    votes = 0
    for second in range(int(days * DAY_S)):
        time.s = second
        if second % 3600 == 1800:
            spool.accept("vote", BUILD, event=True)
            votes += 1
        spool.offer(("climate", "people", "comfort")[second % 3], air, retain=True)
        if second % 60 == 59:
            spool.flush()
    rows, health = everything(spool), spool.health()
    telemetry = [row.key[1] for row in rows if row.topic != "vote"]
    disk = (folder / "s.sqlite").stat().st_size
    print(
        f"\n{days:g} days at 1/s into {most / 1e6:g} MB: {len(telemetry)} of {health.rows + health.thinned} messages, "
        f"{votes} of {votes} votes kept; thinned {health.thinned}, dropped {health.dropped_telemetry}; "
        f"{health.bytes / 1e6:.1f} MB of messages in a file of {disk / 1e6:.1f} MB"
    )
    assert sum(row.topic == "vote" for row in rows) == votes
    assert health.dropped_events == health.dropped_telemetry == 0
    assert health.bytes <= most
    # From the first hour to the last: one message an hour and topic at the least.
    hours = {(seq - 1) // 3600 for seq in telemetry}
    assert hours >= set(range(int(days * 24)))
