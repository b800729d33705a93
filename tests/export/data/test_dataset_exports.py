"""Data sets written for other people's tools: by their own readers where those are installed, else by their words."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import data_sets
import pytest

from comfywear_export.cli import main
from comfywear_export.data.formats import Box, Damaged, Dataset, Picture, write_dataset
from comfywear_export.data.formats.target import Target

DRAWN = Box("person", 8.25, 4, 60.5, 92, attributes={"seated": "true"})
GUESSED = Box('<top> & "knit"', 12, 20, 40, 30, score=0.38)


def written(folder: Path, form: str) -> Path:
    """Two pictures, the second without a box, in the format."""
    room, empty = (data_sets.picture(folder / "raw" / name) for name in ("Büro 1.jpg", "empty.jpg"))
    pictures = [
        Picture("floor 2/Büro 1.jpg", room, 80, 100, "train", (DRAWN, GUESSED)),
        Picture("empty.jpg", empty, 80, 100, "validation"),
    ]
    target = Target(folder / "to label", {}, Damaged())
    write_dataset(Dataset(("person", GUESSED.label), pictures), form, target)
    target.finish({})
    return target.folder


def pixels(region: dict[str, Any]) -> list[float]:
    size = {"x": "original_width", "width": "original_width", "y": "original_height", "height": "original_height"}
    return [region["value"][side] * region[size[side]] / 100 for side in ("x", "y", "width", "height")]


def test_label_studio_gets_drawn_boxes_as_annotations_and_guesses_as_predictions(tmp_path: Path) -> None:
    folder = written(tmp_path, "labelstudio")
    first, second = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    ((drawn,),) = [each["result"] for each in first["annotations"]]
    ((guessed,),) = [each["result"] for each in first["predictions"]]
    assert pixels(drawn) == pytest.approx([8.25, 4, 60.5, 92])
    assert pixels(guessed) == pytest.approx([12, 20, 40, 30])
    assert (drawn["meta"], guessed["score"]) == ({"text": ["seated: true"]}, 0.38)
    assert second.keys() == {"data"}
    config = ET.fromstring((folder / "label-config.xml").read_text(encoding="utf-8"))
    assert [each.attrib["value"] for each in config.iter("Label")] == ["person", GUESSED.label]
    tags = {each.attrib["name"]: each.tag for each in config}
    assert (tags[drawn["from_name"]], tags[drawn["to_name"]]) == ("RectangleLabels", "Image")


def test_label_studio_finds_each_picture_below_the_folder_that_holds_the_data_set(tmp_path: Path) -> None:
    for task in json.loads((written(tmp_path, "labelstudio") / "tasks.json").read_text(encoding="utf-8")):
        address, _, name = task["data"]["image"].partition("?d=")
        assert address == "/data/local-files/"
        assert (tmp_path / unquote(name)).is_file()


def test_label_studio_reads_what_was_written(tmp_path: Path) -> None:
    interface = pytest.importorskip("label_studio_sdk.label_interface")
    converter = pytest.importorskip("label_studio_sdk.converter")
    folder = written(tmp_path, "labelstudio")
    config, tasks = (folder / "label-config.xml").read_text(), json.loads((folder / "tasks.json").read_text())
    view = interface.LabelInterface(config)
    view.validate()
    for kind, check in (("annotations", view.validate_annotation), ("predictions", view.validate_prediction)):
        assert all(check(each) for each in tasks[0][kind])
    (tmp_path / "export.json").write_text(json.dumps([{"id": 1, **tasks[0]}]))  # which the server numbers
    done = converter.Converter(config, str(tmp_path), download_resources=False)
    done.convert_to_coco(str(tmp_path / "export.json"), str(tmp_path / "coco"), is_dir=False)
    found = json.loads((tmp_path / "coco" / "result.json").read_text())
    names = {each["id"]: each["name"] for each in found["categories"]}
    assert [(names[each["category_id"]], each["bbox"]) for each in found["annotations"]] == [
        ("person", pytest.approx([8.25, 4, 60.5, 92]))
    ]


def test_fiftyone_reads_what_is_written_as_coco(tmp_path: Path) -> None:
    coco = pytest.importorskip("fiftyone.utils.coco")
    folder = written(tmp_path, "coco")
    # The reader itself, which needs no database.
    importer = coco.COCODetectionDatasetImporter(
        dataset_dir=str(folder), data_path=".", labels_path="instances.json", label_types=["detections"]
    )
    found: dict[str, list[Any]] = {}
    with importer:
        for path, size, label in importer:
            assert (Path(path).is_file(), size.width, size.height) == (True, 80, 100)
            found[Path(path).name] = [] if label is None else label.detections
    assert found["empty.jpg"] == []
    assert [each.label for each in found["Büro 1.jpg"]] == ["person", GUESSED.label]
    assert found["Büro 1.jpg"][0].bounding_box == pytest.approx([8.25 / 80, 0.04, 60.5 / 80, 0.92])
    assert [each.confidence for each in found["Büro 1.jpg"]] == [None, 0.38]


def test_the_command_writes_label_studios_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["dataset", str(data_sets.captures(tmp_path / "in")), "--to", "labelstudio", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    assert "written as labelstudio" in capsys.readouterr().out
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert [len(task["predictions"][0]["result"]) for task in tasks] == [2, 2, 2]
    assert tasks[0]["data"]["zone"] == "desk"
