"""The metadata of a TUF repository in a folder: read, checked from the root down, signed and published.

    metadata/N.root.json  N.snapshot.json  N.targets.json  N.ROLE.json  timestamp.json
    targets/…/SHA256.NAME

Published is what `timestamp.json` leads to: it is replaced last, so that a run that was cut off has changed nothing.
What somebody put into the folder is not signed anew by mistake: everything is checked before it is built upon.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Role, Root, Snapshot, Targets, Timestamp

from comfywear_models.release import ReleaseError

__all__ = ["LASTS_DAYS", "RepositoryState", "replace"]

LASTS_DAYS = {"timestamp": 7, "snapshot": 30, "rollouts": 30}
"""After how many days what a role has signed ends; that of all others after a year."""
_LASTS_DAYS = 365


class RepositoryState:
    """What is published in a folder.

    Args:
        folder: Of the repository.
        root: In force.
        timestamp: In force.
        snapshot: In force.
        targets: Those of the top and of each role that they delegate to, by the role's name.
        signers: The keys at hand, by key id; new ones are added to it.
    """

    def __init__(
        self,
        folder: Path,
        root: Metadata[Root],
        timestamp: Metadata[Timestamp],
        snapshot: Metadata[Snapshot],
        targets: dict[str, Metadata[Targets]],
        signers: dict[str, Signer],
    ) -> None:
        self.folder, self.root, self.timestamp, self.snapshot = folder, root, timestamp, snapshot
        self.targets, self.signers = targets, signers
        self._also: set[str] = set()

    @classmethod
    def load(cls, folder: Path, signers: dict[str, Signer], anchor: bytes | None) -> RepositoryState:
        """Read a repository.

        Args:
            folder: Where it lies.
            signers: The keys at hand, by key id.
            anchor: Its first root, where it is kept elsewhere, too: it must be the one in the folder.

        Raises:
            ReleaseError: There is none, or something in it is not signed by whom it must be.
        """
        metadata = folder / "metadata"
        try:
            first = (metadata / "1.root.json").read_bytes()
            if anchor is not None and first != anchor:
                raise ReleaseError(f"{folder}: its first root is not the one that lies with the keys")
            root: Metadata[Root] = Metadata[Root].from_bytes(first)
            _verify(root, "root", root)
            while (path := metadata / f"{root.signed.version + 1}.root.json").is_file():
                after: Metadata[Root] = Metadata[Root].from_bytes(path.read_bytes())
                for by in (root, after):
                    _verify(by, "root", after)
                root = after
            timestamp: Metadata[Timestamp] = Metadata[Timestamp].from_bytes((metadata / "timestamp.json").read_bytes())
            _verify(root, "timestamp", timestamp)
            version = timestamp.signed.snapshot_meta.version
            snapshot: Metadata[Snapshot] = Metadata[Snapshot].from_bytes(
                (metadata / f"{version}.snapshot.json").read_bytes()
            )
            _verify(root, "snapshot", snapshot)
            targets: dict[str, Metadata[Targets]] = {}
            for role in ("targets", *_others(snapshot.signed)):
                found = snapshot.signed.meta[f"{role}.json"].version
                data = (metadata / f"{found}.{role}.json").read_bytes()
                targets[role] = Metadata[Targets].from_bytes(data)
                _verify(targets["targets"] if role != "targets" else root, role, targets[role])
        except OSError as error:
            raise ReleaseError(f"{folder}: no repository of releases ({error.strerror}: {error.filename})") from error
        except (RepositoryError, ValueError, KeyError) as error:
            if isinstance(error, ReleaseError):
                raise
            raise ReleaseError(f"{folder}: the repository is damaged, nothing is signed: {error}") from error
        return cls(folder, root, timestamp, snapshot, targets, signers)

    def role(self, name: str) -> Role:
        """Who signs for a role; ReleaseError where there is no such role."""
        try:
            by = self.root if name in self.root.signed.roles else self.targets["targets"]
            return by.signed.get_delegated_role(name)
        except ValueError as error:
            raise ReleaseError(f"{self.folder}: there is no role {name!r}, but {', '.join(self.roles())}") from error

    def roles(self) -> tuple[str, ...]:
        """All roles, those at the top first."""
        return ("root", "targets", "snapshot", "timestamp", *_others(self.snapshot.signed))

    def signed(self, name: str) -> Any:
        """What a role has signed last."""
        tops: dict[str, Metadata[Any]] = {"root": self.root, "snapshot": self.snapshot, "timestamp": self.timestamp}
        return (tops.get(name) or self.targets[name]).signed

    def can_sign(self, name: str) -> bool:
        """Whether enough keys of a role are at hand."""
        role = self.role(name)
        return sum(keyid in self.signers for keyid in role.keyids) >= role.threshold

    def also_signed_by(self, keyids: Iterable[str]) -> None:
        """What is published next is signed by these keys, too: for those who know the root before alone."""
        self._also |= set(keyids)

    def publish(self, changed: Iterable[str], days: Mapping[str, int] | None = None) -> None:
        """Sign and publish roles with targets that were changed, the snapshot where any was, and the timestamp.

        Args:
            changed: "targets" and roles that it delegates to; also "snapshot", which is signed anew by itself then.
            days: After which what a role signs ends, where that is another than usual.

        Raises:
            ReleaseError: Too few keys of a role are at hand; nothing is published then.
        """
        ends = days or {}
        roles = [role for role in dict.fromkeys(changed) if role != "snapshot"]
        wanted = [*roles, *(["snapshot"] if list(changed) else []), "timestamp"]
        self.demand(*wanted)
        for role in roles:
            data = self._sign(self.targets[role], role, ends)
            version = self.targets[role].signed.version
            replace(self.folder / "metadata" / f"{version}.{role}.json", data)
            self.snapshot.signed.meta[f"{role}.json"] = MetaFile.from_data(version, data, ["sha256"])
        if "snapshot" in wanted:
            data = self._sign(self.snapshot, "snapshot", ends)
            version = self.snapshot.signed.version
            replace(self.folder / "metadata" / f"{version}.snapshot.json", data)
            self.timestamp.signed.snapshot_meta = MetaFile.from_data(version, data, ["sha256"])
        replace(self.folder / "metadata" / "timestamp.json", self._sign(self.timestamp, "timestamp", ends))
        self._also.clear()

    def publish_root(self, before: Role | None = None, days: Mapping[str, int] | None = None) -> None:
        """Sign and publish the root, by its keys and by those of the root before; errors as `publish`."""
        for role in (self.root.signed.roles["root"], *([before] if before else [])):
            self._demand_of("root", role)
        self._also = set(before.keyids) if before else set()
        data = self._sign(self.root, "root", days or {})
        replace(self.folder / "metadata" / f"{self.root.signed.version}.root.json", data)
        self._also.clear()

    def demand(self, *roles: str) -> None:
        """ReleaseError unless enough keys of these roles are at hand."""
        for name in roles:
            self._demand_of(name, self.role(name))

    def _demand_of(self, name: str, role: Role) -> None:
        there = sum(keyid in self.signers for keyid in role.keyids)
        if there < role.threshold:
            raise ReleaseError(
                f"{role.threshold} of the {len(role.keyids)} keys of the role {name!r} must sign, and {there} lie in "
                "the folders that --keys names; name those where the others are, too (--keys may be repeated)"
            )

    def _sign(self, metadata: Metadata[Any], name: str, days: Mapping[str, int]) -> bytes:
        if metadata.signatures:  # else it is the first of its role
            metadata.signed.version += 1
        lasts = days.get(name, LASTS_DAYS.get(name, _LASTS_DAYS))
        now = datetime.now(timezone.utc).replace(microsecond=0)
        metadata.signed.expires = now + timedelta(days=lasts)
        metadata.signatures.clear()
        for keyid in dict.fromkeys((*self.role(name).keyids, *self._also)):
            if keyid in self.signers:
                metadata.sign(self.signers[keyid], append=True)
        return metadata.to_bytes()


def _verify(by: Metadata[Any], role: str, metadata: Metadata[Any]) -> None:
    by.signed.verify_delegate(role, metadata.signed_bytes, metadata.signatures)


def replace(path: Path, data: bytes) -> None:
    """Put a file in the place of the one before, whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _others(snapshot: Snapshot) -> list[str]:
    """The roles that the targets delegate to."""
    names = (name.removesuffix(".json") for name in snapshot.meta)
    return sorted(name for name in names if name != "targets")
