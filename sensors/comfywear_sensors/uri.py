"""Sensor URIs: `scheme://[user:password@]host[:port]/path?option=value`, options checked by name and range."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from comfywear_sensors.errors import BadSensorURI

_SECRET_OPTIONS = frozenset({"password"})


class SensorURI:
    """A parsed URI; each reader takes the options that it knows and then calls `finish`.

    Attributes:
        scheme: Such as "serial", in lower case.
        host: What stands between `//` and the next `/`, without user and password; may hold a colon (`iio:device0`).
        path: With its leading slash, percent signs resolved; empty when there is none.
        user: Before the `@`, or None.
        password: After the user's colon, or None.
        source: The URI without user, password and secret options: what readings and log lines carry.
    """

    def __init__(self, text: str) -> None:
        try:
            parts = urlsplit(text)
        except ValueError as error:
            raise BadSensorURI(f"{text!r} is not a URI: {error}") from None
        if not parts.scheme or "://" not in text:
            raise BadSensorURI(f"{text!r} is not a sensor URI; it should look like serial:///dev/ttyUSB0?baud=9600")
        if parts.fragment:
            raise BadSensorURI(f"{text!r}: write '#' as %23 in a sensor URI")
        self.scheme = parts.scheme.lower()
        login, _, self.host = parts.netloc.rpartition("@")
        user, colon, password = login.partition(":")
        self.user: str | None = unquote(user) if login else None
        self.password: str | None = unquote(password) if colon else None
        self.path = unquote(parts.path)
        try:
            pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise BadSensorURI(f"{text!r}: options are written ?name=value&name=value") from None
        public = "&".join(
            f"{name}={quote(value, safe='/:,.+-')}" for name, value in pairs if name not in _SECRET_OPTIONS
        )
        self.source = f"{self.scheme}://{self.host}{parts.path}" + (f"?{public}" if public else "")
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
            raise BadSensorURI(f"{self.source}: the option {name!r} stands there {len(values)} times; once is enough")
        return values[0] if values else default

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """The value of an option that is one of `choices`."""
        value = self.text(name, default)
        if value not in choices:
            raise BadSensorURI(f"{self.source}: {name}={value} is not one of {', '.join(choices)}")
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
            raise BadSensorURI(f"{self.source}: {name}={text} should be a number from {low:g} to {high:g}")
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
            raise BadSensorURI(f"{self.source}: the port {port!r} should be a number from 1 to 65535")
        return host.strip("[]"), int(port)

    def finish(self) -> None:
        """Refuse what nobody asked for: a misspelt option must not be silently ignored."""
        unknown = sorted(set(self._options) - self._known)
        if unknown:
            known = ", ".join(sorted(self._known)) or "none"
            raise BadSensorURI(f"{self.source}: {unknown[0]!r} is not an option of {self.scheme}:// (it has: {known})")


def source_of(uri: str) -> str:
    """The name that readings from `uri` carry: the URI without user, password and secret options."""
    return SensorURI(uri).source
