"""Fitting the detector to a room: the simulated camera, labels by a teacher, the gate, and the trial of it all."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.records import Detection
from comfywear_export.cli import main
from comfywear_export.data.augment import letterbox_view
from comfywear_export.data.datasets import IGNORED, Photo, read_photo, read_set
from comfywear_export.measure.detection import Tally
from comfywear_export.room.camera import as_in_the_room, homography
from comfywear_export.room.gate import Kept, held, passed
from comfywear_export.room.pseudo import precise_thresholds, pseudo_labelled
from comfywear_export.room.splitting import families, halves


def photo(boxes: list[list[float]], path: Path = Path("0.png")) -> Photo:
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    classes = np.zeros(len(rows), np.int64)
    return Photo(path, 200, 160, rows, classes, ("person",) * len(rows), False, True, None, "validation")


@settings(max_examples=30)
@given(st.integers(60, 400), st.integers(60, 400))
def test_the_room_camera_keeps_all_of_a_photo_and_its_longer_side(width: int, height: int) -> None:
    matrix, (new_width, new_height) = homography(width, height)
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]]) @ matrix.T
    corners = corners[:, :2] / corners[:, 2:]
    assert (corners > -1e-6).all()
    assert (corners <= [new_width + 1e-6, new_height + 1e-6]).all()
    assert max(new_width, new_height) == pytest.approx(max(width, height), abs=1)


def test_in_the_room_it_is_dark_and_grey_and_boxes_are_where_their_things_are() -> None:
    image = np.zeros((300, 240, 3), np.uint8)
    box = np.array([[60, 80, 140, 240]], np.float32)
    cv2.ellipse(image, (100, 160), (40, 80), 0, 0, 360, (255, 200, 255), -1)
    before = image.copy()
    seen, boxes = as_in_the_room(image, box, 0)
    np.testing.assert_array_equal(image, before)
    assert (np.ptp(seen, axis=2) == 0).all()
    assert np.median(seen[seen > 45]) < 100
    # The corners that the canvas is filled with are as bright as the bars are, darkened; the ellipse is brighter.
    rows, columns = np.nonzero(cv2.medianBlur(seen[..., 0], 9) > 55)
    np.testing.assert_allclose(boxes[0], [columns.min(), rows.min(), columns.max(), rows.max()], atol=4)
    np.testing.assert_array_equal(as_in_the_room(image, box, 0)[0], seen)
    assert (as_in_the_room(image, box, 1)[0] != seen).any()


def test_frames_of_one_clip_stay_on_one_side() -> None:
    rng = np.random.default_rng(0)
    scenes = [cv2.resize(rng.integers(0, 255, (6, 6, 3)).astype(np.uint8), (60, 60)) for _ in range(8)]
    images = [np.clip(scenes[i % 8] + rng.normal(0, 4, (60, 60, 3)), 0, 255).astype(np.uint8) for i in range(16)]
    numbers = families(images)
    assert (numbers[:8] == numbers[8:]).all()
    assert len(np.unique(numbers)) == 8
    for seed in range(5):
        first, rest = halves(numbers, 9, np.random.default_rng(seed))
        assert sorted(first + rest) == list(range(16))
        assert len(first) == 8  # whole pairs
        assert not {numbers[i] for i in first} & {numbers[i] for i in rest}


def test_a_class_is_believed_from_where_its_finds_are_right_often_enough() -> None:
    tally = Tally()
    for number in range(20):
        right, wrong = (10.0, 10.0, 50.0, 90.0), (100.0, 10.0, 150.0, 90.0)
        found = [Detection(right, 0.9 - number / 100, "person"), Detection(wrong, 0.6 - number / 100, "person")]
        tally.add(photo([[10, 10, 50, 90]]), [*found, Detection(wrong, 0.9, "hat")])
    limits = precise_thresholds(tally, 0.8)
    assert set(limits) == {"person"}
    # 20 right finds from .71 on, then wrong ones from .60 on: five of them bring the precision to 0.8.
    assert limits["person"] == pytest.approx(0.56)


def test_between_sure_and_absent_nothing_is_learnt_about_persons(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    cv2.imwrite(str(path), np.zeros((160, 200, 3), np.uint8))
    found = [
        Detection((0.0, 0.0, 40.0, 80.0), 0.8, "person"),
        Detection((100.0, 40.0, 180.0, 120.0), 0.3, "person"),
        Detection((150.0, 130.0, 190.0, 160.0), 0.05, "person"),
        Detection((0.0, 40.0, 40.0, 80.0), 0.9, "skirt"),
        Detection((0.0, 0.0, 40.0, 40.0), 0.9, "top"),
    ]
    labelled = pseudo_labelled(photo([[1, 1, 9, 9]], path), found, {"person": 0.5, "top": 0.5})
    assert labelled.names == ("person", "top", "person")
    assert labelled.classes.tolist() == [0, 1, IGNORED]
    view = letterbox_view(labelled, read_photo(path), 200)
    assert len(view.boxes) == 2
    assert not view.garments_known.any()
    where = np.zeros((50, 50), bool)
    where[15:35, 25:45] = True  # a quarter of the square's pixels; 20 rows of bar above
    assert not view.person_known[where].any()
    assert view.person_known[~where].all()


def test_the_gate_takes_as_much_as_loses_nothing_elsewhere() -> None:
    import copy

    class Weight:
        """As much of a tensor as the gate needs."""

        def __init__(self, value: float) -> None:
            self.value = value

        def is_floating_point(self) -> bool:
            return True

        def __add__(self, other: Weight) -> Weight:
            return Weight(self.value + other.value)

        def __sub__(self, other: Weight) -> Weight:
            return Weight(self.value - other.value)

        def __rmul__(self, share: float) -> Weight:
            return Weight(share * self.value)

    before = Kept(0.70, float("nan"))
    old, new = {"w": Weight(0.0)}, {"w": Weight(1.0)}
    for loss, share in ((0.005, 1.0), (0.012, 0.75), (0.018, 0.5), (0.03, 0.25), (0.5, 0.0)):
        result = passed(old, copy.copy(new), lambda w, loss=loss: Kept(0.7 - loss * w["w"].value, 0.5), before, 0.01)
        assert result.share == share
        assert result.figures["before"]["person"] == 0.70
    assert held(Kept(0.7, 0.5), Kept(0.8, 0.49), 0.011)
    assert not held(Kept(0.7, 0.5), Kept(0.8, 0.48), 0.011)


def make_sets(root: Path, validation: int = 8) -> Path:
    """`people` and `ccp` as rectangles; no two photos alike."""
    rng = np.random.default_rng(0)
    for name, worn in (("people", []), ("ccp", ["shirt"])):
        (root / name / "photos").mkdir(parents=True)
        images, annotations = [], []
        for number in range(4 + validation):
            image = cv2.resize(rng.integers(0, 200, (5, 5, 3)).astype(np.uint8), (96, 128))
            image[20:120, 30:60] = (40, 40, 220)
            cv2.imwrite(str(root / name / "photos" / f"{number}.jpg"), image)
            split = "train" if number < 4 else "validation"
            images.append(
                {"id": number, "file_name": f"photos/{number}.jpg", "width": 96, "height": 128, "split": split}
            )
            for label, _ in enumerate(["person", *worn]):
                box = [30, 20, 30, 100 if label == 0 else 50]
                annotations.append({"id": len(annotations), "image_id": number, "category_id": label, "bbox": box})
        categories = [{"id": i, "name": label} for i, label in enumerate(["person", *worn])]
        data = {"images": images, "annotations": annotations, "categories": categories}
        (root / name / "instances.json").write_text(json.dumps(data))
    return root


def save_checkpoint(folder: Path, size: int = 64) -> Path:
    import torch

    from comfywear_export.nets.detector import DetectorNet

    torch.manual_seed(0)
    folder.mkdir()
    torch.save({"weights": DetectorNet().state_dict(), "size": size, "step": 0, "seconds": 0.0}, folder / "detector.pt")
    return folder


@pytest.mark.export
def test_a_trial_has_a_row_for_every_arm_and_does_none_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    root, out = make_sets(tmp_path / "data"), tmp_path / "out"
    words = ["evaluate", "room", "--run", str(save_checkpoint(tmp_path / "run")), "--data", str(root)]
    words += ["--out", str(out), "--seeds", "2", "--steps", "1", "--batch", "4", "--asked", "2", "--pool", "5"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    for arm in ("before", "self-training", "asked 2", "random 2", "source only", "all labels"):
        assert f"\n{arm:14}" in shown
        rows = [json.loads(next(out.glob(f"*/rows/{s}-{arm.replace(' ', '-')}.json")).read_text()) for s in (0, 1)]
        assert all(row["test_photos"] == 3 for row in rows)
        assert [row["labels"] for row in rows] == [{"asked 2": 2, "random 2": 2, "all labels": 5}.get(arm, 0)] * 2
    trained = {path: path.stat().st_mtime_ns for path in out.glob("*/*/last.pt")}
    assert len(trained) == 10
    assert main([*words, "--json"]) == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*/last.pt")} == trained
    assert "the teacher labels" not in capsys.readouterr().out


@pytest.mark.export
def test_the_trunks_maps_are_kept_and_the_same_as_the_networks(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.nets.trunk_maps import TrunkMaps, export_trunk
    from comfywear_export.room.finding import finds
    from comfywear_export.training.runs import load_detector

    net, size = load_detector(save_checkpoint(tmp_path / "run"))
    maps = TrunkMaps(export_trunk(net.trunk, size, size, tmp_path / "trunk.onnx"))
    picture = np.random.default_rng(0).integers(0, 255, (1, size, size, 3)).astype(np.uint8)
    with torch.no_grad():
        pixels = (torch.from_numpy(picture).permute(0, 3, 1, 2).float() - net.trunk.mean) * net.trunk.scale
        wanted = net.trunk(pixels)
    for _ in range(2):
        for got, want in zip(maps(picture), wanted, strict=True):
            np.testing.assert_allclose(got, want.numpy(), atol=2e-3)
    photos = read_set(make_sets(tmp_path / "data", 2) / "people", "validation")
    found = finds(net, maps, size, photos, 0.001)
    assert len(found) == len(photos)
    assert not net.training


def test_without_a_checkpoint_the_command_says_where_one_comes_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "room", "--run", str(tmp_path), "--data", str(tmp_path)]
    assert main(words) == 2
    shown = capsys.readouterr().err
    assert "train detector" in shown or "scripts/setup --export" in shown


@pytest.mark.export
def test_adapt_asks_fits_goes_on_and_refuses_what_got_worse_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    root, run, out = make_sets(tmp_path / "data"), save_checkpoint(tmp_path / "run"), tmp_path / "out"
    room = tmp_path / "room"
    room.mkdir()
    for number, each in enumerate(read_set(root / "people", "validation")):
        cv2.imwrite(str(room / f"r{number}.png"), as_in_the_room(read_photo(each.path), each.boxes, number)[0])
    words = ["adapt", str(room), "--run", str(run), "--source", str(root), "--out", str(out), "--batch", "4"]
    assert main([*words, "--ask", "3"]) == 0
    assert "3 photos with guesses to correct" in capsys.readouterr().out
    asked = out / "to-label-3"
    data = json.loads((asked / "instances.json").read_text())
    assert len(data["images"]) == 3
    # People label them: one measures, two are learnt.
    data["images"][0]["split"] = "validation"
    data["known"] = {"garments": False, "all_persons": True}
    person = next(c["id"] for c in data["categories"] if c["name"] == "person")
    data["annotations"] = [
        {"id": i["id"], "image_id": i["id"], "category_id": person, "bbox": [20, 20, 30, 50]} for i in data["images"]
    ]
    (asked / "instances.json").write_text(json.dumps(data))
    words += ["--labelled", str(asked)]
    assert main([*words, "--steps", "2", "--may-lose", "1"]) == 0
    shown = capsys.readouterr().out
    assert "5 photos of the room, 2 with labels" in shown
    assert "in the room, person AP50" in shown
    state = torch.load(out / "detector.pt", weights_only=True)
    assert state["step"] == 2
    facts = json.loads((out / "adapt.json").read_text())
    assert facts["share"] == 1.0
    assert facts["measured"] == 1
    (out / "detector.pt").unlink()
    assert main([*words, "--steps", "3", "--may-lose", "-1"]) == 1  # nothing can be better by a whole
    said = capsys.readouterr()
    assert "going on from step 2" in said.out
    assert "the old model stays" in said.err
    assert not (out / "detector.pt").exists()
