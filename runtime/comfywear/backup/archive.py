"""The file of a backup: a ZIP with a manifest that names every member with its size and digest."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import final

import msgspec

from comfywear.errors import SourceError, UsageError
from comfywear.system.damaged_zip import DAMAGED_ZIP
from comfywear.texts import Text, encode

__all__ = ["FORMAT", "SECRETS", "SETTINGS", "STATE", "Archive", "Manifest", "Member", "write_archive"]

FORMAT = 1
SETTINGS, SECRETS, STATE = "settings.toml", "secrets.bin", "state/"
_MANIFEST = "manifest.json"
_MOST_BYTES, _MOST_MEMBERS, _MOST_MANIFEST = 8 * 10**9, 10_000, 4 * 10**6
_PIECE = 1 << 20
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,200}")


class Member(msgspec.Struct, frozen=True):
    """A file in it: its name, bytes, and SHA-256."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds.

    Attributes:
        format: Of the file; it rises when older versions cannot read it any more.
        version: Of the program that wrote it.
        site: Of the device.
        device: Its id.
        made: ISO 8601 UTC; None while the clock was not set.
        cut: Lines of the settings (from 1) from which a secret was cut, because there was no passphrase.
        members: Every file.
    """

    format: int
    version: str
    site: str
    device: str
    made: str | None = None
    cut: list[int] = []
    members: list[Member] = []


def write_archive(out: Path, manifest: Manifest, files: Mapping[str, Path | bytes], *, force: bool = False) -> Manifest:
    """Write a backup, whole or not at all, for its owner alone (mode 0600); returns its manifest with the members.

    Args:
        out: The file.
        manifest: Without members.
        files: What goes in by name: from a path, or the bytes themselves.
        force: Write over a file that exists.

    Raises:
        UsageError: The file exists.
        SourceError: It cannot be written.
    """
    if out.exists() and not force:
        raise UsageError(Text("{out} exists; name another file, or write over it with --force", out=out))
    part = out.with_name(f".{out.name}.part")
    members = []
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in files.items():
                    data = content if isinstance(content, bytes) else _bytes_of(content)
                    archive.writestr(_info(name), data)
                    members.append(Member(name, len(data), hashlib.sha256(data).hexdigest()))
                whole = msgspec.structs.replace(manifest, members=members)
                archive.writestr(_info(_MANIFEST), encode(whole))
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        raise SourceError(Text("{out} cannot be written ({why})", out=out, why=error.strerror)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return whole


@final
class Archive:
    """A backup that was read whole once and is sound; a context manager.

    Args:
        path: The file.

    Raises:
        SourceError: It cannot be read, is none, or is damaged: the message says what is wrong.
        UsageError: A later version of the program wrote it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except DAMAGED_ZIP as error:
            raise SourceError(
                Text("{path} cannot be read as a backup ({said})", path=path, said=_said(error))
            ) from error
        try:
            self.manifest = self._checked()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def state(self) -> list[Path]:
        """The files of the state folder, as paths in it."""
        names = (each.name for each in self.manifest.members if each.name.startswith(STATE))
        return [Path(name.removeprefix(STATE)) for name in names]

    def read(self, name: str) -> bytes | None:
        """A member; None where there is no such."""
        return self._zip.read(name) if any(each.name == name for each in self.manifest.members) else None

    def unpack(self, name: Path, target: Path) -> None:
        """Write a file of the state folder to `target`.

        Raises:
            SourceError: It cannot be written.
        """
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._zip.open(f"{STATE}{name.as_posix()}") as source, target.open("wb") as file:
                while piece := source.read(_PIECE):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SourceError(Text("{target} cannot be written ({why})", target=target, why=error.strerror)) from error

    def _checked(self) -> Manifest:
        infos = {info.filename: info for info in self._zip.infolist()}
        if _MANIFEST not in infos or len(infos) != len(self._zip.infolist()):
            raise SourceError(
                Text("{path} is no backup of a comfort sensor: it has no manifest of its own", path=self._path)
            )
        if len(infos) > _MOST_MEMBERS or infos[_MANIFEST].file_size > _MOST_MANIFEST:
            raise SourceError(
                Text("{path}: no backup has {infos} files, or so long a manifest", path=self._path, infos=len(infos))
            )
        try:
            manifest = msgspec.json.decode(self._zip.read(_MANIFEST), type=Manifest)
        except (msgspec.DecodeError, UnicodeError, RecursionError, *DAMAGED_ZIP) as error:
            raise SourceError(
                Text("{path} is damaged: its manifest cannot be read ({said})", path=self._path, said=_said(error))
            ) from error
        if manifest.format > FORMAT:
            raise UsageError(
                Text(
                    "{path} was written by comfywear {version}, which is later: update first",
                    path=self._path,
                    version=manifest.version,
                )
            )
        if {each.name for each in manifest.members} != infos.keys() - {_MANIFEST}:
            raise SourceError(Text("{path} is damaged: its files are not those of its manifest", path=self._path))
        if sum(each.size for each in manifest.members) > _MOST_BYTES:
            raise SourceError(
                Text(
                    "{path}: no backup is larger than {most_bytes} GB",
                    path=self._path,
                    most_bytes=f"{_MOST_BYTES / 1e9:g}",
                )
            )
        for each in manifest.members:
            if not _may_be(each.name):
                raise SourceError(
                    Text("{path}: {name} is no file of a backup", path=self._path, name=repr(each.name[:100]))
                )
            self._check(each)
        return manifest

    def _check(self, member: Member) -> None:
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(member.name) as source:
                while size <= member.size and (piece := source.read(_PIECE)):
                    digest.update(piece)
                    size += len(piece)
        except DAMAGED_ZIP as error:
            raise SourceError(
                Text("{path} is damaged at {name} ({said})", path=self._path, name=member.name, said=_said(error))
            ) from error
        if (size, digest.hexdigest()) != (member.size, member.sha256):
            raise SourceError(
                Text("{path} is damaged at {name}: it is not what was written", path=self._path, name=member.name)
            )


def _may_be(name: str) -> bool:
    """Whether a member may have this name: nothing that leads out of the state folder."""
    if name in (SETTINGS, SECRETS):
        return True
    parts: Sequence[str] = PurePosixPath(name.removeprefix(STATE)).parts
    plain = "/".join(parts) == name.removeprefix(STATE)
    return name.startswith(STATE) and plain and bool(parts) and all(_PART.fullmatch(part) for part in parts)


def _bytes_of(path: Path) -> bytes:
    """What a file holds; one that is a link is none: whoever copied it may be another user."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read()


def _info(name: str) -> zipfile.ZipInfo:
    """A member for its owner alone, with no time: the same device gives the same bytes."""
    info = zipfile.ZipInfo(name)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return info


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
