"""A device's side of a TUF repository: whom it trusts, what is offered, and what an attack looks like in words.

The library's client (`tuf.ngclient`) does all that the specification demands: roots step by step, thresholds, expiry,
versions that never fall, hashes of what belongs together, bounded lengths. This file gives it our connections (whose
answers come before a deadline, from where the settings allow), a first root, and a folder:

    releases/repository/anchor.json     the first root, where `updates.keys` brought it here
    releases/repository/*.json          what was seen last of the repository: never to go back behind it

Imported only when a repository is asked: the library takes 40 ms of processor time and 3 MB of memory.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from tuf.api import exceptions
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from comfywear.errors import ComfyWearError, ModelError, StoreError, UsageError
from comfywear.releases.fetching import MissingError, ReleaseSource, Tick
from comfywear.settings.updates import UpdatesSettings
from comfywear.system.clock import wall_time
from comfywear.system.files import replace_file, sync_folder
from comfywear_models.release import (
    LARGEST_MANIFEST_BYTES,
    ROOT_TYPE,
    SUFFIX,
    Manifest,
    ReleaseError,
    open_envelope,
    read_manifest,
)
from comfywear_models.rollouts import TARGET, Rollout, Rollouts

__all__ = ["RepositoryClient"]

_log = logging.getLogger(__name__)

_INTRODUCTION = "introduction.json"
_LARGEST_METADATA = 1_000_000
_CONFIG = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=8,
    snapshot_max_length=_LARGEST_METADATA,
    targets_max_length=_LARGEST_METADATA,
)


class RepositoryClient:
    """What a repository offers at this moment, all of it checked.

    Args:
        source: Where it lies.
        where: The same in words.
        folder: The releases of this device; nobody else may use a client there meanwhile.
        updates: The settings.

    Raises:
        UsageError: Nobody is trusted.
        ModelError: What the repository says is not to be believed, with the reason.
        StoreError: The folder cannot be written.
    """

    def __init__(self, source: ReleaseSource, where: str, folder: Path, updates: UpdatesSettings) -> None:
        self._source, self._where = source, where
        self._folder = folder / "repository"
        if "://" in where and not wall_time().time_ok:
            raise ModelError(
                f"{where}: the clock of this device is not set, and without it nobody can tell whether what a "
                "repository says still holds; try again when it is (comfywear doctor), or pull from a memory stick"
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in self._folder.glob("tmp*"):  # of a pull that was cut off
                left.unlink()
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be written ({error.strerror})") from error
        root = self._anchor(updates)
        with self._believed():
            self._updater = Updater(
                str(self._folder), "metadata/", fetcher=_Fetcher(source), config=_CONFIG, bootstrap=root
            )
            self._updater.refresh()
        self._keep()

    def rollouts(self) -> dict[str, Rollout]:
        """How far the newest release of each model has gone."""
        try:
            return msgspec.json.decode(self._small(TARGET), type=Rollouts).models
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ModelError(
                f"{self._where}: {TARGET} is not understood (made for another version of comfywear?): {error}"
            ) from error

    def manifest(self, name: str, version: str) -> tuple[Manifest, bytes]:
        """The manifest of a release, and its very bytes."""
        data = self._small(f"{name}/{name}-{version}{SUFFIX}")
        try:
            manifest = read_manifest(data)
        except ReleaseError as error:
            raise ModelError(f"{self._where}: {name} {version}: {error}") from error
        card = manifest.card
        if (card.name, card.version) != (name, version):
            raise ModelError(
                f"{self._where}: the role of {name!r} has signed {card.name} {card.version} in the place of "
                f"{name} {version}: it may not speak for others"
            )
        return manifest, data

    def fetch(self, name: str, file: str, sha256: str, path: Path, size: int, tick: Tick) -> None:
        """Bring a file of a model's release to `path`, going on from what is there; errors as `ReleaseSource.fetch`."""
        target = self._target(f"{name}/{file}")
        if (target.length, target.hashes.get("sha256")) != (size, sha256):
            raise ModelError(f"{self._where}: {target.path} is signed as another file than its manifest names")
        self._source.fetch(_place(target), path, size, tick)

    def _anchor(self, updates: UpdatesSettings) -> bytes:
        """The first root: from the settings, or once from the repository, signed by one of `updates.keys`."""
        anchor = self._folder / "anchor.json"
        if updates.root:
            try:
                return Path(updates.root).read_bytes()
            except OSError as error:
                raise UsageError(f"updates.root {updates.root}: cannot be read ({error.strerror})") from error
        if anchor.is_file():
            return anchor.read_bytes()
        if not updates.keys:
            raise UsageError("no model is taken over: updates.root names no root of a repository that is trusted")
        try:
            data = self._source.read(_INTRODUCTION, LARGEST_MANIFEST_BYTES)
        except MissingError as error:
            raise ModelError(
                f"{self._where}: this device trusts updates.keys alone, and the repository was never introduced to "
                "them: set updates.root to its root.json, or, on the workstation: comfywear-export release introduce"
            ) from error
        try:
            root = open_envelope(data, updates.keys, ROOT_TYPE)
        except ReleaseError as error:
            raise ModelError(f"{self._where}: {_INTRODUCTION}: {error}") from error
        try:
            replace_file(anchor, root)
        except OSError as error:
            raise StoreError(f"{anchor} cannot be written ({error.strerror})") from error
        _log.info("%s is trusted from now on; releases of the old format are not taken any more", self._where)
        return root

    def _small(self, path: str) -> bytes:
        target = self._target(path)
        if target.length > LARGEST_MANIFEST_BYTES:
            most = LARGEST_MANIFEST_BYTES
            raise ModelError(f"{self._where}: {path} has {target.length} bytes, {most} at most are read")
        data = self._source.read(_place(target), target.length)
        with self._believed():
            target.verify_length_and_hashes(data)
        return data

    def _target(self, path: str) -> TargetFile:
        with self._believed():
            found = self._updater.get_targetinfo(path)
        if found is None or "sha256" not in found.hashes:
            raise ModelError(f"{self._where}: nobody who may has signed {path}")
        return found

    @contextmanager
    def _believed(self) -> Iterator[None]:
        """What the library refuses is said in words."""
        try:
            yield
        except ComfyWearError:
            raise
        except (exceptions.RepositoryError, exceptions.DownloadError, ValueError) as error:
            raise ModelError(f"{self._where}: {_words(error)}; the models in service stay") from error
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be written ({error.strerror})") from error

    def _keep(self) -> None:
        """Have what was seen on the disk: what a loss of power took away could be shown anew."""
        with suppress(OSError):
            for path in (*self._folder.glob("*.json"), *self._folder.glob("root_history/*.json")):
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            sync_folder(self._folder)


