"""Answers a camera that asks for a login over HTTP: Basic (RFC 7617) and Digest (RFC 7616), one try each time."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Login"]

# Strongest first; cameras that offer several are content with any.
_HASHES: dict[str, Callable[[bytes], str]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
_PAIR = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_CHALLENGE = re.compile(r"(?i)(?:^|,)\s*(basic|digest)\b")


@dataclass
class Login:
    """A user name and a password, and what the camera last asked.

    Attributes:
        user: As it is, not encoded.
        password: As it is, not encoded.
    """

    user: str
    password: str = field(repr=False)
    _asked: Mapping[str, str] | None = None
    _count: int = 0

    def hear(self, headers: Sequence[str]) -> bool:
        """Take the `WWW-Authenticate` headers of a 401; False when none of their schemes is known here."""
        asked = [challenge for header in headers for challenge in _challenges(header)]
        known = [one for one in asked if one["scheme"] == "basic" or _hash_name(one) in _HASHES]
        if not known:
            return False
        order = list(_HASHES)
        self._asked = min(known, key=lambda one: 9 if one["scheme"] == "basic" else order.index(_hash_name(one)))
        self._count = 0
        return True

    def answer(self, method: str, target: str) -> str | None:
        """The `Authorization` header for a request for `target` (path and query); None before anything was asked."""
        if self._asked is None:
            return None
        if self._asked["scheme"] == "basic":
            return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        asked = self._asked
        self._count += 1
        count, own = f"{self._count:08x}", secrets.token_hex(8)
        digest, nonce, realm = _HASHES[_hash_name(asked)], asked.get("nonce", ""), asked.get("realm", "")

        def hashed(*parts: str) -> str:
            return digest(":".join(parts).encode())

        who = hashed(self.user, realm, self.password)
        if asked.get("algorithm", "").lower().endswith("-sess"):
            who = hashed(who, nonce, own)
        what = hashed(method, target)
        qop = "auth" in [word.strip().lower() for word in asked.get("qop", "").split(",")]
        response = hashed(who, nonce, count, own, "auth", what) if qop else hashed(who, nonce, what)
        user = re.sub(r'(["\\\\])', r"\\\1", self.user)
        said = {"username": user, "realm": realm, "nonce": nonce, "uri": target, "response": response}
        said |= {name: asked[name] for name in ("opaque",) if name in asked}
        words = [f'{name}="{value}"' for name, value in said.items()]
        words += [f"algorithm={asked['algorithm']}"] if "algorithm" in asked else []
        words += ["qop=auth", f"nc={count}", f'cnonce="{own}"'] if qop else []
        return "Digest " + ", ".join(words)


def _challenges(header: str) -> list[dict[str, str]]:
    """The schemes of one header with their parameters, names in small letters."""
    found = list(_CHALLENGE.finditer(header))
    ends = [one.start() for one in found[1:]] + [len(header)]
    return [
        {"scheme": one[1].lower()}
        | {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(header[one.end() : end])}
        for one, end in zip(found, ends, strict=True)
    ]


def _hash_name(asked: Mapping[str, str]) -> str:
    return asked.get("algorithm", "MD5").upper().removesuffix("-SESS")
