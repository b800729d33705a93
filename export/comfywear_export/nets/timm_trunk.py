"""Trunks that do not ship, for comparison: timm's (Wightman 2019), from nothing, since no package carries weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from comfywear.errors import UsageError

__all__ = ["TimmTrunk"]


class TimmTrunk(nn.Module):
    """Images `(N, 3, H, W)`, normalised → maps at strides 8, 16, 32 with `channels` channels; nothing is frozen.

    Args:
        name: Of a model of timm with maps at these strides.

    Raises:
        UsageError: timm is not installed, or not with a torchvision that fits torch.
    """

    mean, scale = 127.0, 1 / 128

    def __init__(self, name: str) -> None:
        super().__init__()
        self.net = _timm().create_model(name, pretrained=False, features_only=True, out_indices=(2, 3, 4))
        self.channels: tuple[int, ...] = tuple(self.net.feature_info.channels())
        for module in self.net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.03  # as in the other trunks: the batches are small

    def load_pretrained(self, path: Path | None = None) -> None:
        """There is nothing to load: the weights stay random, and a teacher helps (`--teacher`)."""

    def first(self, x: torch.Tensor) -> torch.Tensor:
        """The frozen part: none."""
        return x

    def rest(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The three maps."""
        maps: list[torch.Tensor] = self.net(x)
        return maps

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Maps at strides 8, 16 and 32."""
        return self.rest(self.first(x))


def _timm() -> Any:
    try:
        import timm
    except (ImportError, RuntimeError) as error:  # torchvision of another build than torch says the latter
        raise UsageError(
            f"this trunk is one of timm's, which cannot be loaded ({error}); pip install 'comfywear[trunks]', with "
            "torchvision from the index that torch came from"
        ) from error
    return timm
