"""MobileNetV3-Large (Howard et al. 2019, table 1) as a trunk; it starts from nothing: no weights of it are at hand."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from comfywear_export.nets.trunk import SameConv

__all__ = ["MobileNetV3"]

# kernel, widened channels, channels, squeeze-and-excite, hard swish, stride
_BLOCKS = (
    (3, 16, 16, False, False, 1), (3, 64, 24, False, False, 2), (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2), (5, 120, 40, True, False, 1), (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2), (3, 200, 80, False, True, 1), (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1), (3, 480, 112, True, True, 1), (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2), (5, 960, 160, True, True, 1), (5, 960, 160, True, True, 1),
)  # fmt: skip
_FINE, _MIDDLE, _LAST = 5, 11, 960


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        SameConv(inputs, outputs, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
    )


class _Excite(nn.Module):
    """Weighs each channel by what the whole map says (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = (channels // 4 + 7) // 8 * 8
        self.body = nn.Sequential(
            nn.Conv2d(channels, inner, 1), nn.ReLU(), nn.Conv2d(inner, channels, 1), nn.Hardsigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape in = shape out."""
        out: torch.Tensor = x * self.body(x.mean((2, 3), keepdim=True))
        return out


class _Block(nn.Module):
    def __init__(self, inputs: int, kernel: int, wide: int, outputs: int, excite: bool, swish: bool, stride: int):
        super().__init__()
        act = nn.Hardswish if swish else nn.ReLU
        self.add = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            *([_conv(inputs, wide), act()] if wide != inputs else []),
            _conv(wide, wide, kernel, stride, groups=wide),
            act(),
            *([_Excite(wide)] if excite else []),
            _conv(wide, outputs),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape in = shape out, divided by the stride."""
        out: torch.Tensor = self.body(x)
        return x + out if self.add else out


class MobileNetV3(nn.Module):
    """Images `(N, 3, H, W)`, normalised → maps at strides 8, 16, 32 with `channels` channels; nothing is frozen."""

    mean, scale = 127.0, 1 / 128
    channels = (40, 112, _LAST)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 16, 3, 2), nn.Hardswish())
        blocks, channels = [], 16
        for kernel, wide, outputs, excite, swish, stride in _BLOCKS:
            blocks.append(_Block(channels, kernel, wide, outputs, excite, swish, stride))
            channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.last = nn.Sequential(_conv(channels, _LAST), nn.Hardswish())

    def load_pretrained(self, path: Path | None = None) -> None:
        """There is nothing to load: the weights stay random, and a teacher helps (`--teacher`)."""

    def first(self, x: torch.Tensor) -> torch.Tensor:
        """The frozen part: none."""
        return x

    def rest(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The three maps."""
        x = self.stem(x)
        maps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in (_FINE, _MIDDLE):
                maps.append(x)
        return [*maps, self.last(x)]

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Maps at strides 8, 16 and 32."""
        return self.rest(self.first(x))
