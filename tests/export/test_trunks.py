"""Trunks: those of timm give what a head needs and can be exported, and the one that ships is timm's, too."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfywear.errors import UsageError

pytestmark = pytest.mark.export


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> Any:
    """timm, also where torch is built without CUDA and torchvision with it.

    Then torchvision's operators cannot be loaded. No trunk uses them; declared, torchvision loads without them.
    """
    torch = pytest.importorskip("torch")
    if not (importlib.util.find_spec("timm") and importlib.util.find_spec("torchvision")):
        pytest.skip("timm or torchvision is not installed")
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        operators = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(operators)  # or torch forgets them
    import timm

    return timm


_KEPT: list[Any] = []


def pictures(count: int = 2) -> Any:
    import torch

    rough = np.random.default_rng(4).uniform(0, 255, (count, 320, 160, 3))
    return torch.from_numpy(rough.astype(np.float32))


@pytest.mark.parametrize(("trunk", "channels"), [("mobilenetv3", (40, 112, 960)), ("resnet50", (512, 1024, 2048))])
def test_a_trunk_of_timm_gives_three_maps_and_is_exported_as_it_is(
    timm: Any, tmp_path: Path, trunk: str, channels: tuple[int, ...]
) -> None:
    import onnxruntime
    import torch

    from comfywear_export.nets.attributes import AttributeGraph, AttributeNet
    from comfywear_export.training.runs import load_graph

    torch.manual_seed(3)
    net = AttributeNet(trunk).eval()
    images = pictures()
    with torch.inference_mode():
        graph = AttributeGraph(net)
        maps = net.trunk(graph.normalise(images))
        said = graph(images).numpy()
    assert [tuple(each.shape[1:]) for each in maps] == [
        (count, 320 // stride, 160 // stride) for count, stride in zip(channels, (8, 16, 32), strict=True)
    ]
    torch.save({"weights": net.state_dict(), "trunk": trunk}, tmp_path / "attributes.pt")
    loaded, shape, _ = load_graph("attributes", tmp_path)
    path = tmp_path / "attributes.onnx"
    torch.onnx.export(loaded, (torch.zeros(shape),), str(path), dynamo=True, opset_version=18, external_data=False)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    exported = np.concatenate([session.run(None, {name: images[i : i + 1].numpy()})[0] for i in range(len(images))])
    np.testing.assert_allclose(exported, said, atol=1e-4)


def test_the_trunk_that_ships_says_what_timms_efficientnet_lite0_says_with_the_same_weights(timm: Any) -> None:
    import torch

    from comfywear_export.nets.trunk import Normalise, Trunk

    own = Trunk().eval()
    own.load_pretrained()
    theirs = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    with torch.no_grad():
        # In both the order is that of the forward pass; what follows is the stage and the head that were cut.
        for mine, other in zip(own.state_dict().values(), theirs.state_dict().values(), strict=False):
            other.copy_(mine)
        x = Normalise(own)(pictures())
        maps = own(x)
        x = theirs.bn1(theirs.conv_stem(x))
        outputs = []
        for stage in theirs.blocks[:6]:
            x = stage(x)
            outputs.append(x)
    for mine, other in zip(maps, (outputs[2], outputs[4], outputs[5]), strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), atol=1e-4)


def test_without_timm_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from comfywear_export.nets.attributes import AttributeNet

    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UsageError, match=r"comfywear\[trunks\]"):
        AttributeNet("resnet50")


def test_a_checkpoint_of_another_trunk_is_refused_in_words(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from comfywear_export.nets.attributes import AttributeNet
    from comfywear_export.training.runs import load_graph

    torch.save({"weights": AttributeNet().state_dict(), "trunk": "mobilenetv2"}, tmp_path / "attributes.pt")
    with pytest.raises(UsageError, match="another version of the trunk mobilenetv2"):
        load_graph("attributes", tmp_path)
