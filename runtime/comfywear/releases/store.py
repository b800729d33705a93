"""Which release of a model is in service, which was before, and why: a folder a model in the state folder.

    releases/NAME/slots.json                current, previous, the trial and what happened, replaced as a whole
    releases/NAME/VERSION-DIGEST/           a release: NAME.card.json, its files, its signed manifest
    releases/incoming/DIGEST/               a release that is being fetched or tried

The shipped model is the last fallback: it is in service where `current` is null, and wherever anything here cannot be
read. The one write that changes the model in service is the replacement of `slots.json`.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from comfywear.errors import StoreError, UsageError
from comfywear.releases.folders import hand_over, locked
from comfywear.releases.slots import ReleaseTrial, Slot, Slots
from comfywear.system.files import matching, sync_folder
from comfywear.system.json_file import load_json, save_json
from comfywear_models import CardError, available, load_card

__all__ = ["MOST_STARTS", "Releases", "shipped_version", "version_order"]

_log = logging.getLogger(__name__)

MOST_STARTS = 3
"""Starts of a trial that ended without an orderly stop (a crash, a hang, a cut of power) before it counts as failed."""


class Releases:
    """The releases of a device.

    Args:
        folder: `releases` in the state folder; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Names of the models that were ever pulled."""
        return sorted(path.parent.name for path in matching(self.folder, "*/slots.json"))

    def slots(self, name: str) -> Slots:
        """What is known of a model; the shipped one is in service where nothing is, or nothing can be read."""
        return load_json(self._file(name), Slots())

    def card_of(self, name_or_path: str, *, but: str = "") -> str:
        """The card's path of the release in service, or what was given where there is none.

        Args:
            name_or_path: Of a model, as in the settings.
            but: The folder of a release that must not be used; the one before it is taken.
        """
        if "/" in name_or_path or not self._file(name_or_path).is_file():
            return name_or_path
        slots = self.slots(name_or_path)
        for slot in (slots.current, slots.previous) if slots.current else ():
            if slot is not None and slot.folder != but and not self.fault(name_or_path, slot):
                return str(self._card(name_or_path, slot))
        return name_or_path

    def fault(self, name: str, slot: Slot) -> str:
        """Why a release cannot be in service (its card, or a later model came with the program); empty = it can."""
        try:
            load_card(self._card(name, slot))
        except CardError as error:
            return str(error)
        shipped = shipped_version(name)
        if shipped != slot.shipped and version_order(shipped) > version_order(slot.version):
            return f"the program came with a later version since: {shipped}"
        return ""

    def path(self, name: str, slot: Slot) -> Path:
        """The folder of a release."""
        return self.folder / name / slot.folder

    def take_over(self, name: str, slot: Slot, staged: Path, limit_ms: float | None) -> None:
        """Put the release in the folder `staged` into service, on trial; the one before stays at hand.

        Raises:
            UsageError: It is in service already.
            StoreError: It could not be written; the model in service is then what it was.
        """
        with self._locked():
            slots = self.slots(name)
            if slots.current is not None and slots.current.folder == slot.folder:
                raise UsageError(f"{name} {slot.version} is in service already")
            final = self.path(name, slot)
            try:
                final.parent.mkdir(parents=True, exist_ok=True)
                if final.exists():
                    shutil.rmtree(final)
                staged.replace(final)
                sync_folder(final.parent)
            except OSError as error:
                raise StoreError(f"{final} cannot be written ({error.strerror})") from error
            # One that has not stood its trial is nothing to come back to.
            before = slots.previous if slots.trial else slots.current
            if before is not None and before.folder == slot.folder:
                before = None
            made = Slots(slot, before, ReleaseTrial(limit_ms), slots.history, max(slots.newest, slot.released))
            self._keep(name, made.with_entry("taken over", slot.version, f"after {slots.version}"))

    def roll_back(self, name: str, reason: str, *, only: str = "") -> str:
        """Put the release before the present one into service again, or the shipped one; returns its version.

        Args:
            name: Of the model.
            reason: Is kept.
            only: The folder of the release that is meant; empty = whichever is in service.

        Raises:
            UsageError: The shipped model is in service already, or another release than the one that is meant.
            StoreError: It could not be written.
        """
        with self._locked():
            slots = self.slots(name)
            if slots.current is None or only not in ("", slots.current.folder):
                raise UsageError(f"{name}: no such release is in service that could be rolled back")
            made = Slots(slots.previous, None, None, slots.history, slots.newest)
            self._keep(name, made.with_entry("rolled back", slots.current.version, reason))
            return made.version

    def refuse(self, name: str, version: str, reason: str) -> None:
        """Keep why a release was refused; a full disk keeps it from being kept, and no more."""
        with suppress(StoreError), self._locked():
            self._keep(name, self.slots(name).with_entry("refused", version, reason))

    def count_start(self, name: str) -> int:
        """One more start of a model on trial: how many since the last orderly end; 0 without a trial."""
        with self._locked():
            slots = self.slots(name)
            if slots.trial is None:
                return 0
            trial = msgspec.structs.replace(slots.trial, starts=slots.trial.starts + 1)
            self._keep(name, msgspec.structs.replace(slots, trial=trial))
            return trial.starts

    def end_orderly(self, name: str, folder: str) -> None:
        """The starts of a trial of the release in `folder` before this moment do not count."""
        with self._locked():
            slots = self.slots(name)
            if slots.trial and slots.trial.starts and slots.current and slots.current.folder == folder:
                trial = msgspec.structs.replace(slots.trial, starts=0)
                self._keep(name, msgspec.structs.replace(slots, trial=trial))

    def end_trial(self, name: str, folder: str, said: str) -> None:
        """The release in `folder` has stood its trial."""
        with self._locked():
            slots = self.slots(name)
            if slots.trial and slots.current and slots.current.folder == folder:
                made = msgspec.structs.replace(slots, trial=None)
                self._keep(name, made.with_entry("kept", slots.version, said))

    def _card(self, name: str, slot: Slot) -> Path:
        return self.path(name, slot) / f"{name}.card.json"

    def _file(self, name: str) -> Path:
        return self.folder / name / "slots.json"

    def _keep(self, name: str, slots: Slots) -> None:
        """Write what is known, then remove the releases that no slot names."""
        file = self._file(name)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{file.parent} cannot be made ({error.strerror})") from error
        save_json(file, slots)
        used = {slot.folder for slot in (slots.current, slots.previous) if slot}
        with suppress(OSError):  # what cannot be looked at is none of ours
            for path in file.parent.iterdir():
                if not path.is_symlink() and path.is_dir() and path.name not in used:
                    shutil.rmtree(path, ignore_errors=True)
        hand_over(self.folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change at a time, also between the device and a command."""
        with locked(self.folder / "lock"):
            yield


def shipped_version(name: str) -> str:
    """The version of the model of this name that the program comes with; empty where there is none."""
    shipped = available()
    return load_card(shipped[name]).version if name in shipped else ""


def version_order(version: str) -> list[int]:
    """What a version is ordered by: the whole numbers in it."""
    return [int(number) for number in re.findall(r"\d+", version)]
