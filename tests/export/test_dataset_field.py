"""Data sets as other programs really write them: turned boxes, single bad records, Label Studio, byte order marks.

Each case was reported in public by somebody whose labels got lost; the numbers here are our own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import data_sets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import UsageError
from comfywear_export.cli import main
from comfywear_export.data.formats import Box, Damaged, guess_format, read_dataset
from comfywear_export.data.formats.records import around

side = st.floats(1, 500)


@given(side, side, side, side, st.floats(-720, 720))
def test_the_box_around_a_turned_one_touches_its_corners(
    x: float, y: float, width: float, height: float, degrees: float
) -> None:
    box = around(Box("person", x, y, width, height), degrees)
    corners = cv2.boxPoints(((x + width / 2, y + height / 2), (width, height), degrees))
    assert [box.x, box.y] == pytest.approx(corners.min(0).tolist(), abs=0.01)
    assert [box.x + box.width, box.y + box.height] == pytest.approx(corners.max(0).tolist(), abs=0.01)


def cvat_box(folder: Path, box: str) -> Path:
    data_sets.picture(folder / "images" / "hall.jpg")
    (folder / "annotations.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
        f'<image id="0" name="hall.jpg" width="80" height="100"><box label="person" {box}/></image></annotations>'
    )
    return folder


@pytest.mark.parametrize(
    ("box", "around_it"),
    [
        # A quarter turn; a slanted box that reaches out of its picture (datumaro issue 1887); an angle of nothing.
        ('xtl="10" ytl="40" xbr="70" ybr="50" rotation="90.00"', (35, 15, 10, 60)),
        ('xtl="-4" ytl="30" xbr="56" ybr="70" rotation="330.00"', (0, 17.68, 61.98, 64.64)),
        ('xtl="10" ytl="40" xbr="70" ybr="50" rotation=""', (10, 40, 60, 10)),
    ],
)
def test_a_box_that_was_turned_in_cvat_is_the_box_around_what_was_drawn(
    tmp_path: Path, box: str, around_it: tuple[float, ...]
) -> None:
    ((found,),) = [picture.boxes for picture in read_dataset(cvat_box(tmp_path, box)).pictures]
    assert (found.x, found.y, found.width, found.height) == pytest.approx(around_it, abs=0.01)


def coco(folder: Path, annotations: list[dict[str, Any]], images: list[dict[str, Any]] | None = None) -> Path:
    """A set of one picture, room.jpg, in annotations/instances_default.json."""
    data_sets.picture(folder / "images" / "room.jpg")
    images = images or [{"id": 1, "file_name": "room.jpg", "width": 80, "height": 100}]
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances_default.json").write_text(json.dumps(data))
    return folder


GOOD = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 60]}


def test_cvat_writes_the_turn_of_a_box_beside_it_in_coco_too(tmp_path: Path) -> None:
    turned = {**GOOD, "attributes": {"occluded": False, "rotation": 90.0}}  # cvat issue 4745
    ((box,),) = [picture.boxes for picture in read_dataset(coco(tmp_path, [turned])).pictures]
    assert (box.x, box.width, box.y, box.height) == pytest.approx((0, 55, 35, 30))
    assert box.attributes == {"occluded": "False"}


def test_a_box_of_five_numbers_is_named_since_its_angle_may_mean_anything(tmp_path: Path) -> None:
    folder = coco(tmp_path, [GOOD, {**GOOD, "id": 2, "bbox": [10, 20, 30, 60, 0.3]}])  # cvat issue 1128
    with pytest.raises(UsageError, match="annotation 2: its box has five numbers"):
        read_dataset(folder)
    damaged = Damaged(skip=True)
    assert [len(picture.boxes) for picture in read_dataset(folder, damaged=damaged).pictures] == [1]
    assert len(damaged.found) == 1


def test_an_annotation_without_its_picture_is_left_out_counted_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = coco(tmp_path, [GOOD, {**GOOD, "id": 7, "image_id": 99}])
    assert main(["dataset", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "coco: 1 pictures, 1 boxes" in said
    assert "1 annotation of a picture that the file does not have left out" in said
    assert "annotation 7 is of image 99" in said


def test_ids_may_be_numbers_in_one_place_and_text_in_another(tmp_path: Path) -> None:
    images = [{"id": "1", "file_name": "room.jpg", "width": 80, "height": 100}]
    assert read_dataset(coco(tmp_path / "a", [GOOD], images)).pictures[0].boxes  # Yet-Another-EfficientDet issue 60
    images = [{"id": "cam-1/room", "file_name": "room.jpg", "width": 80, "height": 100}]
    named = [{**GOOD, "image_id": "cam-1/room"}, {**GOOD, "image_id": "cam-1/room", "id": 2.0}]
    assert len(read_dataset(coco(tmp_path / "b", named, images)).pictures[0].boxes) == 2


def test_a_picture_that_was_deleted_is_left_out_with_its_boxes(tmp_path: Path) -> None:
    images = [
        {"id": n, "file_name": f"{name}.jpg", "width": 80, "height": 100} for n, name in ((1, "room"), (2, "gone"))
    ]
    folder = coco(tmp_path, [GOOD, {**GOOD, "image_id": 2}], images)  # yolact_edge issue 60
    with pytest.raises(UsageError, match=r"there is no picture 'gone\.jpg'.*--skip-damaged"):
        read_dataset(folder)
    damaged = Damaged(skip=True)
    assert [picture.name for picture in read_dataset(folder, damaged=damaged).pictures] == ["room.jpg"]
    assert "gone.jpg" in damaged.found[0]


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.rglob(pattern))[0]


RECORDS: list[tuple[str, str, str, str]] = [
    ("captures", "*.json", '"bbox": [12.0, 20.0, 40.0, 30.0]', '"bbox": [12.0, 20.0]'),
    ("captures", "*.json", '"score": 0.38', '"score": null'),
    ("coco", "*.json", "[10.0, 10.0, 40.0", "[NaN, 10.0, 40.0"),
    ("coco", "*.json", '"category_id": 1,', '"category_id": 9,'),
    ("coco", "*.json", '"category_id": 1,', '"category": 1,'),
    ("coco", "*.json", "[10.0, 10.0, 40.0, 80.0]", '"all"'),
    ("coco", "*.json", '"image_id": 139', '"image": 139'),
    ("yolo", "*.txt", "1 0.5 0.5 0.25 0.5\n", "7 0.5 0.5 0.25 0.5\n"),
    ("yolo", "*.txt", "1 0.5 0.5 0.25 0.5\n", "1 0.5 0.5 nan 0.5\n"),
    ("yolo", "*.txt", "1 0.5 0.5 0.25 0.5\n", "person 0.5 0.5 0.25 0.5\n"),
    ("cvat", "*.xml", 'xtl="10.50"', 'xtl="left"'),
    ("cvat", "*.xml", 'xtl="10.50"', ""),
    ("cvat", "*.xml", 'xtl="10.50"', 'xtl="inf"'),
    ("deepfashion2", "*.json", '"category_id": 5', '"category_id": 14'),
    ("deepfashion2", "*.json", '"bounding_box": [0, 0, 80, 100]', '"bounding_box": null'),
]


@pytest.mark.parametrize(("form", "pattern", "old", "new"), RECORDS)
def test_a_single_bad_record_costs_nothing_but_itself(
    tmp_path: Path, form: str, pattern: str, old: str, new: str
) -> None:
    folder = getattr(data_sets, form)(tmp_path / "set")
    whole = read_dataset(folder)
    spoil(first(folder, pattern), old, new)
    with pytest.raises(UsageError, match="--skip-damaged"):
        read_dataset(folder)
    damaged = Damaged(skip=True)
    left = read_dataset(folder, damaged=damaged)
    assert len(left.pictures) == len(whole.pictures)
    assert sum(len(p.boxes) for p in left.pictures) == sum(len(p.boxes) for p in whole.pictures) - 1
    (line,) = damaged.found
    assert first(folder, pattern).name in line


def test_a_line_of_upar_is_left_out_alone(tmp_path: Path) -> None:
    folder = data_sets.upar(tmp_path)
    text = first(folder, "*.csv")
    text.write_text(text.read_text() + "gone.jpg," + ",".join(["0"] * 40) + "\n")
    damaged = Damaged(skip=True)
    assert len(read_dataset(folder, damaged=damaged).pictures) == 1
    assert "line 3: there is no picture 'gone.jpg'" in damaged.found[0]


def test_a_label_file_without_its_picture_is_named(tmp_path: Path) -> None:
    folder = data_sets.yolo(tmp_path)
    (folder / "train" / "labels" / "gone.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    damaged = Damaged()
    assert read_dataset(folder, damaged=damaged).notes["label files without their picture left out"] == 1
    assert "gone.txt" in damaged.found[0]


@pytest.mark.parametrize(
    "name",
    [
        r"images\\3f2a-room.jpg",  # exported on Windows
        "images/3f2a-room.jpg",
        r"images\\12/3f2a-room.jpg",  # with the number of the project: label-studio-converter issue 139
        r"..\\..\\label-studio\\media\\upload\\12\\3f2a-room.jpg",  # label-studio issue 7294
        r"\/home\/anna\/pictures\/3f2a-room.jpg",  # label-studio issue 4473
        "/data/local-files/?d=floor%202/3f2a-room.jpg",  # label-studio issues 2709, 4903
        "http://localhost:8080/data/upload/12/3f2a-room.jpg",
    ],
)
def test_label_studio_finds_its_pictures_wherever_its_server_had_them(tmp_path: Path, name: str) -> None:
    data_sets.picture(tmp_path / "images" / "3f2a-room.jpg")
    image = f'{{"width": 80, "height": 100, "id": 0, "file_name": "{name}"}}'
    box = '{"id": 0, "image_id": 0, "category_id": 0, "segmentation": [], "bbox": [5.5, 6, 30, 60], "ignore": 0}'
    text = (
        f'{{"images": [{image}], "categories": [{{"id": 0, "name": "person"}}], "annotations": [{box}], "info": {{}}}}'
    )
    (tmp_path / "result.json").write_text(text)
    assert guess_format(tmp_path) == "coco"
    (picture,) = read_dataset(tmp_path).pictures
    assert picture.path.name == "3f2a-room.jpg"
    assert picture.boxes == (Box("person", 5.5, 6, 30, 60),)


def test_a_name_that_leads_out_finds_nothing_outside(tmp_path: Path) -> None:
    data_sets.picture(tmp_path / "secret.jpg")
    images = [{"id": 1, "file_name": "../secret.jpg", "width": 80, "height": 100}]
    with pytest.raises(UsageError, match="leads out"):
        read_dataset(coco(tmp_path / "set", [GOOD], images))


def test_yolo_of_label_studio_has_a_list_of_names_instead_of_a_plan(tmp_path: Path) -> None:
    for name in ("one", "two"):
        data_sets.picture(tmp_path / "images" / f"{name}.jpg")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "one.txt").write_text("1 0.5 0.5 0.25 0.5")
    (tmp_path / "classes.txt").write_text("hat\nperson\n")
    (tmp_path / "notes.json").write_text('{"categories": [{"id": 0, "name": "hat"}], "info": {"year": 2026}}')
    assert guess_format(tmp_path) == "yolo"
    dataset = read_dataset(tmp_path)
    assert dataset.labels == ("hat", "person")
    assert [(p.name, [b.label for b in p.boxes]) for p in dataset.pictures] == [
        ("one.jpg", ["person"]),
        ("two.jpg", []),
    ]
    assert dataset.notes == {"pictures without a label file": 1}


def test_yolo_with_labels_beside_the_pictures_and_a_list_of_names(tmp_path: Path) -> None:
    for split in ("train", "val"):
        data_sets.picture(tmp_path / split / "a.jpg")
        (tmp_path / split / "a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "obj.names").write_text("person\n")
    assert [(p.split, p.name, len(p.boxes)) for p in read_dataset(tmp_path).pictures] == [
        ("train", "a.jpg", 1), ("validation", "a.jpg", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "1,0.5,0.25,0.125,0.5",  # yolov5 issue 10685, ultralytics issue 7907
        "1, 0.5, 0.25, 0.125, 0.5",  # PyTorch-YOLOv3 issue 644
        "1\t0.5  0.25 0.125 0.5 ",
        "1 0,5 0,25 0,125 0,5",
        "1.0 5e-1 .25 +0.125 0.50",
    ],
)
def test_the_numbers_of_a_yolo_line_stand_between_spaces_or_commas(tmp_path: Path, line: str) -> None:
    folder = data_sets.yolo(tmp_path)
    (folder / "valid" / "labels" / "a.txt").write_text(f"{line}\r\n")
    ((box,),) = [p.boxes for p in read_dataset(folder).pictures if p.split == "validation"]
    assert box == Box("person", 35.0, 0.0, 10.0, 50.0)


@pytest.mark.parametrize("form", ["captures", "coco", "yolo", "cvat", "deepfashion2", "upar"])
def test_a_byte_order_mark_is_no_error_anywhere(tmp_path: Path, form: str) -> None:
    folder = getattr(data_sets, form)(tmp_path / "set")
    plain = read_dataset(folder)
    for path in folder.rglob("*"):
        if path.suffix in (".json", ".yaml", ".txt", ".xml", ".csv"):
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert guess_format(folder) == form
    marked = read_dataset(folder)
    assert (marked.labels, marked.pictures) == (plain.labels, plain.pictures)


@pytest.mark.parametrize("form", ["coco", "yolo", "deepfashion2"])
def test_another_encoding_is_said(tmp_path: Path, form: str) -> None:
    folder = getattr(data_sets, form)(tmp_path / "set")
    text = first(folder, "*.txt" if form == "yolo" else "*.json")
    text.write_bytes(text.read_text().encode("utf-16"))
    with pytest.raises(UsageError, match="not in UTF-8"):
        read_dataset(folder)


def test_many_bad_records_do_not_fill_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = coco(tmp_path, [GOOD, *({**GOOD, "id": n, "image_id": 50} for n in range(100, 160))])
    assert main(["dataset", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "60 annotations of a picture" in said
    assert "left out: 40 more; --json names all" in said
    assert main(["dataset", str(folder), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["damaged"]) == 60
