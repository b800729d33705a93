"""Persons known again by what they wear; in memory, for a while, and not when in doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from comfywear.errors import UsageError
from comfywear.records import Box, ColourShare, Detection, Frame, Garment, Person
from comfywear.vision import PersonBook
from comfywear.vision.tracking.reid import Description, Gallery, describe, distance

FPS = 2.0
RED, BLUE = (0, 0, 200), (200, 0, 0)  # BGR


def looks(attributes: Sequence[float], colour: str = "red") -> Description:
    worn = [Garment("top", 0.9, None, (ColourShare(colour, 1.0, (1, 2, 3)),))]
    found = describe(attributes, worn)
    assert found is not None
    return found


def test_a_distance_is_0_to_itself_symmetric_and_at_most_1() -> None:
    a, b = looks([0.9, 0.1, 0.5]), looks([0.1, 0.9, 0.5], "blue")
    assert distance(a, a) == pytest.approx(0.045)  # the legs of neither were seen
    assert distance(a, b) == distance(b, a)
    assert 0.2 < distance(a, b) <= 1.0
    assert distance(a, looks([0.9, 0.1, 0.5], "blue")) < distance(a, b)
    worst = distance(looks([0.0] * 3), looks([1.0] * 3, "blue"))
    assert worst == pytest.approx((8 + 1 + 0.45) / 10)
    assert describe([], []) is None


def test_whoever_comes_back_soon_is_known_once_and_a_stranger_is_not() -> None:
    gallery = Gallery(60.0)
    gallery.add(1, looks([0.9, 0.1]), 100.0)
    gallery.add(2, looks([0.1, 0.9], "blue"), 100.0)
    assert gallery.find(looks([0.5, 0.5], "green"), 110.0) is None
    assert gallery.find(looks([0.88, 0.12]), 110.0, without={1}) is None
    assert gallery.find(looks([0.88, 0.12]), 110.0) == 1
    assert gallery.find(looks([0.88, 0.12]), 110.0) is None
    assert gallery.find(looks([0.1, 0.9], "blue"), 161.0) is None
    assert len(gallery) == 0


def test_two_who_look_alike_are_not_told_apart() -> None:
    gallery = Gallery()
    gallery.add(1, looks([0.9, 0.1]), 0.0)
    gallery.add(2, looks([0.9, 0.1]), 0.0)
    assert gallery.find(looks([0.9, 0.1]), 1.0) is None


def test_a_gallery_is_bounded_and_takes_no_answers_of_another_model() -> None:
    gallery = Gallery(1e9)
    for person in range(200):
        gallery.add(person, looks([0.9, 0.1]), float(person))
    assert len(gallery) == 64
    assert gallery.find(looks([0.9, 0.1, 0.3]), 200.0) is None
    with pytest.raises(UsageError, match="positive"):
        Gallery(0.0)


class ByColour:
    """An attribute model that tells red crops from blue ones."""

    labels = ("group/top", "group/outer", "garment/coat")

    def predict(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        red = [crop[..., 2].mean() > crop[..., 0].mean() for crop in crops]
        return np.array([[0.95, 0.05, 0.05] if r else [0.05, 0.95, 0.9] for r in red], np.float32)


def flat_colour(image_rgb: np.ndarray, box: Box, others: Sequence[Box]) -> list[ColourShare]:
    x, y = int(box[0] + box[2]) // 2, int(box[1] + box[3]) // 2
    return [ColourShare("red" if image_rgb[y, x, 0] > 100 else "blue", 1.0, (200, 0, 0))]


class Scene:
    """A book that is shown persons of two colours, twice a second."""

    def __init__(self, gallery: Gallery | None) -> None:
        self.book = PersonBook(frame_rate=FPS, gallery=gallery)
        self.index = 0

    def show(self, persons: dict[int, tuple[int, int, int]], times: int = 1, *, look: bool = True) -> list[Person]:
        people: list[Person] = []
        for _ in range(times):
            image = np.zeros((480, 640, 3), np.uint8)
            detections = []
            for x, colour in persons.items():
                image[100:400, x : x + 100] = colour
                detections.append(Detection((x, 100, x + 100, 400), 0.9, "person"))
                detections.append(Detection((x + 10, 150, x + 90, 260), 0.9, "top"))
            frame = Frame(image, self.index, self.index / FPS, "made")
            self.index += 1
            self.book.follow(frame, detections)
            self.book.look(frame, ByColour(), flat_colour, most=None if look else 0)
            people = self.book.persons(frame)
        return people


def ids(people: Sequence[Person]) -> list[int]:
    return [person.track_id for person in people]


def test_one_who_leaves_and_returns_elsewhere_keeps_the_id_from_the_first_frame_on() -> None:
    scene = Scene(Gallery(60.0))
    assert ids(scene.show({50: RED, 400: BLUE}, 8)) == [1, 2]
    assert ids(scene.show({400: BLUE}, 40)) == [2]
    back = [ids(scene.show({200: RED, 400: BLUE})) for _ in range(4)]
    assert back == [[2], [1, 2], [1, 2], [1, 2]]


def test_without_a_gallery_or_after_its_time_they_are_somebody_new() -> None:
    for gallery in (None, Gallery(10.0)):
        scene = Scene(gallery)
        scene.show({50: RED, 400: BLUE}, 8)
        scene.show({400: BLUE}, 60)
        assert ids(scene.show({200: RED, 400: BLUE}, 3)) == [2, 3]


def test_one_who_jumps_while_lost_is_known_before_the_tracker_gives_up() -> None:
    scene = Scene(Gallery())
    scene.show({50: RED}, 8)
    assert ids(scene.show({450: RED}, 3)) == [1]
    assert len(scene.book) == 1


def test_a_number_that_is_there_is_never_given_twice() -> None:
    scene = Scene(Gallery())
    scene.show({50: RED}, 8)
    assert ids(scene.show({50: RED, 300: RED}, 5)) == [1, 2]


def test_a_late_look_gives_the_old_number_for_a_short_while_only() -> None:
    for wait, expected in ((2, [1]), (9, [2])):
        scene = Scene(Gallery(60.0))
        scene.show({50: RED}, 8)
        scene.show({}, 30)
        scene.show({300: RED}, 2, look=False)
        scene.show({300: RED}, wait, look=False)
        assert ids(scene.show({300: RED})) == expected
