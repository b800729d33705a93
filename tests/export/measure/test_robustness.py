"""Photos in worse conditions, and the figures of models on them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear_export.cli import main
from comfywear_export.measure.spoiling import SPOILS

BOXES = np.array([[20, 20, 60, 100], [25, 40, 55, 60], [25, 70, 55, 98]], np.float32)  # a person, a coat, a skirt
PERSONS = BOXES[:1]


def photo() -> np.ndarray:
    image = np.full((120, 90, 3), 200, np.uint8)
    image[20:100, 20:60] = (10, 120, 250)
    return image


def test_every_condition_leaves_the_photo_it_was_given_alone() -> None:
    image, boxes = photo(), BOXES.copy()
    for spoil in SPOILS.values():
        spoil(image, boxes, PERSONS)
    np.testing.assert_array_equal(image, photo())
    np.testing.assert_array_equal(boxes, BOXES)


def test_dark_is_a_third_and_grey_has_no_colour() -> None:
    dark = SPOILS["darker"](photo(), BOXES, PERSONS).image
    np.testing.assert_allclose(dark, np.rint(photo() * 0.35))
    grey = SPOILS["grey"](photo(), BOXES, PERSONS).image
    assert (np.ptp(grey, axis=2) == 0).all()
    assert len(np.unique(grey)) > 1


def test_blur_takes_the_edges_only() -> None:
    large = np.kron(photo(), np.ones((5, 5, 1), np.uint8))
    spoilt = SPOILS["blurred"](large, BOXES, PERSONS).image
    assert (spoilt[300, 200] == large[300, 200]).all()
    assert (spoilt[300, 300] != large[300, 300]).any()


def test_tilted_boxes_are_where_their_things_are() -> None:
    # An ellipse fills its box as a person does; its outline is found again after the turn.
    image = np.zeros((200, 300, 3), np.uint8)
    box = np.array([[40, 30, 120, 190]], np.float32)
    cv2.ellipse(image, (80, 110), (40, 80), 0, 0, 360, (255, 255, 255), -1)
    spoilt = SPOILS["tilted 15°"](image, box, box)
    rows, columns = np.nonzero((spoilt.image > 200).all(2))
    np.testing.assert_allclose(spoilt.boxes[0], [columns.min(), rows.min(), columns.max(), rows.max()], atol=2.5)
    assert spoilt.image.shape[0] > 200
    assert spoilt.image.shape[1] > 300


def test_small_photos_are_160_pixels_high_and_never_enlarged() -> None:
    large = np.kron(photo(), np.ones((4, 4, 1), np.uint8))
    spoilt = SPOILS["160 px high"](large, BOXES * 4, PERSONS * 4)
    assert spoilt.image.shape[:2] == (160, 120)
    np.testing.assert_allclose(spoilt.boxes, BOXES * 160 / 120, rtol=1e-5)
    assert SPOILS["160 px high"](photo(), BOXES, PERSONS).image.shape == photo().shape


def test_of_a_half_hidden_person_the_upper_half_is_looked_for() -> None:
    spoilt = SPOILS["half hidden"](photo(), BOXES, PERSONS)
    np.testing.assert_array_equal(spoilt.boxes[0], [20, 20, 60, 60])
    assert (spoilt.image[60:100, 20:60] == 114).all()
    assert (spoilt.image[20:60] == photo()[20:60]).all()
    assert spoilt.hidden.tolist() == [False, False, True]  # the skirt cannot be seen
    assert not spoilt.legs


def make_set(folder: Path) -> Path:
    (folder / "photos").mkdir(parents=True)
    cv2.imwrite(str(folder / "photos" / "1.png"), photo())
    names = ["person", "coat", "skirt"]
    data = {
        "images": [{"id": 1, "file_name": "photos/1.png", "width": 90, "height": 120, "split": "mine"}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": i, "bbox": [b[0], b[1], b[2] - b[0], b[3] - b[1]]}
            for i, b in enumerate(BOXES.tolist())
        ],
        "categories": [{"id": i, "name": name} for i, name in enumerate(names)],
    }
    (folder / "instances.json").write_text(json.dumps(data))
    return folder


@pytest.mark.parametrize("model", ["detector", "attributes"])
def test_the_command_has_a_figure_for_every_condition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    words = ["evaluate", "robustness", model, "--data", str(make_set(tmp_path / "s")), "--split", "mine"]
    assert main([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["conditions"]) == list(SPOILS)
    for row in result["conditions"].values():
        assert row["person"]["n"] == 1 if model == "detector" else row["decisions"]["n"] > 0
    if model == "attributes":
        groups = [row["groups"] for row in result["conditions"].values()]
        assert groups[list(SPOILS).index("half hidden")] < groups[0] == 12
    assert main(words) == 0
    assert "160 px high" in capsys.readouterr().out


def test_the_comfort_model_is_no_model_of_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "robustness", "comfort", "--data", str(make_set(tmp_path / "s"))]
    assert main(words) == 2
    assert "look at photos" in capsys.readouterr().err


def test_attributes_are_measured_on_a_detectors_crops_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Nobody is in the flat photo: the detector misses everyone, and the command says so.
    folder = make_set(tmp_path / "s")
    cv2.imwrite(str(folder / "photos" / "1.png"), np.full((120, 90, 3), 90, np.uint8))
    words = ["evaluate", "attributes", "--data", str(folder), "--split", "mine", "--crops", "detector"]
    assert main(words) == 2
    assert "finds none of the 1 labelled persons" in capsys.readouterr().err


def test_what_is_claimed_below_upper_bodies_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "attributes", "--data", str(make_set(tmp_path / "s")), "--split", "mine", "--crops", "waist"]
    assert main([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["lower_claimed"]) == ["any", "trousers", "shorts", "skirt-or-dress"]
    assert all(share in (0, 1) for share in result["lower_claimed"].values())
    assert result["labels"]["group/skirt-or-dress"]["positives"] == 0  # the skirt is not in the crop
    assert main(words) == 0
    assert "1 persons cut at the waist" in (shown := capsys.readouterr().out)
    assert "claimed below the waist: any" in shown
    data = json.loads((tmp_path / "s" / "instances.json").read_text())
    data["categories"][2]["name"] = "scarf"
    (tmp_path / "s" / "instances.json").write_text(json.dumps(data))
    assert main(words) == 2
    assert "wears trousers, shorts or a skirt with a box" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["detector", "attributes"])
def test_parity_compares_every_form_with_the_first_and_times_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    words = ["parity", model, "--data", str(make_set(tmp_path / "s")), "--split", "mine", "--threads", "1"]
    assert main([*words, "--json"]) == 0
    first, *others = json.loads(capsys.readouterr().out)
    assert first["form"] == "onnxruntime fp16"
    assert {row["form"] for row in others} == {"litert fp16", "onnxruntime int8", "litert int8"}
    assert first["largest difference"] == 0.0
    assert first["times as fast, 1 thread"] == 1.0
    for row in others:
        assert row["largest difference"] < 0.3
        assert row[f"ms a {'photo' if model == 'detector' else 'crop'}, 1 thread"] > 0
