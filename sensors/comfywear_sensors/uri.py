"""Sensor URIs: `scheme://[user:password@]host[:port]/path?option=value`, options checked by name and range."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from comfywear_sensors.errors import BadSensorURI
from comfywear_sensors.redaction import LOCAL_SCHEMES, has_local_login, is_secret_name, redact
from comfywear_sensors.texts import Text

_HOW_TO_ENCODE = Text(
    "what a user name or password holds of these is written percent-encoded: @ as %40, : as %3A, / as %2F, # as %23, "
    "? as %3F, & as %26, + as %2B, [ as %5B, ] as %5D, % as %25, a space as %20"
)
# Left as they are where a URI is printed, besides letters and digits of any language.
_PLAIN_IN_HOST = "-._~:"
_PLAIN_IN_PATH = "-._~/:,="
_PLAIN_IN_VALUE = "-._~/:,"


class SensorURI:
    """A parsed URI; each reader takes the options that it knows and then calls `finish`.

    Attributes:
        scheme: Such as "serial", in lower case.
        host: What stands between `//` and the next `/`, without user and password, percent signs resolved; may hold
            a colon (`iio:device0`).
        path: With its leading slash, percent signs resolved; empty when there is none.
        user: Before the `@`, or None; things in this machine have none, and an `@` there belongs to a name.
        password: After the user's colon, or None.
        source: The URI without user, password and secret options, as `open_reader` reads it: what readings and log
            lines carry.
    """

    def __init__(self, text: str) -> None:
        scheme, mark, rest = text.partition("://")
        if not mark or not scheme.isascii() or not scheme.replace("+", "").isalnum():
            named = "this" if ":" in text or "@" in text else repr(redact(text))
            raise BadSensorURI(
                Text("{named} is not a sensor URI; it should look like serial:///dev/ttyUSB0?baud=9600", named=named)
            )
        self.scheme = scheme.lower()
        local = self.scheme in LOCAL_SCHEMES
        if local and has_local_login(rest):
            raise BadSensorURI(
                Text("{scheme}:// has no user and password; in a name write @ as %40", scheme=self.scheme)
            )
        if "…" in text:
            raise BadSensorURI(
                Text(
                    "{text}: '…' stands for a name; comfywear sensors list prints the whole one",
                    text=repr(redact(text)),
                )
            )
        if not local:
            _check_login(text, rest)
        if "#" in text:
            raise BadSensorURI(Text("{text}: write '#' as %23 in a sensor URI", text=repr(redact(text))))
        try:
            parts = urlsplit(text)
        except ValueError:
            hint = Text("; {how_to_encode}", how_to_encode=_HOW_TO_ENCODE) if "@" in rest else ""
            raise BadSensorURI(Text("{text} is not a URI{hint}", text=repr(redact(text)), hint=hint)) from None
        login, _, host = ("", "", parts.netloc) if local else parts.netloc.rpartition("@")
        user, colon, password = login.partition(":")
        self.user: str | None = _resolved(user) if login else None
        self.password: str | None = _resolved(password) if colon else None
        self.host = _resolved(host)
        self.path = _resolved(parts.path)
        try:
            pairs = parse_qsl(
                parts.query,
                keep_blank_values=True,
                strict_parsing=bool(parts.query),
                errors="surrogateescape",
            )
        except ValueError:
            raise BadSensorURI(
                Text("{text}: options are written ?name=value&name=value", text=repr(redact(text)))
            ) from None
        public = [(name, value) for name, value in pairs if not is_secret_name(name)]
        self.source = redact(format_uri(self.scheme, host=self.host, path=self.path, options=public))
        self._options: dict[str, list[str]] = {}
        for name, value in pairs:
            self._options.setdefault(name, []).append(value)
        self._known: set[str] = set()

    def all(self, name: str) -> list[str]:
        """Every value of a repeatable option."""
        self._known.add(name)
        return self._options.get(name, [])

    def text(self, name: str, default: str = "") -> str:
        """The value of an option; an error when it stands there twice."""
        values = self.all(name)
        if len(values) > 1:
            raise BadSensorURI(
                Text(
                    "{source}: the option {name} stands there {values} times; once is enough",
                    source=self.source,
                    name=repr(name),
                    values=len(values),
                )
            )
        return values[0] if values else default

    def names(self, name: str) -> tuple[str, ...]:
        """The value of an option as names with commas between them."""
        return tuple(word.strip() for word in self.text(name).split(",") if word.strip())

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """The value of an option that is one of `choices`."""
        value = self.text(name, default)
        if value not in choices:
            raise BadSensorURI(
                Text(
                    "{source}: {name}={value} is not one of {choices}",
                    source=self.source,
                    name=name,
                    value=value,
                    choices=", ".join(choices),
                )
            )
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """The value of an option as a number in `low`…`high`."""
        return self._numeric(name, default, low, high, float)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """The value of an option as a whole number in `low`…`high`; `0x` starts a hexadecimal one."""
        return int(self._numeric(name, default, low, high, lambda text: int(text, 0)))

    def _numeric(self, name: str, default: float, low: float, high: float, parse: Callable[[str], float]) -> float:
        text = self.text(name)
        if not text:
            return default
        try:
            value = parse(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise BadSensorURI(
                Text(
                    "{source}: {name}={text} should be a number from {low} to {high}",
                    source=self.source,
                    name=name,
                    text=text,
                    low=f"{low:g}",
                    high=f"{high:g}",
                )
            )
        return value

    def flag(self, name: str) -> bool:
        """True for 1, false for 0 or nothing."""
        return self.choice(name, ("0", "1"), "0") == "1"

    def host_port(self, default_port: int) -> tuple[str, int]:
        """The host and its port; an IPv6 address stands in square brackets."""
        host, colon, port = self.host.rpartition(":")
        if not colon or self.host.endswith("]"):
            return self.host.strip("[]"), default_port
        if not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65536:
            raise BadSensorURI(
                Text(
                    "{source}: the port {port} should be a number from 1 to 65535", source=self.source, port=repr(port)
                )
            )
        return host.strip("[]"), int(port)

    def finish(self) -> None:
        """Refuse what nobody asked for: a misspelt option must not be silently ignored."""
        unknown = sorted(set(self._options) - self._known)
        if unknown:
            known = ", ".join(sorted(name for name in self._known if not is_secret_name(name))) or "none"
            meant = get_close_matches(unknown[0], self._known, n=1)
            hint = Text("did you mean {meant}? ", meant=meant[0]) if meant else ""
            raise BadSensorURI(
                Text(
                    "{source}: {unknown} is not an option of {scheme}://; {hint}(it has: {known})",
                    source=self.source,
                    unknown=repr(unknown[0]),
                    scheme=self.scheme,
                    hint=hint,
                    known=known,
                )
            )


def format_uri(
    scheme: str,
    *,
    host: str = "",
    path: str = "",
    options: Mapping[str, str] | Sequence[tuple[str, str]] = (),
) -> str:
    """The URI of these parts, as `SensorURI` reads it back: whatever names hold, only letters stay as they are."""
    pairs = options.items() if isinstance(options, Mapping) else options
    query = "&".join(f"{_written(name, _PLAIN_IN_VALUE)}={_written(value, _PLAIN_IN_VALUE)}" for name, value in pairs)
    plain = _PLAIN_IN_HOST + ("[]" if _is_ipv6(host) else "")
    written = f"{scheme}://{_written(host, plain)}{_written(path, _PLAIN_IN_PATH)}"
    return f"{written}?{query}" if query else written


def _is_ipv6(host: str) -> bool:
    """Whether it is an address in brackets, with a port or not; other brackets are part of a name."""
    found = re.fullmatch(r"\[([^\[\]]+)\](:[0-9]*)?", host)
    if found is None:
        return False
    try:
        return ip_address(found[1]).version == 6
    except ValueError:
        return False


def _written(text: str, plain: str) -> str:
    # No "…" and nothing that urlsplit drops or normalises: only what is a letter or a digit in itself.
    return "".join(
        sign
        if sign in plain or (sign.isalnum() and (sign.isascii() or (sign.isalpha() and sign.lower() != sign.upper())))
        else quote(sign, safe="", errors="surrogateescape")
        for sign in text
    )


def _resolved(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def _check_login(text: str, rest: str) -> None:
    """Refuse an `@` behind the host: it may end a password that holds what a URI gives another meaning."""
    ends = [place for sign in "/?#" if (place := rest.find(sign)) >= 0]
    if ends and "@" in rest[min(ends) :]:
        raise BadSensorURI(
            Text(
                "{text}: an @ stands behind a / or ? or #: in topics and options write %40; {how_to_encode}",
                text=repr(redact(text)),
                how_to_encode=_HOW_TO_ENCODE,
            )
        )


def source_of(uri: str) -> str:
    """The name that readings from `uri` carry: the URI without user, password and secret options."""
    return SensorURI(uri).source
