"""What a device is offered: a release by its signed manifest, or one of a repository; and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from comfywear.errors import ModelError, UsageError
from comfywear.releases.fetching import Tick, open_source
from comfywear.releases.folders import locked
from comfywear.releases.rules import Rules, rules_of
from comfywear.releases.store import Releases, shipped_version, version_order
from comfywear.settings import Settings
from comfywear.settings.updates import UpdatesSettings
from comfywear.system.json_file import load_json
from comfywear_models import ModelFile
from comfywear_models.release import Manifest, ReleaseError, open_release
from comfywear_models.rollouts import turn_of

if TYPE_CHECKING:
    from comfywear.releases.tuf_client import RepositoryClient

__all__ = ["BUSY", "ReleaseOffer", "due", "heard_until", "is_repository", "offer_of"]

BUSY = "another release is being pulled; wait for its end"


@dataclass(frozen=True, slots=True)
class ReleaseOffer:
    """A release whose manifest is believed.

    Attributes:
        manifest: What it is.
        data: What of it is kept, and tells releases apart.
        fetch: Brings one of its files to a path, going on from what is there; errors as `ReleaseSource.fetch`.
    """

    manifest: Manifest
    data: bytes
    fetch: Callable[[ModelFile, Path, Tick], None]


def is_repository(url_or_path: str) -> bool:
    """Whether a repository is named, not one release: a URL that ends in /, or a folder."""
    return url_or_path.endswith("/") if "://" in url_or_path else Path(url_or_path).is_dir()


def due(
    releases: Releases,
    repository: str,
    settings: Settings,
    *,
    from_afar: bool = False,
    ahead: bool = False,
    alive: Callable[[], None] = lambda: None,
    rules: Rules | None = None,
) -> dict[str, str]:
    """The models of the settings for which a repository has another release that this device is to take now.

    Args:
        releases: Of this device.
        repository: Its URL, or its folder.
        settings: Of the device.
        from_afar: See `pull`.
        ahead: Also before the device's turn, and where a roll-out is stopped.
        alive: See `pull`.
        rules: See `pull`.

    Returns:
        The version by the model's name.

    Raises:
        UsageError: There is none, and why; or as `pull`.
        ModelError: As `pull`.
        StoreError: As `pull`.
    """
    with locked(releases.folder / "pulling.lock", busy=BUSY):
        client = _client(releases, repository, settings, rules or rules_of(settings, from_afar=from_afar), alive)
        rollouts = client.rollouts()
    found, not_yet = {}, []
    for name in dict.fromkeys((settings.vision.detector, settings.vision.garments, settings.vision.attributes)):
        if name not in rollouts:
            continue
        version, why = turn_of(name, rollouts[name], settings.device.name(), settings.updates.group)
        version, why = (rollouts[name].version, "") if ahead else (version, why)
        current = releases.slots(name).current
        here = current.version if current else shipped_version(name)
        # What went to all before is for those who have something older, not to go back to.
        if version and version != here and not (why and version_order(version) <= version_order(here)):
            found[name] = version
        else:
            not_yet.append(f"{name} {rollouts[name].version}: {why or 'is in service'}")
    if not found:
        offered = ", ".join(sorted(rollouts)) or "nothing"
        reasons = "; ".join(not_yet) or f"it has {offered}, and the settings name no such model"
        raise UsageError(f"{repository} has nothing new for this device: {reasons}")
    return found


def heard_until(releases: Releases) -> datetime | None:
    """Until when that holds which was heard last of a repository; None where none was heard."""
    kept = load_json(releases.folder / "repository" / "timestamp.json", _Kept())
    try:
        return datetime.strptime(kept.signed.expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


class _Signed(msgspec.Struct, frozen=True):
    expires: str = ""


class _Kept(msgspec.Struct, frozen=True):
    signed: _Signed = _Signed()


def offer_of(
    releases: Releases,
    url_or_file: str,
    settings: Settings,
    rules: Rules,
    alive: Callable[[], None],
    model: str,
    version: str,
) -> ReleaseOffer:
    """What is offered at an address; `model` and `version` say which release of a repository.

    Raises:
        UsageError: It may not be taken from there.
        ModelError: It is not believed, or cannot be had.
        StoreError: The folder cannot be written.
    """
    if is_repository(url_or_file):
        client = _client(releases, url_or_file, settings, rules, alive)
        manifest, data = client.manifest(model, version)
        return ReleaseOffer(
            manifest,
            data,
            lambda file, path, tick: client.fetch(model, file.path, file.sha256, path, file.bytes, tick),
        )
    _refuse_old(releases, settings.updates)
    source = open_source(url_or_file, rules, alive)
    data = source.manifest()
    try:
        manifest = open_release(data, settings.updates.keys)
    except ReleaseError as error:
        raise ModelError(f"{url_or_file}: {error}") from error
    return ReleaseOffer(manifest, data, lambda file, path, tick: source.fetch(file.path, path, file.bytes, tick))


def _refuse_old(releases: Releases, updates: UpdatesSettings) -> None:
    """A device that has a repository does not go back to releases that nobody can take back."""
    if updates.root or (releases.folder / "repository" / "anchor.json").is_file():
        raise UsageError(
            "this device takes models from its repository alone, and no single release any more: name the repository "
            f"({updates.repository or 'a URL that ends in /, or its folder'})"
        )
    if not updates.keys:
        raise UsageError("no model is taken over: updates.keys names nobody who may release one")


def _client(
    releases: Releases, where: str, settings: Settings, rules: Rules, alive: Callable[[], None]
) -> RepositoryClient:
    from comfywear.releases.tuf_client import RepositoryClient

    return RepositoryClient(open_source(where, rules, alive), where, releases.folder, settings.updates)
