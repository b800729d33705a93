"""The detector: trunk, a small depthwise PAN (Liu et al. 2018), and anchor-free heads at three strides."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from comfywear_export.data.labels import DETECTOR_LABELS
from comfywear_export.nets.mobilenet import CHANNELS, MobileNetV2
from comfywear_export.nets.trunk import Normalise, conv_bn

__all__ = ["STRIDES", "DetectorGraph", "DetectorNet", "cells"]

STRIDES = (8, 16, 32)
_WIDTH = 96
_PRIOR = 0.01  # Lin et al. 2017: start with few positives, or the first steps drown in negatives


def cells(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Centres `(A, 2)` in pixels and strides `(A,)` of all cells of a square input, finest map first, row by row."""
    centres, strides = [], []
    for stride in STRIDES:
        axis = (torch.arange(size // stride) + 0.5) * stride
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        centres.append(torch.stack([x.flatten(), y.flatten()], 1))
        strides.append(torch.full((len(axis) ** 2,), float(stride)))
    return torch.cat(centres), torch.cat(strides)


def _separable(inputs: int, outputs: int, kernel: int = 5, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(conv_bn(inputs, inputs, kernel, stride, groups=inputs), conv_bn(inputs, outputs))


class Pan(nn.Module):
    """Coarse to fine, then fine to coarse: three maps of `_WIDTH` channels."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(conv_bn(c, _WIDTH) for c in CHANNELS)
        self.up = nn.ModuleList(_separable(2 * _WIDTH, _WIDTH) for _ in range(2))
        self.shrink = nn.ModuleList(_separable(_WIDTH, _WIDTH, stride=2) for _ in range(2))
        self.down = nn.ModuleList(_separable(2 * _WIDTH, _WIDTH) for _ in range(2))

    def forward(self, maps: list[torch.Tensor]) -> list[torch.Tensor]:
        """Same strides in and out."""
        fine, middle, coarse = (reduce(x) for reduce, x in zip(self.reduce, maps, strict=True))
        middle = self.up[0](torch.cat([_double(coarse), middle], 1))
        fine = self.up[1](torch.cat([_double(middle), fine], 1))
        middle = self.down[0](torch.cat([self.shrink[0](fine), middle], 1))
        coarse = self.down[1](torch.cat([self.shrink[1](middle), coarse], 1))
        return [fine, middle, coarse]


def _double(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class Head(nn.Module):
    """One map → score logits (all labels) and distances of two boxes: the person's, and the garment's."""

    def __init__(self) -> None:
        super().__init__()
        labels = len(DETECTOR_LABELS)
        self.score = nn.Sequential(_separable(_WIDTH, _WIDTH), _separable(_WIDTH, _WIDTH), nn.Conv2d(_WIDTH, labels, 1))
        self.box = nn.Sequential(_separable(_WIDTH, _WIDTH), _separable(_WIDTH, _WIDTH), nn.Conv2d(_WIDTH, 8, 1))
        nn.init.normal_(self.score[-1].weight, std=0.01)
        nn.init.constant_(self.score[-1].bias, -math.log((1 - _PRIOR) / _PRIOR))
        nn.init.normal_(self.box[-1].weight, std=0.01)
        nn.init.constant_(self.box[-1].bias, 3.0)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`(N, cells, labels)` and `(N, cells, 8)`."""
        return self.score(x).flatten(2).transpose(1, 2), self.box(x).flatten(2).transpose(1, 2)


class DetectorNet(nn.Module):
    """Normalised images `(N, 3, S, S)` → logits `(N, A, labels)` and raw distances `(N, A, 8)`.

    A distance is `softplus(raw) · stride`, from the cell's centre to left, top, right, bottom: four of the person box,
    then four of the garment box.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = MobileNetV2()
        self.pan = Pan()
        self.heads = nn.ModuleList(Head() for _ in STRIDES)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the network."""
        return self.read(self.trunk(x))

    def read(self, maps: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The same from the trunk's maps."""
        parts = [head(m) for head, m in zip(self.heads, self.pan(maps), strict=True)]
        return torch.cat([p[0] for p in parts], 1), torch.cat([p[1] for p in parts], 1)


class DetectorGraph(nn.Module):
    """What is exported: `images` NHWC 0…255 → logits and raw distances."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__()
        self.normalise = Normalise(net.trunk)
        self.net = net

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`(N, S, S, 3)` → `(N, A, labels)`, `(N, A, 8)`."""
        logits, distances = self.net(self.normalise(images))
        return logits, distances
