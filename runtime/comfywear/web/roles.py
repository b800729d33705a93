"""The table of the page's addresses with who may ask each, made from the list that the page serves.

`python -m comfywear.web.roles docs/page-roles.md` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from comfywear.web.addresses import ADDRESSES

__all__ = ["text"]

_HEAD = """# Who may ask which address of the page

Made by `python -m comfywear.web.roles docs/page-roles.md`; [page.md](page.md) explains the roles. Each may do what
those before it may: `read`, `vote`, `admin`. What changes something is POST; what stands in the list of changes has its
name there.

| address | role | what for | in the list of changes as |
|---|---|---|---|
"""


def text() -> str:
    """The text of the file."""
    rows = [
        f"| `{each.method} {each.path}` | {each.role or 'all'} | {each.what} | {each.audit} |"
        for each in ADDRESSES.values()
    ]
    return _HEAD + "\n".join(rows) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m comfywear.web.roles FILE\n")
        return 2
    Path(arguments[0]).write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
