from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.publishing.spool.ages import Anchor, Moment, StoreClock, moment


class Clocks:
    """Every clock of a machine, moved by hand."""

    def __init__(self, since_boot_s: float = 100.0, wall_s: float | None = 1_000_000.0, boot: str = "a") -> None:
        self.now = Moment(boot, since_boot_s, wall_s)

    def __call__(self) -> Moment:
        return self.now


def resumed(anchor: Anchor, now: Moment) -> float:
    return StoreClock(anchor, now=lambda: now).age_s()


def test_ages_follow_the_time_since_boot_and_not_the_wall_clock() -> None:
    clocks = Clocks()
    ages = StoreClock(now=clocks)
    clocks.now = Moment("a", 160.0, 5.0)  # the wall clock went back
    assert ages.age_s() == 60.0


def test_a_restart_of_the_process_counts_in_full_even_without_a_wall_clock() -> None:
    assert resumed(Anchor(60.0, "a", 160.0, None), Moment("a", 400.0, None)) == 300.0


def test_a_reboot_counts_by_the_wall_clock_where_it_was_set_before_and_after() -> None:
    before = Anchor(60.0, "a", 160.0, 1_000_060.0)
    assert resumed(before, Moment("b", 10.0, 1_000_360.0)) == 360.0
    assert resumed(before, Moment("b", 10.0, None)) == 60.0  # not set yet: the time without power does not count
    assert resumed(Anchor(60.0, "a", 160.0, None), Moment("b", 10.0, 1_000_360.0)) == 60.0


def test_a_wall_clock_that_went_back_makes_nothing_younger() -> None:
    assert resumed(Anchor(60.0, "a", 160.0, 1_000_060.0), Moment("b", 10.0, 500.0)) == 60.0


def test_the_newest_row_is_an_age_that_the_store_has_reached() -> None:
    assert StoreClock(Anchor(60.0, "a", 160.0, None), 500.0, lambda: Moment("b", 10.0, None)).age_s() == 500.0


STEP = st.tuples(st.booleans(), st.floats(0, 1e6), st.one_of(st.none(), st.floats(0, 1e10)))


@settings(deadline=None, max_examples=50)
@given(st.lists(STEP, max_size=20))
def test_ages_never_go_back_whatever_the_clocks_do(steps: list[tuple[bool, float, float | None]]) -> None:
    clocks = Clocks()
    ages, last_s = StoreClock(now=clocks), 0.0
    for number, (restart, passed_s, wall_s) in enumerate(steps):
        since_boot_s = passed_s if restart else clocks.now.since_boot_s + passed_s
        anchor = ages.anchor()
        clocks.now = Moment(f"boot {number}" if restart else clocks.now.boot, since_boot_s, wall_s)
        if restart:
            ages = StoreClock(anchor, now=clocks)
        assert ages.age_s() >= last_s
        last_s = ages.age_s()


def test_this_machine_has_a_clock_since_boot() -> None:
    first = moment()
    assert moment().since_boot_s >= first.since_boot_s > 0
