"""Pauses between attempts: ever longer, bounded, and different on each device."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comfywear_sensors.backoff import BackOff, pause_s

chances = st.floats(0.0, 1.0)


@given(st.floats(0.01, 10.0), st.floats(10.0, 1000.0), st.lists(chances, min_size=1, max_size=60))
def test_a_pause_is_its_share_of_a_doubling_up_to_the_longest(
    first_s: float, longest_s: float, drawn: list[float]
) -> None:
    draws = iter(drawn)
    back_off = BackOff(first_s, longest_s, share=(0.5, 1.0), chance=lambda: next(draws))
    for failures in range(1, len(drawn) + 1):
        whole = min(first_s * 2.0 ** (failures - 1), longest_s)
        assert pause_s(first_s, longest_s, failures) == whole
        assert 0.5 * whole <= back_off.fail() <= whole * (1 + 1e-9)


def test_what_settled_begins_with_the_first_pause_again() -> None:
    back_off = BackOff(1.0, 60.0, share=(1.0, 1.0))
    assert [back_off.fail() for _ in range(8)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    back_off.settle()
    assert back_off.fail() == 1.0


def test_chance_spreads_devices_that_fail_together() -> None:
    assert len({BackOff(1.0, 60.0).fail() for _ in range(100)}) > 90
