"""Training, resuming, exporting and quantising on a tiny set that the test makes; needs the export environment."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear_export.cli import main
from comfywear_export.data.augment import LEVERS, letterbox_view, mosaic, random_view
from comfywear_export.data.datasets import read_photo, read_set
from comfywear_export.data.labels import GARMENT_LABELS
from comfywear_export.training.detector import Views


def make_sets(root: Path) -> Path:
    """`people` (persons only) and `ccp` (a person with trousers and a shirt): coloured rectangles."""
    rng = np.random.default_rng(0)
    for name, worn in (("people", []), ("ccp", ["shirt", "jeans"])):
        (root / name / "photos").mkdir(parents=True)
        images, annotations = [], []
        for number in range(6):
            photo = rng.integers(0, 60, (128, 96, 3)).astype(np.uint8)
            photo[20:70, 30:60] = (40, 40, 220)
            photo[70:120, 30:60] = (220, 40, 40)
            cv2.imwrite(str(root / name / "photos" / f"{number}.jpg"), photo)
            split = "train" if number < 5 else "validation"
            images.append(
                {"id": number, "file_name": f"photos/{number}.jpg", "width": 96, "height": 128, "split": split}
            )
            boxes = {"person": [30, 20, 30, 100], "shirt": [30, 20, 30, 50], "jeans": [30, 70, 30, 50]}
            annotations += [
                {"id": len(annotations) + i, "image_id": number, "category_id": i, "bbox": boxes[label]}
                for i, label in enumerate(["person", *worn])
            ]
        categories = [{"id": i, "name": label} for i, label in enumerate(["person", *worn])]
        data = {"images": images, "annotations": annotations, "categories": categories}
        (root / name / "instances.json").write_text(json.dumps(data))
    return root


def test_views_keep_boxes_inside_and_know_what_each_set_labels(tmp_path: Path) -> None:
    root = make_sets(tmp_path)
    people, ccp = (read_set(root / name, "train") for name in ("people", "ccp"))
    plain = letterbox_view(ccp[0], read_photo(ccp[0].path), 64)
    np.testing.assert_allclose(plain.boxes[0], [23, 10, 38, 60])
    labelled = [GARMENT_LABELS.index(kind) for kind in ("top", "trousers")]  # shirt and jeans
    assert plain.garments_known[labelled].all()
    assert not np.delete(plain.garments_known, labelled, axis=0).any()
    assert plain.person_known.mean() < 0.4  # bystanders of this set are not labelled
    assert not letterbox_view(people[0], read_photo(people[0].path), 64).garments_known.any()
    rng = np.random.default_rng(1)
    for _ in range(30):
        views = [
            random_view(ccp[0], read_photo(ccp[0].path), 64, rng),
            mosaic([ccp[0], people[0], ccp[1], people[1]], lambda photo: read_photo(photo.path), 64, rng),
        ]
        for view in views:
            assert view.image.shape == (64, 64, 3)
            assert (view.boxes >= 0).all()
            assert (view.boxes <= 64).all()
            assert (view.boxes[:, 2:] > view.boxes[:, :2]).all()


def test_a_run_without_its_levers_sees_people_as_upright_wide_and_bright_as_they_are(tmp_path: Path) -> None:
    """And with them, it does not: wider or tilted people, other light, four photos in one view."""
    root = make_sets(tmp_path)
    photos = [photo for name in ("people", "ccp") for photo in read_set(root / name, "train")]
    pictures = {}
    for without in ((), LEVERS):
        views = Views(photos, 64, 3, 1, None, without)  # type: ignore[arg-type]  # pictures are made without a network
        pictures[without] = [views.view(number) for number in range(60)]
    ratios = {
        without: np.concatenate([(v.boxes[:, 2] - v.boxes[:, 0]) / (v.boxes[:, 3] - v.boxes[:, 1]) for v in made])
        for without, made in pictures.items()
    }
    brightest = {without: {int(view.image.max()) for view in made} for without, made in pictures.items()}
    assert brightest[LEVERS] <= set(range(200, 256))
    assert min(brightest[()]) < 180
    assert np.quantile(ratios[()], 0.9) > 1.2 * np.quantile(ratios[LEVERS], 0.9)
    most = {without: max(len(view.boxes) for view in made) for without, made in pictures.items()}
    assert most[LEVERS] <= 3 < most[()]
    with pytest.raises(SystemExit):
        main(["train", "detector", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--without", "magic"])


@pytest.mark.export
def test_a_perfect_prediction_costs_nearly_nothing_and_unknown_absences_cost_nothing() -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.nets.detector import cells
    from comfywear_export.training.detector_loss import Targets, decode, detector_loss

    centres, strides = cells(64)
    truth = torch.tensor([[[8.0, 8.0, 40.0, 56.0]]])
    distances = torch.cat([centres - truth[0, 0, :2], truth[0, 0, 2:] - centres], 1) / strides[:, None]
    raw = torch.log(torch.expm1(distances.clamp(min=1e-3)))
    raw = torch.cat([raw, raw], 1)[None]
    inside = (distances > 0).all(1)
    np.testing.assert_allclose(
        decode(raw[..., :4], centres, strides)[0, inside], truth[0].expand(int(inside.sum()), 4), atol=1e-2
    )
    logits = torch.full((1, len(centres), 11), -12.0)
    logits[0, inside, 0] = 6.0
    known, kinds = torch.ones(1, len(centres)), torch.ones(1, len(centres), 10)
    loss, parts = detector_loss(logits, raw, Targets(truth, torch.tensor([[0]]), known, kinds), centres, strides)
    assert parts["person"] < 1e-3
    wrong = logits.clone()
    wrong[0, :, 5] = 4.0  # garments of one kind everywhere
    seen, _ = detector_loss(wrong, raw, Targets(truth, torch.tensor([[0]]), known, kinds), centres, strides)
    unseen, _ = detector_loss(wrong, raw, Targets(truth, torch.tensor([[0]]), known, kinds * 0), centres, strides)
    assert seen > loss + 10
    assert unseen == pytest.approx(float(loss), abs=1e-3)
    for kind, cost in ((5, float(loss)), (4, float(seen))):  # of the detector's labels: the person's is 0
        some = kinds.clone()
        some[..., kind - 1] = 0
        one, _ = detector_loss(wrong, raw, Targets(truth, torch.tensor([[0]]), known, some), centres, strides)
        assert one == pytest.approx(cost, rel=1e-3, abs=1e-3)
    nowhere = torch.zeros(1, 1, 4)
    nobody = torch.tensor([[-1]])
    away, _ = detector_loss(logits, raw, Targets(nowhere, nobody, known, kinds), centres, strides)
    doubted, _ = detector_loss(logits, raw, Targets(nowhere, nobody, known * 0, kinds), centres, strides)
    assert away > doubted + 10


@pytest.mark.export
def test_the_detector_trains_resumes_and_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    root, out = make_sets(tmp_path / "data"), tmp_path / "run"
    words = ["train", "detector", "--data", str(root), "--out", str(out), "--size", "64", "--batch", "2"]
    assert main([*words, "--minutes", "5", "--steps", "2"]) == 0
    assert main([*words, "--minutes", "5", "--steps", "4"]) == 0
    shown = capsys.readouterr().out
    assert "going on from step 2" in shown
    assert "4 steps, 8 views" in shown
    steps = [json.loads(line)["step"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps[-1] == 4
    assert steps == sorted(steps)
    before = (out / "last.pt").read_bytes()
    assert main([*words, "--minutes", "5", "--steps", "6", "--without", "mosaic", "--rate", "0.5"]) == 2
    said = capsys.readouterr().err
    assert "begun otherwise: head_rate was 0.002 and is 0.001; trunk_rate was" in said
    assert "without was '' and is 'mosaic'" in said
    assert (out / "last.pt").read_bytes() == before
    assert main([*words, "--minutes", "5", "--steps", "1", "--without", "mosaic", "--no-resume"]) == 0


@pytest.mark.export
@pytest.mark.slow
def test_one_command_goes_from_photos_to_released_files_and_goes_on_where_it_stopped(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    from comfywear.vision.attributes import AttributeModel
    from comfywear.vision.detectors.detector import Detector

    root, out, files = make_sets(tmp_path / "data"), tmp_path / "run", tmp_path / "files"
    words = ["make", "--data", str(root), "--out", str(out), "--ship", str(files), "--version", "7"]
    assert main([*words, "--steps", "1", "--pictures", "4", "--detector-size", "64"]) == 0
    forms = (("onnxruntime", "fp16"), ("litert", "fp16"), ("onnxruntime", "int8"), ("litert", "int8"))
    crops = [read_photo(path) for path in sorted((root / "ccp" / "photos").glob("*.jpg"))]
    first, *others = (
        AttributeModel.load(files / "attributes.card.json", engine=engine, precision=precision).predict(crops)
        for engine, precision in forms
    )
    for other in others:
        assert np.abs(other - first).max() < 0.1
    for engine, precision in forms:
        detector = Detector.load(files / "detector.card.json", engine=engine, precision=precision)
        assert detector.card.version == "7"
        assert detector.card.input["height"] == 64
        detector.detect(crops[0])
    started = [json.loads(line) for line in (out / "make.jsonl").read_text().splitlines()]
    assert set(started[0]["data"]) == {"people", "ccp"}
    (out / "attributes" / "carded").unlink()
    capfd.readouterr()
    assert main([*words, "--steps", "1", "--pictures", "4", "--detector-size", "64"]) == 0
    assert capfd.readouterr().out.count("done before") == 7


def test_without_torch_training_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    for model in ("detector", "attributes"):
        assert main(["train", model, "--data", str(tmp_path), "--out", str(tmp_path)]) == 2
        assert "scripts/setup --export" in capsys.readouterr().err
    assert main(["export", "detector", "--run", str(tmp_path)]) == 2


@pytest.mark.export
@pytest.mark.parametrize(
    ("share", "words"),
    [
        ("people", "SET=NUMBER"),
        ("people=-1", "SET=NUMBER"),
        ("people=0", "left out of --sets"),
        ("people=nan", "SET=NUMBER"),
        ("rooms=0.2", "no such set"),
    ],
)
def test_a_share_that_is_none_or_of_no_set_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], share: str, words: str
) -> None:
    data, out = str(make_sets(tmp_path / "data")), str(tmp_path / "run")
    assert main(["train", "detector", "--data", data, "--sets", "people", "--out", out, "--share", share]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
