"""Persons over time on made scenes with known truth: who wears what, who is who, where and since when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from comfywear.comfort import clothing_of
from comfywear.errors import UsageError
from comfywear.records import Box, ColourShare, Detection, Frame, Person
from comfywear.vision import PersonBook, ZoneArea

FPS = 5.0


class Model:
    """An attribute model that says what it is told and counts its work."""

    def __init__(self, **groups: float) -> None:
        self.labels = [f"group/{name.replace('_', '-')}" for name in groups]
        self.values = list(groups.values())
        self.crops: list[tuple[int, ...]] = []
        self.calls = 0

    def predict(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        self.calls += 1
        self.crops += [crop.shape for crop in crops]
        return np.tile(np.array(self.values, np.float32), (len(crops), 1))


def mean_colour(image_rgb: np.ndarray, box: Box, others: Sequence[Box]) -> list[ColourShare]:
    x1, y1, x2, y2 = (int(v) for v in box)
    red, green, blue = (int(v) for v in image_rgb[y1:y2, x1:x2].reshape(-1, 3).mean(axis=0))
    return [ColourShare("red" if red > blue else "blue", 1.0, (red, green, blue))]


class Scene:
    """A book that is shown frames at a steady rate."""

    def __init__(self, book: PersonBook, model: Model | None = None) -> None:
        self.book, self.model, self.index = book, model, 0
        self.image = np.zeros((480, 640, 3), np.uint8)

    def show(self, *detections: Detection) -> list[Person]:
        frame = Frame(self.image, self.index, 100.0 + self.index / FPS, "made")
        self.index += 1
        return self.book.update(frame, list(detections), self.model, mean_colour)


def body(x: float, y: float = 100, score: float = 0.8) -> Detection:
    return Detection((x, y, x + 100, y + 300), score, "person")


def on(person: Detection, kind: str, score: float = 0.7) -> Detection:
    x, y = person.box[:2]
    spans = {
        "top": (50, 160), "knit": (52, 158), "outer": (45, 190), "trousers": (150, 290), "skirt": (150, 230),
        "dress": (50, 230), "hat": (-5, 25), "shorts": (150, 200),
    }  # fmt: skip
    low, high = spans[kind]
    return Detection((x + 10, y + low, x + 90, y + high), score, kind)


def kinds(person: Person) -> list[str]:
    return sorted(garment.kind for garment in person.garments)


def test_each_of_two_persons_has_their_own_garments_and_a_coat_on_a_hook_is_nobodys() -> None:
    scene = Scene(PersonBook())
    a, b = body(100), body(350)
    coat = Detection((560, 50, 620, 200), 0.9, "outer")
    for _ in range(4):
        people = scene.show(a, b, on(a, "top"), on(b, "trousers"), on(b, "knit"), coat)
    assert [kinds(person) for person in people] == [["top"], ["knit", "trousers"]]
    assert people[0].garments[0].box == on(a, "top").box


def test_of_two_overlapping_persons_each_gets_one_garment_of_a_kind() -> None:
    scene = Scene(PersonBook())
    a, b = body(200), body(245)
    people = scene.show(a, b, on(a, "top"), on(b, "top", 0.6))
    assert [person.garments[0].box for person in people] == [on(a, "top").box, on(b, "top").box]


def test_garments_that_exclude_each_other_become_alternatives() -> None:
    scene = Scene(PersonBook())
    a = body(100)
    for _ in range(3):
        (person,) = scene.show(a, on(a, "trousers", 0.6), on(a, "skirt", 0.3), on(a, "top", 0.6), on(a, "knit", 0.4))
    assert kinds(person) == ["top", "trousers"]
    by_kind = {garment.kind: garment for garment in person.garments}
    assert set(by_kind["trousers"].alternatives) == {"skirt"}
    assert set(by_kind["top"].alternatives) == {"knit"}
    legs = by_kind["trousers"].probability + by_kind["trousers"].alternatives["skirt"]
    assert legs == pytest.approx(1.0)


def test_layers_with_different_boxes_are_worn_together() -> None:
    scene = Scene(PersonBook())
    a = body(100)
    shirt = Detection((130, 160, 165, 230), 0.6, "top")
    (person,) = scene.show(a, on(a, "outer", 0.6), shirt)
    assert kinds(person) == ["outer", "top"]


def test_a_garment_seen_once_in_many_frames_is_not_believed_and_one_missed_once_is() -> None:
    scene = Scene(PersonBook())
    a = body(100)
    for i in range(12):
        seen = [on(a, "hat")] if i == 5 else []
        people = scene.show(a, *seen, *([] if i == 8 else [on(a, "top")]))
    assert kinds(people[0]) == ["top"]


def test_the_attribute_model_and_the_detector_are_weighed_and_footwear_has_the_detector_alone() -> None:
    a = body(100)
    model = Model(trousers=0.9, outer=0.05, skirt_or_dress=0.1)
    (person,) = Scene(PersonBook(), model).show(a, on(a, "trousers", 0.3), on(a, "outer", 0.3))
    by_kind = {garment.kind: garment.probability for garment in person.garments}
    assert by_kind == {"trousers": pytest.approx(0.7 * 0.9 + 0.3 * 0.5)}
    assert person.attributes["group/trousers"] == pytest.approx(0.9)
    shoes = Detection((120, 380, 150, 400), 0.3, "footwear")
    (person,) = Scene(PersonBook(), model).show(a, shoes)
    assert {g.kind: g.probability for g in person.garments}["footwear"] == pytest.approx(0.5)


def test_a_score_counts_by_the_detectors_own_threshold() -> None:
    a = body(100)
    for thresholds, probability in (({}, 0.5), ({"trousers": 0.2}, 0.75), ({"trousers": 0.1}, 1.0)):
        (person,) = Scene(PersonBook(thresholds=thresholds)).show(a, on(a, "trousers", 0.3))
        assert person.garments[0].probability == pytest.approx(probability)
    assert Scene(PersonBook(thresholds={"person": 0.85})).show(a) == []
    assert len(Scene(PersonBook(thresholds={"person": 0.6})).show(a)) == 1


def test_weak_garments_are_not_listed_and_cost_no_look_at_their_colours() -> None:
    scene = Scene(PersonBook())
    looks: list[Box] = []

    def count(image_rgb: np.ndarray, box: Box, others: Sequence[Box]) -> list[ColourShare]:
        looks.append(box)
        return []

    a = body(100)
    found = [a, on(a, "top"), on(a, "hat", 0.1), Detection((120, 380, 150, 400), 0.16, "footwear")]
    for i in range(6):
        (person,) = scene.book.update(Frame(scene.image, i, i / FPS, "made"), found, None, count)
    assert kinds(person) == ["top"]
    assert set(looks) <= {on(a, "top").box, (120, 380, 150, 400)}


def test_a_garment_that_only_the_attribute_model_sees_has_no_box() -> None:
    (person,) = Scene(PersonBook(), Model(trousers=0.95)).show(body(100))
    assert [(g.kind, g.box, g.colours) for g in person.garments] == [("trousers", None, ())]


def test_attributes_are_predicted_at_birth_and_then_at_the_interval_in_batches() -> None:
    model = Model(top=0.5)
    scene = Scene(PersonBook(attribute_interval_s=2.0), model)
    for _ in range(21):  # four seconds
        scene.show(body(50), body(250), body(450))
    assert (model.calls, len(model.crops)) == (3, 9)
    assert set(model.crops) == {(300, 100, 3)}


def test_when_many_are_due_those_are_first_who_waited_longest() -> None:
    model = Model(top=0.5)
    scene = Scene(PersonBook(attribute_interval_s=100.0, crops_a_frame=2), model)
    sizes = [len(scene.show(body(50), body(250), body(450))) for _ in range(3)]
    assert sizes == [3, 3, 3]
    assert (model.calls, len(model.crops)) == (2, 3)
    assert all(person.attributes for person in scene.show(body(50), body(250), body(450)))


def test_colours_are_averaged_over_the_track() -> None:
    scene = Scene(PersonBook(attribute_interval_s=1.0))
    a = body(100)
    for i in range(21):
        scene.image[:] = (0, 0, 200) if i < 10 else (200, 0, 0)
        (person,) = scene.show(a, on(a, "top"))
    colours = {colour.name: colour.share for colour in person.garments[0].colours}
    assert set(colours) == {"red", "blue"}
    assert sum(colours.values()) == pytest.approx(1.0)


def test_zones_are_found_by_where_the_person_stands() -> None:
    left = ZoneArea("desk", ((0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0)))
    people = Scene(PersonBook(zones=[ZoneArea("room"), left])).show(body(100), body(400))
    assert [person.zone for person in people] == ["desk", "room"]
    people = Scene(PersonBook(zones=[left])).show(body(400))
    assert [person.zone for person in people] == [""]
    assert [person.zone for person in Scene(PersonBook()).show(body(100))] == ["room"]
    with pytest.raises(UsageError, match="three corners"):
        ZoneArea("line", ((0, 0), (1, 1)))


def test_two_people_who_cross_keep_their_ids_and_their_clothes() -> None:
    scene = Scene(PersonBook())
    truth = []
    for i in range(40):
        a, b = body(20 + 12 * i), body(500 - 12 * i, 110)
        hidden = abs(a.box[0] - b.box[0]) < 30  # the one behind is not detected
        detections = [a, on(a, "outer")] + ([] if hidden else [b, on(b, "knit")])
        people = scene.show(*detections)
        truth.append({person.track_id: kinds(person) for person in people})
    assert truth[2] == truth[-1] == {1: ["outer"], 2: ["knit"]}


def test_a_person_missed_for_a_moment_is_still_there_and_one_who_left_is_not() -> None:
    scene = Scene(PersonBook(hold_s=1.0))
    for _ in range(5):
        scene.show(body(100))
    assert [person.track_id for person in scene.show()] == [1]
    assert [person.track_id for person in scene.show(body(103))] == [1]
    present = [len(scene.show()) for _ in range(10)]
    assert present[0] == 1
    assert present[-1] == 0
    assert scene.show(body(104))[0].track_id == 1  # back within five seconds


def test_a_person_who_sits_down_behind_a_desk_keeps_the_id() -> None:
    scene = Scene(PersonBook())
    for i in range(30):
        x, y = 200.0, 100 + 4.0 * min(i, 15)
        box = (x, y, x + 100, y + 300 if i < 15 else 330.0)  # the desk hides everything below 330
        people = scene.show(Detection(box, 0.7, "person"), Detection((x + 10, y + 50, x + 90, y + 160), 0.7, "top"))
    assert [person.track_id for person in people] == [1]
    assert people[0].seen_s == pytest.approx(29 / FPS)
    assert kinds(people[0]) == ["top"]


def test_memory_is_bounded_while_people_come_and_go() -> None:
    rng = np.random.default_rng(1)
    scene = Scene(PersonBook())
    for _ in range(600):
        scene.show(
            *[body(float(x), float(y)) for x, y in zip(rng.uniform(0, 540, 3), rng.uniform(0, 180, 3), strict=True)]
        )
    assert len(scene.book) <= 3 * (5 * FPS + 2)


def test_frames_out_of_order_and_boxes_outside_the_picture_do_no_harm() -> None:
    book = PersonBook()
    image = np.zeros((480, 640, 3), np.uint8)
    detections = [Detection((600, 400, 900, 900), 0.9, "person"), Detection((float("nan"), 0, 5, 5), 0.9, "person")]
    for t in (5.0, 5.0, 4.0, 50.0):
        people = book.update(Frame(image, 0, t, "made"), detections, Model(top=0.9), mean_colour)
        assert len(people) <= 1
    assert book.update(Frame(image, 0, 60.0, "made"), [], None, mean_colour) == []


def test_persons_and_their_garments_are_carried_over_frames_without_detections() -> None:
    scene = Scene(PersonBook(hold_s=0.5))
    for i in range(20):
        a = body(20 + 10.0 * i)
        people = scene.show(a, on(a, "top"))
    for i in range(20, 26):
        frame = Frame(scene.image, i, 100.0 + i / FPS, "made")
        (person,) = scene.book.update(frame, None, None, mean_colour)
        assert person.track_id == people[0].track_id
        assert person.box[0] == pytest.approx(20 + 10.0 * i, abs=15)
        top = person.garments[0].box
        assert top is not None
        assert top[0] - person.box[0] == pytest.approx(10, abs=2)
    scene.index = 26
    a = body(20 + 10.0 * 26)
    assert [p.track_id for p in scene.show(a, on(a, "top"))] == [1]


def test_a_person_missed_by_one_of_rare_detections_is_still_there_at_the_next() -> None:
    scene = Scene(PersonBook(frame_rate=FPS))
    counts, ids = [], set()
    for i in range(60):
        frame = Frame(scene.image, i, i / FPS, "made")
        detections = None if i % 5 else [] if i == 30 else [body(100), body(400)]
        people = scene.book.update(frame, detections, None, mean_colour)
        counts.append(len(people))
        ids |= {person.track_id for person in people}
    assert ids == {1, 2}
    assert set(counts) == {2}


def test_two_people_who_cross_keep_ids_and_clothes_although_frames_are_dropped() -> None:
    rng = np.random.default_rng(4)
    scene = Scene(PersonBook(frame_rate=10.0))
    seen = {}
    for i in range(80):
        if i > 3 and rng.random() < 0.35:
            continue
        a, b = body(20 + 6.0 * i), body(500 - 6.0 * i, 110)
        hidden = abs(a.box[0] - b.box[0]) < 30
        detections = [a, on(a, "outer"), *([] if hidden else [b, on(b, "knit")])]
        frame = Frame(scene.image, i, i / 10, "made")
        people = scene.book.update(frame, detections, None, mean_colour)
        if not hidden:
            seen[i] = {person.track_id: kinds(person) for person in people}
    assert seen[0] == seen[max(seen)] == {1: ["outer"], 2: ["knit"]}
    assert set().union(*seen.values()) == {1, 2}


def test_one_garment_box_over_two_persons_is_worn_by_one_of_them() -> None:
    scene = Scene(PersonBook())
    a, b = body(200), body(260)
    shared = Detection((250, 150, 310, 260), 0.8, "outer")
    for _ in range(5):
        people = scene.show(a, b, shared, on(a, "trousers"), on(b, "trousers"))
    worn = [kinds(person) for person in people]
    assert sorted(worn) == [["outer", "trousers"], ["trousers"]]


def test_one_who_sits_behind_a_desk_has_an_upper_body_and_assumed_legs() -> None:
    scene = Scene(PersonBook(), Model(top=0.9, trousers=0.3))
    torso = Detection((200, 150, 320, 300), 0.8, "person")
    shirt = Detection((205, 200, 315, 300), 0.8, "top")
    for _ in range(30):
        people = scene.show(torso, shirt)
    assert [kinds(person) for person in people] == [["top"]]
    worn = clothing_of(people[0])
    assert any("legs were not seen" in sentence for sentence in worn.assumptions)
    assert 0.4 < worn.clo < 0.9


def test_a_persons_clo_becomes_surer_with_every_look() -> None:
    scene = Scene(PersonBook(attribute_interval_s=1.0), Model(top=0.9, trousers=0.9))
    sds = []
    for _ in range(40):
        (person,) = scene.show(body(100), on(body(100), "top"), on(body(100), "trousers"))
        sds.append(clothing_of(person).clo_sd)
    assert sds == sorted(sds, reverse=True)
    assert sds[-1] < sds[0] - 0.001
    assert person.looks == 8


def test_in_a_grey_picture_no_colour_becomes_known_and_those_that_are_stay() -> None:
    scene, a = Scene(PersonBook(attribute_interval_s=1.0)), body(100)

    def show(coloured: bool) -> list[list[str]]:
        frame = Frame(scene.image, scene.index, 100.0 + scene.index / FPS, "made")
        scene.index += 1
        scene.book.follow(frame, [a, on(a, "top")])
        scene.book.look(frame, None, mean_colour, coloured=coloured)
        (person,) = scene.book.persons(frame)
        return [[colour.name for colour in garment.colours] for garment in person.garments]

    assert [show(coloured=False) for _ in range(20)][-1] == [[]], "not known, and nothing wrong"
    assert show(coloured=True) == [["blue"]], "the next frame with colours is enough"
    assert [show(coloured=False) for _ in range(20)][-1] == [["blue"]]


def test_work_is_put_off_to_later_frames_when_there_is_no_time_for_looks() -> None:
    model = Model(top=0.5)
    scene = Scene(PersonBook(attribute_interval_s=2.0), model)
    for i in range(10):
        frame = Frame(scene.image, i, i / FPS, "made")
        scene.book.follow(frame, [body(50), body(250), body(450)])
        assert scene.book.waiting(frame.monotonic_s) == (3, pytest.approx(i / FPS))
        assert scene.book.look(frame, model, mean_colour, most=0) == 0
    assert scene.book.look(frame, model, mean_colour, most=2) == 2
    assert scene.book.waiting(frame.monotonic_s)[0] == 1
    assert scene.book.look(frame, model, mean_colour) == 1
    assert scene.book.waiting(frame.monotonic_s, slower=4.0) == (0, 0.0)


@pytest.mark.parametrize("threshold", [0.12, 0.33, 0.6])
def test_who_is_just_believed_is_followed_whatever_scale_the_detector_scores_on(threshold: float) -> None:
    scene = Scene(PersonBook(thresholds={"person": threshold}))
    scene.show()
    ids = set()
    for step in range(12):
        people = scene.show(body(100 + 6 * step, score=1.15 * threshold))
        ids |= {person.track_id for person in people}
    assert len(people) == 1
    assert len(ids) == 1


def test_a_box_that_wobbles_does_not_rename_what_somebody_wears() -> None:
    """Two names for one box are one garment; which of the two, and whether, is not decided anew with every frame."""
    scene, a = Scene(PersonBook()), body(100)
    told = []
    for step in range(120):
        wobble = 14 * (step % 2)  # the boxes' IoU is .80 and .72 in turn
        outer = Detection((110, 145, 190, 260), 0.6, "outer")
        top = Detection((110, 145 + 23 + wobble // 2, 190, 260 + wobble // 14), 0.6, "top")
        people = scene.show(a, outer, top)
        told.append(tuple(kinds(people[0])))
        assert all(garment.box is not None for garment in people[0].garments)
    assert len(set(told[20:])) == 1
    assert people[0].garments[0].box in (outer.box, top.box)


def test_colours_are_looked_at_three_times_and_then_seldom() -> None:
    book, model, looked = PersonBook(attribute_interval_s=1.0), Model(top=0.9), []

    def colours(image: np.ndarray, box: Box, others: Sequence[Box]) -> list[ColourShare]:
        looked.append(frame.index)
        return mean_colour(image, box, others)

    for index in range(100):
        frame = Frame(np.zeros((480, 640, 3), np.uint8), index, 100.0 + index / FPS, "made")
        book.update(frame, [body(100), on(body(100), "top")], model, colours)
    assert model.calls == 20
    assert looked == [0, 5, 10, 25, 55, 85]
