"""Folders of this device that more than one room reads or writes."""

from __future__ import annotations

import os
from pathlib import Path

from comfywear_models import Card, available, find

__all__ = ["find_model", "state_home", "user_models"]


def state_home() -> Path:
    """The device's state folder where no settings say another: $STATE_DIRECTORY, else ~/.local/state/comfywear."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(given) if given else Path.home() / ".local" / "state" / "comfywear"


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
