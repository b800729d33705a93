"""How far the releases of a repository have gone: the target `rollouts.json`, and whose turn it is. Pure.

The keys of the role `rollouts` may lie where the collector runs: whoever holds them can hold back and let go what the
models' own roles have signed, and nothing else.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["TARGET", "Rollout", "Rollouts", "place_of", "turn_of"]

TARGET = "rollouts.json"
_SHOWN = 200


class Rollout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the newest release of a model has gone.

    Attributes:
        version: Of the release.
        share: It goes to this share of the devices, 0…1.
        groups: It goes to devices of these groups alone; empty = to those of any.
        halted: Why it goes no further; empty = it goes on.
        settled: The version before it that had gone to all: what every other device is offered; empty = none.
    """

    version: str
    share: Annotated[float, Meta(ge=0, le=1)] = 1.0
    groups: list[str] = []
    halted: str = ""
    settled: str = ""

    @property
    def everywhere(self) -> bool:
        """Whether it goes to all devices."""
        return self.share >= 1 and not self.groups and not self.halted

    def followed_by(self, version: str, share: float, groups: list[str]) -> Rollout:
        """The roll-out of the next release."""
        settled = self.version if self.everywhere else self.settled
        return Rollout(version, share, groups, settled=settled if settled != version else "")


class Rollouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the target holds: a roll-out a model's name."""

    models: dict[str, Rollout] = {}
    schema: Literal["comfywear/rollouts/1"] = "comfywear/rollouts/1"


def place_of(name: str, version: str, device: str) -> float:
    """Where a device stands in the queue for a release, 0…1: the same at each question, another at each release."""
    digest = hashlib.sha256(f"{name}\n{version}\n{device}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def turn_of(name: str, rollout: Rollout, device: str, group: str) -> tuple[str, str]:
    """Which version a device is to take (empty = none), and why it is not the newest (empty = it is)."""
    place = place_of(name, rollout.version, device)
    if rollout.halted:
        why = f"its roll-out is stopped: {rollout.halted[:_SHOWN]}"
    elif rollout.groups and group not in rollout.groups:
        of = f"updates.group is {group!r}" if group else "updates.group names none"
        why = f"it goes to the groups {', '.join(rollout.groups)} first, and {of}"
    elif place >= rollout.share:
        why = f"it goes to {rollout.share:.0%} of the devices first, and this one's turn comes at {place:.0%}"
    else:
        return rollout.version, ""
    return rollout.settled, why
