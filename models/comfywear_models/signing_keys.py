"""The private keys of a repository: ed25519 in PEM, a file each, named for the role that they were made for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from comfywear_models.release import ReleaseError, new_key, private_key_of

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

__all__ = ["load_keys", "make_key", "read_private"]


def read_private(path: Path) -> bytes:
    """A private key's PEM; ReleaseError where it cannot be read, is none, or others can read the file."""
    try:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            raise ReleaseError(f"{path}: others can read this private key; chmod 600 {path}")
        pem = path.read_bytes()
        private_key_of(pem)
    except OSError as error:
        raise ReleaseError(f"{path}: the key cannot be read ({error.strerror})") from error
    except ReleaseError as error:
        raise ReleaseError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from error
    return pem


def load_keys(folders: Iterable[Path]) -> dict[str, Signer]:
    """The keys in `*.pem` of some folders, by key id; ReleaseError where there is none, or one is not fit."""
    from securesystemslib.signer import CryptoSigner

    found: dict[str, Signer] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.pem")):
            signer = CryptoSigner(private_key_of(read_private(path)))
            found[signer.public_key.keyid] = signer
    if not found:
        raise ReleaseError("no private key (*.pem) lies in the folders that --keys names")
    return found


def make_key(folder: Path, role: str) -> Signer:
    """A new key in `folder`, in a file of its own that its owner alone can read; returns its signer."""
    from securesystemslib.signer import CryptoSigner

    pem, _ = new_key()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(1, 10_000):
        path = folder / f"{role}-{number}.pem"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            continue
        return CryptoSigner(private_key_of(pem))
    raise ReleaseError(f"{folder}: there are ten thousand keys of {role} already")
