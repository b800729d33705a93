"""A backup of a whole device, and a device made of it again."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from comfywear import __version__
from comfywear.backup.archive import FORMAT, SECRETS, SETTINGS, STATE, Archive, Manifest, write_archive
from comfywear.backup.before import Before, as_they_are, put_back, state_put_back
from comfywear.backup.secrets import Secrets, locked, unlocked
from comfywear.backup.state import OF_THE_ID, copied, is_kept, kept_files, replaced, unused
from comfywear.errors import ComfyWearError, SettingsError, SourceError, StoreError, UsageError
from comfywear.settings.edit import edited
from comfywear.settings.file import Settings, checked, load, secret_files, state_folder
from comfywear.settings.toml_lines import parse
from comfywear.system.clock import wall_time
from comfywear.system.credential import credential_path
from comfywear.system.files import replace_file
from comfywear.system.owner import as_owner
from comfywear.texts import Text, encode
from comfywear_sensors.redaction import CUT, redact

__all__ = ["RestorePlan", "Restored", "back_up", "described", "planned", "restore", "taken_back"]

_ID_LINE = re.compile(r"^[ \t]*id[ \t]*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        manifest: Of the backup.
        folder: The state folder.
        aside: The folder in it where the files are that were there before; None where there were none.
        settings: The settings file that was written; None where the backup has none, or none was wanted.
        secrets: Files with secrets that were written.
        missing: Why the device cannot start yet, in sentences.
        before: What the files beside the state folder were; None for one that was not there.
    """

    manifest: Manifest
    folder: Path
    aside: str | None
    settings: Path | None
    secrets: tuple[Path, ...]
    missing: tuple[str, ...]
    before: Before


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore would do; nothing is changed yet.

    Attributes:
        settings: What the device would have; the defaults where no settings are wanted.
        text: Of the settings file.
        files: Files with secrets that would be written.
        folder: The state folder.
        names: The files that would be put there.
        missing: As of `Restored`.
    """

    settings: Settings
    text: str
    files: Mapping[Path, bytes]
    folder: Path
    names: list[Path]
    missing: tuple[str, ...]


def back_up(out: Path, config: Path | None, folder: Path, passphrase: str | None, *, force: bool = False) -> Manifest:
    """Write a backup of a device, also while it runs; returns what is in it.

    Args:
        out: The file.
        config: The device's settings; None: they are left out.
        folder: Its state folder.
        passphrase: Behind which secrets are kept; None: they are cut out of the settings, and files of them left out.
        force: Write over a file that exists.

    Raises:
        UsageError: `out` exists, or the passphrase is too short.
        SettingsError: The settings cannot be read.
        StoreError: The state folder cannot be read, or a database in it is damaged.
        SourceError: A file that holds a secret cannot be read, or `out` cannot be written.
    """
    settings = load(config) if config else Settings()
    if not folder.is_dir():
        raise StoreError(
            Text(
                "{folder}: there is no such state folder; name it with --state-dir, or the settings with --config",
                folder=folder,
            )
        )
    files: dict[str, Path | bytes] = {}
    cut: list[int] = []
    if config is not None:
        text = config.read_text(encoding="utf-8")
        shown = [redact(line) for line in text.splitlines()]
        cut = [number for number, (was, now) in enumerate(zip(text.splitlines(), shown, strict=True), 1) if was != now]
        files[SETTINGS] = ("\n".join(shown) + "\n").encode() if cut else text.encode()
        if passphrase is not None:
            found_secrets = {field: _secret(field, file) for field, file in secret_files(settings).items()}
            secrets = Secrets(text, {field: data for field, data in found_secrets.items() if data is not None})
            files[SECRETS], cut = locked(secrets, passphrase), []
    found = wall_time()
    manifest = Manifest(
        format=FORMAT,
        version=__version__,
        site=settings.device.site,
        device=settings.device.name(),
        made=found.ts if found.time_ok else None,
        cut=cut,
    )
    owner = folder.stat()
    elsewhere = os.geteuid() == 0 and owner.st_uid != 0  # the owner copies, and may not enter the folder of `out`
    try:
        with tempfile.TemporaryDirectory(dir=None if elsewhere else out.absolute().parent, prefix=".backup-") as made:
            if elsewhere:
                os.chown(made, owner.st_uid, owner.st_gid)
            names = as_owner(folder, lambda place: _copies(place, Path(made)))
            if elsewhere:
                os.chown(made, 0, 0)
            for number, name in msgspec.json.decode(names, type=dict[int, str]).items():
                files[f"{STATE}{name}"] = Path(made) / str(number)
            return write_archive(out, manifest, files, force=force)
    except ComfyWearError:  # which are OSErrors too, and say what is wrong
        raise
    except OSError as error:
        raise SourceError(Text("{out} cannot be written ({why})", out=out, why=error.strerror)) from error


def planned(
    archive: Archive,
    config: Path | None,
    folder: Path | None,
    passphrase: str | None,
    *,
    device_id: str | None = None,
    stays: bool = False,
) -> RestorePlan:
    """What `restore` would do with the same arguments; errors as there."""
    secrets = _unlocked(archive, passphrase)
    try:
        text = (secrets.settings if secrets else None) or (archive.read(SETTINGS) or b"").decode()
    except UnicodeDecodeError as error:
        raise SettingsError("the settings in the backup are no text") from error
    folder_of_secrets = (config or Path()).absolute().parent / "secrets"
    texts: dict[Path, bytes] = {}
    wanted = Settings()
    if config is not None:
        if not text:
            raise SourceError(Text("the backup has no settings in it: leave --config out, and name --state-dir"))
        wanted = _parsed(text, archive.manifest.version)
        if device_id:
            text = _with_id(text, device_id)
        for field, content in (secrets.files if secrets else {}).items():
            place = folder_of_secrets / field
            text = _with_path(text, secret_files(wanted)[field], place)
            texts[place] = content
        if stays and folder is not None and state_folder(wanted) != folder:
            text = edited(text, {("device", "state_dir"): str(folder)})
        wanted = _parsed(text, archive.manifest.version)
    other_id = device_id is not None and device_id != archive.manifest.device
    return RestorePlan(
        wanted,
        text,
        texts,
        folder or state_folder(wanted),
        [name for name in archive.state if is_kept(name) and not (other_id and name.as_posix() in OF_THE_ID)],
        tuple(_missing(archive, wanted, secrets, texts)),
    )


def restore(
    archive: Archive,
    config: Path | None,
    folder: Path | None,
    passphrase: str | None,
    *,
    device_id: str | None = None,
    stays: bool = False,
) -> Restored:
    """Make this machine's device of a backup; those files that were there before are set aside.

    Args:
        archive: The backup, which was checked.
        config: Where the settings go; None: they are not wanted.
        folder: The state folder; None: that of the backup's settings.
        passphrase: Of its secrets; None: those are left out.
        device_id: Its id from now on, where it is not that of the backup's settings.
        stays: The settings name `folder` from now on, whatever the backup's say.

    Raises:
        UsageError: The passphrase is another.
        SettingsError: The settings are none that this version reads.
        SourceError: The backup has no settings, or a file cannot be written.
        StoreError: A device runs on the state folder, or a file could not be put there. Nothing is changed then.
    """
    plan = planned(archive, config, folder, passphrase, device_id=device_id, stays=stays)
    target = plan.folder
    service = target.stat() if target.is_dir() else None
    before = as_they_are([*plan.files, *([config] if config else [])])
    was = before[config] if config is not None else None
    within = config is not None and config.absolute().parent.resolve() == target.resolve()
    if config is not None and was is None and not os.access(config.absolute().parent, os.W_OK):
        raise SourceError(Text("{config} cannot be written: its folder is not there, or not yours", config=config))
    try:
        for place, content in plan.files.items():
            _write(place, content, 0o600, service)
        if config is not None and was is not None:
            _write(config.with_name(f"{config.name}.before-restore"), was[0], 0o600)
        if config is not None:
            open_to_all = redact(plan.text) == plan.text
            mode = stat.S_IMODE(was[1].st_mode) if was else 0o644 if open_to_all else 0o640
            _write(config, plan.text.encode(), mode, was[1] if was else service if within else None)
        aside = as_owner(target, lambda place: _put(archive, place, plan.names))
    except ComfyWearError:
        put_back(before)
        raise
    return Restored(archive.manifest, target, aside or None, config, tuple(plan.files), plan.missing, before)


def taken_back(done: Restored) -> None:
    """Have all be as it was before a restore; the device that was restored has ended.

    Raises:
        SourceError: A file cannot be written.
        StoreError: The state folder could not be put back.
    """
    as_owner(done.folder, lambda place: state_put_back(place, done.aside))
    put_back(done.before)


def _copies(folder: Path, made: Path) -> str:
    """Copy what is kept of a state folder to numbered files; their names by number, as JSON."""
    names = {}
    for number, name in enumerate(kept_files(folder)):
        with suppress(FileNotFoundError):  # gone since it was listed
            copied(folder / name, made / str(number))
            names[number] = name.as_posix()
    return encode(names).decode()


def _put(archive: Archive, target: Path, names: list[Path]) -> str:
    """Unpack beside, then exchange; returns the folder's name where what was there before is, "" for none."""
    with unused(target):
        return _exchange(archive, target, names)


