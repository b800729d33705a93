"""Folders of this device that more than one room reads or writes."""

from __future__ import annotations

import os
from pathlib import Path

from comfywear_models import Card, available, find

__all__ = ["SETTINGS", "find_model", "given_state_home", "state_home", "user_models", "usual_settings"]

SETTINGS = "device.toml"
"""What a device's settings are called."""


def state_home() -> Path:
    """The device's state folder where no settings say another: $STATE_DIRECTORY, else ~/.local/state/comfywear."""
    return given_state_home() or Path.home() / ".local" / "state" / "comfywear"


def given_state_home() -> Path | None:
    """The state folder that the service manager gave this process, which others have to be told; None for none."""
    return _given("STATE_DIRECTORY")


def usual_settings() -> Path:
    """The settings where none are named: those of $CONFIGURATION_DIRECTORY if there are any, else the state folder's.

    The former are kept by whoever looks after the machine, the latter by the device itself, on its page.
    """
    kept = _given("CONFIGURATION_DIRECTORY")
    return kept / SETTINGS if kept and (kept / SETTINGS).exists() else state_home() / SETTINGS


def user_models() -> Path:
    """Where `comfywear models import` keeps models: $COMFYWEAR_MODELS, else `models` in the state folder."""
    given = os.environ.get("COMFYWEAR_MODELS", "")
    return Path(given) if given else state_home() / "models"


def find_model(name_or_path: str | Path) -> tuple[Card, Path]:
    """The card and folder of a shipped model by name, of one that the user imported, or of any by its card's path.

    A shipped model comes before one of the user's with the same name. `CardError` when there is none.
    """
    name = str(name_or_path)
    if name not in available() and name in available(user_models()):
        return find(name, user_models())
    return find(name)


def _given(name: str) -> Path | None:
    """The first of the folders in a variable of systemd's; None for none."""
    first = os.environ.get(name, "").split(":")[0]
    return Path(first) if first else None
