"""Fits a detector to a room: a mean teacher labels its photos, people may label a few, source data stay in the mix.

The teacher is the averaged network (Tarvainen and Valpola 2017): it sees each photo as the device does, and its student
learns from changed views of it, with thresholds a class as in self-training for detection (Liu et al. 2021).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfywear_export.data.datasets import IGNORED, Photo
from comfywear_export.nets.trunk_maps import TrunkMaps
from comfywear_export.room.finding import finds
from comfywear_export.room.mixing import Mix
from comfywear_export.room.pseudo import UNSURE, pseudo_labelled
from comfywear_export.training.detector import Loss
from comfywear_export.training.loop import Plan, Trained, fit

__all__ = ["Room", "adapt"]


@dataclass(frozen=True)
class Room:
    """What there is to learn from.

    Attributes:
        source: Labelled photos of elsewhere.
        own: Photos of the room without labels.
        asked: Photos of the room with labels by people.
        thresholds: Label a score from which on the teacher is believed.
    """

    source: Sequence[Photo]
    own: Sequence[Photo]
    asked: Sequence[Photo]
    thresholds: Mapping[str, float]


def adapt(
    net: Any,
    size: int,
    room: Room,
    plan: Plan,
    folder: Path,
    maps: TrunkMaps,
    *,
    refresh: int,
    versions: int,
    kept: dict[Any, Any] | None = None,
    say: Callable[[str], None] = print,
) -> Trained:
    """Train a copy of `net`: neck and heads with their norms; the trunk stays. Goes on where `folder` has a checkpoint.

    Args:
        net: The detector as it was trained elsewhere.
        size: Side of its input, pixels.
        room: What there is to learn from.
        plan: How long and how fast.
        folder: Of this run.
        maps: The trunk of `net`.
        refresh: The teacher labels the room's photos anew after so many steps.
        versions: Different views of each photo of the room.
        kept: Source views that several trainings share.
        say: Shows a line of progress.

    Returns:
        The averaged network; its figures are to be measured before anybody uses it (`room.gate`).
    """
    student = copy.deepcopy(net).train()
    student.trunk.requires_grad_(False)
    mix = Mix(list(room.source), list(room.asked), size, plan.seed, plan.batch, maps, versions, kept)
    labelled, loss = False, Loss(size)

    def teach(step: int, averaged: Any) -> None:
        nonlocal labelled
        if room.own and (not labelled or step % refresh == 0):
            found = finds(averaged, maps, size, room.own, UNSURE)
            own = [pseudo_labelled(p, f, room.thresholds) for p, f in zip(room.own, found, strict=True)]
            mix.relabel(own)
            sure, open_ = sum(len(p.persons) for p in own), sum(int((p.classes == IGNORED).sum()) for p in own)
            say(f"the teacher labels {len(own)} photos: {sure} persons, {open_} left open")
            labelled = True

    def cost(learning: Any, batch: dict[str, Any]) -> tuple[Any, dict[str, float]]:
        logits, raw = learning.read(batch["maps"])
        return loss.of(logits, raw, batch)

    return fit(student, mix.batches, cost, plan, folder, say=say, watch=teach)
