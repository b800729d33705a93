"""From where a release may be fetched: a judgement of URLs, without a connection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from comfywear.errors import UsageError
from comfywear.settings import Settings
from comfywear.system.loopback import is_loopback

__all__ = ["Rules", "check_url", "rules_of"]

_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be fetched.

    Attributes:
        ca_file: The authority of the servers; empty = the system's.
        allow_http: http:// from other machines than this one.
        prefixes: Beginnings of URLs, of which one must fit; None = any URL.
        pauses_s: Before each further try of a file that broke off.
    """

    ca_file: str = ""
    allow_http: bool = False
    prefixes: tuple[str, ...] | None = None
    pauses_s: Sequence[float] = _PAUSES_S


def check_url(url: str, rules: Rules) -> None:
    """UsageError unless `url` may be fetched."""
    if len(url) > 2000 or not url.isascii() or re.search(r"[\s\x00-\x1f\\]", url):
        raise UsageError("a URL is up to 2000 printable ASCII characters without spaces")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{url}: not a URL ({error})") from error
    if parts.scheme not in ("https", "http") or not host:
        raise UsageError(f"{url}: a release is pulled from https://, or from a file")
    if parts.username is not None or parts.password is not None:
        raise UsageError("a URL with a user name or password in it would stand in logs; leave them out")
    if parts.scheme == "http" and not rules.allow_http and not is_loopback(host):
        raise UsageError(f"{url}: not encrypted; use https://, or set updates.allow_http")
    if rules.prefixes is not None:
        # What the server would resolve must not lead out of the prefix.
        if any(step in ("..", ".") for step in unquote(parts.path).split("/")):
            raise UsageError(f"{url}: a URL with . or .. in its path is not pulled")
        if not any(prefix.endswith("/") and url.startswith(prefix) for prefix in rules.prefixes):
            allowed = ", ".join(rules.prefixes) or "none is named"
            raise UsageError(f"{url}: not below one of updates.sources ({allowed})")


def rules_of(settings: Settings, *, from_afar: bool) -> Rules:
    """What may be fetched, by the settings."""
    updates = settings.updates
    own = (updates.repository,) if updates.repository else ()
    prefixes = (*updates.sources, *own) if from_afar else None
    return Rules(ca_file=updates.ca_file, allow_http=updates.allow_http, prefixes=prefixes)
