"""Persons from one detector, garments from another on their crops: with detectors that answer from a script."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from comfywear.records import Box, Detection
from comfywear.vision.detectors.composed import ComposedDetector


class Scripted:
    """A detector that gives what the test says and notes the pictures that it was shown."""

    engine_name, precision, fallback, card, file = "none", "fp32", None, None, None
    engine_s = 1.5

    def __init__(self, labels: tuple[str, ...], *answers: Detection) -> None:
        self.labels, self.answers = labels, list(answers)
        self.thresholds = dict.fromkeys(labels, 0.3)
        self.shown: list[np.ndarray] = []

    def detect(self, image: np.ndarray, *, threshold: float | None = None) -> list[Detection]:
        self.shown.append(image)
        return [d for d in self.answers if d.score >= (threshold or 0.3)]


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


IMAGE = np.zeros((400, 600, 3), np.uint8)


def person(box: Box, score: float = 0.9) -> Detection:
    return Detection(box, score, "person")


def composed(persons: list[Detection], garments: list[Detection], **more: Any) -> tuple[Any, Scripted, Scripted, Clock]:
    first, second, clock = Scripted(("person",), *persons), Scripted(("person", "outer", "bag"), *garments), Clock()
    return ComposedDetector(first, second, clock=clock, **more), first, second, clock  # type: ignore[arg-type]


def test_garments_of_a_crop_come_back_in_pixels_of_the_frame() -> None:
    image = IMAGE.copy()
    image[100:300, 200:300] = 255
    detector, _, second, _ = composed(
        [person((200, 100, 300, 300))],
        [Detection((20, 40, 90, 120), 0.7, "outer"), person((0, 0, 124, 248))],
    )
    found = detector.detect(image)
    assert [d.label for d in found] == ["person", "outer"]
    # The crop begins 12 % outside of the box: at (188, 76).
    assert second.shown[0].shape == (248, 124, 3)
    assert second.shown[0][30, 20].tolist() == [255, 255, 255]
    np.testing.assert_allclose(found[1].box, (208, 116, 278, 196), atol=1e-3)
    assert (detector.engine_s, detector.labels) == (3.0, ("person", "outer", "bag"))


def test_between_looks_garments_move_with_their_person_and_cost_nothing() -> None:
    detector, first, second, clock = composed(
        [person((200, 100, 300, 300))], [Detection((12, 24, 62, 124), 0.7, "outer")], interval_s=10.0
    )
    detector.detect(IMAGE)
    for step in range(1, 10):
        clock.now_s += 0.5
        first.answers = [person((200 + 20 * step, 100, 300 + 20 * step, 300))]
        found = detector.detect(IMAGE)
        np.testing.assert_allclose(found[1].box, (200 + 20 * step, 100, 250 + 20 * step, 200), atol=1e-3)
    assert len(second.shown) == 1
    clock.now_s += 6.0  # nobody was lost: the person is still there when the look is due
    detector.detect(IMAGE)
    assert len(second.shown) == 2


def test_a_new_person_is_looked_at_at_once_and_at_most_three_a_frame() -> None:
    crowd = [person((60.0 * i, 100, 60.0 * i + 50, 300)) for i in range(5)]
    detector, _, second, clock = composed(crowd, [Detection((5, 5, 40, 100), 0.5, "outer")])
    looked = []
    for _ in range(3):
        before = len(second.shown)
        detector.detect(IMAGE)
        looked.append(len(second.shown) - before)
        clock.now_s += 0.5
    assert looked == [3, 2, 0]
    everybody, _, third, _ = composed(crowd, [], interval_s=0.0)
    everybody.detect(IMAGE)
    everybody.detect(IMAGE)
    assert len(third.shown) == 10


def test_small_and_unsure_persons_are_reported_without_garments() -> None:
    detector, _, second, _ = composed([person((0, 0, 10, 20)), person((100, 100, 200, 300), 0.2)], [])
    assert len(detector.detect(IMAGE, threshold=0.1)) == 2
    assert not second.shown


def test_a_garment_in_two_crops_is_one() -> None:
    pair = [person((200, 100, 300, 300)), person((210, 100, 310, 300))]
    detector, _, second, _ = composed(pair, [Detection((30, 40, 90, 120), 0.7, "outer")], interval_s=0.0)
    found = detector.detect(IMAGE)
    assert len(second.shown) == 2
    assert [d.label for d in found].count("outer") == 1


def test_somebody_else_on_the_spot_after_a_while_is_looked_at_anew() -> None:
    detector, first, second, clock = composed([person((200, 100, 300, 300))], [Detection((9, 9, 50, 99), 0.5, "outer")])
    detector.detect(IMAGE)
    first.answers = []
    for _ in range(6):
        clock.now_s += 0.5
        assert detector.detect(IMAGE) == []
    first.answers = [person((200, 100, 300, 300))]
    detector.detect(IMAGE)
    assert len(second.shown) == 2


@pytest.mark.parametrize("box", [(-50, -50, 30, 60), (580, 300, 700, 500)])
def test_persons_at_the_edge_of_the_picture_have_crops_too(box: Box) -> None:
    detector, _, second, _ = composed([person(box)], [Detection((1, 1, 9, 9), 0.5, "bag")])
    assert len(detector.detect(IMAGE)) == 2
    assert second.shown[0].size
