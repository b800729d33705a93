"""The table of the settings file about the page."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from comfywear.settings.types import Section

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def proxies(text: str) -> tuple[Network, ...]:
    """The networks of `WebSettings.proxy`, an address being a network of one; "*" is all there are.

    Raises:
        ValueError: It names something else, such as a host.
    """
    words = [word.strip() for word in text.replace("*", "0.0.0.0/0,::/0").split(",")] if text else []
    return tuple(ipaddress.ip_network(word) for word in words)


class TokenSettings(Section, frozen=True):
    """One more password of the page, for those who may not do everything."""

    file: Annotated[
        str,
        Meta(
            title="File", description="Holds the password alone, as web.token_file; credential:NAME too.", min_length=1
        ),
    ]
    role: Annotated[
        Literal["read", "vote", "admin"],
        Meta(
            title="Role",
            description="read = look; vote = also vote; admin = also see the settings and correct what the camera "
            "finds.",
        ),
    ] = "read"


class WebSettings(Section, frozen=True):
    """The page for a tablet on the wall or a phone: five faces, the zone in words, the day's chart, a view."""

    enabled: Annotated[bool, Meta(title="Page", description="Serve the page.")] = False
    host: Annotated[
        str,
        Meta(
            title="Address",
            description="127.0.0.1 = this machine alone; 0.0.0.0 or :: = the network, for which token_file must be "
            "named.",
        ),
    ] = "127.0.0.1"
    port: Annotated[Annotated[int, Meta(ge=0, le=65535)], Meta(title="Port", description="0 = any that is free.")] = (
        8080
    )
    token_file: Annotated[
        str,
        Meta(
            title="Password file",
            description="A file that holds the page's password alone (10 characters or more); a program sends it as "
            "`Authorization: Bearer …`. It may be credential:NAME, which the service manager keeps. It allows "
            "everything.",
        ),
    ] = ""
    tokens: Annotated[
        list[TokenSettings], Meta(title="More passwords", description="[[web.tokens]]: passwords that allow less.")
    ] = msgspec.field(default_factory=list)
    certificate: Annotated[
        str,
        Meta(
            title="Certificate",
            description="Encrypt (https) with the certificate in this PEM file, with those between it and its "
            "authority; own = one that the device makes for its name, whose fingerprint it says when it starts. "
            "Empty = no TLS.",
        ),
    ] = ""
    certificate_key: Annotated[
        str,
        Meta(
            title="Certificate's key",
            description="The PEM file of its key, not locked; it may be credential:NAME. Empty = it stands in the "
            "same file.",
        ),
    ] = ""
    proxy: Annotated[
        str,
        Meta(
            title="Proxy",
            description="Address of a reverse proxy in front of the page, such as 10.0.0.2 or a network 10.0.0.0/24 "
            "(several with commas): wrong passwords and votes are then counted by the client that it names "
            "(X-Forwarded-For), and it may hold as many connections as there are. Empty = no proxy.",
        ),
    ] = ""
    title: Annotated[str, Meta(title="Title", description="Shown at the top.", max_length=60)] = "comfywear"
    language: Annotated[
        str,
        Meta(title="Language", description="en, de, or auto = what each browser asks for.", pattern="^[a-z]{2,8}$"),
    ] = "auto"
    sketch: Annotated[
        bool, Meta(title="Sketch", description='Let the page show what the camera sees; false = as view = "off".')
    ] = True
    view: Annotated[
        Literal["room", "sketch", "off"],
        Meta(
            title="View",
            description="What the page shows of what the camera sees: room = the room without people, in lines and "
            "flat tones, and figures for those who are in it; sketch = outlines and pale colours; off = nothing.",
        ),
    ] = "room"

    @property
    def shown_view(self) -> Literal["room", "sketch", "off"]:
        """The view, `sketch = false` of older files counted."""
        return self.view if self.sketch else "off"
