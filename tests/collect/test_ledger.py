from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.collect.ledger import MOST_RANGES, Acknowledgement, AckPace, Gap, Ledger, advance, answer, give_up

PACE = AckPace(grace_s=10, ask_again_s=30, ask_longest_s=100, give_up_s=1000)


def covered(ranges: tuple[tuple[int, int], ...] | list[tuple[int, int]]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def test_numbers_in_a_row_are_confirmed_once() -> None:
    ledger = advance(Ledger(), [1, 2, 3], [], 0, PACE)
    said, ledger = answer(ledger, 0, PACE)
    assert said == Acknowledgement(3)
    assert answer(ledger, 1, PACE) == (None, ledger)
    assert answer(ledger, 1, PACE, again=True)[0] == Acknowledgement(3)


def test_a_gap_is_waited_for_then_asked_for_then_asked_for_ever_less_often() -> None:
    ledger = advance(Ledger(), [1, 2, 5, 6, 9], [], 0, PACE)
    said, ledger = answer(ledger, 0, PACE)
    assert said == Acknowledgement(2)
    asked = []
    for now_s in range(1, 400):
        said, ledger = answer(ledger, now_s, PACE)
        if said:
            assert said == Acknowledgement(9, ((3, 4), (7, 8)))
            asked.append(now_s)
    assert asked == [10, 40, 100, 200, 300]


def test_what_fills_a_gap_is_confirmed_and_the_rest_asked_for_once_that_stops() -> None:
    ledger = advance(Ledger(), [1, 10], [], 0, PACE)
    said, ledger = answer(ledger, 10, PACE)
    assert said == Acknowledgement(10, ((2, 9),))
    ledger = advance(ledger, [2, 3], [], 12, PACE)
    said, ledger = answer(ledger, 12, PACE)
    assert said == Acknowledgement(3)
    said, ledger = answer(ledger, 42, PACE)
    assert said == Acknowledgement(10, ((4, 9),))
    ledger = advance(ledger, [4, 5, 6, 7, 8, 9], [], 43, PACE)
    assert answer(ledger, 43, PACE)[0] == Acknowledgement(10)


def test_what_the_device_no_longer_has_closes_the_gap() -> None:
    ledger = advance(Ledger(), [5, 9], [(1, 4)], 0, PACE)
    assert [(gap.first, gap.last) for gap in ledger.gaps] == [(6, 8)]
    ledger = advance(ledger, [], [(1, 6), (8, 8)], 20, PACE)
    assert [(gap.first, gap.last) for gap in ledger.gaps] == [(7, 7)]
    assert ledger.contiguous == 6


def test_not_more_ranges_are_asked_for_than_an_acknowledgement_may_hold() -> None:
    ledger = advance(Ledger(), range(2, 1000, 2), [], 0, PACE)
    said, _ = answer(ledger, 10, PACE)
    assert said is not None
    assert len(said.missing) == MOST_RANGES
    assert said.seq == 2 * MOST_RANGES  # the next missing number is not claimed to be stored


def test_a_gap_of_any_size_costs_the_same() -> None:
    ledger = advance(Ledger(), [1, 2**53], [], 0, PACE)
    assert [(gap.first, gap.last) for gap in ledger.gaps] == [(2, 2**53 - 1)]


def test_a_gap_that_nobody_fills_is_given_up_and_named() -> None:
    ledger = Ledger(20, 20, (Gap(3, 4, 0, 5, 0), Gap(7, 9, 500, 5, 0)))
    kept, lost = give_up(ledger, 1000, PACE)
    assert lost == [(3, 4)]
    assert [(gap.first, gap.last) for gap in kept.gaps] == [(7, 9)]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(1, 60), max_size=25),
            st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), max_size=2),
            st.floats(0, 60),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_whatever_comes_in_whatever_order_no_acknowledgement_claims_more_than_is_stored(
    rounds: list[tuple[set[int], list[tuple[int, int]], float, bool]],
) -> None:
    ledger, stored, gone, now_s = Ledger(), set[int](), list[tuple[int, int]](), 0.0
    for new, losses, wait_s, again in rounds:
        now_s += wait_s
        stored |= new
        gone += [(first, first + more) for first, more in losses]
        inside = {number for gap in ledger.gaps for number in range(gap.first, gap.last + 1)}
        present = sorted(number for number in stored if number > ledger.scanned or number in inside)
        ledger = advance(ledger, present, sorted(gone), now_s, PACE)
        open_numbers = covered([(gap.first, gap.last) for gap in ledger.gaps])
        assert open_numbers == set(range(1, ledger.scanned + 1)) - stored - covered(gone)
        said, ledger = answer(ledger, now_s, PACE, again=again)
        if said is not None:
            missing = covered(said.missing)
            assert set(range(1, said.seq + 1)) - missing <= stored | covered(gone)
            assert not missing & stored


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(1, 40), max_size=20), max_size=8))
def test_once_everything_is_stored_a_device_that_heard_every_answer_keeps_nothing(rounds: list[set[int]]) -> None:
    ledger, stored, kept, now_s = Ledger(), set[int](), set(range(1, 41)), 0.0
    for new in [*rounds, set(range(1, 41))]:
        now_s += 7
        inside = {number for gap in ledger.gaps for number in range(gap.first, gap.last + 1)}
        stored |= new
        ledger = advance(ledger, sorted(n for n in stored if n > ledger.scanned or n in inside), [], now_s, PACE)
        said, ledger = answer(ledger, now_s, PACE)
        if said is not None:
            kept -= set(range(1, said.seq + 1)) - covered(said.missing)
    assert kept == set()
