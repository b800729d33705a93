"""The program's own package: what its upgrader says, and asking it for the newest version.

The upgrader is root's (systemd/upgrade/upgrade.py); the device reads its notes and can leave it a wish, nothing more.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from comfywear.errors import UsageError
from comfywear.publishing import ProgramUpdate
from comfywear.texts import Text

__all__ = ["NOTES", "WANTED", "ProgramUpdates"]

_log = logging.getLogger(__name__)

NOTES = Path("/var/lib/comfywear-upgrade/state.json")
WANTED = "upgrade-wanted"


class _Notes(msgspec.Struct, frozen=True):
    """`state.json` of the upgrader; what it says beside these is passed over."""

    installed: str = ""
    available: str = ""
    phase: str = "idle"
    percent: int | None = None
    outcome: str = ""
    reason: str = ""


class ProgramUpdates:
    """Reads what the upgrader noted, and leaves it a wish.

    Args:
        folder: The state folder, in which the wish is left.
        allowed: Whether the settings let others ask (`updates.program`).
        notes: The upgrader's file, where it is not the usual one.
    """

    def __init__(self, folder: Path, *, allowed: bool, notes: Path | None = None) -> None:
        self._wish = folder / WANTED
        self._allowed, self._notes = allowed, notes or NOTES

    def state(self) -> ProgramUpdate | None:
        """What there is and how it goes; None where no upgrader is, or its notes cannot be read."""
        try:
            found = msgspec.json.decode(self._notes.read_bytes(), type=_Notes)
        except (OSError, msgspec.DecodeError, UnicodeError):
            return None
        if not found.installed:
            return None
        asked = found.phase == "idle" and self._wish.exists()
        return ProgramUpdate(
            installed=found.installed,
            available=found.available or found.installed,
            phase="asked" if asked else found.phase,
            percent=found.percent if found.phase != "idle" else None,
            outcome=found.outcome or None,
            reason=found.reason or None,
        )

    def ask(self) -> dict[str, str | float | None]:
        """Leave the wish for the newest version; returns what is said to whoever asked.

        Raises:
            UsageError: Nobody may ask here, no upgrader is there, or one is at it.
        """
        if not self._allowed:
            raise UsageError(Text("the program is not upgraded by MQTT here: updates.program is false"))
        state = self.state()
        if state is None:
            raise UsageError(Text("this device did not come as a Debian package: nothing here could upgrade it"))
        if state.phase != "idle":
            raise UsageError(Text("an upgrade is under way already: {phase}", phase=state.phase))
        if state.available == state.installed:
            raise UsageError(Text("{installed} is the newest that apt knows of", installed=state.installed))
        try:
            self._wish.touch()
        except OSError as error:
            raise UsageError(
                Text("the wish cannot be left in {parent}: {why}", parent=self._wish.parent, why=error.strerror)
            ) from error
        _log.warning("an upgrade from %s to %s is asked for", state.installed, state.available)
        return {"from": state.installed, "to": state.available, "state": "asked for"}