class _Fetcher(FetcherInterface):
    """Our connections for the library."""

    def __init__(self, source: ReleaseSource) -> None:
        self._source = source

    def _fetch(self, url: str) -> Iterator[bytes]:
        raise NotImplementedError  # the library asks for bytes alone: `download_bytes`

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """A file of the repository, up to a length."""
        try:
            data = self._source.read(url, max_length)
        except MissingError as error:
            raise exceptions.DownloadHTTPError(str(error), 404) from error
        if len(data) > max_length:
            raise exceptions.DownloadLengthMismatchError(f"{url} has more than {max_length} bytes")
        return data


def _place(target: TargetFile) -> str:
    folder, slash, name = target.path.rpartition("/")
    return f"targets/{folder}{slash}{target.hashes['sha256']}.{name}"


def _words(error: Exception) -> str:
    """What an error of the library means for people, and its own words."""
    said = " ".join("".join(each if each.isprintable() else " " for each in str(error)[:300]).split())
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M")
    if isinstance(error, exceptions.ExpiredMetadataError):
        meant = (
            f"what it says held until a moment that is past (here it is {now} UTC): nobody renewed it "
            "(comfywear-export release timestamp), an old state is shown on purpose (a freeze), or this device's clock "
            "is wrong"
        )
    elif isinstance(error, exceptions.BadVersionNumberError):
        meant = "it shows an older state than this device has seen before, or parts of two states (a rollback)"
    elif isinstance(error, exceptions.UnsignedMetadataError):
        meant = "it is not signed by as many of the keys that this device trusts as must sign"
    elif isinstance(error, exceptions.DownloadLengthMismatchError):
        meant = "it sends more than it may (data without end)"
    elif isinstance(error, exceptions.LengthOrHashMismatchError):
        meant = "its parts do not belong together (mixed from several states, or altered)"
    elif isinstance(error, exceptions.DownloadHTTPError):
        meant = "a part of it is missing"
    else:
        meant = "it is damaged, or no repository of models"
    return f"{meant}: {said}"
