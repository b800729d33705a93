"""Files that hold a secret: named by their path, or `credential:NAME` for one that the service manager keeps.

systemd's LoadCredential puts such a file into a folder that only this service sees.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["credential_path"]

_KEPT = "credential:"


def credential_path(file: str) -> Path:
    """Where a file with a secret is.

    Raises:
        LookupError: The service manager keeps no credentials for this program.
        ValueError: What follows `credential:` is no name of a file.
    """
    if not file.startswith(_KEPT):
        return Path(file).expanduser()
    folder, name = os.environ.get("CREDENTIALS_DIRECTORY", ""), file.removeprefix(_KEPT)
    if not folder:
        raise LookupError(file)
    if not name or Path(name).name != name or name == "..":
        raise ValueError(file)
    return Path(folder) / name
