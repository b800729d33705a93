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
from comfywear.texts import Text
from comfywear.web.sessions import Sessions, SignedIn, session_id

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
        raise UsageError(
            Text(
                "{setting} {file}: the service manager gave no such credential (LoadCredential=)",
                setting=setting,
                file=file,
            )
        ) from None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            Text("{setting} {path}: cannot be read ({why})", setting=setting, path=path, why=error)
        ) from error
    if len(token) < SHORTEST_TOKEN or not token.isprintable():
        raise UsageError(
            Text(
                "{setting} {path}: it must hold one line of {shortest_token} characters or more",
                setting=setting,
                path=path,
                shortest_token=SHORTEST_TOKEN,
            )
        )
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
        sessions: Who is signed in; a cookie holds as long as its session.

    Raises:
        UsageError: When two tokens are the same: nobody could say which role is meant.
    """

    def __init__(
        self,
        token: str,
        secret: bytes,
        clock: Callable[[], float] = time.time,
        others: Iterable[tuple[str, Role]] = (),
        sessions: Sessions | None = None,
    ) -> None:
        pairs: list[tuple[str, Role]] = [(token, "admin")] if token else []
        pairs += others
        if len({each for each, _ in pairs}) < len(pairs):
            raise UsageError(
                Text("two of the page's password files hold the same password: each role needs one of its own")
            )
        self.needed = bool(pairs)
        self._clock = clock
        self._sessions = sessions or Sessions()
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

    def new_cookie(self, token: bytes, client: str = "", browser: str = "", before: str = "") -> str:
        """A session for somebody who knew a token; never one that was there before, which ends.

        Args:
            token: What was given.
            client: The address that asks.
            browser: What it says of itself.
            before: The cookie that it sent, if it did.

        Raises:
            ValueError: When there is no such token.
        """
        hashed, now_s = _hash(token), self._clock()
        for ours, key, role in self._roles:
            if hmac.compare_digest(ours, hashed):
                self.sign_out(before)
                body = f"{int(now_s + SESSION_S)}.{secrets.token_urlsafe(12)}"
                cookie = f"{body}.{_sign(key, body)}"
                entry = SignedIn(_digest(key), role, now_s, now_s, now_s + SESSION_S, client, browser)
                self._sessions.begin(session_id(cookie), entry)
                return cookie
        raise ValueError("no such token")

    def role_of_cookie(self, cookie: str, client: str = "") -> Role | None:
        """The role of a cookie that is one of ours, whose session holds, else None; `client` uses it."""
        body, _, sign = cookie.rpartition(".")
        found: Role | None = None
        for _, key, role in self._roles:
            if hmac.compare_digest(sign.encode(), _sign(key, body).encode()):
                found = role
        # What we did not sign is not looked for.
        if found is None or not self._sessions.use(session_id(cookie), found, self._clock(), client):
            return None
        return found

    def sign_out(self, cookie: str) -> None:
        """End the session of a cookie, if it has one."""
        if self.role_of_cookie(cookie) is not None:
            self._sessions.end(session_id(cookie))

    def end(self, session: str) -> bool:
        """End a session by its name; False where there is none."""
        return self._sessions.end(session)

    def holds(self, session: str) -> bool:
        """Whether a session still is."""
        return self._sessions.holds(session, self._clock())

    def signed_in(self) -> dict[str, SignedIn]:
        """The sessions by name, the newest use first; none of a password that has gone."""
        return self._sessions.listed([_digest(key) for _, key, _ in self._roles], self._clock())


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _digest(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]


def _sign(key: bytes, body: str) -> str:
    return hmac.new(key, body.encode(), "sha256").hexdigest()