def _exchange(archive: Archive, target: Path, names: list[Path]) -> str:
    stamp = re.sub(r"[^0-9]", "", wall_time().ts or "")[:14] or "unknown"
    aside = target / f"before-restore-{stamp}"
    number = 1
    while aside.exists():
        number += 1
        aside = target / f"before-restore-{stamp}-{number}"
    fresh = target / ".restoring"
    _remove(fresh)
    try:
        for name in names:
            archive.unpack(name, fresh / name)
        replaced(target, fresh, names, aside)
    finally:
        _remove(fresh)
    return aside.name if aside.exists() else ""


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _unlocked(archive: Archive, passphrase: str | None) -> Secrets | None:
    data = archive.read(SECRETS)
    if data is None:
        if passphrase is not None:
            raise UsageError(Text("the backup was made without a passphrase: it holds no secrets"))
        return None
    return unlocked(data, passphrase) if passphrase is not None else None


def _missing(archive: Archive, wanted: Settings, secrets: Secrets | None, written: Collection[Path]) -> list[str]:
    """What stands in the way of a start; files that will be `written` do not."""
    said = []
    lines = archive.manifest.cut
    if archive.read(SECRETS) is not None and secrets is None:
        said.append("secrets were left out for want of the passphrase: restore again with it, or put them in by hand")
    elif lines:
        listed = ", ".join(map(str, lines))
        said.append(f"secrets were cut from the settings, which had no passphrase: see line {listed}")
    for field, file in secret_files(wanted).items():
        with suppress(LookupError, ValueError):
            if Path(file) not in written and not credential_path(file).is_file():
                said.append(f"{field}: there is no file {file} on this machine")
    return said


