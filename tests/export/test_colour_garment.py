"""`comfywear-export evaluate garment-colour`, on a made-up set of ccp's form."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from comfywear_export.cli import main

_LABELS = [
    {"index": 0, "name": "null", "palette_rgb": [0, 0, 0]},
    {"index": 1, "name": "dress", "palette_rgb": [10, 20, 30]},
    {"index": 2, "name": "skin", "palette_rgb": [200, 150, 120]},
]


@pytest.fixture
def data(tmp_path):
    """One photo: a narrow red dress in a box that is mostly green."""
    folder = tmp_path / "ccp"
    folder.mkdir()
    photo = np.full((120, 120, 3), (40, 110, 20), dtype=np.uint8)
    mask = np.zeros((120, 120, 3), dtype=np.uint8)
    photo[30:90, 50:70] = (30, 20, 190)
    mask[30:90, 50:70] = (30, 20, 10)  # BGR of the palette's colour
    cv2.imwrite(str(folder / "1.png"), photo)
    cv2.imwrite(str(folder / "1m.png"), mask)
    (folder / "labels.json").write_text(json.dumps(_LABELS))
    image = {"id": 1, "file_name": "1.png", "mask_file": "1m.png", "split": "validation"}
    note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [35, 30, 50, 60]}
    (folder / "instances.json").write_text(json.dumps({"images": [image], "annotations": [note]}))
    return tmp_path


def test_the_whole_box_is_wrong_where_the_method_is_right(data, capsys):
    assert main(["evaluate", "garment-colour", "--data", str(data), "--split", "validation", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n"], result["whole_box"], result["garment_colours"]) == (1, 0.0, 1.0)
    assert result["by_group"] == {"dress": 1.0}


def test_a_split_without_garments_is_wrong_use(data, capsys):
    assert main(["evaluate", "garment-colour", "--data", str(data), "--split", "test"]) == 2
    assert "ccp has train and validation" in capsys.readouterr().err


def test_missing_data_is_said(tmp_path, capsys):
    assert main(["evaluate", "garment-colour", "--data", str(tmp_path)]) == 1
    assert "--data names the folder above ccp" in capsys.readouterr().err
