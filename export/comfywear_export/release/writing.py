"""Writes a release: files named for the model's version, a card that says what it replaces, a page, a signature.

The manifest is written last: what a device can find is whole.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from comfywear.errors import ModelError, StoreError, UsageError
from comfywear.vision.sample import sample_answers
from comfywear_export.release.gate import Fall, Figure, Tolerances
from comfywear_models import Card, CardError
from comfywear_models.registry import verify
from comfywear_models.release import ReleaseError, build, file_name, open_release, public_key_of, sign
from comfywear_models.signing_keys import read_private

if TYPE_CHECKING:
    from comfywear_models.repository import Repository

__all__ = ["Comparison", "read_key", "release", "release_into"]


@dataclass(frozen=True)
class Comparison:
    """A new model beside the one in service.

    Attributes:
        current: The card of the model in service.
        figures: By name: in service, new.
        tolerances: That were applied.
        allowed: What fell and goes out all the same, with the reason.
        how: Where the figures come from.
    """

    current: Card
    figures: Mapping[str, tuple[Figure | None, Figure | None]]
    tolerances: Tolerances
    allowed: Mapping[str, tuple[Fall, str]]
    how: str


def read_key(path: Path) -> bytes:
    """A private key in PEM; UsageError when others can read the file, or it is none."""
    try:
        return read_private(path)
    except ReleaseError as error:
        raise UsageError(f"{error}; release keygen makes one") from error


def release(card: Card, folder: Path, out: Path, keys: Sequence[bytes], comparison: Comparison | None) -> str:
    """Sign the model into the folder `out`; returns a line that says what was done.

    Args:
        card: Of the model.
        folder: Where its files lie.
        out: Where the release goes; other releases may lie there.
        keys: Private, PEM.
        comparison: With the model in service; None for a first release.

    Raises:
        ModelError: A file is not the one on the card, or the model does not answer.
        UsageError: This version was released before, as something else.
        StoreError: It cannot be written.
    """
    released = _named(card, comparison)
    manifest = out / file_name(released)
    try:
        if manifest.exists():
            return _before(manifest, released, keys)
        out.mkdir(parents=True, exist_ok=True)
        beside = out / f".{released.name}-{released.version}.part"
        shutil.rmtree(beside, ignore_errors=True)  # of a run that was cut off
        beside.mkdir()
        try:
            data = sign(_gathered(card, released, folder, beside), *keys)
            for file in released.files:
                if (out / file.path).exists() and _sha256(out / file.path) != file.sha256:
                    raise UsageError(f"{out / file.path} is another file: raise the model's version")
                (beside / file.path).replace(out / file.path)
            part = beside / manifest.name
            (beside / "page").write_text(_page(released, comparison), encoding="utf-8")
            (beside / "page").replace(out / f"{released.name}-{released.version}.md")
            part.write_bytes(data)
            part.replace(manifest)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except (CardError, ReleaseError) as error:
        raise ModelError(str(error)) from error
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{out}: cannot be written ({error.strerror})") from error
    return f"released {released.name} {released.version}: {manifest} and {len(released.files)} files"


def release_into(
    repository: Repository, card: Card, folder: Path, comparison: Comparison | None, share: float, groups: Sequence[str]
) -> str:
    """Add the model to a TUF repository and begin its roll-out; returns a line that says what was done.

    Args:
        repository: With the keys.
        card: Of the model.
        folder: Where its files lie.
        comparison: With the model in service; None for a first release.
        share: Of the devices that take it first, 0…1.
        groups: Of devices that take it first; empty = any.

    Raises:
        ModelError: A file is not the one on the card, or the model does not answer.
        UsageError: This version was released before, or keys are missing.
        StoreError: It cannot be written.
    """
    released = _named(card, comparison)
    with tempfile.TemporaryDirectory() as made:
        try:
            manifest = _gathered(card, released, folder, Path(made))
        except (CardError, ReleaseError) as error:
            raise ModelError(str(error)) from error
        try:
            repository.add(released, Path(made), manifest, share, groups)
            page = repository.folder / f"{released.name}-{released.version}.md"
            page.write_text(_page(released, comparison), encoding="utf-8")
        except ReleaseError as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            raise StoreError(f"{repository.folder}: cannot be written ({error.strerror})") from error
    to = f"{share:.0%} of the devices" + (f" of the groups {', '.join(groups)}" if groups else "")
    return f"released {released.name} {released.version} into {repository.folder}, to {to}"


def _gathered(card: Card, released: Card, folder: Path, made: Path) -> bytes:
    """Bring a release's files together in a folder; returns its manifest."""
    for old, new in zip(card.files, released.files, strict=True):
        shutil.copyfile(verify(old, folder), made / new.path)
    (made / f"{card.name}.card.json").write_bytes(msgspec.json.encode(released))
    return build(released, made, sample_answers(released, made))


