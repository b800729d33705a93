"""Persons are believed sooner in company."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import ModelError
from comfywear.records import Detection
from comfywear.vision.detectors.company import LAYOUT, among, in_company
from comfywear.vision.detectors.detector import Detector
from comfywear_models.registry import FOLDER

FINDS = st.lists(
    st.tuples(st.floats(0, 300, width=32), st.floats(1, 60, width=32), st.floats(0, 1, width=32)), max_size=12
)


def row_of(*scores: float) -> tuple[np.ndarray, np.ndarray]:
    """People beside each other, with these scores."""
    left = 100 * np.arange(len(scores), dtype=np.float32)
    return np.stack([left, left * 0, left + 50, left * 0 + 120], 1), np.array(scores, np.float32)


def test_who_is_alone_is_believed_as_before() -> None:
    boxes, scores = row_of(0.4)
    assert in_company(boxes, scores, 1.0) == pytest.approx([0.4])


def test_a_sure_neighbour_doubles_the_odds_at_weight_one() -> None:
    boxes, scores = row_of(0.4, 1.0)
    assert in_company(boxes, scores, 1.0)[0] == pytest.approx(0.8 / 1.4)  # odds of 2/3 become 4/3


def test_a_person_s_own_head_and_the_weakest_finds_are_no_company() -> None:
    boxes = np.array([[0, 0, 50, 120], [10, 0, 40, 30]], np.float32)
    assert in_company(boxes, np.array([0.4, 0.9], np.float32), 1.0) == pytest.approx([0.4, 0.9])
    boxes, scores = row_of(0.4, 0.29, 0.29)
    assert in_company(boxes, scores, 1.0)[0] == pytest.approx(0.4)


@given(FINDS, st.floats(0, 2))
def test_nobody_is_believed_less_and_more_weight_lifts_more(
    finds: list[tuple[float, float, float]], weight: float
) -> None:
    boxes = np.array([[x, 0, x + side, 2 * side] for x, side, _ in finds], np.float32).reshape(-1, 4)
    scores = np.array([score for *_, score in finds], np.float32)
    some, more = in_company(boxes, scores, weight), in_company(boxes, scores, weight + 0.5)
    assert (some >= scores).all()
    assert (more >= some - 1e-6).all()
    assert (more <= 1).all()


def test_who_is_seen_in_another_look_is_company_and_the_same_person_is_not() -> None:
    boxes, _ = row_of(0.4, 1.0)
    here, there = (
        Detection(tuple(box.tolist()), score, "person") for box, score in zip(boxes, (0.5, 1.0), strict=True)
    )
    bag = Detection((0.0, 0.0, 10.0, 10.0), 0.9, "bag")
    (raised, kept) = among([bag, here], [here, there, bag], 1.0)
    assert raised == Detection(here.box, pytest.approx(2 / 3), "person")
    assert kept == bag
    assert among([here, bag], [here], 1.0) == [here, bag]
    assert among([here], [], 1.0) == [here]
    assert among([bag], [here, there], 1.0) == [bag]


@given(FINDS, st.floats(0, 2))
def test_of_one_look_it_is_the_same_sum(finds: list[tuple[float, float, float]], weight: float) -> None:
    boxes = np.array([[x, 0, x + side, 2 * side] for x, side, _ in finds], np.float32).reshape(-1, 4)
    scores = np.array([score for *_, score in finds], np.float32)
    persons = [
        Detection(tuple(box), score, "person") for box, score in zip(boxes.tolist(), scores.tolist(), strict=True)
    ]
    raised = sorted((each.score for each in among(persons, persons, weight)), reverse=True)
    assert raised == pytest.approx(sorted(in_company(boxes, scores, weight).tolist(), reverse=True), abs=1e-5)


def with_company(folder: Path, weight: object) -> Path:
    """A copy of the shipped detector whose card gives this weight."""
    shutil.copytree(FOLDER, folder)
    path = folder / "detector.card.json"
    card = json.loads(path.read_text())
    card["layout"], card["output"]["company"] = LAYOUT, weight
    path.write_text(json.dumps(card))
    return path


def test_a_detector_raises_the_persons_of_a_crowd_alone_and_in_order(tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data")
    one = np.ascontiguousarray(data.astronaut()[..., ::-1])
    crowd = np.concatenate([one, one[:, ::-1], one], 1)
    plain = Detector.load(with_company(tmp_path / "none", 0)).detect(crowd, threshold=0.2)
    lifted = Detector.load(with_company(tmp_path / "some", 0.5)).detect(crowd, threshold=0.2)
    before, after = ({find.box: find.score for find in found if find.label == "person"} for found in (plain, lifted))
    assert len(before) >= 3
    assert all(after[box] > score + 0.05 for box, score in before.items())
    assert list(after.values()) == sorted(after.values(), reverse=True)
    garments = [[find for find in found if find.label != "person"] for found in (plain, lifted)]
    assert garments[0] == garments[1]


def test_company_counts_although_it_is_too_weak_to_be_reported(tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data")
    crowd = np.concatenate([np.ascontiguousarray(data.astronaut()[..., ::-1])] * 2, 1)
    detector = Detector.load(with_company(tmp_path / "some", 0.5))
    all_of_them = detector.detect(crowd, threshold=0.1)
    high = all_of_them[0].score - 1e-4
    assert detector.detect(crowd, threshold=high)[0] == all_of_them[0]


@pytest.mark.parametrize("weight", [None, "much", True, -0.1, 2.5])
def test_a_card_without_a_sensible_weight_is_refused_in_words(tmp_path: Path, weight: object) -> None:
    with pytest.raises(ModelError, match=r"output\.company, a number from 0 to 2"):
        Detector.load(with_company(tmp_path / "files", weight))
