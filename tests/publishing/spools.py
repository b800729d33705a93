"""Spools in memory with a clock moved by hand, for tests."""

from __future__ import annotations

from functools import partial

from comfywear.publishing import Spool, SpoolLimits, metrics_message
from comfywear.publishing.spool.ages import Moment
from comfywear.publishing.spool.file import FIRST
from comfywear.publishing.spool.spool import Row
from comfywear.system.clock import WallTime

BUILD = partial(metrics_message, {"frames": 1})
NOON = WallTime("2027-01-01T12:00:00.000+00:00", True)
DAY_S = 86_400


class Time:
    """The clock that ages follow, moved by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> Moment:
        return Moment("boot", self.s, None)


def memory(time: Time | None = None, **limits: float) -> Spool:
    return Spool(None, "dev", limits=SpoolLimits(**limits), now=time or Time())  # type: ignore[arg-type]


def everything(spool: Spool) -> list[Row]:
    return spool.waiting(FIRST, 10_000_000)


def seqs(spool: Spool) -> list[int]:
    return [row.key[1] for row in everything(spool)]


def gone(spool: Spool, rows: list[Row]) -> None:
    spool.arrived([row.key for row in rows])
    spool.flush()
