"""Labels that a model gives: what is sure, what is doubted, and a set that training reads."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.records import Detection
from comfywear_export.cli import main
from comfywear_export.data.augment import letterbox_view
from comfywear_export.data.datasets import IGNORED, read_photo, read_set
from comfywear_export.data.labels import DETECTOR_GROUPS, DETECTOR_LABELS, GARMENT_LABELS
from comfywear_export.data.pseudo import bystanders, garments_by_tags, sure_garments, tagged_groups

MAIN = (10.0, 10.0, 60.0, 110.0)


def find(label: str, score: float, box: tuple[float, float, float, float] = (70.0, 20.0, 90.0, 80.0)) -> Detection:
    return Detection(box, score, label)


def test_a_person_with_a_label_is_not_named_again_and_a_doubted_one_is_neither_there_nor_away() -> None:
    found = [find("person", 0.9, (12.0, 10.0, 60.0, 108.0)), find("person", 0.8), find("person", 0.3), find("bag", 0.9)]
    labels = bystanders(found, [MAIN])
    assert [(label.name, label.doubted) for label in labels] == [("person", False), ("person", True)]
    assert not bystanders([find("person", 0.2)], [])


def test_tags_let_the_best_find_of_a_kind_count_and_no_find_of_another_kind() -> None:
    found = [find("knit", 0.2), find("knit", 0.12), find("outer", 0.95), find("footwear", 0.6), find("footwear", 0.4)]
    groups = tagged_groups({"sweater", "heels", "skirt", "hair"})
    assert groups == {"knit", "footwear", "skirt"}
    labels = [(label.name, label.doubted) for label in garments_by_tags(found, groups, MAIN)]
    assert labels == [("footwear", False), ("footwear", False), ("knit", False), ("knit", True), ("skirt", True)]


@given(
    st.lists(st.tuples(st.sampled_from(DETECTOR_LABELS), st.floats(0.1, 1.0)), max_size=12),
    st.sets(st.sampled_from(sorted(DETECTOR_GROUPS))),
)
def test_every_tagged_kind_is_answered_and_only_those(finds: list[tuple[str, float]], groups: set[str]) -> None:
    found = [find(label, score) for label, score in finds]
    labels = garments_by_tags(found, groups, MAIN)
    assert {label.name for label in labels} == groups
    assert all(label.name in GARMENT_LABELS for label in sure_garments(found))


def test_a_completed_set_is_read_by_training(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four labelled and four tagged photos; the labels that were there stay."""
    ccp, small = shared_data / "ccp", tmp_path / "ccp"
    small.mkdir()
    for name in ("photos", "masks"):
        (small / name).symlink_to(ccp / name)
    data = json.loads((ccp / "instances.json").read_text())
    data["images"] = [image for image in data["images"] if image["split"] == "train"][:4]
    kept = {image["id"] for image in data["images"]}
    data["annotations"] = [a for a in data["annotations"] if a["image_id"] in kept]
    (small / "instances.json").write_text(json.dumps(data))
    tags = json.loads((ccp / "tags.json").read_text())
    (small / "tags.json").write_text(json.dumps(dict(list(tags.items())[:4])))
    (small / "splits.json").write_text("{}")

    assert main(["pseudo", "--data", str(small), "--out", str(tmp_path / "more")]) == 0
    assert "4 of them with labels of their own" in capsys.readouterr().out
    before, after = read_set(small, "train"), read_set(tmp_path / "more", "train")
    assert len(after) > len(before)
    for old, new in zip(before, after, strict=False):
        assert (new.garments, new.all_persons, new.mask is not None) == (True, True, True)
        np.testing.assert_allclose(new.boxes[: len(old.boxes)], old.boxes, atol=0.11)
        assert new.classes[: len(old.boxes)].tolist() == old.classes.tolist()
    for new in after[len(before) :]:
        wanted = tagged_groups(set(tags[new.path.stem])) | {"person"}
        assert set(new.names) <= wanted
        view = letterbox_view(new, read_photo(new.path), 64)
        assert (view.classes != IGNORED).all()
        assert len(view.boxes)
    assert main(["pseudo", "--data", str(small), "--out", str(small)]) == 2
    assert "would be lost" in capsys.readouterr().err


def test_whom_a_set_forgot_to_label_is_neither_there_nor_away(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two photos that lost the labels of all but one person each: nothing is learnt where the model sees the others."""
    data = json.loads((shared_data / "people" / "instances.json").read_text())
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "photos").symlink_to(shared_data / "people" / "photos")
    several = [n for n, count in Counter(a["image_id"] for a in data["annotations"]).items() if 2 <= count <= 4]
    data["images"] = [i for i in data["images"] if i["id"] in several and i["split"] == "train"][:12]
    alone = {i["id"]: next(a for a in data["annotations"] if a["image_id"] == i["id"]) for i in data["images"]}
    data["annotations"] = list(alone.values())
    (tmp_path / "people" / "instances.json").write_text(json.dumps(data))
    words = ["pseudo", "--data", str(tmp_path / "people"), "--missed", "--out", str(tmp_path / "more" / "people")]
    assert main(words) == 0
    before, after = read_set(tmp_path / "people", "train"), read_set(tmp_path / "more" / "people", "train")
    assert len(after) == len(before) == 12
    doubted = 0
    for old, new in zip(before, after, strict=True):
        assert (new.garments, new.all_persons, new.set_name) == (False, True, "people")
        np.testing.assert_allclose(new.persons, old.persons, atol=0.11)
        assert set(new.names) == {"person"}
        view = letterbox_view(new, read_photo(new.path), 64)
        doubted += int((new.classes == IGNORED).sum())
        if (new.classes == IGNORED).any():
            assert not view.person_known.all()
    assert doubted >= 4
