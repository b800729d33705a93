"""The learnt policy as a small file with a card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from comfywear.errors import UsageError
from comfywear_export.ledger import write_whole
from comfywear_export.setpoint.qlearning import ACTIONS, COOLEST, OUTDOOR, SHAPE, VOTES, WAITS, WARMEST, Policy

__all__ = ["load_policy", "save_policy"]

_TABLE = {
    "setpoint_c": [COOLEST, WARMEST],
    "votes": list(VOTES),
    "hours_to_work": list(WAITS),
    "outdoor_c": list(OUTDOOR),
    "actions": list(ACTIONS),
}


def save_policy(policy: Policy, folder: Path, card: Mapping[str, Any]) -> Path:
    """Write `setpoint.json` and `setpoint.card.json` with its hash; returns the first."""
    text = json.dumps({"table": _TABLE, "values": np.round(policy.values, 3).ravel().tolist()}) + "\n"
    path = folder / "setpoint.json"
    write_whole(path, text)
    file = {
        "path": path.name, "engine": "numpy", "precision": "float64",
        "sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text.encode()),
    }  # fmt: skip
    write_whole(
        folder / "setpoint.card.json", json.dumps({**card, "files": [file]}, indent=1, ensure_ascii=False) + "\n"
    )
    return path


def load_policy(path: Path) -> Policy:
    """Read such a file; UsageError when it is none or, where its card lies beside it, not what the card says."""
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
        if data["table"] != _TABLE:
            raise ValueError("its table is not laid out as in this version")
        values = np.asarray(data["values"], float).reshape(int(np.prod(SHAPE)), 3)
        if not np.isfinite(values).all():
            raise ValueError("a value is no number")
        card = path.with_name("setpoint.card.json")
        if card.is_file():
            said = json.loads(card.read_text(encoding="utf-8"))["files"][0]["sha256"]
            if said != hashlib.sha256(text.encode()).hexdigest():
                raise ValueError("it was altered: its hash is not the card's")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); make it with tune setpoint") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UsageError(f"{path}: not a setpoint policy: {error}") from error
    return Policy(values)
