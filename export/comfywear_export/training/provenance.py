"""Where a model came from: the commit that trained it, and a mark of its data."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from comfywear_export.data.datasets import find_sets

__all__ = ["commit", "data_digest", "mark"]


def data_digest(data: Path) -> dict[str, str]:
    """The first twelve digits of the sha256 of each set's `instances.json`, by the set's name."""
    sets = find_sets(data)
    return {f.name: hashlib.sha256((f / "instances.json").read_bytes()).hexdigest()[:12] for f in sets}


def commit() -> str:
    """The commit of the checkout that runs, or "unknown"."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def mark(path: Path) -> str:
    """The name of a file and the first digits of its sha256: which one it was, wherever it lay."""
    return f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
