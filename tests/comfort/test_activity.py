"""Activity from posture and motion: the table's values, and more uncertainty where less is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.comfort.activity import ACTIVITIES, Motion, activity_of, named_activity
from comfywear.errors import UsageError


@pytest.mark.parametrize(
    ("motion", "met"),
    [
        (Motion("sitting", 0.0), 1.2),
        (Motion("standing", 0.0), 1.6),
        (Motion("lying", 0.0), 0.8),
        (Motion("sitting", 1.0, 2.0 / 3.6), 1.9),
        (Motion("sitting", 1.0, 3.0 / 3.6), 2.4),
        (Motion("standing", 1.0, 5.0 / 3.6), 3.4),
        (Motion("sitting", 0.5, 4.0 / 3.6), 2.0),
    ],
)
def test_the_values_are_the_standards(motion: Motion, met: float) -> None:
    found = activity_of(motion)
    assert found.met == pytest.approx(met)
    assert found.met_sd >= 0.2 * met - 1e-9
    assert found.assumptions == ()


def test_what_is_not_known_is_said_and_widens_it() -> None:
    unknown, seated = activity_of(Motion()), activity_of(Motion("sitting", 0.0))
    assert len(unknown.assumptions) == 2
    assert unknown.met_sd > seated.met_sd
    walk, measured = activity_of(Motion("sitting", 1.0)), activity_of(Motion("sitting", 1.0, 3.0 / 3.6))
    assert walk.met == measured.met
    assert walk.met_sd > measured.met_sd
    assert "3 km/h" in walk.assumptions[0]


def test_what_they_do_while_they_do_not_walk_may_be_known_otherwise() -> None:
    found = activity_of(Motion(walking_share=0.25, speed_m_s=3.0 / 3.6), 1.0)
    assert found.met == pytest.approx(0.75 * 1.0 + 0.25 * 2.4)
    assert found.assumptions == ()
    assert activity_of(Motion(walking_share=0.0), 1.1).met == 1.1


@given(st.sampled_from([None, "lying", "sitting", "standing"]), st.floats(0, 1), st.floats(0, 3), st.floats(0, 1))
def test_moving_more_or_faster_is_never_less_activity(posture: Any, share: float, speed: float, more: float) -> None:
    base = activity_of(Motion(posture, share, speed))
    assert 0.8 <= base.met <= 3.4
    assert activity_of(Motion(posture, share, speed + more)).met >= base.met - 1e-9
    assert activity_of(Motion(posture, min(share + more, 1.0), speed)).met >= base.met - 1e-9


@pytest.mark.parametrize("motion", [Motion("flying"), Motion("sitting", 1.5), Motion("sitting", 0.5, -1.0)])  # type: ignore[arg-type] # the wrong word is the test
def test_what_cannot_be_is_refused(motion: Motion) -> None:
    with pytest.raises(UsageError, match="give"):
        activity_of(motion)


def test_activities_have_names() -> None:
    assert named_activity(" Office ").met == 1.2
    with pytest.raises(UsageError, match="typing"):
        named_activity("yodelling")
    assert all(0.7 <= met <= 4.0 for met in ACTIVITIES.values())
