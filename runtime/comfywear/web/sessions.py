"""Who is signed in: each session with its role, its place and when it was used, so that it can be seen and ended.

The file holds digests, from which no cookie can be made.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Collection
from pathlib import Path

import msgspec

from comfywear.errors import StoreError
from comfywear.system.files import replace_file
from comfywear.system.json_file import load_json
from comfywear.system.log_once import LogOnce
from comfywear.texts import encode

__all__ = ["MOST_SESSIONS", "Sessions", "SignedIn", "session_id"]

_log = logging.getLogger(__name__)
MOST_SESSIONS = 200
_MOST_LETTERS = 120


class SignedIn(msgspec.Struct):
    """A session.

    Attributes:
        password: The digest of what its cookie is signed with: a session ends with its password.
        role: What it allowed when it was last used.
        began_s, seen_s, until_s: Unix time: signed in, last used, and its end.
        client: The address that it was last used from.
        browser: What the browser said of itself when somebody signed in.
    """

    password: str
    role: str
    began_s: float
    seen_s: float
    until_s: float
    client: str = ""
    browser: str = ""


class _File(msgspec.Struct):
    sessions: dict[str, SignedIn] = {}


class Sessions:
    """The sessions of a page; every method may be called from any thread.

    Args:
        path: The file that keeps them over a restart; None, or one that cannot be written: memory alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._complaint = LogOnce(_log)
        self._known = load_json(path, _File()).sessions if path is not None else {}

    def begin(self, session: str, entry: SignedIn) -> None:
        """Keep a new session; the one that was unused for longest makes room."""
        entry.browser = "".join(each for each in entry.browser if each.isprintable())[:_MOST_LETTERS]
        with self._lock:
            self._known = {name: each for name, each in self._known.items() if each.until_s > entry.began_s}
            while len(self._known) >= MOST_SESSIONS:
                del self._known[min(self._known, key=lambda name: self._known[name].seen_s)]
            self._known[session] = entry
            self._save()

    def use(self, session: str, role: str, now_s: float, client: str = "") -> bool:
        """Note that it is used now; False where there is none, or none any more."""
        with self._lock:
            entry = self._known.get(session)
            if entry is None or entry.until_s <= now_s:
                return False
            entry.role, entry.seen_s, entry.client = role, now_s, client or entry.client
            return True

    def holds(self, session: str, now_s: float) -> bool:
        """Whether there is such a session now."""
        with self._lock:
            entry = self._known.get(session)
            return entry is not None and entry.until_s > now_s

    def end(self, session: str) -> bool:
        """End it for good; False where there was none."""
        with self._lock:
            if self._known.pop(session, None) is None:
                return False
            self._save()
            return True

    def listed(self, passwords: Collection[str], now_s: float) -> dict[str, SignedIn]:
        """The sessions of passwords that hold now, the newest use first."""
        with self._lock:
            held = [
                (name, msgspec.structs.replace(each))
                for name, each in self._known.items()
                if each.password in passwords and each.until_s > now_s
            ]
        return dict(sorted(held, key=lambda pair: -pair[1].seen_s))

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            replace_file(self._path, encode(_File(self._known)), mode=0o600)
        except OSError as error:
            reason = f"{self._path} cannot be written ({error.strerror})"
            self._complaint.trouble(StoreError(f"{reason}; who is signed in signs in again after a restart"))
        else:
            self._complaint.over()


def session_id(cookie: str) -> str:
    """What a session is called, which says nothing of its cookie."""
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()[:16]
