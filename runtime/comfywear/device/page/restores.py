"""A restore from the page: the backup is uploaded, looked at, and restored while no device runs."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from comfywear import web
from comfywear.backup.archive import SECRETS, SETTINGS, Archive
from comfywear.backup.whole import planned
from comfywear.device.upkeep.maintenance import Maintenance
from comfywear.device.upkeep.restore_work import RESULT_FILE, RestoreWork
from comfywear.device.zones.names import FILE_NAME as ZONE_NAMES
from comfywear.device.zones.names import names_in
from comfywear.errors import ComfyWearError, StoreError, UsageError
from comfywear.feedback.vote_files import count_votes
from comfywear.settings import Settings
from comfywear.system.files import matching
from comfywear.system.json_file import load_json
from comfywear.texts import Text, changed, recalled

__all__ = ["PageRestores"]

_log = logging.getLogger(__name__)
_BEGINS, _ENDS = ".page-restore-", ".part"  # names that no backup keeps
_VOTES = "votes.sqlite"
_ELSEWHERE = Text("use comfywear restore on the device")


class PageRestores:
    """What `comfywear.web.Restores` asks for; one upload at a time.

    Args:
        folder: The state folder.
        path: The settings file; None where the device was made without one.
        running: The settings that the device runs with.
        maintenance: Does the work; None where nothing starts the device anew.
        votes: How many there are.
        names: What was given to zones.
        trying: Whether changed settings are being tried, which may yet be taken back.
    """

    def __init__(
        self,
        folder: Path,
        path: Path | None,
        running: Settings,
        maintenance: Maintenance | None,
        *,
        votes: Callable[[], int | None],
        names: Callable[[], Mapping[str, str]],
        trying: Callable[[], bool] = lambda: False,
    ) -> None:
        self._folder, self._path, self._running, self._maintenance = folder, path, running, maintenance
        self._votes, self._names, self._trying = votes, names, trying
        self._lock = threading.Lock()
        self._upload, self._coming = "", False
        for left in matching(folder, f"{_BEGINS}*"):  # of a start before
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else _gone(left)

    def begin(self) -> str:
        """An empty file of the state folder, for its owner alone.

        Raises:
            StoreError: Another is coming, or it cannot be written.
        """
        if os.geteuid() == 0 and self._folder.is_dir() and self._folder.stat().st_uid != 0:
            raise StoreError(
                Text("the device runs as root on another user's folder: {elsewhere}", elsewhere=_ELSEWHERE)
            )
        with self._lock:
            if self._coming:
                raise StoreError(Text("a backup is being uploaded already; try again in a moment"))
            if self._maintenance is not None and self._maintenance.busy:
                raise StoreError(Text("the device is about to start anew; try again in a moment"))
            _gone(self._file(self._upload))
            upload = secrets.token_urlsafe(12)
            with _written():
                os.close(os.open(self._file(upload), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
            self._upload, self._coming = upload, True
        return upload

    def add(self, upload: str, piece: bytes) -> None:
        """More of it; a StoreError where the disk is full."""
        with _written(), self._file(upload).open("ab") as file:
            file.write(piece)

    def drop(self, upload: str) -> None:
        """Remove it."""
        _gone(self._file(upload))
        with self._lock:
            if upload == self._upload:
                self._upload, self._coming = "", False

    def look(self, upload: str) -> web.FoundBackup:
        """What it would change.

        Raises:
            UsageError: It is damaged, none, or of a later version.
            StoreError: It cannot be kept until it is restored.
        """
        with self._opened(upload) as archive, _written():
            made, unwanted = archive.manifest, self._unwanted(archive)
            with tempfile.TemporaryDirectory(_ENDS, _BEGINS, self._folder) as beside:
                for name in archive.state:
                    if name.as_posix() in (_VOTES, ZONE_NAMES):
                        archive.unpack(name, Path(beside) / name)
                votes, names = Path(beside) / _VOTES, Path(beside) / ZONE_NAMES
                found = web.FoundBackup(
                    upload=upload,
                    site=made.site,
                    device=made.device,
                    made=made.made,
                    version=made.version,
                    here=self._running.device.name(),
                    votes=count_votes(votes) if votes.exists() else 0,
                    votes_here=self._votes(),
                    names=names_in(names),
                    names_here=self._names(),
                    settings=() if unwanted else self._other_tables(archive),
                    unwanted=unwanted,
                    locked=archive.read(SECRETS) is not None,
                )
        with self._lock:
            self._coming = False
        return found

    def restore(self, said: web.RestoreBackup, origin: str) -> None:
        """Have it restored once the device has stopped.

        Raises:
            UsageError: There is no such upload, the passphrase is another, or what to keep is not said.
            StoreError: It cannot be now.
        """
        if self._maintenance is None:
            raise UsageError(Text("nothing starts this device anew: {elsewhere}", elsewhere=_ELSEWHERE))
        if self._trying():
            raise StoreError(Text("changed settings are being tried; restore in a moment"))
        with self._opened(said.upload) as archive:
            config, device_id = self._wanted(archive, said)
            with _plainly(self._file(said.upload)):
                plan = planned(archive, config, self._folder, said.passphrase, device_id=device_id, stays=True)
            if config is not None and plan.missing:
                raise UsageError(
                    Text("with its settings the device could not start: {missing}", missing="; ".join(plan.missing))
                )
            wanted, free = sum(each.size for each in archive.manifest.members), shutil.disk_usage(self._folder).free
            if wanted > free:
                raise StoreError(
                    Text(
                        "it takes {wanted} MB, and {free} MB are free",
                        wanted=f"{wanted / 1e6:.0f}",
                        free=f"{free / 1e6:.0f}",
                    )
                )
        self._maintenance.ask(
            RestoreWork(
                self._file(said.upload),
                config,
                self._folder,
                passphrase=said.passphrase,
                device_id=device_id,
                origin=origin,
            )
        )

    def ended(self) -> web.RestoreEnded:
        """How the last one ended; one that was cut short has failed."""
        found = load_json(self._folder / RESULT_FILE, web.RestoreEnded("none"))
        if self._maintenance is not None and self._maintenance.busy:
            return web.RestoreEnded("running")
        if found.state == "running":
            return web.RestoreEnded(
                "failed", Text("the device was ended meanwhile; what was there before is set aside")
            )
        return replace(found, text=recalled(found.text))

    def _wanted(self, archive: Archive, said: web.RestoreBackup) -> tuple[Path | None, str | None]:
        """The settings file that is written, and the id from now on."""
        here, there = self._running.device.name(), archive.manifest.device
        if not said.settings:
            if said.takes_place and here != there:
                raise UsageError(Text("the id stands in the settings: take them too, or keep the id of this device"))
            if said.passphrase is not None:
                raise UsageError(Text("a passphrase is of the settings alone: take them too, or leave it out"))
            return None, here
        if why := self._unwanted(archive):
            raise UsageError(
                Text("{why}; leave the settings as they are, or {elsewhere}", why=why, elsewhere=_ELSEWHERE)
            )
        if archive.read(SECRETS) is not None and said.passphrase is None:
            raise UsageError(Text("its secrets need the passphrase of the backup; or leave the settings as they are"))
        if here != there and said.takes_place is None:
            raise UsageError(
                Text(
                    "the backup is of {there}, this device is {here}: say whether it takes that one's place",
                    there=there,
                    here=here,
                )
            )
        return self._path, there if said.takes_place else here

    def _unwanted(self, archive: Archive) -> str | None:
        """Why its settings cannot be taken."""
        if self._path is None or self._maintenance is None:
            return Text("this device was started without a settings file of its own")
        if archive.read(SETTINGS) is None:
            return Text("there are no settings in the backup")
        if self._path.is_symlink() or not all(os.access(each, os.W_OK) for each in (self._path, self._path.parent)):
            return Text("the settings file is managed elsewhere: the device may not write it")
        try:
            wanted = planned(archive, self._path, self._folder, None, stays=True).settings
        except ComfyWearError as error:
            return str(error)
        return None if wanted.web.enabled else Text("its settings switch this page off")

    def _other_tables(self, archive: Archive) -> tuple[str, ...]:
        found = planned(archive, self._path, self._folder, None, stays=True).settings
        names = Settings.__struct_fields__
        return tuple(name for name in names if getattr(found, name) != getattr(self._running, name))

    @contextmanager
    def _opened(self, upload: str) -> Iterator[Archive]:
        if not upload or upload != self._upload:
            raise UsageError(Text("there is no such upload any more; upload the backup again"))
        with _plainly(self._file(upload)):
            archive = Archive(self._file(upload))
        with archive:
            yield archive

    def _file(self, upload: str) -> Path:
        """Of an upload; its name is one that this made, or leads nowhere."""
        return self._folder / f"{_BEGINS}{Path(upload).name}{_ENDS}"


@contextmanager
def _plainly(file: Path) -> Iterator[None]:
    """What is wrong with a backup is said of the backup, and is whoever's fault who sent it."""
    try:
        yield
    except ComfyWearError as error:

        def named(part: str) -> str:
            return Text("the backup") if part == str(file) else part.replace(str(file), "the backup")

        raise UsageError(changed(str(error), named)) from error


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except ComfyWearError:  # which may be an OSError too, and says what is wrong
        raise
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(
            Text("the backup cannot be kept: {why}", why=getattr(error, "strerror", None) or error)
        ) from error


def _gone(file: Path) -> None:
    with suppress(OSError):
        file.unlink(missing_ok=True)
