"""Roll-outs: whose turn it is, the same at each question, another at each release."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear_models.rollouts import Rollout, place_of, turn_of

DEVICES = [f"device-{number}" for number in range(2000)]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
def test_a_share_of_the_devices_is_reached(share: float) -> None:
    reached = sum(turn_of("m", Rollout("2", share), device, "")[0] == "2" for device in DEVICES)
    assert reached / len(DEVICES) == pytest.approx(share, abs=0.03)


def test_the_first_are_others_at_each_release() -> None:
    first = [{device for device in DEVICES if place_of("m", version, device) < 0.1} for version in ("2", "3")]
    assert len(first[0] & first[1]) < 0.3 * len(first[0])


@given(st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_whoever_had_a_turn_keeps_it_when_the_share_grows(device: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    if turn_of("m", Rollout("2", small), device, "")[0]:
        assert turn_of("m", Rollout("2", large), device, "") == ("2", "")


def test_groups_go_first_and_a_stop_holds_for_all() -> None:
    pilot = Rollout("3", groups=["pilot"], settled="2")
    assert turn_of("m", pilot, "d", "pilot") == ("3", "")
    assert turn_of("m", pilot, "d", "cellar")[0] == turn_of("m", pilot, "d", "")[0] == "2"
    stopped = Rollout("3", halted="2 of 4 rolled it back", settled="2")
    assert turn_of("m", stopped, "d", "pilot") == ("2", "its roll-out is stopped: 2 of 4 rolled it back")


def test_only_what_went_to_all_is_settled() -> None:
    second = Rollout("1").followed_by("2", 0.1, [])
    assert second == Rollout("2", 0.1, [], settled="1")
    assert second.followed_by("3", 0.1, []).settled == "1"
    assert Rollout("2", halted="ghosts", settled="1").followed_by("3", 1.0, []).settled == "1"
    assert Rollout("2", settled="1").followed_by("3", 1.0, []).settled == "2"
