"""ResNet-50 (He et al. 2016, stride in the 3×3 convolution) as a trunk, for comparison alone: heavy for a device."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

__all__ = ["ResNet50"]


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs, momentum=0.03)
    )


class _Block(nn.Module):
    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(inputs, inner), nn.ReLU(), _conv(inner, inner, 3, stride), nn.ReLU(), _conv(inner, 4 * inner)
        )
        self.short = _conv(inputs, 4 * inner, 1, stride) if stride > 1 or inputs != 4 * inner else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape in = shape out, divided by the stride."""
        out: torch.Tensor = torch.relu(self.body(x) + self.short(x))
        return out


class ResNet50(nn.Module):
    """Images `(N, 3, H, W)`, normalised → maps at strides 8, 16, 32 with `channels` channels; nothing is frozen."""

    mean, scale = 127.0, 1 / 128
    channels = (512, 1024, 2048)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        stages, channels = [], 64
        for inner, repeats, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            blocks = []
            for index in range(repeats):
                blocks.append(_Block(channels, inner, stride if index == 0 else 1))
                channels = 4 * inner
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def load_pretrained(self, path: Path | None = None) -> None:
        """There is nothing to load: the weights stay random, and a teacher helps (`--teacher`)."""

    def first(self, x: torch.Tensor) -> torch.Tensor:
        """The frozen part: none."""
        return x

    def rest(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The three maps."""
        x = self.stages[0](self.stem(x))
        maps = []
        for stage in list(self.stages)[1:]:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Maps at strides 8, 16 and 32."""
        return self.rest(self.first(x))