def _secret(field: str, file: str) -> bytes | None:
    """What a file holds; None for one that the service manager keeps, which a restored device gets from it again."""
    try:
        return credential_path(file).read_bytes()
    except LookupError:
        return None
    except (OSError, ValueError) as error:
        raise SourceError(
            Text("{field}: {file} cannot be read; without a passphrase it is left out", field=field, file=file)
        ) from error


def _parsed(text: str, version: str) -> Settings:
    """The settings of a backup that comfywear `version` made.

    Raises:
        SettingsError: This version does not read them.
    """
    text = text.replace(CUT, "cut")  # what is to be filled in yet may be anything
    try:
        return checked(parse(text, SETTINGS), text, SETTINGS)
    except SettingsError as error:
        raise SettingsError(
            Text(
                "the backup, of comfywear {version}, has settings that this one, {own}, does not read: {why}. Restore "
                "all but the settings, or with a version that reads them",
                version=version,
                own=__version__,
                why=error,
            )
        ) from error


def _with_id(text: str, device_id: str) -> str:
    """The settings with another `device.id`, all else as it was."""
    line = f'id = "{device_id}"'
    head = re.search(r"^[ \t]*\[device\][^\n]*$", text, re.MULTILINE)
    if head is None:
        return f"[device]\n{line}\n\n{text}"
    end = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, head.end())
    table = text[head.end() : end.start() if end else len(text)]
    rest = text[head.end() + len(table) :]
    table = _ID_LINE.sub(line, table) if _ID_LINE.search(table) else f"\n{line}{table}"
    return text[: head.end()] + table + rest


def _with_path(text: str, before: str, place: Path) -> str:
    """The settings with a file in another place.

    Raises:
        SourceError: The path is not written there as it is meant.
    """
    for quoted in (f'"{before}"', f"'{before}'"):
        if quoted in text:
            return text.replace(quoted, f'"{place}"')
    raise SourceError(
        Text("the settings name the file {before} in another spelling; restore without the passphrase", before=before)
    )


def _write(path: Path, content: bytes, mode: int, owner: os.stat_result | None = None) -> None:
    """Put a file there, of the owner of something else where this is root; its folder can be entered by that group."""
    try:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=0o750)
            if owner is not None and os.geteuid() == 0:
                os.chown(path.parent, -1, owner.st_gid)
        replace_file(path, content, mode=mode & 0o700)
        if owner is not None and os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(mode)
    except OSError as error:
        raise SourceError(Text("{path} cannot be written ({why})", path=path, why=error.strerror)) from error


def described(manifest: Manifest) -> Mapping[str, int]:
    """How many bytes each file of the state folder has, by name."""
    return {each.name.removeprefix(STATE): each.size for each in manifest.members if each.name.startswith(STATE)}
