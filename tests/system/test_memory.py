"""The limit of memory: where it comes from, and how seldom looking is opened anew for it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.system.memory import FIRST_PAUSE_S, LONGEST_PAUSE_S, MemoryGuard, limit_mb


def test_the_limit_is_two_thirds_of_the_machine_or_of_its_control_group(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    assert limit_mb(proc, groups) is None
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemFree: 1 kB\nMemTotal:        1000000 kB\n")
    assert limit_mb(proc, groups) == pytest.approx(1024 * 2 / 3)
    (proc / "self" / "cgroup").write_text("0::/system.slice/comfywear.service\n")
    folder = groups / "system.slice" / "comfywear.service"
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text("max\n")
    assert limit_mb(proc, groups) == pytest.approx(1024 * 2 / 3)
    (folder / "memory.max").write_text("300000000\n")
    assert limit_mb(proc, groups) == pytest.approx(200)


def test_above_the_limit_looking_is_opened_anew_once_and_again_ever_later() -> None:
    calls: list[str] = []
    guard = MemoryGuard(500.0, calls.append)
    assert guard.check(0.0, 499.0) is None
    said = guard.check(1.0, 620.0)
    assert said is not None
    assert calls == ["620 MB of 500 MB"]
    assert "620 MB of 500 MB are used" in said
    guard.check(FIRST_PAUSE_S, 620.0)
    assert len(calls) == 1
    guard.check(FIRST_PAUSE_S + 2, 620.0)
    guard.check(2 * FIRST_PAUSE_S + 2, 620.0)
    assert len(calls) == guard.reopened == 2
    guard.check(3 * FIRST_PAUSE_S + 3, 620.0)
    assert len(calls) == 3


def test_without_a_camera_or_a_limit_nothing_is_opened() -> None:
    assert MemoryGuard(None, None).check(0.0, 1e6) is None
    assert "MB are used" in str(MemoryGuard(10.0, None).check(0.0, 20.0))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0.5, 5000.0), st.floats(1.0, 1000.0)), min_size=1, max_size=200))
def test_however_memory_goes_looking_is_left_alone_for_the_first_pause_at_least(
    ticks: list[tuple[float, float]],
) -> None:
    now_s, opened = 0.0, []
    guard = MemoryGuard(500.0, lambda _: opened.append(now_s))
    for step_s, rss_mb in ticks:
        now_s += step_s
        assert (guard.check(now_s, rss_mb) is None) == (rss_mb <= 500.0)
    pauses = [after - before for before, after in itertools.pairwise(opened)]
    assert all(pause >= FIRST_PAUSE_S for pause in pauses)
    assert len(opened) <= 1 + now_s / FIRST_PAUSE_S
    assert LONGEST_PAUSE_S > FIRST_PAUSE_S
