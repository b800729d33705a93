"""The budget on simulated devices: it is held, it sheds in order, it settles, and nobody starves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.vision.budget import LEVELS, LONGEST_GAP_S, Budget, Plan, fair_shares


@dataclass
class Simulated:
    """A device on which work takes what it is told, with noise: frames, persons who wait for looks, costs."""

    budget: Budget
    fps: float = 5.0
    persons: int = 3
    detect_s: float = 0.1
    look_s: float = 0.02
    frame_s: float = 0.002
    threads: float = 1.0
    noise: float = 0.0
    interval_s: float = 10.0
    seed: int = 0
    now_s: float = 100.0
    slower: float = 1.0
    looked: dict[int, float] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    _detected_s: float | None = None

    def run(self, seconds: float) -> float:
        """Run on; returns the share of the processor that was used."""
        rng = np.random.default_rng(self.seed)
        began_s, used_s = self.now_s, 0.0
        while self.now_s < began_s + seconds:
            due = {
                who: self.looked.get(who, began_s - self.interval_s) + self.slower * self.interval_s
                for who in range(self.persons)
            }
            waiting = sorted((when, who) for who, when in due.items() if when <= self.now_s)
            waited_s = self.now_s - waiting[0][0] if waiting else 0.0
            plan = self.budget.plan(self.now_s, self.persons, len(waiting), waited_s)
            self.slower = plan.slower
            looks = min(plan.looks, len(waiting))
            for _, who in waiting[:looks]:
                self.waits.append(self.now_s - due[who])
                self.looked[who] = self.now_s
            total_s = 0.0
            for work, pieces, each_s in (
                ("frame", 1, self.frame_s),
                ("detect", int(plan.detect), self.detect_s),
                ("look", looks, self.look_s),
            ):
                took_s = pieces * each_s * float(rng.uniform(1 - self.noise, 1 + self.noise))
                self.budget.spent(work, took_s, took_s * self.threads, pieces)  # type: ignore[arg-type]  # literals
                total_s += took_s
            if plan.detect:
                if self._detected_s is not None:
                    self.gaps.append(self.now_s - self._detected_s)
                self._detected_s = self.now_s
            self.plans.append(plan)
            self.levels.append(self.budget.load().level)
            self.took.append(total_s)
            used_s += total_s * self.threads
            self.now_s += max(1 / self.fps, total_s)
        return used_s / (self.now_s - began_s)

    def changes(self) -> int:
        return sum(a != b for a, b in zip(self.levels, self.levels[1:], strict=False))


def test_without_a_target_nothing_is_shed() -> None:
    device = Simulated(Budget(), detect_s=1.0, look_s=0.5)
    device.run(60)
    assert all(plan == Plan(True, 8, 1.0) for plan in device.plans)
    assert device.budget.load().shed == ()
    assert device.budget.load().over is None


def test_work_is_shed_in_the_stated_order_as_the_budget_shrinks() -> None:
    seen = []
    for share in (0.9, 0.7, 0.55, 0.5, 0.4, 0.2, 0.1):
        device = Simulated(Budget(cpu_share=share), persons=10, look_s=0.3, detect_s=0.1)
        device.run(60)
        level = LEVELS[device.budget.load().level]
        seen.append((level.every, level.slower))
        assert device.plans[-1].slower == level.slower
    assert seen == sorted(seen, key=lambda level: (level[1], level[0]))
    assert (seen[0], seen[-1]) == ((1, 1.0), (LEVELS[device.budget.load().level].every, 4.0))
    assert {slower for every, slower in seen if every > 1} == {4.0}  # clothes first, detections only then


def test_what_is_shed_and_what_cannot_be_held_is_said() -> None:
    device = Simulated(Budget(cpu_share=0.2), detect_s=0.1)
    device.run(60)
    load = device.budget.load()
    assert load.every == LEVELS[load.level].every > 1
    assert load.shed == (
        "clothes are looked at every 40 s",
        f"persons are searched for in one of {load.every} frames",
    )
    assert load.over is None
    device.detect_s = 2.0
    device.run(60)
    assert "% of all processors and should take 20.0 %" in str(device.budget.load().over)
    slow = Simulated(Budget(latency_s=0.05), detect_s=0.1)
    slow.run(10)
    assert slow.budget.load().over == "one detection alone takes 102 ms of 50 ms"


costs = st.floats(0.001, 0.4)


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    share=st.floats(0.02, 1.0), headroom=st.floats(0, 1), fps=st.floats(0.6, 15), persons=st.integers(0, 8),
    detect_s=costs, look_s=costs, noise=st.floats(0, 0.07), seed=st.integers(0, 99),
)  # fmt: skip
def test_it_settles_holds_the_share_and_never_starves(
    share: float, headroom: float, fps: float, persons: int, detect_s: float, look_s: float, noise: float, seed: int
) -> None:
    budget = Budget(cpu_share=share)
    budget.headroom = headroom
    device = Simulated(budget, fps, persons, detect_s, look_s, noise=noise, seed=seed)
    device.run(60)
    device.levels.clear()
    device.waits.clear()
    used = device.run(120)
    assert device.changes() <= 1
    load = budget.load()
    if load.over is None and load.limit < math.inf:
        assert used <= 1.15 * load.limit + 0.02
    assert max(device.gaps) <= LONGEST_GAP_S + 2 * max(device.took) + 1.2 / fps
    assert device.changes() or max(device.waits, default=0.0) <= 2 * max(device.took) + 1.2 / fps


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    latency=st.floats(0.02, 1.0), fps=st.floats(0.4, 15), persons=st.integers(1, 12),
    detect_s=costs, look_s=costs, seed=st.integers(0, 99),
)  # fmt: skip
@example(latency=0.5, fps=2.00001, persons=12, detect_s=0.384, look_s=0.299, seed=8)  # more persons than turns
def test_a_latency_is_held_where_it_can_be_and_newcomers_are_looked_at_soon(
    latency: float, fps: float, persons: int, detect_s: float, look_s: float, seed: int
) -> None:
    device = Simulated(Budget(latency_s=latency), fps, persons, detect_s, look_s, seed=seed)
    device.run(10)
    device.took.clear()
    device.waits.clear()
    device.run(60)
    alone = max(detect_s, look_s) + device.frame_s
    both_fit = detect_s + look_s + device.frame_s <= latency
    if alone <= latency and (fps >= 2 or both_fit):
        assert max(device.took) <= latency + 1e-9
    else:
        assert max(device.took) <= detect_s + look_s + device.frame_s + 1e-9 or both_fit
    period = max(1 / fps, max(device.took))
    assert max(device.waits) <= 4 + 4 * period + 2 * persons * period
    assert max(device.gaps) <= max(LONGEST_GAP_S, 2 * period) + period


def test_less_headroom_never_sheds_less_and_all_of_it_sheds_nothing() -> None:
    levels = []
    for headroom in (1.0, 0.9, 0.6, 0.3, 0.1, 0.0):
        device = Simulated(Budget())
        device.budget.headroom = headroom
        device.run(60)
        levels.append(device.budget.load().level)
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert levels[-1] == max(i for i, level in enumerate(LEVELS) if level.every <= 12)
    device.budget.headroom = 1.0
    device.run(60)
    assert device.budget.load().level == 0


def test_half_the_headroom_halves_the_work() -> None:
    device = Simulated(Budget(), fps=10)
    device.run(60)
    full = device.run(60)
    device.budget.headroom = 0.5
    device.run(30)
    assert device.run(60) <= 0.55 * full


def test_a_camera_that_was_gone_does_not_confuse_the_budget() -> None:
    device = Simulated(Budget(cpu_share=0.4))
    device.run(60)
    before = device.budget.load()
    device.now_s += 3600
    device.run(5)
    assert device.budget.load().level == before.level


@pytest.mark.parametrize(
    "wrong",
    [{"cpu_share": 0.0}, {"cpu_share": 1.1}, {"latency_s": 0.0}, {"interval_s": -1.0}, {"cores": 0}, {"most_looks": 0}],
)
def test_a_budget_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="a budget needs"):
        Budget(**wrong)  # type: ignore[arg-type]  # the names are those of the arguments
    for value in (-0.1, 1.1, math.nan):
        with pytest.raises(UsageError, match="0 to 1"):
            Budget().headroom = value


@given(st.floats(0.01, 1.0), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6))
def test_what_is_shared_is_shared_whole_and_nobody_gets_less_than_their_part_unless_they_want_less(
    whole: float, wanted: list[float]
) -> None:
    shares = fair_shares(whole, wanted)
    assert sum(shares) == pytest.approx(whole)
    equal = whole / len(wanted)
    for share, want in zip(shares, wanted, strict=True):
        assert share >= min(want, equal) - 1e-9


def test_what_one_camera_does_not_want_is_the_others() -> None:
    assert fair_shares(0.6, [0.1, 0.9]) == pytest.approx([0.1, 0.5])
    assert fair_shares(0.6, [0.0, 0.9]) == pytest.approx([0.0, 0.6])
    assert fair_shares(0.6, [0.9, 0.8]) == pytest.approx([0.3, 0.3])
    assert fair_shares(0.6, [0.1, 0.1]) == pytest.approx([0.3, 0.3])
