"""Stops a roll-out by itself when too many of the devices that took a release rolled it back.

Devices say in `meta` which release of a model is in service, and what became of it last. The rule is pure; what stops
is the repository of releases, whose role `rollouts` the collector has the keys of, and of no other that releases.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from comfywear.errors import UsageError
from comfywear.publishing.messages.device import MetaMessage, ReleaseInfo
from comfywear.publishing.messages.kinds import read_message
from comfywear.publishing.messages.topics import BACKLOG, ROOT
from comfywear_models.release import ReleaseError
from comfywear_models.rollouts import Rollout

__all__ = ["RolloutGuard", "RolloutPlace", "RolloutRule", "meta_filters"]

_log = logging.getLogger(__name__)

_META = re.compile(rf"{ROOT}/([\w-]+)/([\w-]+)/(?:{BACKLOG}/)?meta", re.ASCII)
_AGAIN_S = 30.0
# What the broker kept of all devices comes at once, in any order: of a part of it a share says nothing.
_QUIET_S, _LONGEST_S, _FIRST_S = 2.0, 30.0, 10.0


class RolloutRule:
    """What became of releases on devices.

    Args:
        most: The share of the devices which took a release that may roll it back; more than that stops it.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._stands: dict[tuple[str, str], dict[str, bool]] = {}

    def hear(self, device: str, releases: Iterable[ReleaseInfo]) -> None:
        """Take what a device says of its models; `device` tells it from all others."""
        for each in releases:
            if each.last == "rolled back" and each.last_version:
                self._stands.setdefault((each.name, each.last_version), {})[device] = False
            if each.before is not None:  # else the shipped model is in service
                self._stands.setdefault((each.name, each.version), {})[device] = True

    def faults(self, rollouts: Mapping[str, Rollout]) -> dict[str, tuple[str, str]]:
        """The models whose roll-out is to stop: the version, and why."""
        found = {}
        for name, rollout in rollouts.items():
            stands = self._stands.get((name, rollout.version), {})
            back = sum(not good for good in stands.values())
            if not rollout.halted and back > self._most * len(stands):
                found[name] = (rollout.version, f"{back} of the {len(stands)} devices that took it rolled it back")
        return found


@dataclass(frozen=True, slots=True)
class RolloutPlace:
    """Where roll-outs are stopped.

    Attributes:
        repository: The folder of the repository of releases.
        keys: A folder with the keys of its roles rollouts, snapshot and timestamp.
        most: As `RolloutRule` has it.
    """

    repository: Path
    keys: Path
    most: float


class RolloutGuard:
    """Hears devices, and stops what the rule says.

    Args:
        place: Where.

    Raises:
        UsageError: There is no repository, or no key.
    """

    def __init__(self, place: RolloutPlace) -> None:
        from comfywear_models.repository import Repository

        self._rule = RolloutRule(place.most)
        try:
            self._repository = Repository(place.repository, [place.keys])
            self._repository.rollouts()
        except ReleaseError as error:
            raise UsageError(str(error)) from error
        self._first_s: float | None = None  # of what is not judged yet
        self._last_s = self._next_s = 0.0

    def begin(self, now_s: float) -> None:
        """A connection begins: what the broker kept is about to come. All times are monotonic."""
        self._next_s = now_s + _FIRST_S

    def hear(self, topic: str, payload: bytes, now_s: float) -> None:
        """Take a message of any kind."""
        found = _META.fullmatch(topic)
        if found is None or not payload:
            return
        try:
            message = read_message(payload)
        except UsageError:
            return  # said where it is set aside
        if isinstance(message, MetaMessage) and message.releases:
            self._rule.hear(f"{found[1]}/{found[2]}", message.releases)
            self._last_s = now_s
            self._first_s = now_s if self._first_s is None else self._first_s

    def act(self, now_s: float) -> None:
        """Stop what is to be stopped, once devices are quiet for a while; what cannot be written is tried again."""
        if self._first_s is None or now_s < self._next_s:
            return
        if now_s - self._last_s < _QUIET_S and now_s - self._first_s < _LONGEST_S:
            return
        try:
            for name, (version, why) in self._rule.faults(self._repository.rollouts()).items():
                self._repository.halt(name, why, version)
                _log.warning("the roll-out of %s %s is stopped: %s", name, version, why)
        except (ReleaseError, OSError) as error:
            self._next_s = now_s + _AGAIN_S
            _log.error("roll-outs cannot be looked after: %s", error)
        else:
            self._first_s = None


def meta_filters(sites: Iterable[str]) -> list[str]:
    """What brings the `meta` of all devices, also to a collector that shares the rest with others."""
    return [f"{ROOT}/{site}/+/meta" for site in tuple(sites) or ("+",)]
