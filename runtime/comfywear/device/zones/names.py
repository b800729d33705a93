"""The names to show of zones: given over MQTT, kept in the state folder. Topics and settings keep the zones' own."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from comfywear.errors import UsageError
from comfywear.settings.zones import which_zone
from comfywear.system.json_file import load_json, save_json
from comfywear.texts import Text

FILE_NAME = "zone-names.json"
LONGEST = 64


class _File(msgspec.Struct, frozen=True):
    names: dict[str, str] = {}


def names_in(path: Path) -> Mapping[str, str]:
    """The names in a file, by zone; none where there is no such file."""
    return load_json(path, _File()).names


class ZoneNames:
    """Names by zone; every method may be called from any thread.

    Args:
        folder: The state folder.
        zones: The zones that there are; names of others stay in the file and are not shown.
    """

    def __init__(self, folder: Path, zones: Collection[str]) -> None:
        self._path = folder / FILE_NAME
        self._zones = tuple(zones)
        self._lock = threading.Lock()
        self._names = dict(names_in(self._path))

    def given(self) -> Mapping[str, str]:
        """The names that were given, by zone."""
        names = self._names
        return {zone: names[zone] for zone in self._zones if zone in names}

    def shown(self, zone: str) -> str:
        """What to show for a zone."""
        return self._names.get(zone, zone)

    def set(self, zone: str | None, name: str) -> tuple[str, str]:
        """Give a zone a name, kept when this returns; an empty one takes it away. Returns the zone and what it shows.

        Raises:
            UsageError: When there is no such zone, the name cannot be shown, or another zone shows it.
            StoreError: When it cannot be kept; nothing has then changed.
        """
        zone = self.check(zone)
        name = " ".join(name.split())
        if len(name) > LONGEST or not name.isprintable():
            raise UsageError(Text("a zone's name has at most {longest} printable characters", longest=LONGEST))
        with self._lock:
            if name and any(self.shown(other).casefold() == name.casefold() for other in self._zones if other != zone):
                raise UsageError(Text("another zone is shown as {name}", name=repr(name)))
            names = {known: given for known, given in self._names.items() if known != zone}
            if name and name != zone:
                names[zone] = name
            save_json(self._path, _File(names))
            self._names = names
            return zone, self.shown(zone)

    def check(self, zone: str | None) -> str:
        """The zone that is meant; None means the only one.

        Raises:
            UsageError: When there is no such zone, or it must be said.
        """
        return which_zone(zone, self._zones)
