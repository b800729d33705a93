"""What the device calls itself to the broker: the same over restarts, another on another machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from comfywear.publishing.topics import Topics

# machine-id(5); the second is where systems without systemd keep it. It should not be shown, so only a hash is.
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def client_id(topics: Topics, otherwise: str) -> str:
    """The client id, from the machine's id and the device's name.

    Args:
        topics: The device's.
        otherwise: Stands for the machine where it has no id: something that stays with its memory card.
    """
    digest = hashlib.sha256(f"comfywear {machine_id() or otherwise} {topics.base}".encode()).hexdigest()
    return f"comfywear-{topics.device}-{digest[:12]}"


def machine_id() -> str | None:
    """The machine's id, or None where it has none."""
    for path in _MACHINE_IDS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if len(text) == 32:
            return text
    return None
