"""What the attribute model learns from: crops, their answers, and the cost of answers that are half known."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from masked_sets import data_set, dressed

from comfywear_export.cli import main
from comfywear_export.data.attribute_data import Example, read_examples
from comfywear_export.data.labels import ATTRIBUTE_LABELS, LOCATED
from comfywear_export.data.masks import Palette
from comfywear_export.training.attributes import SHARES, Crops

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "comfywear_models" / "files" / "attributes.fp16.onnx"
COAT = next(i for i, names in enumerate(LOCATED) if names == ("coat",))


def crops_of(examples: list[Example], palette: Palette | None = None) -> Crops:
    return Crops(examples, palette, seed=5, batch=2, frozen=None)  # type: ignore[arg-type]  # no network is asked


def kinds(folder: Path) -> Path:
    """One person in a skirt that begins half way down, in a set that names kinds."""
    names = ["person", {"name": "skirt", "product_class": "skirt"}, {"name": "shirt", "product_class": "top"}]
    boxes = [(0, [12, 16, 72, 96]), (1, [12, 64, 72, 48]), (2, [12, 30, 72, 34])]
    annotations = [{"image_id": 0, "category_id": kind, "bbox": box} for kind, box in boxes]
    return data_set(folder, [{"file_name": "0.png", "width": 96, "height": 128}], annotations, names)


def test_every_set_is_chosen_as_often_as_its_share_says_however_many_photos_it_has(tmp_path: Path) -> None:
    folder = dressed(tmp_path / "ccp")
    (one,) = read_examples(folder, "train")
    (other,) = read_examples(kinds(tmp_path / "cfpd"), "train")
    crops = crops_of([one, *[replace(other) for _ in range(30)]], Palette.read(folder))
    chosen = Counter(bool(np.isnan(crops.crop(number).shares).all()) for number in range(400))
    expected = SHARES["cfpd"] / (SHARES["ccp"] + SHARES["cfpd"])
    assert chosen[True] / 400 == pytest.approx(expected, abs=0.08)  # of that set there are no masks


def test_a_crop_is_the_same_again_and_its_cells_show_the_coat_where_it_is_seen(tmp_path: Path) -> None:
    folder = dressed(tmp_path / "ccp")
    crops = crops_of(read_examples(folder, "train"), Palette.read(folder))
    right = 0
    for number in range(60):
        crop, again = crops.crop(number), crops.crop(number)
        np.testing.assert_array_equal(crop.picture, again.picture)
        np.testing.assert_array_equal(crop.answers, again.answers)
        assert crop.picture.shape == (320, 160, 3)
        red = crop.picture[..., 0].astype(int) - crop.picture[..., 1:].max(2)
        cells = cv2.resize(red.astype(np.float32), (10, 20), interpolation=cv2.INTER_AREA)
        shown = crop.shares[COAT] > 0.9
        # Where there is colour at all: the coat's cells are the red ones.
        right += not shown.any() or bool(cells[shown].mean() > cells[crop.shares[COAT] < 0.1].mean())
    assert right >= 45


def test_hidden_and_cut_lower_bodies_are_a_no_and_whole_ones_a_yes(tmp_path: Path) -> None:
    crops = crops_of(read_examples(kinds(tmp_path / "cfpd"), "train"))
    skirt, top = (ATTRIBUTE_LABELS.index(f"group/{name}") for name in ("skirt-or-dress", "top"))
    made = [crops.crop(number) for number in range(300)]
    answers = Counter(str(float(crop.answers[skirt])) for crop in made)
    assert answers["1.0"] > 150
    assert answers["0.0"] > 30
    assert answers["nan"] > 5
    assert all(np.isnan(crop.answers[top]) and crop.either.tolist() == [1] for crop in made)


@pytest.mark.export
def test_either_of_two_answers_costs_nothing_and_neither_costs_much() -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.training.attributes import attribute_loss

    top, knit = (ATTRIBUTE_LABELS.index(f"group/{name}") for name in ("top", "knit"))

    class Says(torch.nn.Module):  # type: ignore[misc]
        """A network that says the same of every crop."""

        def __init__(self, **said: float) -> None:
            super().__init__()
            logits = torch.full((1, len(ATTRIBUTE_LABELS)), -8.0)
            for group, logit in said.items():
                logits[0, ATTRIBUTE_LABELS.index(f"group/{group}")] = logit
            self.logits = torch.nn.Parameter(logits)
            self.trunk = self

        def rest(self, maps: object) -> object:
            return maps

        def read(self, maps: object) -> tuple[object, object]:
            return self.logits, torch.zeros(1, len(LOCATED), 1, 1)

    def cost(either: float, **said: float) -> tuple[float, Says]:
        batch = {
            "maps": torch.zeros(1, 1, 1, 1),
            "answers": torch.full((1, len(ATTRIBUTE_LABELS)), float("nan")),
            "shares": torch.full((1, len(LOCATED), 1, 1), float("nan")),
            "either": torch.tensor([[either]]),
        }
        net = Says(**said)
        total, parts = attribute_loss(net, batch)
        total.backward()
        return parts["answers"], net

    assert cost(1, top=8)[0] < 1e-3
    assert cost(1, knit=8)[0] < 1e-3
    both, net = cost(1)
    assert both == pytest.approx(8 - np.log(2), abs=0.01)
    pulls = net.logits.grad[0]
    assert pulls[top] < -0.4
    assert pulls[knit] < -0.4
    assert pulls.abs().sum() == pytest.approx(float(pulls[[top, knit]].abs().sum()))
    nothing, net = cost(float("nan"))
    assert nothing == 0
    assert cost(1, top=200, knit=200)[0] == pytest.approx(0, abs=1e-3)
    assert np.isfinite(cost(1, top=-200, knit=-200)[0])


@pytest.mark.export
def test_attributes_go_on_from_the_shipped_file_with_sets_of_both_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    dressed(tmp_path / "data" / "ccp")
    kinds(tmp_path / "data" / "cfpd")
    words = ["train", "attributes", "--data", str(tmp_path / "data"), "--sets", "ccp", "cfpd", "--batch", "2"]
    words += ["--weights", str(SHIPPED), "--rate", "0.5", "--out", str(tmp_path / "run"), "--minutes", "5"]
    assert main([*words, "--steps", "1"]) == 0
    assert main([*words, "--steps", "2"]) == 0
    shown = capsys.readouterr().out
    assert "2 persons, 1 with masks" in shown
    assert "going on from step 1" in shown
    assert (tmp_path / "run" / "attributes.pt").is_file()
    assert main([*words, "--steps", "2", "--mix", "0.75"]) == 0
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["mix"] == 0.75
    assert main([*words, "--mix", "0"]) == 2
    assert "--mix 0.0: a share" in capsys.readouterr().err
