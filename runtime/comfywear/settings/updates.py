"""The table of the settings file about models that the device takes over while it runs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from comfywear.settings.types import Megabytes, Seconds, SecondsOrNone, Section
from comfywear.texts import Text


class UpdatesSettings(Section, frozen=True):
    """Whose models are taken over, from where, and what they must hold to (docs/updates.md)."""

    keys: Annotated[
        list[str],
        Meta(
            title="Keys",
            description="Public keys (ed25519, base64) of those who may release models one by one, or introduce a "
            "repository; empty = none.",
            max_length=16,
        ),
    ] = msgspec.field(default_factory=list)
    root: Annotated[
        str,
        Meta(
            title="Root",
            description="The first root.json of the TUF repository that models are taken from, as release init wrote "
            "it; with it, releases of the old format are not taken.",
        ),
    ] = ""
    repository: Annotated[
        str,
        Meta(title="Repository", description="Its URL, which ends in /; empty = models are pulled by command alone."),
    ] = ""
    check_s: Annotated[
        SecondsOrNone,
        Meta(
            title="Check",
            description="How often the repository is asked for new models; 0 = only by command.",
            extra={"unit": "s"},
        ),
    ] = 86_400.0
    group: Annotated[
        str,
        Meta(
            title="Group",
            description="Of devices, such as pilot: a release may go to some groups first.",
            pattern="^[A-Za-z0-9_-]{0,64}$",
        ),
    ] = ""
    sources: Annotated[
        list[str],
        Meta(
            title="Sources",
            description="Beginnings of the URLs that the MQTT command models-pull may name, each ending in /; empty = "
            "no model is pulled by MQTT. The command line may name any.",
            max_length=16,
        ),
    ] = msgspec.field(default_factory=list)
    ca_file: Annotated[
        str,
        Meta(title="CA file", description="Your own authority's certificate; empty = the system's authorities."),
    ] = ""
    allow_http: Annotated[
        bool,
        Meta(
            title="Without TLS",
            description="Take http:// from other machines, too: signatures are checked all the same, but others see "
            "what is fetched.",
        ),
    ] = False
    largest_mb: Annotated[
        Megabytes, Meta(title="Largest", description="All files of a release together.", extra={"unit": "MB"})
    ] = 100.0
    slower_at_most: Annotated[
        Annotated[float, Meta(ge=1, le=100)],
        Meta(
            title="Slower at most",
            description="A picture may cost so many times what it costs with the present model.",
        ),
    ] = 1.5
    trial_s: Annotated[
        Seconds,
        Meta(
            title="Trial",
            description="For so long a new model is watched at work: slower than that, or an error, and the one "
            "before comes back.",
            extra={"unit": "s"},
        ),
    ] = 300.0
    program: Annotated[
        bool,
        Meta(
            title="Program",
            description="Whether the MQTT command program-upgrade, and so Home Assistant, may ask for the newest "
            "package; needs systemctl enable --now comfywear-upgrade.path, too.",
        ),
    ] = False


def faults(updates: UpdatesSettings) -> Iterator[tuple[str, str]]:
    """What one field's type does not show: the field and what is wrong with it."""
    for index, key in enumerate(updates.keys):
        try:
            right = len(base64.b64decode(key, validate=True)) == 32
        except ValueError:  # no base64, or no ASCII
            right = False
        if not right:
            yield f"keys[{index}]", Text("A public key is base64 of 32 bytes (44 characters)")
    if updates.repository and (
        not updates.repository.startswith(("https://", "http://")) or not updates.repository.endswith("/")
    ):
        yield "repository", Text("A repository is a URL that ends in /, such as https://host/models/")
    for index, source in enumerate(updates.sources):
        if not source.startswith(("https://", "http://")) or not source.endswith("/"):
            yield (
                f"sources[{index}]",
                Text("A source is the beginning of a URL and ends in /, such as https://host/models/"),
            )
