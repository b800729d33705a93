"""Labels that a model gives to photos whose own are incomplete: bystanders, and garments that are only tagged.

What the teacher is sure of becomes a box, what it doubts a place where nothing is learnt, and what it does not see is
taken as absent. Tags say which garments a photo shows, so that the best find of a tagged kind counts although its score
is low, and a find of any other kind does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from comfywear.records import Box, Detection
from comfywear.vision.layouts.nms import box_iou
from comfywear_export.data.labels import DETECTOR_GROUPS, GARMENT_LABELS

__all__ = ["DOUBT", "Label", "bystanders", "garments_by_tags", "sure_garments", "tagged_groups"]

DOUBT = 0.1
"""Finds below it are not looked at."""

_SURE_PERSON, _DOUBTED_PERSON = 0.5, 0.25
_SURE_GARMENT = 0.4
_TAGGED = 0.15  # the best find of a kind that the photo is known to show
_SECOND = 0.3  # a further find of such a kind
_SAME = 0.4  # IoU from which a find is what a label already says


@dataclass(frozen=True)
class Label:
    """One label.

    Attributes:
        box: x1 y1 x2 y2 in pixels.
        name: Of the detector's labels.
        doubted: Neither a positive nor a negative example.
    """

    box: Box
    name: str
    doubted: bool = False


def bystanders(found: Sequence[Detection], labelled: Sequence[Box]) -> list[Label]:
    """Persons whom the photo's own labels leave out.

    Args:
        found: By the teacher, everything from `DOUBT` on.
        labelled: The persons that have a label already.
    """
    own = np.array(labelled, np.float32).reshape(-1, 4)
    labels = []
    for find in found:
        if find.label != "person" or find.score < _DOUBTED_PERSON:
            continue
        if len(own) and box_iou(np.array([find.box], np.float32), own).max() >= _SAME:
            continue
        labels.append(Label(find.box, "person", doubted=find.score < _SURE_PERSON))
    return labels


def tagged_groups(tags: AbstractSet[str]) -> set[str]:
    """The detector's kinds of garments among a photo's tags."""
    return {group for group, labels in DETECTOR_GROUPS.items() if tags & set(labels)}


def garments_by_tags(found: Sequence[Detection], groups: AbstractSet[str], main: Box) -> list[Label]:
    """The garments of a photo that is known to show `groups`, and nothing of the other kinds.

    Args:
        found: By the teacher, everything from `DOUBT` on.
        groups: See `tagged_groups`.
        main: The person whom the tags describe; where a tagged kind is not found, nothing is learnt on that person.
    """
    labels = []
    for group in sorted(groups):
        own = sorted((d for d in found if d.label == group), key=lambda d: -d.score)
        if not own or own[0].score < _TAGGED:
            labels.append(Label(main, group, doubted=True))
        labels += [Label(d.box, group, doubted=d.score < (_SECOND if n else _TAGGED)) for n, d in enumerate(own)]
    return labels


def sure_garments(found: Sequence[Detection]) -> list[Label]:
    """The garments of a photo of which nothing is known."""
    return [Label(d.box, d.label) for d in found if d.label in GARMENT_LABELS and d.score >= _SURE_GARMENT]
