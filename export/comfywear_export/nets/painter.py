"""The painter: a small encoder and decoder with bridges (a U-Net, Ronneberger and others 2015) for line drawings."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from comfywear_export.data.painting import CHANNELS, COLOURS

__all__ = ["PainterGraph", "PainterNet", "painter_loss"]

_WIDTHS = (16, 32, 64, 96, 128)


class PainterNet(nn.Module):
    """Hints `(N, CHANNELS, H, W)`, sides multiples of 16 → logits `(N, COLOURS, H, W)`."""

    def __init__(self) -> None:
        super().__init__()
        pairs = list(zip((len(CHANNELS), *_WIDTHS), _WIDTHS, strict=False))
        self.trunk = nn.ModuleList(_layer(a, b, 1 if i == 0 else 2) for i, (a, b) in enumerate(pairs))
        self.up = nn.ModuleList(_layer(b + a, a, 1) for a, b in reversed(pairs[1:]))
        self.head = nn.Conv2d(_WIDTHS[0], COLOURS, 1)

    def forward(self, hints: torch.Tensor) -> torch.Tensor:
        """The logits."""
        maps = [hints]
        for layer in self.trunk:
            maps.append(layer(maps[-1]))
        x = maps.pop()
        for layer in self.up:
            bridge = maps.pop()
            larger = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = layer(torch.cat([larger, bridge], dim=1))
        logits: torch.Tensor = self.head(x)
        return logits


class PainterGraph(nn.Module):
    """What is exported: hints `(N, H, W, CHANNELS)` → logits `(N, H, W, COLOURS)`."""

    def __init__(self, net: PainterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The logits."""
        found: torch.Tensor = self.net(images.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return found


def painter_loss(net: nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, float]]:
    """Cross entropy of the choices, and the share of pixels that are right."""
    logits = net(batch["hints"].permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last))
    loss = functional.cross_entropy(logits, batch["choices"])
    right = (logits.detach().argmax(dim=1) == batch["choices"]).float().mean()
    return loss, {"loss": loss.item(), "right": right.item()}


def _layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
