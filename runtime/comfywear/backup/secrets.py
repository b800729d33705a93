"""Secrets behind a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM (NIST SP 800-38D) keeps and seals them."""

from __future__ import annotations

import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from comfywear.errors import SourceError, UsageError
from comfywear.texts import Text, encode

__all__ = ["LEAST_LETTERS", "Secrets", "locked", "unlocked"]

LEAST_LETTERS = 12
"""Of a passphrase: shorter ones are guessed where the file is lost."""
_HEAD = b"comfywear secrets 1\n"
_SALT, _NONCE = 16, 12


class Secrets(msgspec.Struct, frozen=True):
    """What only the passphrase shows.

    Attributes:
        settings: The settings file, word for word.
        files: Files that hold a secret, by the field that names them.
    """

    settings: str | None
    files: dict[str, bytes] = {}


def locked(secrets: Secrets, passphrase: str) -> bytes:
    """The secrets, locked.

    Raises:
        UsageError: A passphrase that is too short.
    """
    if len(passphrase) < LEAST_LETTERS:
        raise UsageError(Text("a passphrase has {least_letters} characters or more", least_letters=LEAST_LETTERS))
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, encode(secrets), _HEAD)
    return _HEAD + salt + nonce + sealed


def unlocked(data: bytes, passphrase: str) -> Secrets:
    """What `locked` was given.

    Raises:
        UsageError: Another passphrase, or bytes that were altered: nobody can tell which.
        SourceError: What is locked is none of ours.
    """
    if not data.startswith(_HEAD) or len(data) < len(_HEAD) + _SALT + _NONCE:
        raise SourceError(Text("the backup's secrets are of a kind that is not known here; update first"))
    rest = data.removeprefix(_HEAD)
    salt, nonce, sealed = rest[:_SALT], rest[_SALT : _SALT + _NONCE], rest[_SALT + _NONCE :]
    try:
        return msgspec.json.decode(AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed, _HEAD), type=Secrets)
    except InvalidTag as error:
        raise UsageError(Text("this is not the passphrase of the backup")) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise SourceError(Text("the backup's secrets cannot be read")) from error


def _key(passphrase: str, salt: bytes) -> bytes:
    """32 MB and about a tenth of a second on a workstation; a guess costs as much."""
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
