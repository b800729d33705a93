"""The restore itself, done while no device runs; taken back where the device does not come up with it."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Literal

from comfywear import web
from comfywear.backup.archive import Archive, Manifest
from comfywear.backup.whole import Restored, restore, taken_back
from comfywear.device.upkeep.audit import AUDIT_FILE, AuditList
from comfywear.errors import ComfyWearError, StoreError
from comfywear.settings import Settings, load
from comfywear.system.json_file import save_json
from comfywear.texts import Text, together

__all__ = ["RESULT_FILE", "RestoreWork"]

_log = logging.getLogger(__name__)
RESULT_FILE = "page-restore.json"


class RestoreWork:
    """One restore; its file is gone when it has ended.

    Args:
        file: The backup, in the state folder.
        config: The settings file; None = it stays.
        folder: The state folder.
        passphrase: Of the secrets.
        device_id: The device's id from now on.
        origin: Who asked for it, as the list of changes says it.
    """

    def __init__(
        self,
        file: Path,
        config: Path | None,
        folder: Path,
        *,
        passphrase: str | None,
        device_id: str | None,
        origin: str,
    ) -> None:
        self._file, self._config, self._folder = file, config, folder
        self._passphrase, self._device_id, self._origin = passphrase, device_id, origin
        self._done: Restored | None = None

    def do(self) -> Settings | None:
        """Restore; the settings that were restored. Raises a ComfyWearError, and nothing has then changed."""
        self._say("running")
        with Archive(self._file) as archive:
            self._done = restore(
                archive, self._config, self._folder, self._passphrase, device_id=self._device_id, stays=True
            )
        return load(self._config) if self._config else None

    def ended(self, why: str | None) -> None:
        """Say how it ended; where the device did not come up, all is put back."""
        self._file.unlink(missing_ok=True)
        made = self._done.manifest if self._done else None
        of = _of(made) if made else ""
        if why is None and self._done is not None:
            self._say("done", of, self._done.aside)
            self._note(Text("backup restored"), of)
            return
        said = why or ""
        if self._done is not None:
            try:
                taken_back(self._done)
            except ComfyWearError as error:
                said = together(said, Text("what was there before could not be put back ({why})", why=error))
        self._say("failed", said)
        self._note(Text("restore failed"), said)

    def _say(self, state: Literal["running", "done", "failed"], text: str = "", aside: str | None = None) -> None:
        try:
            save_json(self._folder / RESULT_FILE, web.RestoreEnded(state, text, aside))
        except (StoreError, OSError) as error:
            _log.error("how the restore ended cannot be written: %s", error)

    def _note(self, what: str, detail: str) -> None:
        with closing(AuditList(self._folder / AUDIT_FILE)) as audit:
            audit.note(what, detail, self._origin)


def _of(made: Manifest) -> str:
    place = f"{made.site}/{made.device}"
    if made.made is None:
        return Text("{place}, made on an unknown day", place=place)
    return Text("{place}, made {day}", place=place, day=made.made)
