"""Secrets that are typed in on the page: each in a file of its own, for the device's user alone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from comfywear import web
from comfywear.errors import StoreError
from comfywear.settings.draft import DraftFault
from comfywear.settings.form import SECRET_FIELDS
from comfywear.system.files import replace_file
from comfywear.texts import Text
from comfywear.web.access import SHORTEST_TOKEN

__all__ = ["named_secrets", "put_secrets"]

_FOLDER = "secrets"
_KEYS = ("mqtt.client_key", "web.certificate_key")  # lines of PEM


def named_secrets(
    values: Any, given: Sequence[web.SettingsSecret], folder: Path
) -> tuple[dict[Path, str], list[DraftFault]]:
    """The files that secrets go into, named in `values` from now on; and those that cannot be kept.

    Args:
        values: The content of a settings file.
        given: The secrets.
        folder: The state folder.
    """
    kept: dict[Path, str] = {}
    refused = []
    for each in given:
        place = folder / _FOLDER / f"{'-'.join(map(str, each.path))}-{secrets.token_hex(4)}"
        if fault := _secret_fault(each.path, each.text) or _name_file(values, each.path, place):
            refused.append(DraftFault(tuple(each.path), fault))
        else:
            kept[place] = each.text
    return kept, refused


def put_secrets(kept: Mapping[Path, str]) -> list[Path]:
    """Write each secret to its file; returns which those are.

    Raises:
        StoreError: One could not be written; none is then there.
    """
    made: list[Path] = []
    try:
        for place, text in kept.items():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(place, text.strip().encode() + b"\n", mode=0o600)
            made.append(place)
    except OSError as error:
        for each in made:
            each.unlink(missing_ok=True)
        raise StoreError(Text("a secret cannot be written ({why}); nothing was changed", why=error.strerror)) from error
    return made


def _secret_fault(path: Sequence[str | int], text: str) -> str | None:
    field = ".".join(step for step in path if isinstance(step, str))
    if field not in SECRET_FIELDS:
        return Text("no file with a secret is named here")
    if field in _KEYS:
        return None
    if field.startswith("web.") and len(text.strip()) < SHORTEST_TOKEN:
        return Text("a password of the page has {n} characters or more", n=SHORTEST_TOKEN)
    if not text.strip().isprintable():
        return Text("a password is one line")
    return None


def _name_file(values: Any, path: Sequence[str | int], place: Path) -> str | None:
    """Have a field name a file; what is wrong where there is no such field."""
    for step in path[:-1]:
        if isinstance(values, dict) and isinstance(step, str):
            values = values.setdefault(step, {})
        elif isinstance(values, list) and isinstance(step, int) and 0 <= step < len(values):
            values = values[step]
        else:
            return Text("there is no such table")
    if not isinstance(values, dict):
        return Text("there is no such table")
    values[path[-1]] = str(place)
    return None
