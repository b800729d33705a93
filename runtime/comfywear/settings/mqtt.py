"""The table of the settings file about the broker, and about what is kept until it has heard it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from comfywear.settings.types import Days, Megabytes, MegabytesOrNone, Name, Seconds, Section


class MqttSettings(Section, frozen=True):
    """The broker that hears about comfort."""

    host: Annotated[
        str,
        Meta(title="Host", description="Empty = no broker: everything is kept in the state folder until there is one."),
    ] = ""
    port: Annotated[Annotated[int, Meta(ge=1, le=65535)], Meta(title="Port", description="8883 is usual with TLS.")] = (
        1883
    )
    username: Annotated[str, Meta(title="User name", description="Empty = none.")] = ""
    password_file: Annotated[
        str,
        Meta(
            title="Password file",
            description="A file that holds the password alone; never the password itself. Like the three files of TLS, "
            "it may be credential:NAME, which the service manager keeps (LoadCredential=NAME:FILE).",
        ),
    ] = ""
    tls: Annotated[bool, Meta(title="TLS", description="Encrypt, and verify the broker's certificate.")] = False
    ca_file: Annotated[
        str, Meta(title="CA file", description="Your own authority's certificate; empty = the system's authorities.")
    ] = ""
    client_cert: Annotated[
        str, Meta(title="Client certificate", description="Shown to a broker that wants one; empty = none.")
    ] = ""
    client_key: Annotated[
        str, Meta(title="Client key", description="Of the client certificate; empty = it stands in the same file.")
    ] = ""
    interval_s: Annotated[
        Seconds,
        Meta(title="Interval", description="How often live states go out when nothing changes.", extra={"unit": "s"}),
    ] = 30.0
    spool_mb: Annotated[
        Megabytes,
        Meta(
            title="Spool size",
            description="Unsent messages kept at most; when full, telemetry is thinned, then dropped, votes last.",
            extra={"unit": "MB"},
        ),
    ] = 50.0
    spool_days: Annotated[
        Days,
        Meta(
            title="Spool age",
            description="Telemetry that could not be sent for so long is dropped; votes are not.",
            extra={"unit": "d"},
        ),
    ] = 60.0
    write_mb_per_day: Annotated[
        MegabytesOrNone,
        Meta(
            title="Writes a day",
            description="Commits of telemetry are spaced out, up to 10 s, so that no more is written for the spool; "
            "votes never wait. 0 = no limit. Memory cards wear with what is written.",
            extra={"unit": "MB"},
        ),
    ] = 500.0
    confirm_by: Annotated[
        list[Name],
        Meta(
            title="Confirmed by",
            description="Consumers whose acknowledgement is awaited before a message is forgotten (the --name of "
            "comfywear collect); empty = the broker's is enough.",
            max_length=16,
        ),
    ] = msgspec.field(default_factory=list)
    confirm_days: Annotated[
        Days,
        Meta(
            title="Confirmed within",
            description="What nobody confirmed for so long is forgotten once the broker has it.",
            extra={"unit": "d"},
        ),
    ] = 7.0
