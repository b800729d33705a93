"""Which sequence numbers of a device are stored, which are missing, and what is said to the device about it.

Pure: numbers and times go in, a new state and an acknowledgement come out. Runs are kept as ranges, so a gap of a
million numbers costs as much as a gap of one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

Range = tuple[int, int]  # first and last, both included

# Ranges that one acknowledgement may ask for.
MOST_RANGES = 100


@dataclass(frozen=True, slots=True)
class AckPace:
    """How often a device hears from the collector, in seconds.

    Attributes:
        ack_every_s: A device is told what is stored at most this often.
        grace_s: A gap is asked for when it is this old; until then its messages may be on their way, through another
            collector or behind a redelivery.
        ask_again_s: Between the first and the second request for a gap; doubles with each.
        ask_longest_s: Between requests at most.
        give_up_s: A gap that nobody filled for so long is written down as lost.
        remind_s: What is stored is said again after this, in case the device did not hear it.
        remind_for_s: A device that sent nothing for so long is not reminded any more.
    """

    ack_every_s: float = 5.0
    grace_s: float = 10.0
    ask_again_s: float = 30.0
    ask_longest_s: float = 300.0
    give_up_s: float = 8 * 86400.0
    remind_s: float = 600.0
    remind_for_s: float = 8 * 86400.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that did not come.

    Attributes:
        first: The first of them.
        last: The last of them.
        since_s: When the gap was noticed.
        asked: How often it was asked for.
        ask_at_s: When it is asked for next.
    """

    first: int
    last: int
    since_s: float
    asked: int
    ask_at_s: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of one epoch of one device.

    Attributes:
        scanned: Every number up to this one is stored, gone, or in a gap.
        confirmed: Every number up to this one that is stored has been confirmed to the device.
        gaps: Ascending.
    """

    scanned: int = 0
    confirmed: int = 0
    gaps: tuple[Gap, ...] = ()

    @property
    def contiguous(self) -> int:
        """Every number up to this one is stored or gone."""
        return self.gaps[0].first - 1 if self.gaps else self.scanned


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An acknowledgement: everything up to and including `seq` is stored, except `missing`, which is asked for."""

    seq: int
    missing: tuple[Range, ...] = ()


def advance(ledger: Ledger, present: Sequence[int], gone: Sequence[Range], now_s: float, pace: AckPace) -> Ledger:
    """The ledger once newly stored numbers and what the device no longer has are taken in.

    Args:
        ledger: The state so far.
        present: Stored numbers, ascending: those above `scanned`, and those inside gaps.
        gone: Ranges that the device said it no longer has, ascending by their first number; they may overlap.
        now_s: The time.
        pace: Says when a new gap is asked for.
    """
    gaps: list[Gap] = []
    confirmed = ledger.confirmed
    for gap in ledger.gaps:
        left = _without((gap.first, gap.last), present, gone)
        if left == [(gap.first, gap.last)]:
            gaps.append(gap)
        else:
            # It is being filled: the device is to be told, and what is left is asked for again when that stops.
            confirmed = min(confirmed, gap.first - 1)
            ask_at_s = gap.ask_at_s if gap.asked == 0 else now_s + pace.ask_again_s
            gaps += [replace(gap, first=f, last=last, asked=min(gap.asked, 1), ask_at_s=ask_at_s) for f, last in left]
    scanned = ledger.scanned
    if present and present[-1] > scanned:
        top = present[-1]
        ask_at_s = now_s + pace.grace_s
        gaps += [Gap(f, last, now_s, 0, ask_at_s) for f, last in _without((scanned + 1, top), present, gone)]
        scanned = top
    return Ledger(scanned, confirmed, tuple(gaps))


def answer(
    ledger: Ledger, now_s: float, pace: AckPace, *, again: bool = False
) -> tuple[Acknowledgement | None, Ledger]:
    """What to say to the device now, None for nothing new, and the ledger once it is said.

    While a gap is open and not yet due to be asked for, only what lies before it is confirmed: an acknowledgement
    that named more would ask for the gap again.

    Args:
        ledger: The state.
        now_s: The time.
        pace: Says when gaps are asked for again.
        again: True to say it even when it was said before, open gaps included.
    """
    missing: tuple[Range, ...] = ()
    seq = ledger.contiguous
    gaps = ledger.gaps
    if again or any(gap.ask_at_s <= now_s for gap in gaps):
        old = 0
        while old < min(len(gaps), MOST_RANGES) and gaps[old].since_s + pace.grace_s <= now_s:
            old += 1
        missing = tuple((gap.first, gap.last) for gap in gaps[:old])
        seq = gaps[old].first - 1 if old < len(gaps) else ledger.scanned
        asked = tuple(
            replace(
                gap,
                asked=gap.asked + 1,
                ask_at_s=now_s + min(pace.ask_longest_s, pace.ask_again_s * 2 ** min(gap.asked, 30)),
            )
            for gap in gaps[:old]
        )
        ledger = replace(ledger, gaps=asked + gaps[old:])
    if not missing and not again and seq <= ledger.confirmed:
        return None, ledger
    return Acknowledgement(seq, missing), replace(ledger, confirmed=max(ledger.confirmed, seq))


def give_up(ledger: Ledger, now_s: float, pace: AckPace) -> tuple[Ledger, list[Range]]:
    """The ledger without the gaps that nobody filled in time, and these as ranges."""
    kept = tuple(gap for gap in ledger.gaps if now_s - gap.since_s < pace.give_up_s)
    lost = [(gap.first, gap.last) for gap in ledger.gaps if now_s - gap.since_s >= pace.give_up_s]
    return replace(ledger, gaps=kept), lost


def _without(whole: Range, present: Sequence[int], gone: Sequence[Range]) -> list[Range]:
    """What is left of `whole` without the numbers in `present` (ascending) and the ranges of `gone`."""
    first, last = whole
    numbers = present[bisect_left(present, first) : bisect_right(present, last)]
    taken = sorted([(number, number) for number in numbers] + [r for r in gone if r[0] <= last and r[1] >= first])
    left: list[Range] = []
    following = first
    for begin, end in taken:
        if begin > following:
            left.append((following, begin - 1))
        following = max(following, end + 1)
    if following <= last:
        left.append((following, last))
    return left
