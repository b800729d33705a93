"""The table of the settings file about the page."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from comfywear.settings_types import Section


class WebSettings(Section, frozen=True):
    """The page for a tablet on the wall or a phone: five faces, the zone in words, the day's chart, a sketch."""

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
            "`Authorization: Bearer …`. It may be credential:NAME, which the service manager keeps.",
        ),
    ] = ""
    title: Annotated[str, Meta(title="Title", description="Shown at the top.", max_length=60)] = "comfywear"
    language: Annotated[
        str,
        Meta(title="Language", description="en, de, or auto = what each browser asks for.", pattern="^[a-z]{2,8}$"),
    ] = "auto"
    sketch: Annotated[
        bool, Meta(title="Sketch", description="Let the page show the camera's picture as outlines and colours.")
    ] = True
