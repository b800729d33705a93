"""The built-in sample: the same picture everywhere, and an engine that computes otherwise is noticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tiny_onnx import write_onnx

from comfywear.errors import ModelError
from comfywear.vision import sample_answers
from comfywear.vision.sample import check_sample, open_form, sample_batch, sample_picture
from comfywear_models import Card, ModelFile, find
from comfywear_models.release import Answer, SampleAnswers

LABELS = [f"garment/{i}" for i in range(5)]


def tiny(folder: Path, logits: np.ndarray, labels: list[str] = LABELS) -> Card:
    """An attribute model that answers with constants."""
    data = write_onnx(folder / "tiny.onnx", ("float32", ("N", 16, 8, 3)), {"logits": logits}).read_bytes()
    file = ModelFile("tiny.onnx", "onnxruntime", "fp16", hashlib.sha256(data).hexdigest(), len(data))
    card = Card("tiny", "1", "attributes", "logits", {"height": 16, "width": 8}, labels, "Apache-2.0", [file])
    (folder / "tiny.card.json").write_bytes(msgspec.json.encode(card))
    return card


def test_the_picture_is_the_same_on_every_machine() -> None:
    assert hashlib.sha256(sample_picture(320, 160).tobytes()).hexdigest().startswith("9b17a3f2000777d2")
    assert sample_picture(7, 3).shape == (7, 3, 3)


def test_a_shipped_model_answers_as_it_did_and_not_as_another() -> None:
    card, folder = find("attributes")
    one = msgspec.structs.replace(card, files=[file for file in card.files if file.path == "attributes.fp16.onnx"])
    expected = sample_answers(one, folder)
    model = open_form(folder / "attributes.card.json", card)
    check_sample(model, expected)
    assert sample_batch(card).shape == (1, 320, 160, 3)
    moved = [0.5 + value for value in expected[0].outputs[0].values]
    other = [SampleAnswers(expected[0].path, [msgspec.structs.replace(expected[0].outputs[0], values=moved)])]
    with pytest.raises(ModelError, match=r"wrong: output 0 is 0\.5"):
        check_sample(model, other)


def test_numbers_that_are_none_and_shapes_that_changed_are_noticed(tmp_path: Path) -> None:
    card = tiny(tmp_path, np.array([[0, 1, 2, np.nan, 3]], np.float32))
    model = open_form(tmp_path / "tiny.card.json", card)
    with pytest.raises(ModelError, match="not numbers"):
        sample_answers(card, tmp_path)
    with pytest.raises(ModelError, match="output 0 for the built-in sample is not a finite number"):
        check_sample(model, [SampleAnswers("tiny.onnx", [Answer([1, 5], [0, 1, 2, 0, 3], 9.0)])])
    with pytest.raises(ModelError, match=r"the shapes \[\[1, 5\]\], its release says \[\[1, 6\]\]"):
        check_sample(model, [SampleAnswers("tiny.onnx", [Answer([1, 6], [0] * 6, 9.0)])])


def test_only_models_that_look_at_pictures_have_a_sample(tmp_path: Path) -> None:
    card, folder = find("comfort")
    with pytest.raises(ModelError, match="is for 'comfort'"):
        sample_answers(card, folder)
