"""The upper part of whoever is seen from head to foot is looked at, too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfywear.errors import ModelError
from comfywear.vision.attributes import AttributeModel
from comfywear.vision.upper_look import LAYOUT, UpperLook
from comfywear_models.registry import FOLDER


def card_with(folder: Path, upper: Any, layout: str = LAYOUT) -> Path:
    """The shipped attribute model with another word about upper parts."""
    shutil.copy(FOLDER / "attributes.fp16.onnx", folder)
    card = json.loads((FOLDER / "attributes.card.json").read_text())
    card |= {"layout": layout, "output": {**card["output"], "upper": upper}}
    card["files"] = [file for file in card["files"] if file["path"] == "attributes.fp16.onnx"]
    path = folder / "attributes.card.json"
    path.write_text(json.dumps(card))
    return path


def test_the_upper_part_of_tall_crops_is_taken_and_of_no_others() -> None:
    look = UpperLook(2.0, 0.55, (0,))
    tall, wide = np.zeros((200, 100, 3), np.uint8), np.zeros((199, 100, 3), np.uint8)
    parts = look.of([wide, tall])
    assert {place: part.shape for place, part in parts.items()} == {1: (110, 100, 3)}


def test_the_answers_named_are_the_means_of_both_looks_and_the_others_stay() -> None:
    whole = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], np.float32)
    UpperLook(2.0, 0.55, (0, 2)).joined(whole, [1], np.array([[5.0, 50.0, 1.0]], np.float32))
    assert whole.tolist() == [[0.0, 1.0, 2.0], [4.0, 4.0, 3.0]]


def test_a_model_with_it_says_the_mean_of_what_it_says_of_both_parts(tmp_path: Path) -> None:
    crop = np.random.default_rng(1).integers(0, 255, (300, 100, 3)).astype(np.uint8)
    labels = ["group/hat", "group/scarf"]
    plain = AttributeModel.load(card_with(tmp_path, None, "logits"), engine="onnxruntime")
    whole, upper = plain.predict([crop, crop[:165]])
    twice = AttributeModel.load(
        card_with(tmp_path, {"tall": 2.0, "part": 0.55, "labels": labels}), engine="onnxruntime"
    )
    short = np.ascontiguousarray(crop[:150])
    of_short, of_tall = twice.predict([short, crop])
    named = np.array([label in labels for label in twice.labels])
    logit = (np.log(whole / (1 - whole)) + np.log(upper / (1 - upper))) / 2
    np.testing.assert_allclose(of_tall[named], 1 / (1 + np.exp(-logit[named])), atol=1e-4)
    np.testing.assert_allclose(of_tall[~named], whole[~named], atol=1e-5)
    np.testing.assert_allclose(of_short, plain.predict([short])[0], atol=1e-5)
    assert twice.predict([]).shape == (0, len(twice.labels))


@pytest.mark.parametrize(
    "upper",
    [
        None,
        {},
        {"tall": 2.0, "part": 1.5, "labels": ["group/hat"]},
        {"tall": 2.0, "part": 0.5, "labels": ["group/wig"]},
    ],
)
def test_a_card_that_does_not_say_it_is_refused_in_words(tmp_path: Path, upper: Any) -> None:
    with pytest.raises(ModelError, match=r"output\.upper"):
        AttributeModel.load(card_with(tmp_path, upper), engine="onnxruntime")
