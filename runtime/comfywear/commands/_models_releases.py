"""`comfywear models pull` and `rollback`: releases come into service on this device, and go again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from comfywear import settings as settings_file
from comfywear.commands._state_folder import add_state_folder, given_folder
from comfywear.errors import ComfyWearError, DeviceNotRunningError, UsageError
from comfywear.feedback import ask
from comfywear.releases import Releases, Slots
from comfywear.settings import Settings, state_folder
from comfywear.system.owner import become_owner

__all__ = ["add_pull", "add_rollback", "lines", "releases_of"]


def add_pull(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `pull`."""
    parser = actions.add_parser("pull", help="take over a signed release of a model (docs/updates.md)")
    parser.add_argument(
        "release",
        metavar="URL|FILE",
        nargs="?",
        help="a repository (a URL that ends in /, or its folder), or one signed manifest, *.release.json, with its "
        "files beside it (default: updates.repository)",
    )
    parser.add_argument(
        "--config", metavar="FILE", required=True, help="the device's settings, with updates.root or updates.keys"
    )
    parser.add_argument(
        "--ahead", action="store_true", help="also before this device's turn, and where a roll-out is stopped"
    )
    parser.add_argument("--older", action="store_true", help="also one released before the one in service")
    parser.set_defaults(run=_pull)


def add_rollback(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rollback`."""
    parser = actions.add_parser("rollback", help="put the release before, or the shipped model, into service again")
    parser.add_argument("name", metavar="NAME", nargs="?", help="of the model; needed where there are several")
    parser.add_argument("--because", metavar="WORDS", default="by command", help="is kept in the model's history")
    add_state_folder(parser)
    parser.set_defaults(run=_roll_back)


def releases_of(args: argparse.Namespace) -> Releases:
    """The releases of the device that is meant."""
    return Releases(given_folder(args) / "releases")


def lines(name: str, slots: Slots) -> Iterator[str]:
    """What is in service, in lines for people."""
    before = f", before it {slots.before}" if slots.before else ""
    yield f"{name}: {slots.version} in service{' on trial' if slots.trial else ''}{before}"
    for entry in reversed(slots.history[-5:]):
        yield f"  {entry.ts or 'time not known':29} {entry.version} {entry.what}{entry.reason and ': '}{entry.reason}"


def _pull(args: argparse.Namespace) -> int:
    from comfywear.releases.offers import due, is_repository

    settings = settings_file.load(args.config)
    release = args.release or settings.updates.repository
    if not release:
        raise UsageError("say what is to be pulled: a repository or a manifest; or set updates.repository")
    if "://" not in release:
        release = str(Path(release).resolve())
    folder = become_owner(state_folder(settings))
    releases = Releases(folder / "releases")
    if not is_repository(release):
        _pull_one(args, settings, releases, release, "", "")
    else:
        for model, version in due(releases, release, settings, ahead=args.ahead).items():
            _pull_one(args, settings, releases, release, model, version)
    _tell(folder)
    return 0


def _pull_one(
    args: argparse.Namespace, settings: Settings, releases: Releases, release: str, model: str, version: str
) -> None:
    from comfywear.releases.pulling import pull

    def work_ms(name: str) -> float | None:
        found = _asked(releases.folder.parent, {"verb": "models"}).get("picture_ms", {}).get(name)
        return float(found) if found else None

    def say(what: str) -> None:
        print(f"  {what}", flush=True)

    pulled = pull(releases, release, settings, model=model, version=version, older=args.older, say=say, work_ms=work_ms)
    gate = pulled.gate
    beside = f", {gate.present_ms:.3g} ms with the one before" if gate.present_ms is not None else ""
    print(f"{pulled.name} {pulled.version} is in service on trial, after {pulled.before}")
    print(f"  {gate.engine} {gate.precision}: {gate.cost_ms:.3g} ms a picture{beside}")
    if pulled.name not in names(settings):
        print(f'  the settings do not use it yet: [vision] detector or attributes = "{pulled.name}"')


def _roll_back(args: argparse.Namespace) -> int:
    folder = become_owner(given_folder(args))
    releases = Releases(folder / "releases")
    name = args.name or _only(releases)
    print(f"{name}: {releases.roll_back(name, args.because)} is in service")
    _tell(folder)
    return 0


def names(settings: Settings) -> tuple[str, ...]:
    """The models of the settings."""
    vision = settings.vision
    return tuple(name for name in (vision.detector, vision.garments, vision.attributes) if name)


def _only(releases: Releases) -> str:
    there = [name for name in releases.names() if releases.slots(name).current]
    if len(there) != 1:
        raise UsageError(f"say which model: {', '.join(there)}" if there else "no release is in service here")
    return there[0]


def _tell(folder: Path) -> None:
    """Have the running device load its models again; where none runs, the next start does."""
    try:
        ask(folder, {"verb": "models", "renew": True})
    except DeviceNotRunningError as error:
        print(f"  the device takes it over when it starts ({error})")
        return
    print("  the device takes it over now")


def _asked(folder: Path, request: dict[str, object]) -> dict[str, dict[str, float]]:
    try:
        return ask(folder, request)
    except ComfyWearError:
        return {}
