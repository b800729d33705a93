"""What training takes from a data set: which kinds it labels, what is doubted, who can be cut out, photos of nobody."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from masked_sets import data_set

from comfywear.errors import UsageError
from comfywear_export.data.augment import balanced, letterbox_view, mosaic, random_view
from comfywear_export.data.datasets import IGNORED, find_sets, read_bare, read_photo, read_set
from comfywear_export.data.labels import GARMENT_LABELS

WHOLE = {"file_name": "0.png", "width": 64, "height": 64}


def test_a_set_that_labels_some_kinds_says_nothing_of_the_others(tmp_path: Path) -> None:
    names = ["person", "shirt", {"name": "pants", "product_class": "trousers"}, {"name": "lens", "product_class": None}]
    boxes = [(0, [8, 8, 48, 48]), (1, [8, 8, 48, 24]), (2, [8, 32, 48, 24]), (3, [20, 10, 10, 4])]
    annotations = [{"image_id": 0, "category_id": kind, "bbox": box} for kind, box in boxes]
    (photo,) = read_set(data_set(tmp_path / "some", [WHOLE], annotations, names))
    assert photo.kinds == {"top", "trousers"}
    assert photo.names == ("person", "shirt", "trousers")
    view = letterbox_view(photo, read_photo(photo.path), 64)
    known = {kind: float(view.garments_known[i].mean()) for i, kind in enumerate(GARMENT_LABELS)}
    assert {kind for kind, share in known.items() if share == 1} == {"top", "trousers"}
    assert {kind for kind, share in known.items() if share == 0} == set(GARMENT_LABELS) - {"top", "trousers"}


def test_a_mosaic_keeps_what_each_of_its_photos_knows(tmp_path: Path) -> None:
    shirts = {"image_id": 0, "category_id": 1, "bbox": [8, 8, 48, 24]}
    (some,) = read_set(data_set(tmp_path / "some", [WHOLE], [shirts], ["person", "shirt"]))
    folder = data_set(tmp_path / "people", [WHOLE], [], ["person"])
    (people,) = read_set(folder)
    view = mosaic([some, people, people, people], lambda p: read_photo(p.path), 64, np.random.default_rng(0))
    top = view.garments_known[GARMENT_LABELS.index("top")]
    assert 0 < top.mean() < 0.5
    assert top[0, 0] == 1
    assert not top[-1].any()
    others = np.delete(view.garments_known, GARMENT_LABELS.index("top"), axis=0)
    assert not others.any()
    assert view.person_known[-1].all()
    assert not view.person_known[0, 0]  # the set with shirts labels one person a photo, and here not even that


@pytest.mark.parametrize(("score", "weak", "sure"), [(0.34, True, False), (0.36, True, True), (0.1, False, True)])
def test_where_a_detector_drew_a_box_without_being_sure_nothing_is_learnt(
    tmp_path: Path, score: float, weak: bool, sure: bool
) -> None:
    box = {"image_id": 0, "category_id": 0, "bbox": [16, 16, 16, 32], "weak": weak, "score": score}
    (photo,) = read_set(data_set(tmp_path, [WHOLE], [box], ["person"]))
    assert photo.classes.tolist() == [0 if sure else IGNORED]
    assert len(photo.persons) == int(sure)
    view = letterbox_view(photo, read_photo(photo.path), 64)
    assert view.person_known[4:12, 4:8].all() == sure
    assert view.person_known[:, 8:].all()
    assert len(view.boxes) == int(sure)


def test_an_outline_is_read_where_it_can_only_be_that_of_the_one_person(tmp_path: Path) -> None:
    outline = [[10.0, 10.0, 30.0, 10.0, 20.0, 60.0]]
    box = {"image_id": 0, "category_id": 0, "bbox": [10, 10, 20, 50], "segmentation": outline}
    (photo,) = read_set(data_set(tmp_path / "one", [WHOLE], [box], ["person"]))
    np.testing.assert_array_equal(photo.outline[0], [[10, 10], [30, 10], [20, 60]])
    (photo,) = read_set(data_set(tmp_path / "two", [WHOLE], [box, box], ["person"]))
    assert photo.outline == ()


def test_photos_of_nobody_are_read_from_a_plain_folder(tmp_path: Path) -> None:
    for name in ("clothes/train/shirt/1.png", "clothes/train/2.JPG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "clothes/train/list.txt").write_text("1.png")
    photos = read_bare(tmp_path / "clothes" / "train")
    assert [(p.path.name, p.width, p.height, p.set_name) for p in photos] == [
        ("2.JPG", 30, 20, "clothes"),
        ("1.png", 30, 20, "clothes"),
    ]
    view = letterbox_view(photos[0], read_photo(photos[0].path), 32)
    assert view.person_known.all()
    assert not view.garments_known.any()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="no photo in it"):
        read_bare(tmp_path / "nothing")


def test_sets_are_found_in_folders_of_folders(tmp_path: Path) -> None:
    made = [data_set(tmp_path / name, [WHOLE], [], ["person"]) for name in ("people", "rooms/cafe", "rooms/office")]
    assert find_sets(tmp_path) == sorted(made)
    assert find_sets(made[0]) == [made[0]]
    assert [photo.set_name for folder in made for photo in read_set(folder)] == ["people", "cafe", "office"]


def test_a_quarter_turn_lays_people_down_with_their_boxes(tmp_path: Path) -> None:
    """A tall white person: wherever white is seen, a box is, in turned views too."""
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[8:56, 24:40] = 255
    cv2.imwrite(str(tmp_path / "0.png"), picture)
    box = {"image_id": 0, "category_id": 0, "bbox": [24, 8, 16, 48]}
    (photo,) = read_set(data_set(tmp_path, [WHOLE], [box], ["person"]))
    rng, lying = np.random.default_rng(4), 0
    for _ in range(150):
        view = random_view(photo, picture, 96, rng, ("tilt", "tiles", "aspect"))
        if not len(view.boxes):
            continue
        ys, xs = np.nonzero(view.image[..., 0] > 200)
        drawn = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        (found,) = view.boxes
        np.testing.assert_allclose(found, drawn, atol=4)
        lying += int(found[2] - found[0] > 1.5 * (found[3] - found[1]) and found[0] > 1 and found[2] < 95)
    assert lying >= 3


def test_a_cast_is_taken_out_by_the_mean_of_each_channel() -> None:
    grey = np.random.default_rng(0).integers(20, 120, (32, 32, 1)).repeat(3, 2).astype(np.uint8)
    green = grey.copy()
    green[..., 1] = np.minimum(green[..., 1] * 2.0, 255)
    np.testing.assert_allclose(balanced(green).reshape(-1, 3).mean(0), [balanced(green).mean()] * 3, atol=1.0)
    assert np.abs(balanced(grey).astype(int) - grey).max() <= 1
    assert not balanced(np.zeros((4, 4, 3), np.uint8)).any()
