"""The gate of a fitted detector: on photos of elsewhere it may not get worse; as much of it is taken as that allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["SHARES", "Kept", "Passed", "held", "mixed", "passed"]

SHARES = (1.0, 0.75, 0.5, 0.25)
"""Shares of the fitted weights that are tried, the largest first."""


@dataclass(frozen=True)
class Kept:
    """Figures on labelled photos of elsewhere: person AP50 and the garments' mean AP50 (NaN where none is labelled)."""

    person: float
    garments: float


@dataclass(frozen=True)
class Passed:
    """What the gate lets through.

    Attributes:
        share: Of the fitted weights, the rest is the old ones'; 0: nothing, the old model stays.
        figures: What it measured, share by share.
    """

    share: float
    figures: Mapping[str, Mapping[str, float]]


def held(before: Kept, after: Kept, may_lose: float) -> bool:
    """Whether neither figure fell by more than `may_lose`; one that does not exist cannot fall."""
    pairs = ((before.person, after.person), (before.garments, after.garments))
    return all(not old - new > may_lose for old, new in pairs)


def mixed(old: Mapping[str, Any], new: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Weights between two models (Wortsman et al. 2022, "robust fine-tuning"): `old + share · (new − old)`."""
    return {
        name: value + share * (new[name] - value) if value.is_floating_point() else new[name]
        for name, value in old.items()
    }


def passed(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    measure: Callable[[Mapping[str, Any]], Kept],
    before: Kept,
    may_lose: float,
) -> Passed:
    """The largest of `SHARES` that holds the figures on the photos of elsewhere.

    Args:
        old: Weights before.
        new: Fitted weights.
        measure: From weights to figures on photos of elsewhere.
        before: The same figures of `old`.
        may_lose: By how much each may fall.
    """
    figures: dict[str, Mapping[str, float]] = {"before": asdict(before)}
    for share in SHARES:
        after = measure(mixed(old, new, share))
        figures[f"{share:g}"] = asdict(after)
        if held(before, after, may_lose):
            return Passed(share, figures)
    return Passed(0.0, figures)
