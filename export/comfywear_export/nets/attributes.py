"""The attribute model: one answer a label from the whole crop, and one from the cell that shows the garment best."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from comfywear_export.data.labels import ATTRIBUTE_LABELS, LOCATED
from comfywear_export.nets.mobilenet import MobileNetV2
from comfywear_export.nets.timm_trunk import TimmTrunk
from comfywear_export.nets.trunk import Normalise, Trunk, conv_bn

__all__ = ["TRUNKS", "AttributeGraph", "AttributeNet"]

TRUNKS: dict[str, Any] = {
    "efficientnet_lite0": Trunk,
    "mobilenetv2": MobileNetV2,
    "mobilenetv3": partial(TimmTrunk, "tf_mobilenetv3_large_100"),
    "resnet50": partial(TimmTrunk, "resnet50"),
}
"""Trunks by name; each has `channels`, `first`, `rest` and `load_pretrained`."""

_WIDTH, _FUSED = 512, 128


class AttributeNet(nn.Module):
    """Normalised crops `(N, 3, H, W)` → logits `(N, labels)`.

    The first labels (those of `LOCATED`) are also asked cell by cell, which pixel masks can teach: a scarf is learnt
    from where it is, not only from the fact that there is one. A label's logit is the sum of what the whole crop says
    and, weighted, what the surest cell says.
    """

    def __init__(self, trunk: str = "efficientnet_lite0") -> None:
        super().__init__()
        self.trunk = TRUNKS[trunk]()
        _, middle, coarse = self.trunk.channels
        self.lateral = nn.ModuleList([conv_bn(middle, _FUSED, act=False), conv_bn(coarse, _FUSED, act=False)])
        self.fuse = nn.Sequential(
            nn.ReLU6(), conv_bn(_FUSED, _FUSED, 5, groups=_FUSED), conv_bn(_FUSED, _FUSED), nn.Dropout2d(0.1)
        )
        self.where = nn.Conv2d(_FUSED, len(LOCATED), 1)
        self.trust = nn.Parameter(torch.full((len(LOCATED),), 0.5))
        self.widen = conv_bn(coarse, _WIDTH)
        self.dropout = nn.Dropout(0.3)
        self.answer = nn.Linear(_WIDTH + _FUSED, len(ATTRIBUTE_LABELS))
        for layer, bias in ((self.answer, -1.0), (self.where, -3.0)):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.constant_(layer.bias, bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the network."""
        return self.read(self.trunk(x))[0]

    def read(self, maps: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `(N, labels)` and those of the cells `(N, located, H/16, W/16)`, from the trunk's maps."""
        _, middle, coarse = maps
        up = functional.interpolate(self.lateral[1](coarse), scale_factor=2.0, mode="nearest")
        fused = self.fuse(self.lateral[0](middle) + up)
        where = self.where(fused)
        whole = torch.cat([self.widen(coarse).mean((2, 3)), fused.mean((2, 3))], 1)
        logits = self.answer(self.dropout(whole))
        surest = where.amax((2, 3)) * self.trust
        return logits + functional.pad(surest, (0, logits.shape[1] - surest.shape[1])), where


class AttributeGraph(nn.Module):
    """What is exported: `images` NHWC 0…255 → logits."""

    def __init__(self, net: AttributeNet) -> None:
        super().__init__()
        self.normalise = Normalise(net.trunk)
        self.net = net

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`(N, H, W, 3)` → `(N, labels)`."""
        out: torch.Tensor = self.net(self.normalise(images))
        return out
