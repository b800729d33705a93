"""What the operating system says of this process."""

from __future__ import annotations

import os
from pathlib import Path

from comfywear.system.files import matching


def rss_mb(pid: int | str = "self") -> float | None:
    """Resident memory of a process in MB (10⁶ bytes); None where /proc does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def family_rss_mb() -> float | None:
    """Resident memory of this process and its children (the camera's) in MB; shared pages count in each."""
    own = rss_mb()
    return None if own is None else own + children_rss_mb("self")


def children_rss_mb(pid: int | str) -> float:
    """Resident memory of a process's children in MB (10⁶ bytes)."""
    total = 0.0
    for path in matching(Path(f"/proc/{pid}/task"), "*/children"):
        try:
            children = path.read_text().split()
        except OSError:  # a thread that has just ended
            continue
        total += sum(rss_mb(int(child)) or 0.0 for child in children)
    return total
