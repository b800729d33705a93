"""Training goes on from an exported model: the network says what the file says, before its first step too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from comfywear.errors import UsageError
from comfywear_export.cli import main

pytestmark = pytest.mark.export
MODELS = Path(__file__).resolve().parents[2] / "models" / "comfywear_models" / "files"
SHIPPED = MODELS / "detector.fp16.onnx"


def pictures(size: int = 320) -> np.ndarray:
    """Blobs of colour, which some cells take for something."""
    import cv2

    rough = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 3)).astype(np.float32)
    return np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 255) for one in rough])


def said_by_the_file(images: np.ndarray, path: Path = SHIPPED) -> list[np.ndarray]:
    """By ONNX Runtime, a picture at a time."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    parts = [session.run(None, {"images": image[None]}) for image in images]
    return [np.concatenate([part[i] for part in parts]) for i in range(len(parts[0]))]


def probabilities(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def test_the_shipped_weights_read_back_say_what_the_file_says_also_once_the_norms_are_settled() -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.nets.detector import DetectorGraph, DetectorNet
    from comfywear_export.nets.shipped import read_exported, settle_norms

    images = pictures()
    truth = said_by_the_file(images)
    net = DetectorNet()
    read_exported(net, SHIPPED)
    graph = DetectorGraph(net).eval()

    def same() -> None:
        with torch.inference_mode():
            logits, distances = (part.numpy() for part in graph(torch.from_numpy(images)))
        np.testing.assert_allclose(probabilities(logits), probabilities(truth[0]), atol=2e-3)
        np.testing.assert_allclose(distances, truth[1], atol=0.05, rtol=0.02)

    same()
    with torch.inference_mode():
        maps = net.trunk.first(graph.normalise(torch.from_numpy(images)))
    settle_norms(net, [maps])
    same()
    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    settled = [norm for norm in norms if norm.running_mean.abs().max() > 1e-3]
    assert len(settled) > len(norms) / 2
    # In training mode, where each batch is its own statistics, the same pictures still mean nearly the same.
    net.train()
    with torch.no_grad():
        logits, _ = net.read(net.trunk.rest(maps))
    assert np.abs(probabilities(logits.numpy()) - probabilities(truth[0])).mean() < 0.01


def test_the_shipped_attribute_model_read_back_says_what_the_file_says_also_once_the_norms_are_settled() -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.nets.attributes import AttributeGraph, AttributeNet
    from comfywear_export.nets.shipped import read_exported, settle_norms

    path = MODELS / "attributes.fp16.onnx"
    images = pictures()[:, :, :160]
    (truth,) = said_by_the_file(images, path)
    net = AttributeNet()
    read_exported(net, path)
    graph = AttributeGraph(net).eval()
    with torch.inference_mode():
        np.testing.assert_allclose(graph(torch.from_numpy(images)).numpy(), truth, atol=1e-3)
        maps = net.trunk.first(graph.normalise(torch.from_numpy(images)))
    before = net.trunk.stem[1].running_mean.clone()
    settle_norms(net, [maps])
    assert (net.trunk.stem[1].running_mean == before).all()  # of the frozen part
    assert net.widen[1].running_mean.abs().max() > 1e-3
    with torch.inference_mode():
        np.testing.assert_allclose(graph(torch.from_numpy(images)).numpy(), truth, atol=1e-3)
    with pytest.raises(UsageError, match="no exported attribute model"):
        read_exported(AttributeNet(), SHIPPED)


def test_a_mix_lies_between_the_file_and_what_was_learnt() -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.nets.attributes import AttributeGraph, AttributeNet
    from comfywear_export.nets.shipped import mix_with_exported, read_exported, settle_norms

    path = MODELS / "attributes.fp16.onnx"
    images = pictures()[:, :, :160]

    def said(share: float | None) -> np.ndarray:
        net = AttributeNet()
        read_exported(net, path)
        graph = AttributeGraph(net).eval()
        with torch.no_grad():
            settle_norms(net, [net.trunk.first(graph.normalise(torch.from_numpy(images)))])
            net.widen[0].weight.mul_(1.2)  # as if learnt
            net.answer.bias.add_(1.0)
            if share is not None:
                mix_with_exported(net, path, share)
            out: np.ndarray = graph(torch.from_numpy(images)).numpy()
        return out

    learnt, (file,) = said(None), said_by_the_file(images, path)
    assert np.abs(learnt - file).max() > 0.5
    np.testing.assert_allclose(said(1.0), learnt, atol=2e-3)
    np.testing.assert_allclose(said(0.0), file, atol=2e-3)
    half = said(0.5)
    assert 0.2 < np.abs(half - file).mean() / np.abs(learnt - file).mean() < 0.8


def test_a_model_of_another_kind_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    from comfywear_export.nets.detector import DetectorNet
    from comfywear_export.nets.shipped import read_exported

    (tmp_path / "text.onnx").write_text("no model")
    for path, words in (
        (MODELS / "attributes.fp16.onnx", "no exported detector"),
        (tmp_path / "text.onnx", "cannot be read as ONNX|no exported detector"),
        (tmp_path / "absent.onnx", "cannot be read as ONNX"),
    ):
        with pytest.raises(UsageError, match=words):
            read_exported(DetectorNet(), path)


def test_a_run_begins_from_an_exported_file_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    from masked_sets import data_set, dressed

    dressed(tmp_path / "data" / "ccp")
    data_set(tmp_path / "data" / "empty", [{"file_name": "0.png", "width": 64, "height": 64}], [], ["person"])
    words = ["train", "detector", "--data", str(tmp_path / "data"), "--sets", "ccp", "empty", "--size", "64"]
    words += ["--bare", str(tmp_path / "data" / "empty"), "--weights", str(SHIPPED), "--batch", "2"]
    words += ["--out", str(tmp_path / "run"), "--minutes", "5"]
    assert main([*words, "--steps", "1"]) == 0
    assert main([*words, "--steps", "2"]) == 0
    shown = capsys.readouterr().out
    assert "3 photos of ccp, empty, empty" in shown
    assert "going on from step 1" in shown
