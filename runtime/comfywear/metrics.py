"""What the operating system says of this process."""

from __future__ import annotations

import os
from pathlib import Path


def rss_mb(pid: int | str = "self") -> float | None:
    """Resident memory of a process in MB (10⁶ bytes); None where /proc does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
