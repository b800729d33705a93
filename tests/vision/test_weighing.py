"""What a find of a garment is worth beside what attributes say of its wearer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.records import Box, Detection
from comfywear.vision.people.wardrobe import GarmentRules
from comfywear.vision.people.weighing import weighed

RULES = GarmentRules(pooled=0.5, double=2.0)
BODY: Box = (100.0, 50.0, 200.0, 450.0)
LEGS: Box = (110.0, 250.0, 190.0, 440.0)


def find(label: str, score: float, box: Box = LEGS) -> Detection:
    return Detection(box, score, label)


def test_a_find_gets_the_geometric_mean_of_score_and_probability() -> None:
    (trousers,) = weighed([BODY], [{"group/trousers": 0.9}], [find("trousers", 0.4)], RULES)
    assert trousers == Detection(LEGS, pytest.approx(0.6), "trousers")


def test_of_several_finds_of_a_kind_on_a_person_the_weaker_fall_back_and_another_persons_do_not() -> None:
    beside: Box = (300.0, 50.0, 400.0, 450.0)
    finds = [
        find("bag", 0.8),
        find("bag", 0.4, (150.0, 200.0, 200.0, 300.0)),
        find("bag", 0.4, (310.0, 200.0, 390.0, 300.0)),
    ]
    scores = [each.score for each in weighed([BODY, beside], [{"group/bag": 0.8}, {"group/bag": 0.4}], finds, RULES)]
    assert scores == pytest.approx([0.8, 0.8 * 0.25, 0.4])


def test_skirt_and_dress_share_their_group_by_the_single_garments() -> None:
    said = {"group/skirt-or-dress": 0.8, "garment/skirt": 0.1, "garment/dress": 0.3}
    skirt, dress = weighed([BODY], [said], [find("skirt", 0.2), find("dress", 0.6)], RULES)
    assert (skirt.score, dress.score) == (pytest.approx(0.2), pytest.approx(0.6))


def test_what_nobody_wears_and_what_the_attributes_do_not_know_stays_as_it_is() -> None:
    finds = [find("trousers", 0.5, (400.0, 250.0, 480.0, 440.0)), find("footwear", 0.4), find("trousers", 0.5)]
    assert weighed([BODY], [{}], finds, RULES) == finds
    assert weighed([BODY], [{"group/trousers": 0.9}], finds[:2], RULES) == finds[:2]
    assert weighed([], [], finds, RULES) == finds
    assert weighed([BODY], [{}], [], RULES) == []


@given(
    scores=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6),
    said=st.floats(0.0, 1.0),
    pooled=st.floats(0.0, 1.0),
    double=st.floats(0.0, 4.0),
)
def test_scores_stay_between_0_and_1_and_in_their_order(
    scores: list[float], said: float, pooled: float, double: float
) -> None:
    rules = GarmentRules(pooled=pooled, double=double)
    out = weighed([BODY], [{"group/trousers": said}], [find("trousers", score) for score in scores], rules)
    assert all(0.0 <= each.score <= 1.0 + 1e-9 for each in out)
    pairs = sorted(zip(scores, (each.score for each in out), strict=True))
    assert all(low[1] <= high[1] + 1e-9 for low, high in pairwise(pairs) if low[0] < high[0])
