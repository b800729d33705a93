from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.publishing.spool.ranges import Ranges

Pairs = list[tuple[int, int]]
PAIRS = st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30)), max_size=12)


def numbers(pairs: Pairs) -> set[int]:
    return {number for first, last in pairs for number in range(first, last + 1)}


@settings(deadline=None, max_examples=50)
@given(PAIRS)
def test_ranges_are_the_set_of_their_numbers(put_in: Pairs) -> None:
    ranges, wanted = Ranges(put_in), numbers(put_in)
    found = list(ranges)
    assert numbers(found) == wanted
    assert ranges.count() == len(wanted)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(found)), "neither overlap nor touch"
    assert {number for number in range(-40, 40) if number in ranges} == wanted
    assert bool(ranges) == bool(wanted)
    for number in range(-40, 40):
        end = ranges.end_of(number)
        assert set(range(number + 1, end + 1)) <= wanted
        assert end + 1 not in wanted or number not in wanted


@settings(deadline=None, max_examples=50)
@given(PAIRS, st.integers(-35, 35), st.integers(-35, 35))
def test_gaps_are_what_is_not_in(put_in: Pairs, first: int, last: int) -> None:
    gaps = Ranges(put_in).gaps(first, last)
    assert numbers(gaps) == numbers([(first, last)]) - numbers(put_in)
    assert gaps == sorted(gaps)