def _named(card: Card, comparison: Comparison | None) -> Card:
    """The card as it is released: files named for the version, and what it replaces; UsageError by its version."""
    if comparison is not None and not _later(card.version, comparison.current.version):
        raise UsageError(f"{card.name} {card.version}: a release's version rises; {comparison.current.version} is out")
    prefix = f"{card.name}-{card.version}"
    files = [
        msgspec.structs.replace(file, path=f"{prefix}.{file.precision}.{Path(file.path).suffix.lstrip('.')}")
        for file in card.files
    ]
    if comparison is None:
        return msgspec.structs.replace(card, files=files)
    falls = {
        name: {"was": fall.was, "now": fall.now, "reason": reason}
        for name, (fall, reason) in comparison.allowed.items()
    }
    replaces = {
        "version": comparison.current.version,
        "figures": comparison.how,
        "tolerance": comparison.tolerances.headline,
        "class_tolerance": comparison.tolerances.single,
        **({"allowed": falls} if falls else {}),
    }
    notes = [
        f"Released although {name}{_change(fall)}: {reason}" for name, (fall, reason) in comparison.allowed.items()
    ]
    made_with = {**card.made_with, "replaces": replaces}
    return msgspec.structs.replace(card, files=files, made_with=made_with, notes=[*card.notes, *notes])


def _change(fall: Fall) -> str:
    if fall.was is None or fall.now is None:
        return f" ({fall.why})"
    return f" went from {fall.was:.4f} to {fall.now:.4f}"


def _before(manifest: Path, card: Card, keys: Sequence[bytes]) -> str:
    """The release that lies there already, if it is the same."""
    found = open_release(manifest.read_bytes(), [public_key_of(key) for key in keys])
    same = {file.path: file.sha256 for file in found.card.files} == {file.path: file.sha256 for file in card.files}
    if not same:
        raise UsageError(f"{manifest}: version {card.version} was released with other files: raise the model's version")
    for file in card.files:
        verify(file, manifest.parent)
    return f"released before: {manifest} ({found.released})"


def _later(new: str, old: str) -> bool:
    """Whether a version comes after another; versions that are no dotted numbers need only differ."""
    parts = [text.split(".") for text in (new, old)]
    if all(part.isdigit() for own in parts for part in own):
        first, second = ([int(part) for part in own] for own in parts)
        return first > second
    return new != old


def _page(card: Card, comparison: Comparison | None) -> str:
    """What people read of a release, in Markdown."""
    lines = [f"# {card.name} {card.version}", "", f"Licence: {card.licence}. Task: {card.task}."]
    lines += ["", "| file | engine | precision | MB | sha256 |", "|---|---|---|---|---|"]
    lines += [
        f"| {file.path} | {file.engine} | {file.precision} | {file.bytes / 1e6:.2f} | `{file.sha256}` |"
        for file in card.files
    ]
    if comparison is not None:
        lines += ["", f"## Beside version {comparison.current.version}", "", f"Figures {comparison.how}; a figure may"]
        lines[-1] += f" fall by {comparison.tolerances.headline:g}, that of a single class by "
        lines[-1] += f"{comparison.tolerances.single:g}."
        lines += ["", "| figure | in service | new | of |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {'' if was is None else f'{was.value:.4f}'} | {'' if now is None else f'{now.value:.4f}'} "
            f"| {(now or was or Figure(0.0, 0)).n} |"
            for name, (was, now) in comparison.figures.items()
        ]
    lines += ["", "## Notes", "", *(f"- {note}" for note in card.notes)]
    return "\n".join(lines) + "\n"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
