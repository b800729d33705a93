"""Who may see the page: the token, sessions, and how often somebody may try. Pure but for the token's file."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from comfywear.errors import UsageError

__all__ = ["SESSION_S", "Access", "Limiter", "is_loopback", "read_secret", "read_token"]

SESSION_S = 90 * 86400.0
SHORTEST_TOKEN = 10
_CREDENTIAL = "credential:"
_MANY_CLIENTS = 1000


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(file: str) -> str:
    """The token in a file, or in `credential:NAME` (systemd's LoadCredential=); "" where no file is named.

    Raises:
        UsageError: When the file cannot be read, or what it holds is too short to keep anybody out.
    """
    if not file:
        return ""
    path = Path(file).expanduser()
    if file.startswith(_CREDENTIAL):
        folder, name = os.environ.get("CREDENTIALS_DIRECTORY", ""), file.removeprefix(_CREDENTIAL)
        if not folder or not name or Path(name).name != name or name == "..":
            raise UsageError(f"web.token_file {file}: the service manager gave no such credential (LoadCredential=)")
        path = Path(folder) / name
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"web.token_file {path}: cannot be read ({error})") from error
    if len(token) < SHORTEST_TOKEN or not token.isprintable():
        raise UsageError(f"web.token_file {path}: it must hold one line of {SHORTEST_TOKEN} characters or more")
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
        draft = file.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(made)
        draft.replace(file)
    except OSError:
        return made
    return made


class Access:
    """Checks tokens and session cookies; without a token everybody on this machine may see the page.

    Args:
        token: What must be known, or "".
        secret: The key that cookies are signed with. Another token makes all cookies invalid.
        clock: Unix time; a cookie says until when it holds.
    """

    def __init__(self, token: str, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self.needed = bool(token)
        self._token = token.encode()
        self._key = hmac.digest(secret, b"comfywear page session" + self._token, "sha256")
        self._clock = clock

    def token_ok(self, given: str) -> bool:
        """Whether this is the token; takes as long for a wrong one as for the right one."""
        # Hashing first hides the length too.
        ours, theirs = hashlib.sha256(self._token).digest(), hashlib.sha256(given.encode()).digest()
        return self.needed and hmac.compare_digest(ours, theirs)

    def new_cookie(self) -> str:
        """A session for somebody who knew the token."""
        body = f"{int(self._clock() + SESSION_S)}.{secrets.token_urlsafe(12)}"
        return f"{body}.{self._sign(body)}"

    def cookie_ok(self, cookie: str) -> bool:
        """Whether a cookie is one of ours and still holds."""
        body, _, sign = cookie.rpartition(".")
        until = body.partition(".")[0]
        if not hmac.compare_digest(sign.encode(), self._sign(body).encode()) or not until.isdigit():
            return False
        return self._clock() < int(until)

    def _sign(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), "sha256").hexdigest()


class Limiter:
    """So many events a client in a window; for failed sign-ins and for votes.

    Args:
        most: Events of one client within the window.
        window_s: Its length.
        clock: Monotonic seconds.
    """

    def __init__(self, most: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._window_s = window_s
        self._clock = clock
        self._events: dict[str, deque[float]] = {}

    def wait_s(self, client: str) -> float:
        """How long the client must wait; 0 when it need not."""
        events = self._recent(client)
        return 0.0 if len(events) < self._most else events[0] + self._window_s - self._clock()

    def note(self, client: str) -> None:
        """One more event."""
        if len(self._events) >= _MANY_CLIENTS:
            self._events = {known: events for known in list(self._events) if (events := self._recent(known))}
        while len(self._events) >= _MANY_CLIENTS:
            self._events.pop(next(iter(self._events)))
        events = self._events.setdefault(client, deque(maxlen=self._most))
        events.append(self._clock())

    def _recent(self, client: str) -> deque[float]:
        events = self._events.get(client, deque())
        while events and self._clock() - events[0] >= self._window_s:
            events.popleft()
        return events
