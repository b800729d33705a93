"""Backups that are uploaded to a device that is made up."""

from __future__ import annotations

from comfywear import web
from comfywear.errors import UsageError


class Desk:
    """One backup of another device, whose secrets are locked; anything else than a ZIP is damaged."""

    def __init__(self) -> None:
        self.upload = b""
        self.restored: list[web.RestoreBackup] = []
        self.result = web.RestoreEnded("none")

    @property
    def state(self) -> object:
        return self.upload, len(self.restored)

    def begin(self) -> str:
        self.upload = b""
        return "u1"

    def add(self, upload: str, piece: bytes) -> None:
        self.upload += piece

    def drop(self, upload: str) -> None:
        self.upload = b""

    def look(self, upload: str) -> web.FoundBackup:
        if not self.upload.startswith(b"PK"):
            raise UsageError("the backup cannot be read as a backup")
        return web.FoundBackup(
            upload=upload,
            site="home",
            device="d1",
            made="2026-11-29T10:00:00Z",
            version="1.0",
            here="d2",
            votes=12,
            votes_here=3,
            names={"desk": "Window seat"},
            names_here={},
            settings=("mqtt", "zones"),
            unwanted=None,
            locked=True,
        )

    def restore(self, said: web.RestoreBackup, origin: str) -> None:
        if said.settings and said.passphrase != "correct horse battery staple":
            raise UsageError("this is not the passphrase of the backup")
        self.restored.append(said)
        self.result = web.RestoreEnded("done", "home/d1", "before-restore-1")

    def ended(self) -> web.RestoreEnded:
        return self.result
