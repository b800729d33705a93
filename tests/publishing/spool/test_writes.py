from __future__ import annotations

import os
from pathlib import Path

import pytest

from comfywear.publishing.spool.writes import (
    DAY_S,
    LONGEST_PAUSE_S,
    SHORTEST_PAUSE_S,
    WriteBudget,
    thread_written_bytes,
)


class Meter:
    """A clock and a count of written bytes, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.written = 0

    def budget(self, bytes_a_day: float) -> WriteBudget:
        return WriteBudget(bytes_a_day, lambda: self.written, lambda: self.now_s)

    def commit(self, budget: WriteBudget, size: int) -> float:
        """Write `size` bytes, then wait as long as the budget says; returns how long."""
        with budget.measured():
            self.written += size
        pause_s = budget.pause_s()
        self.now_s += pause_s
        return pause_s


def test_a_days_writes_stay_below_the_budget() -> None:
    meter = Meter()
    budget = meter.budget(500e6)
    pauses = []
    while meter.now_s < 2 * DAY_S:
        pauses.append(meter.commit(budget, 12_000))
    assert pauses[0] == SHORTEST_PAUSE_S  # there is room for a burst
    assert SHORTEST_PAUSE_S < pauses[-1] < LONGEST_PAUSE_S
    assert budget.day_bytes() is not None
    assert 450e6 < (budget.day_bytes() or 0) <= 500e6
    assert meter.written <= 2 * 500e6 * 1.03


def test_nothing_waits_longer_than_ten_seconds_even_when_the_budget_cannot_hold() -> None:
    meter = Meter()
    budget = meter.budget(1e6)
    assert max(meter.commit(budget, 100_000) for _ in range(100)) == LONGEST_PAUSE_S
    meter.now_s += 60
    assert meter.commit(budget, 0) < LONGEST_PAUSE_S  # what was overdrawn is not carried on for ever


def test_without_a_budget_commits_are_only_grouped() -> None:
    meter = Meter()
    budget = meter.budget(0)
    assert {meter.commit(budget, 10**9) for _ in range(10)} == {SHORTEST_PAUSE_S}


def test_where_the_kernel_does_not_count_nothing_is_claimed() -> None:
    budget = WriteBudget(1e6, lambda: None)
    with budget.measured():
        pass
    assert budget.day_bytes() is None


def test_the_kernel_counts_what_is_written_to_a_disk(tmp_path: Path) -> None:
    before = thread_written_bytes()
    if before is None:
        pytest.skip("this kernel does not count what a thread writes (CONFIG_TASK_IO_ACCOUNTING)")
    with (tmp_path / "file").open("wb") as file:
        file.write(b"x" * 1_000_000)
        file.flush()
        os.fsync(file.fileno())
    after = thread_written_bytes()
    if after == before:
        pytest.skip(f"{tmp_path} is in memory: nothing is written to a disk")
    assert after is not None
    assert 1_000_000 <= after - before < 1_100_000
