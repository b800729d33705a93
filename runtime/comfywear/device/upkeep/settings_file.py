"""The settings file of a running device: read, changed with its comments kept, and taken over by starting anew."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from comfywear import web
from comfywear.device.upkeep.settings_trial import SettingsTrial
from comfywear.errors import ComfyWearError, StoreError, UsageError
from comfywear.settings import Settings
from comfywear.settings.changes import written
from comfywear.settings.edit import FieldPath, edited, save
from comfywear.settings.file import checked
from comfywear.settings.on_disk import SettingsOnDisk
from comfywear.settings.toml_lines import parse
from comfywear.system.files import replace_file
from comfywear.texts import Text

__all__ = ["SettingsFile", "Written"]

_log = logging.getLogger(__name__)


class Written(NamedTuple):
    """What stands in the file now.

    Attributes:
        settings: All of it, with defaults.
        data: What is written there.
        version: Another one for another text.
    """

    settings: Settings
    data: Mapping[str, Any]
    version: str


class SettingsFile:
    """Every method may be called from any thread.

    Args:
        path: The file; None where the device was made without one.
        reload: Has the device start anew with the file; raises a ComfyWearError to refuse.
        trial: Watches the device after a change; None: nobody does.
    """

    def __init__(
        self, path: Path | None, reload: Callable[[], None] | None, trial: SettingsTrial | None = None
    ) -> None:
        self._path = path
        self._reload = reload
        self._trial = trial
        self._lock = threading.Lock()

    def read(self) -> Written:
        """What stands in the file.

        Raises:
            UsageError: There is no file, or what is in it is wrong by now.
            StoreError: It cannot be read.
        """
        return self._of(self.text())

    def change(self, changes: Mapping[FieldPath, Any], version: str, keep: Callable[[], list[Path]] = list) -> None:
        """Change values (as `edited`) and have the device start anew.

        Args:
            changes: The new values.
            version: Of the text that they were made for.
            keep: Keeps the files that go with them, once all else is right; returns which those are.

        Raises:
            UsageError: The file is another by now, the settings would be wrong, or the device cannot take them over:
                nothing has then changed.
            StoreError: It cannot be written.
        """
        with self._lock:
            text = self.text()
            if _version(text) != version:
                raise UsageError(Text("the settings file was changed by somebody else meanwhile; begin again with it"))
            found = edited(text, changes)
            if found != text:
                self._of(found)
                self._put(found, text, changes, keep)

    def _put(self, text: str, before: str, changes: Mapping[FieldPath, Any], keep: Callable[[], list[Path]]) -> None:
        """Write a text that is right, and start anew with it."""
        assert self._path is not None
        assert self._reload is not None
        disk = SettingsOnDisk(self._path)
        if (why := disk.barred()) is not None:
            raise UsageError(why)
        if self._trial and self._trial.active:
            raise UsageError(Text("the last change is still being tried: wait some seconds"))
        made = keep()
        try:
            if self._trial:
                disk.put(text)
                self._trial.begin(written(changes), made)
            else:
                save(self._path, text)
        except StoreError:
            for each in made:
                each.unlink(missing_ok=True)
            raise
        try:
            self._reload()
        except ComfyWearError as error:
            if self._trial:
                self._trial.take_back(str(error))
            else:
                replace_file(self._path, before.encode(), like=self._path.stat())
            raise
        _log.info("%s: changed on the page: %s", self._path.name, ", ".join(written(changes)))

    def name(self) -> str:
        """What it is called."""
        return str(self._path)

    def barred(self) -> str | None:
        """Why it is not changed from here; None where it may be."""
        return SettingsOnDisk(self._path).barred() if self._path else None

    def outcome(self) -> web.SettingsOutcome:
        """What became of the last change."""
        return self._trial.outcome if self._trial else web.SettingsOutcome("none")

    def version(self) -> str:
        """Another one for another text; errors as `text`."""
        return _version(self.text())

    def text(self) -> str:
        """All of it.

        Raises:
            UsageError: There is no file.
            StoreError: It cannot be read.
        """
        if self._path is None or self._reload is None:
            raise UsageError(Text("this device was started without a settings file; nothing can be kept"))
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(Text("{path} cannot be read ({why})", path=self._path, why=error)) from error

    def _of(self, text: str) -> Written:
        name = self._path.name if self._path else "the settings"
        data = parse(text, name)
        return Written(checked(data, text, name), data, _version(text))


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
