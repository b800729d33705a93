"""Who may do what on the page: tokens with roles, and sessions. Pure but for the tokens' files."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, get_args

from comfywear.errors import UsageError
from comfywear.system.credential import credential_path
from comfywear.system.files import replace_file

__all__ = ["SESSION_S", "Access", "Role", "allows", "read_secret", "read_token"]

Role = Literal["read", "vote", "admin"]
"""What may be done: look; also vote; also see the settings and correct what the camera finds."""

SESSION_S = 90 * 86400.0
SHORTEST_TOKEN = 10


def allows(role: Role, needed: Role) -> bool:
    """Whether who has a role may do what needs another: each may do what those before it may."""
    roles = get_args(Role)
    return bool(roles.index(role) >= roles.index(needed))


def read_token(file: str, setting: str = "web.token_file") -> str:
    """The token in a file, or in `credential:NAME` (systemd's LoadCredential=); "" where no file is named.

    Args:
        file: The file.
        setting: Names it in what is said.

    Raises:
        UsageError: When the file cannot be read, or what it holds is too short to keep anybody out.
    """
    if not file:
        return ""
    try:
        path = credential_path(file)
    except (LookupError, ValueError):
        raise UsageError(f"{setting} {file}: the service manager gave no such credential (LoadCredential=)") from None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{setting} {path}: cannot be read ({error})") from error
    if len(token) < SHORTEST_TOKEN or not token.isprintable():
        raise UsageError(f"{setting} {path}: it must hold one line of {SHORTEST_TOKEN} characters or more")
    return token


def read_secret(file: Path) -> bytes:
    """The random key in a file of the state folder, made on first use, so that a tablet stays signed in.

    Where the folder cannot be written, a key of this start alone.
    """
    try:
        found = file.read_bytes()
        if len(found) == 32:
            return found
    except OSError:
        pass
    made = secrets.token_bytes(32)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, made, mode=0o600)
    except OSError:
        return made
    return made


class Access:
    """Checks tokens and session cookies; without any token everybody on this machine may do all.

    Args:
        token: What lets somebody do all, or "".
        secret: The key that cookies are signed with. A cookie holds as long as the token that it was given for.
        clock: Unix time; a cookie says until when it holds.
        others: More tokens with the role of each.

    Raises:
        UsageError: When two tokens are the same: nobody could say which role is meant.
    """

    def __init__(
        self,
        token: str,
        secret: bytes,
        clock: Callable[[], float] = time.time,
        others: Iterable[tuple[str, Role]] = (),
    ) -> None:
        pairs: list[tuple[str, Role]] = [(token, "admin")] if token else []
        pairs += others
        if len({each for each, _ in pairs}) < len(pairs):
            raise UsageError("two of the page's password files hold the same password: each role needs one of its own")
        self.needed = bool(pairs)
        self._clock = clock
        # Hashing hides a token's length; each signs its own sessions.
        self._roles = [
            (_hash(each.encode()), hmac.digest(secret, b"comfywear page session" + each.encode(), "sha256"), role)
            for each, role in pairs
        ]

    def role_of_token(self, given: bytes) -> Role | None:
        """The role of a token, None for a wrong one; takes as long for a wrong one as for a right one."""
        found: Role | None = None
        hashed = _hash(given)
        for ours, _, role in self._roles:
            if hmac.compare_digest(ours, hashed):
                found = role
        return found

    def new_cookie(self, token: bytes) -> str:
        """A session for somebody who knew a token.

        Raises:
            ValueError: When there is no such token.
        """
        hashed = _hash(token)
        for ours, key, _ in self._roles:
            if hmac.compare_digest(ours, hashed):
                body = f"{int(self._clock() + SESSION_S)}.{secrets.token_urlsafe(12)}"
                return f"{body}.{_sign(key, body)}"
        raise ValueError("no such token")

    def role_of_cookie(self, cookie: str) -> Role | None:
        """The role of a cookie that is one of ours and still holds, else None."""
        body, _, sign = cookie.rpartition(".")
        until = body.partition(".")[0]
        found: Role | None = None
        for _, key, role in self._roles:
            if hmac.compare_digest(sign.encode(), _sign(key, body).encode()):
                found = role
        # A text that we did not sign is never read as a number: it may have thousands of digits.
        return found if found is not None and self._clock() < int(until) else None


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _sign(key: bytes, body: str) -> str:
    return hmac.new(key, body.encode(), "sha256").hexdigest()
