"""JSON Schema of each message type: `python -m comfywear.publishing.messages.schemas docs/schemas` writes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from comfywear.publishing.messages.commands import COMMANDS
from comfywear.publishing.messages.fields import Level
from comfywear.publishing.messages.incoming import INCOMING_TYPES, VoteSet
from comfywear.publishing.messages.kinds import MESSAGE_TYPES


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema (draft 2020-12) of each message type by name."""
    types: dict[str, Any] = {**MESSAGE_TYPES, **INCOMING_TYPES, "vote-set": Level | VoteSet}
    types |= {f"cmd-{name}": kind for name, kind in COMMANDS.items()}
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"comfywear/v1/{name}",
            **msgspec.json.schema(kind),
        }
        for name, kind in types.items()
    }


def texts() -> dict[str, str]:
    """The text of each file by its name."""
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas().items()
    }


def main(arguments: Sequence[str]) -> int:
    """Write the files into the folder that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m comfywear.publishing.messages.schemas FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
