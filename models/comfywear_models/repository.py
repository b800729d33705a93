"""A TUF repository of models (https://theupdateframework.github.io/specification/): made, filled, renewed, rotated.

Roles: `root`, `targets`, `snapshot`, `timestamp`, as the specification has them. `targets` signs no file itself. It
delegates `NAME/*` to a role for each model, called like the model, and `rollouts.json` to `rollouts`: how far each
release has gone. Keys of `root`, `targets` and the models stay off every server; those of `timestamp`, `snapshot` and
`rollouts` may lie where the timestamp is renewed.

    NAME/NAME-VERSION.release.json    the manifest (`comfywear_models.release`), a target
    NAME/FILE                         each file of the model's card, a target
    rollouts.json                     `comfywear_models.rollouts`, a target

Every method raises `ReleaseError` in words for people, and OSError where the folder cannot be written.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from securesystemslib.signer import Signer
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from comfywear_models.cards import Card
from comfywear_models.release import ROOT_TYPE, ReleaseError, file_name, sign
from comfywear_models.repository_state import RepositoryState, replace
from comfywear_models.rollouts import TARGET, Rollout, Rollouts
from comfywear_models.signing_keys import load_keys, make_key

__all__ = ["ANCHOR", "INTRODUCTION", "ROLLOUTS", "Repository", "create"]

ROLLOUTS = "rollouts"
ANCHOR = "root.json"
"""The first root, beside the keys: what devices get, and what the folder must begin with."""
INTRODUCTION = "introduction.json"
_TOP = ("root", "targets", "snapshot", "timestamp")
_USUAL = {"root": (1, 2)}


def create(folder: Path, keys: Path, thresholds: Mapping[str, tuple[int, int]]) -> None:
    """Make a repository and the keys of its roles.

    Args:
        folder: Of the repository; there is none in it yet.
        keys: Where the new private keys go, and the first root.
        thresholds: How many keys of a role must sign, and how many there are; (1, 2) for the root and (1, 1) for
            others that are left out.
    """
    if (folder / "metadata").exists():
        raise ReleaseError(f"{folder}: a repository lies there already")
    unknown = set(thresholds) - {*_TOP, ROLLOUTS}
    if unknown:
        raise ReleaseError(f"there is no role {unknown.pop()!r} at the beginning; {', '.join((*_TOP, ROLLOUTS))} are")
    root, targets = Metadata(Root()), Metadata(Targets())
    signers: dict[str, Signer] = {}
    for role in _TOP:
        least, number = _fit(role, thresholds.get(role, _USUAL.get(role, (1, 1))))
        for signer in _new(signers, keys, role, number):
            root.signed.add_key(signer.public_key, role)
        root.signed.roles[role].threshold = least
    targets.signed.delegations = Delegations({}, {})
    state = RepositoryState(folder, root, Metadata(Timestamp()), Metadata(Snapshot()), {"targets": targets}, signers)
    state.snapshot.signed.meta.clear()
    (folder / "metadata").mkdir(parents=True)
    (folder / "targets").mkdir(exist_ok=True)
    _delegate(state, keys, ROLLOUTS, [TARGET], thresholds.get(ROLLOUTS, (1, 1)))
    _put_rollouts(state, Rollouts())
    state.publish_root()
    state.publish(["targets", ROLLOUTS])
    replace(keys / ANCHOR, (folder / "metadata" / "1.root.json").read_bytes())


class Repository:
    """A repository that exists.

    Args:
        folder: Where it lies.
        keys: Folders with private keys; the first one gets new ones.
    """

    def __init__(self, folder: Path, keys: Sequence[Path]) -> None:
        self.folder, self._keys = folder, tuple(keys)
        self._signers = load_keys(keys)

    def rollouts(self) -> dict[str, Rollout]:
        """How far the newest release of each model has gone."""
        return dict(_rollouts(self._load()).models)

    def ends(self) -> list[tuple[str, datetime, bool]]:
        """When what each role has signed ends, and whether its keys are at hand, the earliest first."""
        state = self._load()
        found = [(role, state.signed(role).expires, state.can_sign(role)) for role in state.roles()]
        return sorted(found, key=lambda each: each[1])

    def add(self, card: Card, files: Path, manifest: bytes, share: float = 1.0, groups: Sequence[str] = ()) -> None:
        """Add a release of a model, and begin its roll-out; a model's first release makes its role and its key.

        Args:
            card: As the manifest has it.
            files: The folder with the card's files.
            manifest: As `comfywear_models.release.build` makes it.
            share: Of the devices, 0…1.
            groups: Of devices; empty = any.
        """
        name = card.name
        if name in (*_TOP, ROLLOUTS):
            raise ReleaseError(f"a model cannot be called {name!r}: a role of every repository is")
        with self._changing() as state:
            new = name not in state.targets
            state.demand(ROLLOUTS, "snapshot", "timestamp", "targets" if new else name)
            if new:
                _delegate(state, self._keys[0], name, [f"{name}/*"], (1, 1))
            path = f"{name}/{file_name(card)}"
            if path in state.targets[name].signed.targets:
                raise ReleaseError(f"{name} {card.version} was released before: raise the model's version")
            for file in card.files:
                target = TargetFile.from_file(f"{name}/{file.path}", str(files / file.path), ["sha256"])
                if (target.length, target.hashes["sha256"]) != (file.bytes, file.sha256):
                    raise ReleaseError(f"{files / file.path}: not the one on its card")
                (place,) = target.get_prefixed_paths()
                _copy(files / file.path, self.folder / "targets" / place)
                state.targets[name].signed.targets[target.path] = target
            _put(state, name, path, manifest)
            models = dict(_rollouts(state).models)
            before = models.get(name)
            models[name] = (
                before.followed_by(card.version, share, list(groups))
                if before
                else Rollout(card.version, share, list(groups))
            )
            _put_rollouts(state, Rollouts(models))
            state.publish([*(["targets"] if new else []), name, ROLLOUTS])

    def roll_out(self, name: str, share: float, groups: Sequence[str] = ()) -> Rollout:
        """Let the newest release of a model go to a share of the devices; one that was stopped goes on."""
        return self._change(name, share=share, groups=list(groups), halted="")

    def halt(self, name: str, reason: str, version: str = "") -> Rollout:
        """Let the newest release of a model go no further; `version` = only if it is that one."""
        return self._change(name, version, halted=reason or "by command")

    def renew(self, roles: Iterable[str] = (), days: Mapping[str, int] | None = None) -> list[str]:
        """Sign anew what roles have signed, so that it lasts; returns which.

        Args:
            roles: All whose keys are at hand when left out; the timestamp always.
            days: How long each lasts, where that is another than usual.
        """
        with self._changing() as state:
            wanted = list(roles) or [role for role in state.roles() if state.can_sign(role)]
            wanted = list(dict.fromkeys((*wanted, "timestamp")))
            if "root" in wanted:
                state.publish_root(deepcopy(state.role("root")), days)
            state.publish([role for role in wanted if role not in ("root", "timestamp")], days)
            return wanted

    def refresh(self, days: int | None = None) -> list[str]:
        """Renew the timestamp, and of the snapshot and the roll-outs what is half way to its end; returns which."""
        with self._changing() as state:
            now, due = datetime.now(timezone.utc), ["timestamp"]
            for role, half in (("snapshot", 15), (ROLLOUTS, 15)):
                if (state.signed(role).expires - now).days < half and state.can_sign(role):
                    due.insert(0, role)
            state.publish(due[:-1], {"timestamp": days} if days else None)
            return due

    def rotate(self, role: str, threshold: tuple[int, int] | None = None) -> int:
        """Give a role new keys in place of all its old ones; returns how many.

        What is published between is signed by both, so that no device is shut out at any moment.

        Args:
            role: Its name.
            threshold: How many must sign, and how many there are; as before when left out.
        """
        with self._changing() as state:
            before = deepcopy(state.role(role))
            least, number = _fit(role, threshold or (before.threshold, len(before.keyids)))
            top = role in _TOP
            state.demand(
                "root" if top else "targets", "snapshot", "timestamp", *(("targets",) if role == "targets" else ())
            )
            signed = state.root.signed if top else state.targets["targets"].signed
            root_before = deepcopy(state.role("root"))
            for keyid in before.keyids:
                signed.revoke_key(keyid, role)
            made = _new(state.signers, self._keys[0], role, number)
            for signer in made:
                signed.add_key(signer.public_key, role)
            state.role(role).threshold = least
            state.also_signed_by(before.keyids)
            if role != "root":
                own = {"targets": ["targets"], "snapshot": ["snapshot"], "timestamp": []}
                state.publish(own.get(role, ["targets", role]))
            if top:
                state.publish_root(root_before)
            return len(made)

    def introduce(self, *private_keys: bytes) -> Path:
        """Bring devices that know nothing but `updates.keys` here: the first root, signed by such keys (PEM)."""
        first = (self.folder / "metadata" / "1.root.json").read_bytes()
        self._load()
        path = self.folder / INTRODUCTION
        replace(path, sign(first, *private_keys, payload_type=ROOT_TYPE))
        return path

    def _load(self) -> RepositoryState:
        anchors = [folder / ANCHOR for folder in self._keys if (folder / ANCHOR).is_file()]
        anchor = anchors[0].read_bytes() if anchors else None
        return RepositoryState.load(self.folder, self._signers, anchor)

    @contextmanager
    def _changing(self) -> Iterator[RepositoryState]:
        """One change at a time."""
        if not (self.folder / "metadata").is_dir():
            raise ReleaseError(f"{self.folder}: no repository of releases; make one with release init")
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self._load()
            yield state

    def _change(self, name: str, version: str = "", **fields: object) -> Rollout:
        with self._changing() as state:
            models = dict(_rollouts(state).models)
            found = models.get(name)
            if found is None:
                raise ReleaseError(f"{name!r} was never released here; {', '.join(models) or 'nothing'} was")
            if version not in ("", found.version):
                raise ReleaseError(f"{name}: {found.version} is being rolled out, not {version}")
            models[name] = msgspec.convert(msgspec.to_builtins(found) | fields, Rollout)
            _put_rollouts(state, Rollouts(models))
            state.publish([ROLLOUTS])
            return models[name]


def _fit(role: str, threshold: tuple[int, int]) -> tuple[int, int]:
    least, number = threshold
    if not 1 <= least <= number <= 16:
        raise ReleaseError(f"{role}: {least} of {number} keys cannot sign; 1 to 16 keys, of which at least 1 signs")
    return threshold


def _new(signers: dict[str, Signer], keys: Path, role: str, number: int) -> list[Signer]:
    made = [make_key(keys, role) for _ in range(number)]
    signers.update({signer.public_key.keyid: signer for signer in made})
    return made


def _delegate(state: RepositoryState, keys: Path, name: str, paths: list[str], threshold: tuple[int, int]) -> None:
    """A new role, with keys of its own."""
    least, number = _fit(name, threshold)
    top = state.targets["targets"].signed
    assert top.delegations is not None
    assert top.delegations.roles is not None
    top.delegations.roles[name] = DelegatedRole(name, [], least, terminating=True, paths=paths)
    for signer in _new(state.signers, keys, name, number):
        top.add_key(signer.public_key, name)
    state.targets[name] = Metadata(Targets())


def _put(state: RepositoryState, role: str, path: str, data: bytes) -> None:
    """Make some bytes a target of a role."""
    target = TargetFile.from_data(path, data, ["sha256"])
    (place,) = target.get_prefixed_paths()
    (state.folder / "targets" / place).parent.mkdir(parents=True, exist_ok=True)
    replace(state.folder / "targets" / place, data)
    state.targets[role].signed.targets[path] = target


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.new")
    shutil.copyfile(source, beside)
    beside.replace(place)


def _rollouts(state: RepositoryState) -> Rollouts:
    target = state.targets[ROLLOUTS].signed.targets[TARGET]
    (place,) = target.get_prefixed_paths()
    data = (state.folder / "targets" / place).read_bytes()
    target.verify_length_and_hashes(data)
    return msgspec.json.decode(data, type=Rollouts)


def _put_rollouts(state: RepositoryState, rollouts: Rollouts) -> None:
    _put(state, ROLLOUTS, TARGET, msgspec.json.encode(rollouts))
