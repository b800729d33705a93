"""Each format is read as it is published; what is damaged is refused with its file."""

from __future__ import annotations

import contextlib
import json
import random
import re
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import data_sets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear.feedback.capture import CaptureFolder, Capturer, Look, Wanted
from comfywear.records import Detection
from comfywear_export.data.attribute_data import read_examples
from comfywear_export.data.datasets import read_set
from comfywear_export.data.formats import Box, Damaged, Dataset, Picture, guess_format, read_dataset, write_dataset
from comfywear_export.data.formats.known import divided, renamed
from comfywear_export.data.formats.target import Target
from comfywear_export.data.labels import ATTRIBUTE_LABELS


@pytest.mark.parametrize("form", ["captures", "coco", "yolo", "cvat", "deepfashion2", "upar"])
def test_the_format_of_a_folder_is_guessed(tmp_path: Path, form: str) -> None:
    assert guess_format(getattr(data_sets, form)(tmp_path / "set")) == form


def test_a_folder_in_no_format_is_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(UsageError, match=r"none of the known data sets: .*data\.yaml"):
        guess_format(tmp_path)
    with pytest.raises(UsageError, match="no such file"):
        guess_format(tmp_path / "gone")


def test_captures_are_guesses_with_scores_and_where_they_come_from(tmp_path: Path) -> None:
    dataset = read_dataset(data_sets.captures(tmp_path))
    assert dataset.labels == ("person", "top")
    first = dataset.pictures[0]
    assert first.boxes[0] == Box("person", 8.0, 4.0, 60.5, 92.0, 0.71)
    assert first.attributes["zone"] == "desk"
    assert first.attributes["vote"] == "4"


def test_what_a_device_captures_is_read(tmp_path: Path) -> None:
    folder = CaptureFolder(tmp_path / "captures", 1e8, 1e9)
    capturer = Capturer(folder, ["count"], Wanted(min_count=2), 0.0, models=list)
    soft = np.random.default_rng(3).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    image = np.asarray(cv2.resize(soft, (640, 480), interpolation=cv2.INTER_LINEAR), np.uint8)
    body = Detection((100.0, 40.0, 220.0, 400.0), 0.9, "person")
    top = Detection((110.0, 120.0, 210.0, 240.0), 0.8, "top")
    capturer.on_look(Look(image, time.monotonic(), (body, top), (), {"person": 0.5, "top": 0.4}))
    stop = threading.Event()
    worker = threading.Thread(target=capturer.run, args=(stop,))
    worker.start()
    deadline = time.monotonic() + 90
    while not folder.size()[0] and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    worker.join()
    (picture,) = read_dataset(folder.path, "captures").pictures
    assert {(box.label, box.score) for box in picture.boxes} == {("person", 0.9), ("top", 0.8)}
    assert picture.attributes["sampler"] == "count"


def test_coco_as_published_gives_splits_crowds_and_categories_in_order(tmp_path: Path) -> None:
    dataset = read_dataset(data_sets.coco(tmp_path))
    assert dataset.labels == ("person", "backpack")
    assert [(p.split, p.name) for p in dataset.pictures] == [
        ("train", "000000000139.jpg"),
        ("validation", "000000000139.jpg"),
    ]
    person, crowd = dataset.pictures[0].boxes
    assert person == Box("person", 10, 10, 40, 80)
    assert (crowd.crowd, crowd.x + crowd.width) == (True, 80)
    assert dataset.notes["boxes cut at the picture's edge"] == 2


def test_yolo_as_roboflow_exports_it(tmp_path: Path) -> None:
    dataset = read_dataset(data_sets.yolo(tmp_path))
    assert dataset.labels == ("hat", "person")
    by_name = {(p.split, p.name): p for p in dataset.pictures}
    person, polygon, guess = by_name["validation", "a.jpg"].boxes
    assert person == Box("person", 30, 25, 20, 50)
    assert (polygon.label, polygon.x, polygon.y) == ("hat", pytest.approx(8), pytest.approx(10))
    assert (polygon.width, polygon.height) == (pytest.approx(32), pytest.approx(30))
    assert guess.score == 0.875
    assert by_name["train", "nothing-on-it.png"].boxes == ()
    assert dataset.notes == {"pictures without a label file": 1}


