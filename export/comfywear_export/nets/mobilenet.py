"""MobileNetV2 (Sandler et al. 2018) as a trunk for detection, started from a detector that knows persons.

The weights are those of MediaPipe's SSD MobileNetV2, trained by its authors on Open Images V4 (24 classes, among them
person, footwear, boot and high heels), as the npm package `@mediapipe/objectron` carries them (Apache-2.0). Their batch
norms are folded into the convolutions, and stay folded here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from comfywear.errors import UsageError
from comfywear_export.nets.trunk import SameConv

__all__ = ["CHANNELS", "MobileNetV2", "pretrained_detector", "read_detector_weights"]

# (expansion, channels, repeats, stride): the paper's table 2.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_LAST = 1280
# Blocks whose widened maps are read: where the detector that the weights come from reads them, and one finer.
_FINE, _MIDDLE = 6, 13
_SCOPE = "FeatureExtractor/MobilenetV2/"

CHANNELS = (192, 576, _LAST)
"""Channels of the three maps, at strides 8, 16 and 32."""


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> SameConv:
    return SameConv(inputs, outputs, kernel, stride, groups=groups, bias=True)


class _Block(nn.Module):
    """Widen, filter each channel, narrow; add the input where the shape allows it."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.add = stride == 1 and inputs == outputs
        self.widen = _conv(inputs, wide) if expansion > 1 else None
        self.filter = _conv(wide, wide, 3, stride, groups=wide)
        self.narrow = _conv(wide, outputs)
        self.act = nn.ReLU6()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What comes out, and the widened map inside."""
        wide = x if self.widen is None else self.act(self.widen(x))
        out = self.narrow(self.act(self.filter(wide)))
        return (x + out if self.add else out), wide


class MobileNetV2(nn.Module):
    """Images `(N, 3, H, W)`, normalised → maps at strides 8, 16, 32 with `CHANNELS` channels.

    The blocks up to stride 8 are frozen: on this little data, training them costs time and brings nothing.
    """

    mean, scale = 127.5, 1 / 127.5
    channels = CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(3, 32, 3, 2)
        self.act = nn.ReLU6()
        blocks, channels = [], 32
        for expansion, outputs, repeats, stride in _STAGES:
            for index in range(repeats):
                blocks.append(_Block(channels, outputs, expansion, stride if index == 0 else 1))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.last = _conv(channels, _LAST)
        for part in (self.stem, *self.blocks[:_FINE]):
            part.requires_grad_(False)

    def load_pretrained(self, path: Path | None = None) -> None:
        """Take over a detector's weights, convolution by convolution in the order in which they run."""
        path = path or pretrained_detector()
        own = [module for module in self.modules() if isinstance(module, nn.Conv2d)]
        theirs = read_detector_weights(path)
        if len(own) != len(theirs):
            raise UsageError(f"{path}: {len(theirs)} convolutions, a MobileNetV2 has {len(own)}")
        with torch.no_grad():
            for conv, (weight, bias) in zip(own, theirs, strict=True):
                if tuple(conv.weight.shape) != weight.shape:
                    raise UsageError(f"{path}: a convolution is {weight.shape}, wanted {tuple(conv.weight.shape)}")
                conv.weight.copy_(torch.from_numpy(weight))
                conv.bias.copy_(torch.from_numpy(bias))

    def first(self, x: torch.Tensor) -> torch.Tensor:
        """The frozen part: the narrow map at stride 8."""
        x = self.act(self.stem(x))
        for block in self.blocks[:_FINE]:
            x = block(x)[0]
        return x

    def rest(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The three maps from what the frozen part makes."""
        maps = []
        for index in range(_FINE, len(self.blocks)):
            x, wide = self.blocks[index](x)
            if index in (_FINE, _MIDDLE):
                maps.append(wide)
        return [*maps, self.act(self.last(x))]

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Maps at strides 8, 16 and 32."""
        return self.rest(self.first(x))


def pretrained_detector() -> Path:
    """Where `scripts/setup --export` puts the weights to start from."""
    return Path(sys.prefix) / "share" / "comfywear" / "objectron_solution_packed_assets.data"


def read_detector_weights(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights `(out, in, h, w)` and biases of the trunk's convolutions, in the order in which they run.

    Args:
        path: The npm package's `objectron_solution_packed_assets.data` (a TFLite file after a short text), or the
            TFLite file alone.

    Raises:
        UsageError: There is no such file, or it holds something else.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror}); scripts/setup --export fetches the npm package "
            "@mediapipe/objectron, whose detector the training starts from"
        ) from error
    start = data.find(b"TFL3") - 4
    if start < 0:
        raise UsageError(f"{path}: holds no TFLite model")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data[start:], 0))
    graph = model.subgraphs[0]

    def values(index: int) -> np.ndarray:
        tensor = graph.tensors[made_from.get(index, index)]
        halves: np.ndarray = np.frombuffer(bytes(model.buffers[tensor.buffer].data), "<f2").reshape(tensor.shape)
        return halves.astype(np.float32)

    dequantize, conv, depthwise = 6, 3, 4  # TFLite's operator codes
    made_from: dict[int, int] = {}
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        name = graph.tensors[operator.outputs[0]].name.decode().split(";")[0]
        if kind == dequantize:
            made_from[operator.outputs[0]] = operator.inputs[0]
        elif kind in (conv, depthwise) and name.startswith(_SCOPE) and f"{_SCOPE}layer_" not in name:
            weight = values(operator.inputs[1])
            # (out, h, w, in), or (1, h, w, channels) where each channel has its own filter.
            weight = weight.transpose((0, 3, 1, 2) if kind == conv else (3, 0, 1, 2))
            found.append((np.ascontiguousarray(weight), values(operator.inputs[2])))
    return found
