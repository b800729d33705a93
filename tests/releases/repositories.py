"""A TUF repository of tiny detectors behind a real web server, and a device that trusts its first root."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made import prepared, put_into_service, settings
from servers import Server

from comfywear.errors import ComfyWearError, ModelError
from comfywear.releases import Releases
from comfywear.releases.offers import due
from comfywear.releases.pulling import Pulled, pull
from comfywear.releases.rules import Rules
from comfywear.settings import Settings
from comfywear.vision import Detector
from comfywear_models import find, verify
from comfywear_models.repository import ANCHOR, Repository, create

FAST = Rules(pauses_s=(0.01, 0.01))


class Market:
    """A repository with its keys, a device, and version 1 in service there."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server, self.keys = folder, server, folder / "keys"
        create(server.folder, self.keys, {"root": (2, 3)})
        self.repository = Repository(server.folder, [self.keys])
        self.metadata = server.folder / "metadata"
        self.releases = Releases(folder / "state" / "releases")
        self.first = put_into_service(self.releases, "1", folder / "made")

    def settings(self, **updates: Any) -> Settings:
        return settings(**{"keys": [], "root": str(self.keys / ANCHOR), **updates})

    def offer(
        self, version: str, file: Path | None = None, *, share: float = 1.0, groups: Sequence[str] = (), **changes: Any
    ) -> None:
        """Release a plain detector, or one with a file of its own, into the repository."""
        card, manifest = prepared(self.folder / "made", version, file, **changes)
        self.repository.add(card, self.folder / "made", manifest, share, groups)

    def pull(self, where: str = "", *, ahead: bool = False, **updates: Any) -> list[Pulled]:
        """What the device's command does."""
        wanted, place = self.settings(**updates), where or self.server.url
        found = due(self.releases, place, wanted, ahead=ahead, rules=FAST)
        return [
            pull(self.releases, place, wanted, model=name, version=version, rules=FAST)
            for name, version in found.items()
        ]

    def refused(self, words: str, *, error: type[ComfyWearError] = ModelError, **more: Any) -> str:
        """Pulling is refused with these words, the model in service works on; returns all that was said."""
        with pytest.raises(error, match=words) as said:
            self.pull(**more)
        assert self.old_model_works()
        assert str(said.value).isprintable()
        return str(said.value)

    def old_model_works(self) -> bool:
        slots = self.releases.slots("tiny")
        card, folder = find(self.releases.card_of("tiny"))
        Detector.load(self.releases.card_of("tiny"), engine="onnxruntime")
        return slots.current == self.first and card.version == "1" and bool(verify(card.files[0], folder))

    @property
    def version(self) -> str:
        return self.releases.slots("tiny").version

    def kept(self) -> Path:
        """A copy of all that is published now."""
        copy = self.folder / f"kept-{len(list(self.folder.glob('kept-*')))}"
        shutil.copytree(self.server.folder, copy)
        return copy

    def show(self, copy: Path) -> None:
        """Publish what a copy holds, and nothing else."""
        shutil.rmtree(self.server.folder)
        shutil.copytree(copy, self.server.folder)
