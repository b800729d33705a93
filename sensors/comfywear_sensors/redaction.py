"""Secrets are cut out of whatever is shown by what they are, wherever in a text they stand."""

from __future__ import annotations

import re

from comfywear_sensors.texts import changed

__all__ = ["CUT", "LOCAL_SCHEMES", "has_local_login", "is_scheme", "is_secret_name", "redact"]

CUT = "…"
"""Stands where a secret was."""

_NAMES = (
    "user|usr|user_?name|login|loginuse|loginpas|pass|passwd|password|passphrase|passcode|passwort|kennwort|psw|pwd|pw|"
    "psk|token|key|api_?key|auth|authorization|sig|signature|secret|credentials?|jwt|"
    "(?:auth|access|api|app|session|secret|user|login|admin|account|private|security|shared|stream|mqtt|rtsp)_?"
    "(?:token|key|pass|passwd|password|pwd|sig|auth|secret)"
)
# `api_key`, `access-token`, `mqttPassword`; not `monkey`, and not `password_file`, which names a place.
_CAMEL = r"[A-Za-z0-9]{0,40}[a-z0-9](?:User|Pass|Password|Pwd|Token|Key|Auth|Secret)"
_NAME = rf"(?:(?i:[a-z0-9_.-]{{0,40}}[_.-])?(?i:{_NAMES})|{_CAMEL})"
_SECRET_NAME = re.compile(_NAME)

# Schemes of things in this machine: an `@` there belongs to a name (`iio://dht11@4`) unless a colon says otherwise.
LOCAL_SCHEMES = frozenset(
    ("serial", "iio", "hwmon", "w1", "i2c", "replay", "fake", "file", "images", "v4l2", "picamera", "gpio", "input")
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20})(://|(?i:%3A%2F%2F))")
_APART = " \t\r\n\"'`<>()[]{},;=|…"
_WHOLE_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_BEHIND_LOGIN = re.compile(r"(?!/)[^?]*:[^?]*@")
_LOCAL_LOGIN = re.compile(r"[^/?\s@]*:[^/?\s]*@")
_BARE_LOGIN = re.compile(r"(?<![^\s\"'`<(\[{,;=])(?://)?[^\s\"'`<>/@:]+:(?!//)[^\s]*@(?=[A-Za-z0-9\[])")

_START = r"(?:(?<=_)|(?<=--)|(?<=%26)|(?<=%3[Ff])|(?<=%2[Ff])|(?<![A-Za-z0-9_.-]))"
# `"password": "x"`, `'password': 'x'`, `password = "x"`, `"password": 1234`.
_QUOTED = re.compile(
    rf"{_START}({_NAME})([\"']?\s*[=:]\s*)"
    r"(?:(\")(?:[^\"\\\n]|\\.)*(?:\"|$)|(')(?:[^'\\\n]|\\.)*(?:'|$)|(?<=[\"']:)\d+|(?<=[\"']: )\d+)"
)
# `password=x` up to the next parameter, a space or a quote; a space belongs to it where another parameter follows.
_NAMED = re.compile(
    rf"{_START}({_NAME})([ \t]*=(?![ \t]*[=\"'])[ \t]*|%3[Dd])"
    r"(?:(?![_/;,]\s*\w+=|%26)[^&\s\"'`<>])*"
    r"(?:[^&\n\"'`]*(?=&\w+=))?"
)
_HEADER = re.compile(
    r"(?i)\b(authorization\s*:\s*|basic\s+|bearer\s+|digest\s+)((?:(?:basic|bearer|digest)\s+)?)[^\s\"',]{6,}"
)


def is_secret_name(name: str) -> bool:
    """Whether a setting or parameter of this name holds a secret, such as "password", "api_key" or "accessToken"."""
    return _SECRET_NAME.fullmatch(name) is not None


def is_scheme(text: str) -> bool:
    """Whether what stands before `://` may be shown: a word such as "rtsp", and not "admin:password"."""
    return _WHOLE_SCHEME.fullmatch(text) is not None


def has_local_login(rest: str) -> bool:
    """Whether what stands behind `://` of a thing in this machine begins as a user and password would."""
    return _BEHIND_LOGIN.match(rest) is not None


def redact(text: str) -> str:
    """`text` with every secret in it replaced by "…", and otherwise as it was.

    Cut are: what stands before the `@` of an address (`rtsp://user:pass@host`, also unescaped passwords that hold
    `@`, `/`, `:`, `#` or spaces; the last `@` before a closing quote, a line's end or the next address counts), and
    the values of parameters with a secret's name (`?token=…`, `/user=a_password=b`, `password = "x"`,
    `{"api_key": "x"}`), also percent-encoded. In doubt more is cut rather than less. Cutting twice changes nothing.
    A sentence that has a key keeps it, unless a secret is cut out that is in no single value.
    """
    return changed(text, _redact)


def _redact(text: str) -> str:
    if "@" in text or "%40" in text:
        text = "".join(_addresses(text))
        text = _BARE_LOGIN.sub(_keep_local, text)
    text = _QUOTED.sub(_cut_quoted, text)
    text = _NAMED.sub(rf"\1\2{CUT}", text)
    return _HEADER.sub(rf"\1\2{CUT}", text)


def _cut_quoted(found: re.Match[str]) -> str:
    quote = found[4] or '"'
    return f"{found[1]}{found[2]}{quote}{CUT}{quote}"


def _keep_local(found: re.Match[str]) -> str:
    return found[0] if "://" in found[0] else f"{CUT}@"


def _addresses(text: str) -> list[str]:
    """`text` in pieces, with the userinfo of each address cut."""
    starts = [
        each
        for each in _SCHEME.finditer(text)
        if each.start() == 0 or text[each.start() - 1] in _APART or each[2] != "://"
    ]
    pieces, done = [], 0
    for index, start in enumerate(starts):
        limit = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        begin = start.end()
        if begin < done:
            continue
        end = _end(text, start.start(), begin, limit)
        pieces.append(text[done:begin])
        login = _login(text[begin:end], start[1].lower(), "@" if start[2] == "://" else "%40")
        if login:
            pieces.append(CUT)
        done = begin + login
    return [*pieces, text[done:]]


def _end(text: str, start: int, begin: int, limit: int) -> int:
    """Where the address that starts at `start` ends at the latest."""
    line = text.find("\n", begin, limit)
    end = line if line >= 0 else limit
    quote = text[start - 1] if start and text[start - 1] in "\"'`" else ""
    if quote:
        closing = re.compile(rf"{quote}(?=[\s,;:.)\]}}]|$)").search(text, begin, end)
        end = closing.start() if closing else end
    return end


def _login(rest: str, scheme: str, sign: str) -> int:
    """How many characters after `://` are userinfo, without the `sign` that ends it (`@`, or its code)."""
    if scheme in LOCAL_SCHEMES:
        found = None if rest.startswith("/") else _LOCAL_LOGIN.match(rest)
        return found.end() - 1 if found else 0
    at = rest.rfind(sign)
    login = rest[: max(at, 0)]
    if rest.startswith("/") and ":" not in login:
        return 0  # a path; with a colon it may be a login behind a slash too many
    if re.search(r"\s", login) and ":" not in login and not re.search(r"(?i)%3a", login):
        return _login(login, scheme, sign)  # words that follow, with an address of a person in them
    return len(login)
