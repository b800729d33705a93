"""What the device keeps at a broker, remembered, so that a zone that is gone does not say "fresh" there for ever."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import msgspec

from comfywear.errors import StoreError
from comfywear.publishing import Aside, Publisher, Topics
from comfywear.system.json_file import load_json, save_json

__all__ = ["FILE_NAME", "Retained", "kept_at", "retained_of"]

_log = logging.getLogger(__name__)

FILE_NAME = "retained.json"


class _File(msgspec.Struct, frozen=True):
    brokers: dict[str, list[str]] = {}


def retained_of(
    topics: Topics,
    zones: Collection[str],
    cameras: Collection[str] = (),
    lines: Collection[str] = (),
    *,
    privacy: bool = False,
) -> list[str]:
    """Every topic that the broker keeps for a device with these zones, several cameras, lines, any camera."""
    of_zone = (topics.climate, topics.people, topics.occupancy, topics.comfort, topics.setpoint, topics.ask)
    of_zones = [topic(zone) for zone in zones for topic in of_zone]
    of_cameras = [*(topics.camera(name) for name in cameras), *([topics.privacy] if privacy else [])]
    lasting = [topics.status, topics.meta, topics.health, topics.updates]
    return [*lasting, *of_zones, *of_cameras, *(topics.line(name) for name in lines)]


def kept_at(folder: Path) -> Mapping[str, Collection[str]]:
    """The topics that each broker, as host:port, keeps for the device whose state is in `folder`."""
    return load_json(folder / FILE_NAME, _File()).brokers


def forget(folder: Path, broker: str) -> None:
    """Nothing is kept at `broker` any more.

    Raises:
        StoreError: When that cannot be noted.
    """
    known = kept_at(folder)
    if broker in known:  # where nothing was noted there may be no folder
        save_json(folder / FILE_NAME, _File({name: list(kept) for name, kept in known.items() if name != broker}))


class Retained:
    """Clears at each connection what an earlier configuration left there; `tick` belongs to one thread.

    Args:
        publisher: Carries the messages; it sends nothing more to the topics that are no longer.
        folder: The state folder.
        broker: Its name, host:port: what is left at one that is away is cleared when it is there again.
        topics: What the broker keeps from now on.
    """

    def __init__(self, publisher: Publisher, folder: Path, broker: str, topics: Collection[str]) -> None:
        self._publisher = publisher
        self._path = folder / FILE_NAME
        self._broker = broker
        self._topics = list(topics)
        self._kept = {name: list(kept) for name, kept in kept_at(folder).items()}
        self._connections = 0
        known = {topic for kept in self._kept.values() for topic in kept}
        publisher.retire(known - set(self._topics))

    def tick(self) -> None:
        """Clear what is left, once for each connection."""
        connections = self._publisher.health().connections
        if connections == self._connections:
            return
        self._connections = connections
        left = [topic for topic in self._kept.get(self._broker, ()) if topic not in self._topics]
        self._keep([*self._topics, *left])
        for topic in left:
            self._publisher.say(Aside(topic, b"", retain=True, on_taken=partial(self._cleared, topic)))

    def _cleared(self, topic: str) -> None:
        self._keep([each for each in self._kept[self._broker] if each != topic])

    def _keep(self, topics: list[str]) -> None:
        if self._kept.get(self._broker) == topics:
            return
        self._kept = {**self._kept, self._broker: topics}
        try:
            save_json(self._path, _File(self._kept))
        except StoreError as error:
            _log.error("%s; what a zone leaves at the broker will stay there when it is removed", error)