def test_cvat_as_exported_with_attributes_guesses_and_other_shapes_counted(tmp_path: Path) -> None:
    dataset = read_dataset(data_sets.cvat(tmp_path))
    assert dataset.labels == ("person", "top")
    person, top = dataset.pictures[0].boxes
    assert person == Box("person", 10.5, 20, 50, 70, attributes={"seated": "true"})
    assert (top.score, top.attributes) == (0.625, {})
    assert dataset.pictures[1].name == "sub/0002.jpg"
    assert dataset.notes == {"shapes that are no boxes left out": 1}


def test_deepfashion2_boxes_are_corners_and_pairs_stay_together(tmp_path: Path) -> None:
    dataset = read_dataset(data_sets.deepfashion2(tmp_path))
    train, validation = dataset.pictures
    assert (train.split, validation.split, train.together) == ("train", "validation", "pair 28")
    top, vest = train.boxes
    assert (top.label, top.x, top.y, top.width, top.height) == ("short sleeve top", 10, 12, 40, 50)
    assert top.attributes["occlusion"] == "1"
    assert vest.label == "vest"


@pytest.mark.parametrize("header", [data_sets.UPAR_HEADER, data_sets.UPAR_HEADER.removeprefix("# image,")])
def test_upar_persons_have_attributes_but_neither_age_nor_gender(tmp_path: Path, header: str) -> None:
    dataset = read_dataset(data_sets.upar(tmp_path, header))
    (picture,) = dataset.pictures
    (person,) = picture.boxes
    assert (picture.split, person.width, person.height) == ("train", 64, 128)
    assert person.attributes["Accessory-Hat"] == person.attributes["LowerBody-Type-Trousers&Shorts"] == "1"
    assert person.attributes["Accessory-Bag"] == "0"
    assert len(person.attributes) == 36
    assert not any(name.startswith(("Age", "Gender")) for name in person.attributes)


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.rglob(pattern))[0]


@pytest.mark.parametrize(
    ("form", "damage", "message"),
    [
        ("captures", lambda f: first(f, "*.json").write_text("{"), "not the sidecar"),
        ("captures", lambda f: first(f, "*.jpg").unlink(), "no picture"),
        ("coco", lambda f: first(f, "*.json").write_text('{"images": ['), "not in COCO's layout"),
        ("coco", lambda f: spoil(first(f, "*.json"), '"width": 80', '"width": 800'), "picture has 80 × 100"),
        ("coco", lambda f: spoil(first(f, "*.json"), '"category_id": 1,', '"category_id": 9,'), "category 9"),
        ("coco", lambda f: spoil(first(f, "*.json"), "000000000139.jpg", "../../secret.jpg"), "leads out"),
        ("coco", lambda f: spoil(first(f, "*.json"), "[10.0, 10.0, 40.0", "[NaN, 10.0, 40.0"), "not made of numbers"),
        ("yolo", lambda f: spoil(f / "data.yaml", "nc: 2", "nc: 3"), "nc is 3, but there are 2 names"),
        ("yolo", lambda f: spoil(f / "data.yaml", "names: [", "names: {{"), "not YOLO's data.yaml"),
        ("yolo", lambda f: spoil(f / "data.yaml", "../train/images", "../../../../../etc"), "there is no"),
        ("yolo", lambda f: spoil(first(f, "*.txt"), "1 0.5 0.5 0.25", "7 0.5 0.5 0.25"), "line 1: class 7"),
        ("yolo", lambda f: spoil(first(f, "*.txt"), "1 0.5 0.5 0.25", "1 40 50 20"), "not pixels"),
        ("yolo", lambda f: spoil(first(f, "*.txt"), "0.25 0.5\n", "0.25\n"), "neither a box"),
        ("cvat", lambda f: spoil(f / "annotations.xml", "</annotations>", ""), "not XML, or cut off"),
        ("cvat", lambda f: spoil(f / "annotations.xml", ">1.1<", ">1.0<"), "version 1.0"),
        ("cvat", lambda f: spoil(f / "annotations.xml", 'xtl="10.50"', 'xtl="left"'), "could not convert"),
        ("cvat", lambda f: spoil(f / "annotations.xml", "<annotations>", "<!DOCTYPE a><annotations>"), "entities"),
        ("deepfashion2", lambda f: first(f, "*.json").write_text("[]"), "not an annotation of DeepFashion2"),
        ("deepfashion2", lambda f: spoil(first(f, "*.json"), '"category_id": 5', '"category_id": 14'), "category 14"),
        ("upar", lambda f: spoil(first(f, "*.csv"), ",1,", ",yes,"), "line 2: 'yes' is neither 0 nor 1"),
        ("upar", lambda f: spoil(first(f, "*.csv"), ",1,", ","), "line 2: 38 columns, expected a path and 40"),
        ("upar", lambda f: first(f, "*.jpg").write_bytes(b"no picture"), "not a readable picture"),
    ],
)
def test_what_is_damaged_is_refused_with_its_file(
    tmp_path: Path, form: str, damage: Callable[[Path], object], message: str
) -> None:
    folder = getattr(data_sets, form)(tmp_path / "set")
    damage(folder)
    with pytest.raises(UsageError, match=message) as refused:
        read_dataset(folder, form)
    assert str(folder) in str(refused.value)


