"""Pulls a release: fetched, checked, tried, taken over. Whatever goes wrong, the model in service stays."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from comfywear.errors import ModelError, StoreError, UsageError
from comfywear.releases.folders import hand_over, locked
from comfywear.releases.gate import Passed, try_model
from comfywear.releases.offers import BUSY, ReleaseOffer, offer_of
from comfywear.releases.rules import Rules, rules_of
from comfywear.releases.service import InService
from comfywear.releases.slots import Slot
from comfywear.releases.store import Releases, shipped_version, version_order
from comfywear.settings import Settings, VisionSettings
from comfywear.system.files import replace_file, sync_folder
from comfywear.system.paths import user_models
from comfywear.texts import encode
from comfywear.vision.engines import choice as engine_choice
from comfywear_models import ModelFile, available
from comfywear_models.release import SUFFIX, Manifest

__all__ = ["CutShortError", "Pulled", "pull"]

_log = logging.getLogger(__name__)

_TASKS = ("detector", "attributes")
# Left free on the disk, for votes and messages.
_RESERVE_BYTES = 50_000_000
# A trial on the job is judged against what the present model costs on the job. Where nobody knows that, the gate's
# figure stands for it, doubled: beside the camera and the other model everything takes longer.
_GATE_TO_WORK = 2.0
_GRACE_MS = 1.0

Say = Callable[[str], None]
"""Hears what is being done, a short line each."""
Progress = Callable[[str, str, float], None]
"""Hears a model's name, its version, and how much of its files is here, 0…1."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A release that was taken over; it is on trial now."""

    name: str
    version: str
    before: str
    gate: Passed


def pull(
    releases: Releases,
    url_or_file: str,
    settings: Settings,
    *,
    model: str = "",
    version: str = "",
    from_afar: bool = False,
    older: bool = False,
    say: Say = lambda _: None,
    alive: Callable[[], None] = lambda: None,
    progress: Progress = lambda *_: None,
    work_ms: Callable[[str], float | None] = lambda _: None,
    rules: Rules | None = None,
) -> Pulled:
    """Pull a release and put it into service.

    Args:
        releases: Of this device.
        url_or_file: Of the signed manifest, with the files beside it; or of a repository.
        settings: Of the device: who may release, from where, which engine runs models.
        model: Which of a repository, as `due` says it.
        version: Of the same.
        from_afar: It was asked for over MQTT: only URLs below `updates.sources`.
        older: Also take a release that is older than the one in service.
        say: Hears about the progress.
        alive: Is called often; may raise to end it all.
        progress: Hears how far the files are.
        work_ms: What a picture costs with the present model of a name at work; None where it is not at work.
        rules: Of the fetching, by the settings when left out.

    Raises:
        UsageError: It may not be pulled from there, or another is being pulled.
        ModelError: The release is refused, with the reason; it is kept in the model's history. `CutShortError` where
            that says nothing of the release, since it could not be fetched as a whole.
        StoreError: There is no room, or the folder cannot be written.
    """
    updates = settings.updates
    allowed = rules or rules_of(settings, from_afar=from_afar)
    with locked(releases.folder / "pulling.lock", busy=BUSY):
        say("what is offered")
        try:
            offer = offer_of(releases, url_or_file, settings, allowed, alive, model, version)
        except ModelError as error:
            _log.warning("%s: refused: %s", url_or_file, error)
            raise
        manifest = offer.manifest
        name, version = manifest.card.name, manifest.card.version
        slot = _slot(manifest, offer.data)
        try:
            _check_fits(releases, manifest, slot, settings, older=older)
        except ModelError as error:
            releases.refuse(name, version, str(error))
            raise
        staged = _staging(releases.folder / "incoming", manifest, slot)
        try:
            _bring(offer, staged, say, alive, progress)
            say(f"{name} {version}: trying it")
            passed = try_model(
                staged / f"{name}.card.json",
                manifest.samples,
                present=_present(releases, manifest),
                slower_at_most=updates.slower_at_most,
                vision=_as_it_runs(releases, settings.vision),
                tick=alive,
            )
            limit_ms = _limit_ms(passed, work_ms(name), updates.slower_at_most)
            before = releases.slots(name).version
            releases.take_over(name, slot, staged, limit_ms)
        except ModelError as error:
            if not isinstance(error, CutShortError) or isinstance(error, _AlteredError):
                shutil.rmtree(staged, ignore_errors=True)
            releases.refuse(name, version, str(error))
            kind = CutShortError if isinstance(error, CutShortError) else ModelError
            raise kind(f"{name} {version} is not taken over: {error}") from error
        except StoreError:
            shutil.rmtree(staged, ignore_errors=True)  # a full disk is needed for other things
            raise
        finally:
            hand_over(releases.folder)
    _log.info("model %s %s is taken over after %s, on trial", name, version, before)
    return Pulled(name, version, before, passed)


class CutShortError(ModelError):
    """A release could not be fetched as a whole, which says nothing of the release; what came is worth keeping."""


class _AlteredError(CutShortError):
    """What came is not what was released; nothing of it is worth keeping."""


def _slot(manifest: Manifest, data: bytes) -> Slot:
    digest = hashlib.sha256(data).hexdigest()[:12]
    card = manifest.card
    return Slot(card.version, f"{card.version}-{digest}", manifest.released, shipped_version(card.name))


