"""Task-aligned assignment (Feng et al. 2021, TOOD) and the detector's loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

__all__ = ["Targets", "decode", "detector_loss", "giou", "iou"]

_TOP = 9
_ALPHA, _BETA = 1.0, 6.0
_BOX_WEIGHT = 2.0
_SMALL = 12.0  # px; smaller boxes are widened for the test "the cell's centre is inside"


@dataclass
class Targets:
    """What a batch of photos shows.

    Attributes:
        boxes: `(B, G, 4)` pixels of the input, padded with zeros.
        classes: `(B, G)`; padding is −1.
        person_known: `(B, A)` 1 where the absence of a person means something.
        garments_known: `(B, A, kinds)` the same for each kind of garments.
    """

    boxes: torch.Tensor
    classes: torch.Tensor
    person_known: torch.Tensor
    garments_known: torch.Tensor


def decode(raw: torch.Tensor, centres: torch.Tensor, strides: torch.Tensor) -> torch.Tensor:
    """Raw distances `(B, A, 4)` → boxes `(B, A, 4)` in pixels."""
    distances = functional.softplus(raw) * strides[:, None]
    return torch.cat([centres - distances[..., :2], centres + distances[..., 2:]], -1)


def _overlap(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    sides = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    inter = sides[..., 0] * sides[..., 1]
    area_a = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    area_b = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return inter, area_a + area_b - inter


def iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of boxes in the last axis, broadcasting."""
    inter, union = _overlap(a, b)
    return inter / union.clamp(min=1e-6)


def giou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Generalised IoU (Rezatofighi et al. 2019), −1…1."""
    inter, union = _overlap(a, b)
    sides = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    hull = (sides[..., 0] * sides[..., 1]).clamp(min=1e-6)
    return inter / union.clamp(min=1e-6) - (hull - union) / hull


@torch.no_grad()
def assign(
    probabilities: torch.Tensor, boxes: torch.Tensor, truth: torch.Tensor, classes: torch.Tensor, centres: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which truth each cell learns, and how strongly.

    Args:
        probabilities: `(B, A, labels)`.
        boxes: `(B, A, 4)` predicted.
        truth: `(B, G, 4)`.
        classes: `(B, G)`; −1 where there is nothing.
        centres: `(A, 2)`.

    Returns:
        `(B, A)` index of the truth, and `(B, A)` target quality 0…1 (0: background).
    """
    valid = classes >= 0
    sides = truth[..., 2:] - truth[..., :2]
    grow = ((_SMALL - sides) / 2).clamp(min=0)
    low, high = truth[..., :2] - grow, truth[..., 2:] + grow
    inside = ((centres > low[:, :, None]) & (centres < high[:, :, None])).all(-1) & valid[..., None]
    overlaps = iou(truth[:, :, None], boxes[:, None]) * inside
    own = classes.clamp(min=0)[..., None].expand(-1, -1, boxes.shape[1])
    scores = probabilities.transpose(1, 2).gather(1, own)
    metric = scores**_ALPHA * overlaps**_BETA
    top = metric.topk(min(_TOP, metric.shape[-1]), dim=-1)
    chosen = torch.zeros_like(metric, dtype=torch.bool).scatter_(-1, top.indices, True) & inside
    metric = metric * chosen
    # A cell that several truths want learns the one that it overlaps most.
    best = (overlaps * chosen).max(1)
    taken = torch.arange(truth.shape[1], device=truth.device)[None, :, None] == best.indices[:, None]
    chosen &= taken
    metric = metric * chosen
    # The best cell of a truth gets its IoU as target, the others in proportion.
    strongest = metric.amax(-1, keepdim=True).clamp(min=1e-9)
    reached = (overlaps * chosen).amax(-1, keepdim=True)
    quality = (metric / strongest * reached).amax(1)
    return best.indices, quality * chosen.any(1)


def detector_loss(
    logits: torch.Tensor, raw: torch.Tensor, targets: Targets, centres: torch.Tensor, strides: torch.Tensor
) -> tuple[torch.Tensor, dict[str, float]]:
    """The loss of a batch and its parts by name, each already weighted.

    Scores: binary cross-entropy weighted by `|target − p|²` (quality focal loss, Li et al. 2020). Boxes: GIoU, weighted
    by the target quality. Person and garments are assigned apart, since each cell has a box for both.
    """
    probabilities = logits.detach().sigmoid()
    wanted = torch.zeros_like(logits)
    known = torch.cat([targets.person_known[..., None], targets.garments_known], -1)
    parts: dict[str, torch.Tensor] = {}
    for name, part, is_own in (
        ("person", raw[..., :4], targets.classes == 0),
        ("garments", raw[..., 4:], targets.classes > 0),
    ):
        boxes = decode(part, centres, strides)
        classes = torch.where(is_own, targets.classes, -1)
        index, quality = assign(probabilities, boxes.detach(), targets.boxes, classes, centres)
        positive = quality > 0
        if positive.any():
            where = positive.nonzero(as_tuple=True)
            label = classes.gather(1, index)[where]
            wanted[where[0], where[1], label] = quality[where]
            known[where[0], where[1], label] = 1.0
            truth = targets.boxes.gather(1, index[..., None].expand(-1, -1, 4))[where]
            weight = quality[where]
            parts[name] = _BOX_WEIGHT * (weight * (1 - giou(boxes[where], truth))).sum() / weight.sum().clamp(min=1)
    cost = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    cost = cost * (wanted - logits.sigmoid()).detach().abs().square() * known
    for name, part in (("person score", slice(0, 1)), ("garment score", slice(1, None))):
        parts[name] = cost[..., part].sum() / wanted[..., part].sum().clamp(min=1)
    return sum(parts.values(), torch.zeros(())), {name: float(value.detach()) for name, value in parts.items()}