@pytest.mark.parametrize("form", ["captures", "coco", "yolo", "cvat", "deepfashion2", "upar"])
def test_no_damage_of_a_file_is_more_than_a_refusal(tmp_path: Path, form: str) -> None:
    folder = getattr(data_sets, form)(tmp_path / "set")
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".yaml", ".txt", ".xml", ".csv"))
    chance = random.Random(form)
    tokens = [b"null", b"[]", b"1e999", b'""', b"NaN", b"-1", b"\xff", b"- a: b", b"&a [*a]"]
    tokens.append(b"[" * (100 if form == "yolo" else 3000))
    for _ in range(30):
        file = chance.choice(files)
        whole = file.read_bytes()
        found = list(re.finditer(rb'"[^"]*"|[-.\d]+|\w+|\[[^\[\]]*\]|\{[^{}]*\}', whole))
        part = chance.choice(found)
        new = chance.choice([*tokens, b""])
        file.write_bytes(whole[: part.start()] + new + (whole[part.end() :] if chance.random() < 0.8 else b""))
        for damaged in (Damaged(), Damaged(skip=True)):
            with contextlib.suppress(UsageError):
                guess_format(folder)
                read_dataset(folder, form, damaged=damaged)
        file.write_bytes(whole)
    assert read_dataset(folder, form).pictures


def test_an_entity_in_another_encoding_does_not_grow(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "bbbb">]><annotations>&b;</annotations>'
    (tmp_path / "annotations.xml").write_bytes(bomb.encode("utf-16"))
    with pytest.raises(UsageError, match="not XML, or cut off"):
        read_dataset(tmp_path, "cvat")


def test_what_is_damaged_can_be_left_out_and_is_listed(tmp_path: Path) -> None:
    folder = data_sets.captures(tmp_path / "set")
    first(folder, "*.json").write_text("{")
    damaged = Damaged(skip=True)
    assert len(read_dataset(folder, damaged=damaged).pictures) == 2
    assert len(damaged.found) == 1


def test_a_photo_that_exif_turns_has_the_size_that_is_seen(tmp_path: Path) -> None:
    folder = data_sets.yolo(tmp_path)
    turned = data_sets.Image.new("RGB", (80, 100)).getexif()
    turned[0x0112] = 6
    data_sets.picture(folder / "train" / "images" / "a.jpg", 80, 100, exif=turned)
    by_name = {(p.split, p.name): p for p in read_dataset(folder).pictures}
    assert (by_name["train", "a.jpg"].width, by_name["train", "a.jpg"].height) == (100, 80)


def test_pictures_without_a_split_are_divided_by_what_belongs_together_and_stay(tmp_path: Path) -> None:
    def made(count: int) -> Dataset:
        pictures = [Picture(f"{i}.jpg", tmp_path, 8, 8, together=f"day {i // 5}") for i in range(count)]
        return divided(Dataset((), pictures), 0.25)

    few, many = made(500).pictures, made(1000).pictures
    assert [p.split for p in few] == [p.split for p in many[:500]]
    assert 0.15 < sum(p.split == "validation" for p in many) / 1000 < 0.35
    days = {p.together: {q.split for q in many if q.together == p.together} for p in many}
    assert all(len(splits) == 1 for splits in days.values())


