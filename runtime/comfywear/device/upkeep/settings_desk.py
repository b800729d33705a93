"""The settings file as the page changes it: drafts checked by what reads it, written with their secrets, then tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from comfywear import web
from comfywear.device.upkeep.secret_files import named_secrets, put_secrets
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.settings import Settings
from comfywear.settings.changes import changes_of, restored, shown_values
from comfywear.settings.draft import DraftFault, checked_draft
from comfywear.settings.form import settings_form
from comfywear.settings.toml_lines import parse

__all__ = ["SettingsDesk", "without_null"]


class SettingsDesk:
    """Takes drafts of one settings file; from any thread.

    Args:
        file: The settings.
        folder: The state folder, where secrets are kept.
        fits: Raises a UsageError for settings that the running device cannot become.
    """

    def __init__(self, file: SettingsFile, folder: Path, fits: Callable[[Settings], None]) -> None:
        self._file = file
        self._folder = folder
        self._fits = fits

    def form(self) -> web.SettingsForm:
        """The form with what the file holds, without secrets.

        Raises:
            UsageError: There is no file, or it is no TOML.
            StoreError: It cannot be read.
        """
        file = self._file
        values = shown_values(parse(file.text(), file.name()))
        return web.SettingsForm(file.version(), file.name(), file.barred(), values, settings_form(), file.outcome())

    def check(self, draft: web.SettingsDraft) -> Sequence[DraftFault]:
        """What is wrong with a draft; nothing is changed. Errors as `form`."""
        return _Reading(self._file, draft, self._folder).faults

    def save(self, draft: web.SettingsDraft) -> web.SettingsSaved:
        """Write a draft and have the device start anew with it; what becomes of it is `SettingsFile.outcome`.

        Raises:
            UsageError: The file may not be changed from here, was changed since the form was given out, or is of
                another device then: nothing has changed.
            StoreError: It could not be written; nothing has changed.
        """
        read = _Reading(self._file, draft, self._folder)
        if read.settings is None:
            return web.SettingsSaved(False, tuple(read.faults))
        if not read.changes:
            return web.SettingsSaved(False)
        self._fits(read.settings)
        self._file.change(read.changes, draft.version, partial(put_secrets, read.secrets))
        return web.SettingsSaved(True)


class _Reading:
    """A draft as the file would hold it.

    Attributes:
        settings: What it is; None where something is wrong.
        faults: What is wrong.
        changes: What differs from the file.
        secrets: What is to be kept, by the file that it goes into.
    """

    def __init__(self, file: SettingsFile, draft: web.SettingsDraft, folder: Path) -> None:
        held = parse(file.text(), file.name())
        wanted: dict[str, Any] = restored(without_null(draft.values), held)
        self.secrets, refused = named_secrets(wanted, draft.secrets, folder)
        found, faults = checked_draft(wanted)
        self.settings = None if refused else found
        self.faults = [*refused, *faults]
        self.changes = changes_of(held, wanted)


def without_null(values: Any) -> Any:
    """TOML knows no null: a field without a value is not there."""
    if isinstance(values, dict):
        return {name: without_null(each) for name, each in values.items() if each is not None}
    return [without_null(each) for each in values] if isinstance(values, list) else values
