"""Folders of this device that more than one room reads or writes."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["state_home", "user_models"]


def state_home() -> Path:
    """The device's state folder where no settings say another: $STATE_DIRECTORY, else ~/.local/state/comfywear."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(given) if given else Path.home() / ".local" / "state" / "comfywear"


def user_models() -> Path:
    """Where `comfywear models import` keeps models: $COMFYWEAR_MODELS, else `models` in the state folder."""
    given = os.environ.get("COMFYWEAR_MODELS", "")
    return Path(given) if given else state_home() / "models"
