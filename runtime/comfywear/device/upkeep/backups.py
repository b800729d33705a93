"""A backup of the running device, made for whoever asks for it on the page."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from comfywear.backup.whole import back_up
from comfywear.errors import ComfyWearError, StoreError
from comfywear.system.files import matching
from comfywear.texts import Text

__all__ = ["Backups"]

_BEGINS, _ENDS = ".page-backup-", ".part"  # names that no backup keeps


class Backups:
    """Makes one at a time; from any thread.

    Args:
        folder: The state folder.
        config: The settings; None where the device was made without a file.
    """

    def __init__(self, folder: Path, config: Path | None) -> None:
        self._folder, self._config = folder, config
        self._lock = threading.Lock()
        for left in matching(folder, f"{_BEGINS}*{_ENDS}"):  # of a start that was cut short
            with suppress(OSError):
                left.unlink()

    def make(self, passphrase: str | None) -> Path:
        """A backup in a file of the state folder, which whoever asked removes; secrets only behind a passphrase.

        Raises:
            UsageError: The passphrase is too short.
            StoreError: It cannot be made now.
            SourceError: A file cannot be read or written.
        """
        if os.geteuid() == 0 and self._folder.is_dir() and self._folder.stat().st_uid != 0:
            raise StoreError(Text("the device runs as root on another user's folder: use comfywear backup"))
        if not self._lock.acquire(blocking=False):
            raise StoreError(Text("a backup is being made already; try again in a moment"))
        try:
            handle, name = tempfile.mkstemp(_ENDS, _BEGINS, self._folder)
            os.close(handle)
            out = Path(name)
            try:
                back_up(out, self._config, self._folder, passphrase, force=True)
            except BaseException:
                out.unlink(missing_ok=True)
                raise
            return out
        except ComfyWearError:  # which may be an OSError too, and says what is wrong
            raise
        except OSError as error:
            raise StoreError(Text("the backup cannot be made: {why}", why=error.strerror or error)) from error
        finally:
            self._lock.release()