def test_other_labels_are_left_out_and_numbers_stay_the_same(tmp_path: Path) -> None:
    dataset = read_dataset(data_sets.coco(tmp_path))
    found = renamed(dataset, {"person": "person", "coat": "outer"}, only=True)
    assert found.labels == ("person", "outer")
    assert [box.label for box in found.pictures[0].boxes] == ["person"]
    assert found.notes["boxes of other labels left out"] == 2


def test_upar_written_as_coco_answers_the_attribute_models_questions(tmp_path: Path) -> None:
    target = Target(tmp_path / "out", {}, Damaged())
    write_dataset(read_dataset(data_sets.upar(tmp_path / "in")), "coco", target)
    (example,) = read_examples(tmp_path / "out", "train")
    known = {
        label: bool(answer)
        for label, answer in zip(ATTRIBUTE_LABELS, example.answers, strict=True)
        if not np.isnan(answer)
    }
    assert known["upar/Accessory-Hat"] is known["upar/LowerBody-Type-Trousers&Shorts"] is True
    assert known["upar/Accessory-Bag"] is known["sleeve/short"] is known["leg/short"] is False
    assert not any(label.startswith(("group/", "garment/")) for label in known)
    np.testing.assert_array_equal(example.box, [0, 0, 64, 128])


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
SIDE = st.integers(8, 400)


@st.composite
def drawn_sets(draw: st.DrawFn) -> Dataset:
    """Pictures without files, of any size, with boxes within them, and labels of any letters."""
    labels = tuple(draw(st.lists(TEXT, min_size=1, max_size=3, unique=True)))
    pictures = []
    for number in range(draw(st.integers(1, 3))):
        width, height = draw(SIDE), draw(SIDE)
        boxes = []
        for _ in range(draw(st.integers(0, 3))):
            x, y = draw(st.floats(0, width - 2)), draw(st.floats(0, height - 2))
            size = draw(st.floats(1, width - x)), draw(st.floats(1, height - y))
            boxes.append(Box(draw(st.sampled_from(labels)), x, y, *size))
        split = draw(st.sampled_from(["train", "validation", "test"]))
        folder = draw(st.sampled_from(["", "train/", "images/", "camera 1/"]))
        pictures.append(Picture(f"{folder}{number}.png", Path(), width, height, split, tuple(boxes)))
    return Dataset(labels, pictures)


@given(drawn_sets(), st.permutations(["coco", "yolo", "cvat"]))
@settings(max_examples=10, deadline=None)
def test_boxes_come_back_from_every_order_of_formats(dataset: Dataset, order: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, picture in enumerate(dataset.pictures):
            path = data_sets.picture(folder / "raw" / f"{number}.png", picture.width, picture.height)
            object.__setattr__(picture, "path", path)
        found = dataset
        for step, form in enumerate(order):
            target = Target(folder / str(step), {}, Damaged())
            write_dataset(found, form, target)
            target.finish({})
            found = read_dataset(folder / str(step), form)
            assert guess_format(folder / str(step)) == form
    assert found.labels == dataset.labels
    key = {(p.split, p.name.removeprefix("images/").removeprefix(f"{p.split}/")): p for p in found.pictures}
    assert len(found.pictures) == len(dataset.pictures)
    for picture in dataset.pictures:
        other = key[picture.split, picture.name.removeprefix("images/").removeprefix(f"{picture.split}/")]
        assert (other.width, other.height) == (picture.width, picture.height)
        assert [box.label for box in other.boxes] == [box.label for box in picture.boxes]
        for mine, theirs in zip(picture.boxes, other.boxes, strict=True):
            for side in ("x", "y", "width", "height"):
                assert getattr(theirs, side) == pytest.approx(getattr(mine, side), abs=0.01)


def test_what_is_written_as_coco_can_be_trained_on(tmp_path: Path) -> None:
    dataset = renamed(read_dataset(data_sets.captures(tmp_path / "c")), {"top": "trousers"})
    target = Target(tmp_path / "out", {}, Damaged())
    write_dataset(divided(dataset, 0.0), "coco", target)
    photos = read_set(tmp_path / "out", "train")
    assert [photo.names for photo in photos] == [("person", "trousers")] * 3
    assert photos[0].path.is_file()
    score = json.loads((tmp_path / "out" / "instances.json").read_text())["annotations"][0]["score"]
    assert score == 0.71
