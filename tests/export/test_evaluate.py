"""Evaluation commands on the data sets and on folders that a test makes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.errors import UsageError
from comfywear_export.cli import main
from comfywear_export.data.attribute_data import read_examples
from comfywear_export.data.datasets import IGNORED, read_set
from comfywear_export.data.labels import ATTRIBUTE_LABELS, DETECTOR_LABELS
from comfywear_export.measure.detection import mean_boxes, measure


def make_set(folder: Path, labels: dict[str, list[float]], split: str = "validation", count: int = 1) -> Path:
    """A data set of flat grey photos, all with the same boxes (x, y, width, height)."""
    (folder / "photos").mkdir(parents=True)
    images, annotations = [], []
    for number in range(1, count + 1):
        cv2.imwrite(str(folder / "photos" / f"{number}.jpg"), np.full((100, 80, 3), 90, np.uint8))
        images.append({"id": number, "file_name": f"photos/{number}.jpg", "width": 80, "height": 100, "split": split})
        for index, box in enumerate(labels.values()):
            annotations.append({"id": len(annotations), "image_id": number, "category_id": index, "bbox": box})
    categories = [{"id": index, "name": name} for index, name in enumerate(labels)]
    data = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(data))
    return folder


def test_a_set_with_garments_knows_one_person_and_a_set_without_knows_all(tmp_path: Path) -> None:
    dressed = {"person": [10, 10, 40, 80], "jeans": [15, 50, 30, 40], "romper": [0, 0, 5, 5], "watch": [1, 1, 2, 2]}
    (photo,) = read_set(make_set(tmp_path / "dressed", dressed))
    assert (photo.garments, photo.all_persons) == (True, False)
    assert photo.names == ("person", "jeans", "romper")
    assert photo.classes.tolist() == [0, DETECTOR_LABELS.index("trousers"), IGNORED]
    np.testing.assert_allclose(photo.boxes[0], [10, 10, 50, 90])
    (photo,) = read_set(make_set(tmp_path / "plain", {"person": [10, 10, 40, 80]}))
    assert (photo.garments, photo.all_persons) == (False, True)


def test_the_mean_box_is_right_where_all_boxes_are_the_same(tmp_path: Path) -> None:
    photos = read_set(make_set(tmp_path / "s", {"person": [10, 10, 40, 80], "skirt": [15, 50, 30, 20]}, count=3))
    figures = measure(photos, mean_boxes(photos), 0.5)
    assert figures["person"]["ap50"] == pytest.approx(1.0)
    assert figures["person"]["recall50"] == 1.0
    assert figures["garments"]["per_class"] == {"skirt": {"ap50": pytest.approx(1.0), "n": 3}}
    nothing = measure(photos, lambda _: [], 0.5)
    assert (nothing["person"]["ap50"], nothing["garments"]["map50"]) == (0.0, 0.0)


def test_answers_come_from_labels_and_derived_labels_and_are_unknown_otherwise(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", {"person": [10, 10, 40, 80], "jeans": [15, 50, 30, 40]})

    def asked(label: str) -> float:
        return float(read_examples(folder)[0].answers[ATTRIBUTE_LABELS.index(label)])

    assert (asked("group/trousers"), asked("group/hat"), asked("garment/jeans")) == (1, 0, 1)
    assert np.isnan(asked("sleeve/short"))
    derived = {"1": {"sleeve": {"value": "sleeveless"}, "upar": {"LowerBody-Length-Short": 0, "Accessory-Hat": None}}}
    (folder / "derived.json").write_text(json.dumps(derived))
    assert (asked("sleeve/short"), asked("sleeve/none"), asked("leg/short")) == (1, 1, 0)
    assert np.isnan(asked("upar/Accessory-Hat"))


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "cannot be read"), ("{", "not in COCO layout"), ('{"images": []}', "KeyError 'categories'")],
)
def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "instances.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_set(tmp_path)


def test_an_unknown_split_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", {"person": [10, 10, 40, 80]}, split="mine")
    with pytest.raises(UsageError, match="there are: mine"):
        read_set(folder, "test")


def test_the_command_prints_the_keys_for_any_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_set(tmp_path / "s", {"person": [10, 10, 40, 80], "skirt": [15, 50, 30, 20]}, split="mine", count=2)
    assert main(["evaluate", "detector", "detector", "--data", str(folder), "--split", "mine", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["images"] == 2
    assert {"ap50", "ap", "recall50", "n"} <= set(result["person"])
    assert set(result["garments"]) == {"map50", "per_class"}
    assert result["mean_box"]["person"]["ap50"] == pytest.approx(1.0)
    assert "no split named train" in result["mean_box"]["from"]
    assert main(["evaluate", "detector", "--data", str(folder), "--split", "mine"]) == 0
    assert "mean box" in capsys.readouterr().out
    assert main(["evaluate", "attributes", "attributes", "--data", str(folder), "--split", "mine", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {"map_groups", "map_labels", "f1_groups", "decisions", "labels"} <= set(result)
    assert result["labels"]["group/skirt-or-dress"]["positives"] == 2


@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_the_person_is_found_in_ccp_validation(
    shared_data: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    words = ["evaluate", "detector", "--data", str(shared_data / "ccp"), "--engine", engine, "--limit", "60", "--json"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["person"]["n"] == 60
    assert result["person"]["recall50"] >= 0.95
    assert result["garments"]["map50"] > result["mean_box"]["garments"]["map50"] + 0.1
    assert result["attributes"]
    assert main([*words, "--quick", "--attributes", ""]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert alone["attributes"] is None
    assert alone["garments"]["map50"] < result["garments"]["map50"]


def test_the_detector_beats_a_constant_box_on_varied_photos(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "detector", "--data", str(shared_data / "people"), "--limit", "60", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["person"]["ap50"] > result["mean_box"]["person"]["ap50"] + 0.3


def test_the_attribute_model_beats_constant_answers(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "attributes", "--data", str(shared_data / "ccp"), "--limit", "80", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["map_groups"] > result["prevalence"]["groups"] + 0.15
    assert result["map_labels"] > result["prevalence"]["labels"] + 0.05