def _check_fits(releases: Releases, manifest: Manifest, slot: Slot, settings: Settings, *, older: bool) -> None:
    """Whether this device takes such a release at all, before anything of it is fetched."""
    card, slots = manifest.card, releases.slots(manifest.card.name)
    named = f"{card.name} {card.version}"
    if card.task not in _TASKS:
        raise ModelError(f"{named}: it is for {card.task!r}; {' and '.join(_TASKS)} can be pulled")
    if card.name in available(user_models()) and card.name not in available():
        raise ModelError(f"{named}: a model that was imported here has that name (comfywear models list)")
    largest = settings.updates.largest_mb * 1e6
    if manifest.bytes > largest:
        raise ModelError(
            f"{named}: its files have {manifest.bytes / 1e6:.1f} MB, updates.largest_mb allows {largest / 1e6:g}"
        )
    if slots.current is not None and slots.current.folder == slot.folder:
        raise UsageError(f"{named} is in service already")
    if slot.released < slots.newest and not older:
        raise ModelError(
            f"{named}: released {slot.released}, before one that was in service here ({slots.newest}); "
            "to go back on purpose: comfywear models rollback, or pull with --older"
        )
    shipped = shipped_version(card.name)
    if slots.current is None and not older and version_order(card.version) < version_order(shipped):
        raise ModelError(
            f"{named}: older than the one in service, {shipped}, which came with the program; "
            "to take it on purpose: pull with --older"
        )
    releases.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(releases.folder).free
    if free < manifest.bytes + _RESERVE_BYTES:
        raise StoreError(
            f"{named}: {manifest.bytes / 1e6:.1f} MB do not fit on the disk: {free / 1e6:.0f} MB are free, of which "
            f"{_RESERVE_BYTES / 1e6:.0f} stay for votes and messages"
        )


def _staging(incoming: Path, manifest: Manifest, slot: Slot) -> Path:
    """Where a release is brought together; what is left of others goes."""
    staged = incoming / f"{manifest.card.name}-{slot.folder}"
    try:
        staged.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{staged} cannot be made ({error.strerror})") from error
    for other in incoming.iterdir():
        if other != staged:
            shutil.rmtree(other, ignore_errors=True)
    return staged


def _bring(offer: ReleaseOffer, staged: Path, say: Say, alive: Callable[[], None], progress: Progress) -> None:
    """Bring every file of a release together, each with the right hash, all on the disk when this returns."""
    card = offer.manifest.card
    whole, here = sum(file.bytes for file in card.files), 0
    for file in card.files:
        path = staged / file.path

        def seen(there: int, before: int = here) -> None:
            alive()
            progress(card.name, card.version, (before + there) / whole)

        if not (path.is_file() and _digest(path) == file.sha256):
            _bring_one(offer, file, path, say, seen)
        here += file.bytes
    for name, content in (
        (f"{card.name}.card.json", encode(card)),
        (f"manifest{SUFFIX}", offer.data),
    ):
        _write(staged / name, content)
    sync_folder(staged)


def _bring_one(offer: ReleaseOffer, file: ModelFile, path: Path, say: Say, seen: Callable[[int], None]) -> None:
    part = path.with_name(f"{path.name}.part")
    shown = 0.0

    def tick(there: int) -> None:
        nonlocal shown
        seen(there)
        if there >= shown + file.bytes / 4 or there == file.bytes:
            shown = there
            say(f"{file.path}: {there / 1e6:.1f} of {file.bytes / 1e6:.1f} MB")

    for resumed in (part.exists(), False):
        try:
            offer.fetch(file, part, tick)
        except ModelError as error:
            raise CutShortError(str(error)) from error
        found = _digest(part)
        if found == file.sha256:
            break
        part.unlink()
        if not resumed:
            raise _AlteredError(
                f"{file.path} has the wrong hash (sha256 {found[:12]}…, the release says {file.sha256[:12]}…)"
            )
        say(f"{file.path}: what was here from before is damaged; from the beginning")
    try:
        with part.open("rb") as handle:
            os.fsync(handle.fileno())
        part.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror})") from error


def _as_it_runs(releases: Releases, vision: VisionSettings) -> VisionSettings:
    """The settings with the engine that the device has chosen, where it chooses and has done so."""
    if vision.engine != "auto":
        return vision
    in_service = InService(releases, (), 0.0).vision_of(vision)
    chosen = engine_choice.kept(engine_choice.fingerprint(in_service))
    return msgspec.structs.replace(vision, engine=chosen.engine) if chosen else vision


def _present(releases: Releases, manifest: Manifest) -> str:
    """What the new model is compared with: the one of its name, or the shipped one for its task."""
    card = manifest.card
    in_service = releases.card_of(card.name)
    return in_service if in_service != card.name or card.name in available() else card.task


def _limit_ms(passed: Passed, work_ms: float | None, slower_at_most: float) -> float | None:
    """What a picture may cost during the trial."""
    if passed.present_ms is None:
        return None
    usual_ms = max(work_ms, passed.present_ms) if work_ms is not None else _GATE_TO_WORK * passed.present_ms
    return slower_at_most * usual_ms + _GRACE_MS


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror})") from error
