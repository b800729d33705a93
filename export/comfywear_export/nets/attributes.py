"""The attribute model: trunk, one widening, mean over the picture, one logit a label."""

from __future__ import annotations

import torch
from torch import nn

from comfywear_export.labels import ATTRIBUTE_LABELS
from comfywear_export.nets.trunk import CHANNELS, Normalise, Trunk, conv_bn

__all__ = ["AttributeGraph", "AttributeNet"]

_WIDTH = 512


class AttributeNet(nn.Module):
    """Normalised crops `(N, 3, H, W)` → logits `(N, labels)`."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.widen = conv_bn(CHANNELS[-1], _WIDTH)
        self.dropout = nn.Dropout(0.3)
        self.answer = nn.Linear(_WIDTH, len(ATTRIBUTE_LABELS))
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.constant_(self.answer.bias, -1.5)  # about one label in five is a yes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the network."""
        return self.read(self.trunk(x))

    def read(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """The same from the trunk's maps."""
        return self.answer(self.dropout(self.widen(maps[-1]).mean((2, 3))))


class AttributeGraph(nn.Module):
    """What is exported: `images` NHWC 0…255 → logits."""

    def __init__(self, net: AttributeNet) -> None:
        super().__init__()
        self.normalise = Normalise()
        self.net = net

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`(N, H, W, 3)` → `(N, labels)`."""
        return self.net(self.normalise(images))
