"""The settings file of a running device: read, changed with its comments kept, and taken over by starting anew."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from comfywear.errors import ComfyWearError, StoreError, UsageError
from comfywear.settings import Settings
from comfywear.settings.edit import FieldPath, edited, save
from comfywear.settings.file import checked
from comfywear.settings.toml_lines import parse
from comfywear.system.files import replace_file

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
    """

    def __init__(self, path: Path | None, reload: Callable[[], None] | None) -> None:
        self._path = path
        self._reload = reload
        self._lock = threading.Lock()

    def read(self) -> Written:
        """What stands in the file.

        Raises:
            UsageError: There is no file, or what is in it is wrong by now.
            StoreError: It cannot be read.
        """
        return self._of(self._text())

    def change(self, changes: Mapping[FieldPath, Any], version: str) -> None:
        """Change values (as `edited`) and have the device start anew.

        Args:
            changes: The new values.
            version: Of the text that they were made for.

        Raises:
            UsageError: The file is another by now, the settings would be wrong, or the device cannot take them over:
                nothing has then changed.
            StoreError: It cannot be written.
        """
        with self._lock:
            text = self._text()
            if self._of(text).version != version:
                raise UsageError("the settings file was changed by somebody else meanwhile; begin again with it")
            found = edited(text, changes)
            if found == text or self._path is None or self._reload is None:
                return
            self._of(found)
            save(self._path, found)
            try:
                self._reload()
            except ComfyWearError:
                replace_file(self._path, text.encode(), like=self._path.stat())
                raise
        _log.info("%s: changed on the page: %s", self._path.name, ", ".join(sorted({str(path[0]) for path in changes})))

    def _text(self) -> str:
        if self._path is None or self._reload is None:
            raise UsageError("this device was started without a settings file; nothing can be kept")
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self._path} cannot be read ({error})") from error

    def _of(self, text: str) -> Written:
        name = self._path.name if self._path else "the settings"
        data = parse(text, name)
        version = hashlib.sha256(text.encode()).hexdigest()[:16]
        return Written(checked(data, text, name), data, version)
