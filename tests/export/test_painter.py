"""The painter learns, goes on, and is exported with a card; its files paint what the network paints."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.errors import ModelError
from comfywear_export.cli import main
from comfywear_export.data.datasets import read_set
from comfywear_export.data.painting import Original, Paintings, hints_of
from comfywear_export.measure.painting import Painter
from comfywear_models import load_card

pytestmark = pytest.mark.export


def make_rooms(root: Path) -> Path:
    """`empty` (a brown floor, a pale wall and a blue door somewhere) and `cfpd` (the same with a red shirt)."""
    chance = np.random.default_rng(0)
    for name in ("empty", "cfpd"):
        (root / name).mkdir(parents=True)
        images, annotations = [], []
        for number in range(6):
            photo = np.full((120, 160, 3), (200, 210, 215), np.uint8)
            photo[80:] = (40, 80, 120)
            left = int(chance.integers(10, 110))
            photo[20:80, left : left + 30] = (220, 40, 40)
            if name == "cfpd":
                photo[60:100, 60:100] = (20, 20, 230)
                box = {"id": number, "image_id": number, "category_id": 1, "bbox": [60, 60, 40, 40]}
                annotations.append(box)
            cv2.imwrite(str(root / name / f"{number}.png"), photo)
            split = "train" if number < 4 else "validation"
            images.append({"id": number, "file_name": f"{number}.png", "width": 160, "height": 120, "split": split})
        categories = [{"id": 0, "name": "person"}] + ([{"id": 1, "name": "shirt"}] if name == "cfpd" else [])
        data = {"images": images, "annotations": annotations, "categories": categories}
        (root / name / "instances.json").write_text(json.dumps(data))
    return root


def test_steps_of_training_lower_the_loss(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.nets.painter import PainterNet, painter_loss

    torch.manual_seed(0)
    photos = read_set(make_rooms(tmp_path) / "empty", "train")
    batches = Paintings([Original(photo, photo.boxes[photo.classes > 0]) for photo in photos], 1, 2)
    batch = {name: torch.from_numpy(values) for name, values in batches[0].items()}
    net = PainterNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    figures = []
    for _ in range(15):
        loss, parts = painter_loss(net, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        figures.append(parts)
    assert figures[0]["loss"] == pytest.approx(np.log(64), abs=0.5)
    assert figures[-1]["loss"] < 0.7 * figures[0]["loss"]
    assert figures[-1]["right"] > figures[0]["right"] + 0.2


def test_a_run_goes_on_and_its_files_paint_what_the_network_paints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.training.runs import load_graph

    root, out, made = make_rooms(tmp_path / "data"), tmp_path / "run", tmp_path / "made"
    words = ["train", "painter", "--data", str(root), "--sets", "empty", "cfpd", "--out", str(out), "--batch", "2"]
    assert main([*words, "--minutes", "5", "--steps", "3"]) == 0
    assert main([*words, "--minutes", "5", "--steps", "6"]) == 0
    shown = capsys.readouterr().out
    assert "8 photos of cfpd empty; 2 a step" in shown
    assert "going on from step 3" in shown
    assert "6 steps, 12 pictures" in shown
    assert main(["export", "painter", "--run", str(out)]) == 0
    words = ["card", "painter", "--run", str(out), "--forms", str(out / "forms"), "--data", str(root)]
    assert main([*words, "--out", str(made), "--version", "1", "--note", "of a test"]) == 0

    photo = cv2.imread(str(root / "cfpd" / "5.png"))
    hints = hints_of(np.asarray(photo, np.uint8), [(60, 60, 100, 100)])
    graph, shape, _ = load_graph("painter", out)
    assert shape == (1, *hints.shape)
    with torch.inference_mode():
        wanted = graph(torch.from_numpy(hints[None]))[0].numpy()
    import onnxruntime

    session = onnxruntime.InferenceSession(str(out / "forms" / "painter.fp32.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"images": hints[None]})[0][0], wanted, atol=1e-3)
    card = load_card(made / "painter.card.json")
    assert [(file.engine, file.precision) for file in card.files] == [("onnxruntime", "fp16"), ("litert", "fp16")]
    for engine in ("onnxruntime", "litert"):
        painter = Painter(made / "painter.card.json", engine)
        # Weights of 16 bits may turn choices between two that are nearly as likely.
        assert (painter.choices(hints) != wanted.argmax(axis=-1)).mean() < 0.02
        assert painter.painted(np.asarray(photo, np.uint8)).shape == photo.shape
    assert card.task == "painter"
    assert len(card.labels) == 64
    assert card.labels[3] == "#e02020"
    assert card.notes == ["of a test"]
    assert {each["name"].partition(":")[0] for each in card.training_data} >= {"photos of nobody"}
    figures = card.quality["litert fp16"]["empty validation"]
    assert figures["photos"] == 2
    assert 0.0 <= figures["right"] <= 1.0
    assert figures["unlike the first form"] < 0.02
    assert card.quality["onnxruntime fp16"]["empty validation"]["commonest"] > 0.3

    (made / card.files[0].path).write_bytes(b"altered")
    with pytest.raises(ModelError, match="painter"):
        Painter(made / "painter.card.json")
    with pytest.raises(ModelError, match="no painter for nothing"):
        Painter(made / "painter.card.json", "nothing")
