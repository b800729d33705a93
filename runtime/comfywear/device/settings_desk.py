"""The settings file as the page changes it: drafts checked by what reads it, written with their secrets, then tried."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from comfywear import web
from comfywear.device.settings_file import SettingsFile
from comfywear.errors import StoreError
from comfywear.settings import Settings
from comfywear.settings.changes import changes_of, restored, shown_values
from comfywear.settings.draft import DraftFault, checked_draft
from comfywear.settings.form import SECRET_FIELDS, settings_form
from comfywear.settings.toml_lines import parse
from comfywear.system.files import replace_file
from comfywear.web.access import SHORTEST_TOKEN

__all__ = ["SettingsDesk"]

_FOLDER = "secrets"
_KEYS = ("mqtt.client_key", "web.certificate_key")  # lines of PEM


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
        self._file.change(read.changes, draft.version, read.put_secrets)
        return web.SettingsSaved(True)


class _Reading:
    """A draft as the file would hold it.

    Attributes:
        settings: What it is; None where something is wrong.
        faults: What is wrong.
        changes: What differs from the file.
    """

    def __init__(self, file: SettingsFile, draft: web.SettingsDraft, folder: Path) -> None:
        held = parse(file.text(), file.name())
        wanted: dict[str, Any] = restored(_without_null(draft.values), held)
        self._secrets: dict[Path, str] = {}
        refused = []
        for each in draft.secrets:
            place = folder / _FOLDER / f"{'-'.join(map(str, each.path))}-{secrets.token_hex(4)}"
            if fault := _secret_fault(each.path, each.text) or _name_file(wanted, each.path, place):
                refused.append(DraftFault(tuple(each.path), fault))
            else:
                self._secrets[place] = each.text
        found, faults = checked_draft(wanted)
        self.settings = None if refused else found
        self.faults = [*refused, *faults]
        self.changes = changes_of(held, wanted)

    def put_secrets(self) -> list[Path]:
        """Write each secret to a file of its own, for the device's user alone.

        Raises:
            StoreError: One could not be written; none is then there.
        """
        made: list[Path] = []
        try:
            for place, text in self._secrets.items():
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(place, text.strip().encode() + b"\n", mode=0o600)
                made.append(place)
        except OSError as error:
            for each in made:
                each.unlink(missing_ok=True)
            raise StoreError(f"a secret cannot be written ({error.strerror}); nothing was changed") from error
        return made


def _without_null(values: Any) -> Any:
    """TOML knows no null: a field without a value is not there."""
    if isinstance(values, dict):
        return {name: _without_null(each) for name, each in values.items() if each is not None}
    return [_without_null(each) for each in values] if isinstance(values, list) else values


def _secret_fault(path: Sequence[str | int], text: str) -> str | None:
    field = ".".join(step for step in path if isinstance(step, str))
    if field not in SECRET_FIELDS:
        return "no file with a secret is named here"
    if field in _KEYS:
        return None
    if field.startswith("web.") and len(text.strip()) < SHORTEST_TOKEN:
        return f"a password of the page has {SHORTEST_TOKEN} characters or more"
    if not text.strip().isprintable():
        return "a password is one line"
    return None


def _name_file(values: Any, path: Sequence[str | int], place: Path) -> str | None:
    """Have a field name a file; what is wrong where there is no such field."""
    for step in path[:-1]:
        if isinstance(values, dict) and isinstance(step, str):
            values = values.setdefault(step, {})
        elif isinstance(values, list) and isinstance(step, int) and 0 <= step < len(values):
            values = values[step]
        else:
            return "there is no such table"
    if not isinstance(values, dict):
        return "there is no such table"
    values[path[-1]] = str(place)
    return None
