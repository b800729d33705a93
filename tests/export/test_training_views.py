"""What the detector's training sees: sets in their shares, rooms without people, people and garments put there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from masked_sets import data_set, dressed

from comfywear_export.data.datasets import find_sets, read_bare, read_set
from comfywear_export.training.detector import Views


def views_of(root: Path, without: Sequence[str] = (), size: int = 64) -> Views:
    """Views of all sets in `root`; photos of `clothes` show nobody."""
    photos = [photo for folder in find_sets(root) for photo in read_set(folder, "train")]
    photos += read_bare(root / "clothes" / "train") if (root / "clothes").exists() else []
    return Views(photos, size, 5, 4, lambda images: images, without)


def test_sets_and_rooms_without_people_come_in_their_shares(tmp_path: Path) -> None:
    """A set of few photos is not drowned by one of many; a third of the views shows nobody."""
    for name, count in (("people", 40), ("cafe", 1)):
        images = [{"file_name": f"{i}.png", "width": 64, "height": 64} for i in range(count)]
        boxes = [{"image_id": i, "category_id": 0, "bbox": [16, 8, 32, 48]} for i in range(count)]
        data_set(tmp_path / name, images, boxes, ["person"])
    data_set(tmp_path / "empty", [{"file_name": "0.png", "width": 64, "height": 64}], [], ["person"])
    for number, folder in [*((i, "shirt") for i in range(16)), (0, "cat")]:
        path = tmp_path / "clothes" / "train" / folder / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((64, 64, 3), np.uint8))
    views = views_of(tmp_path)
    rng = np.random.default_rng(0)
    drawn = Counter(views.choose(rng).set_name for _ in range(3000))
    assert drawn["people"] / drawn["cafe"] == pytest.approx(0.24 / 0.07, rel=0.15)
    assert drawn["empty"] / drawn["cafe"] == pytest.approx(0.10 / 0.07, rel=0.2)
    bare = [views.choose(rng, bare=True) for _ in range(3000)]
    assert {photo.set_name for photo in bare} == {"empty", "clothes"}
    kinds = Counter(photo.path.parent.name for photo in bare)
    assert kinds["shirt"] / kinds["cat"] == pytest.approx(4, rel=0.25)  # by the root of how many there are
    shares = {}
    for without in ((), ("bare",)):
        made = [views_of(tmp_path, without).view(number) for number in range(200)]
        shares[without] = np.mean([not (view.classes == 0).any() for view in made])
    assert shares[()] > shares[("bare",)] + 0.2
    assert shares[()] > 0.35


def test_a_share_can_be_set_and_photos_of_rare_garments_come_oftener(tmp_path: Path) -> None:
    """Repeat factors: of 27 photos, one shows a skirt, √(.3 · 27) = 2.85 times as often as each of the others."""
    images = [{"file_name": f"{i}.png", "width": 64, "height": 64} for i in range(27)]
    boxes = [{"image_id": i, "category_id": int(i == 0), "bbox": [16, 8, 32, 48]} for i in range(27)]
    data_set(tmp_path / "ccp", images, boxes, ["coat", "skirt"])
    data_set(tmp_path / "people", images, [{**box, "category_id": 0} for box in boxes], ["person"])
    photos = [photo for folder in find_sets(tmp_path) for photo in read_set(folder, "train")]
    for without, factor in (((), (0.3 * 27) ** 0.5), (("rare",), 1.0)):
        views = Views(photos, 64, 5, 4, lambda images: images, without, {"ccp": 0.72})
        rng = np.random.default_rng(0)
        drawn = [views.choose(rng) for _ in range(4000)]
        names = Counter((photo.set_name, photo.path.name == "0.png") for photo in drawn)
        of_ccp = names["ccp", True] + names["ccp", False]
        assert of_ccp / (4000 - of_ccp) == pytest.approx(0.72 / 0.24, rel=0.1)
        assert names["ccp", True] / names["ccp", False] == pytest.approx(factor / 26, rel=0.25)


def test_a_set_in_which_some_photos_lack_people_is_not_taken_for_empty(tmp_path: Path) -> None:
    images = [{"file_name": f"{i}.png", "width": 64, "height": 64} for i in range(3)]
    data_set(tmp_path / "people", images, [{"image_id": 0, "category_id": 0, "bbox": [16, 8, 32, 48]}], ["person"])
    views = views_of(tmp_path)
    assert not views.bare
    views.view(0)


def test_an_empty_room_gets_people_and_garments_that_nobody_wears(tmp_path: Path) -> None:
    dressed(tmp_path / "ccp")
    data_set(tmp_path / "empty", [{"file_name": "0.png", "width": 64, "height": 64}], [], ["person"])
    plain = ("mosaic", "light", "tilt", "turns", "tiles", "aspect", "bare")
    for without, most in (((), 7), (("cutouts",), 1)):
        views = views_of(tmp_path, (*plain, *without))
        counts = [int((views.view(number).classes == 0).sum()) for number in range(150)]
        assert max(counts) <= most
        assert max(counts) >= min(most, 4)
    empty = views.sets["empty"]
    coats = {}
    for without in ((), ("garments",)):
        views = views_of(tmp_path, ("mosaic", "light", *without))
        views.choose = lambda rng, bare=False: empty[0]  # type: ignore[method-assign]
        made = [v for v in map(views.view, range(150)) if not len(v.boxes)]
        coats[without] = np.mean([(v.image[..., 2].astype(int) - v.image[..., 1] > 100).any() for v in made])
    assert coats[("garments",)] == 0
    assert coats[()] > 0.1


def test_a_batch_knows_kinds_of_garments_place_by_place(tmp_path: Path) -> None:
    dressed(tmp_path / "ccp")
    views = views_of(tmp_path)
    batch = views[0]
    assert batch["maps"].shape == (4, 64, 64, 3)
    assert batch["person_known"].shape == (4, 16, 16)
    assert batch["garments_known"].shape == (4, 10, 16, 16)
    for name, array in views[0].items():
        np.testing.assert_array_equal(array, batch[name])


def test_rooms_with_a_wrong_cast_are_seen_as_they_are_balanced_and_grey(tmp_path: Path) -> None:
    images = [{"file_name": f"{i}.png", "width": 16, "height": 16} for i in range(40)]
    for name in ("office-lobby", "people"):
        (tmp_path / name).mkdir()
        for image in images:
            picture = np.full((16, 16, 3), (60, 160, 60), np.uint8)
            picture[:8, :8] = (200, 200, 90)
            cv2.imwrite(str(tmp_path / name / str(image["file_name"])), picture)
        data_set(tmp_path / name, images, [{"image_id": 0, "category_id": 0, "bbox": [2, 2, 9, 9]}], ["person"])
    views = views_of(tmp_path)
    seen = [views.read(photo).reshape(-1, 3).astype(float) for photo in views.sets["office-lobby"]]
    casts = [picture.mean(0) for picture in seen]
    grey = [np.ptp(picture, axis=1).max() == 0 for picture in seen]
    balanced = [bool(np.ptp(cast) < 8) and not own for cast, own in zip(casts, grey, strict=True)]
    as_it_is = [bool(np.ptp(cast) > 40) for cast in casts]
    for way in (grey, balanced, as_it_is):
        assert 5 <= sum(way) <= 25
    assert sum(grey) + sum(balanced) + sum(as_it_is) == 40
    assert all(np.ptp(views.read(photo).reshape(-1, 3).mean(0)) > 40 for photo in views.sets["people"])
