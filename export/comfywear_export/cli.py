"""The command `comfywear-export`: the workstation's side."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from comfywear.system.command_line import dispatch
from comfywear_export import commands


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of the workstation."""
    words = sys.argv[1:] if argv is None else argv
    return dispatch("comfywear-export", "Train, export, quantise, evaluate.", commands.__name__, words)


if __name__ == "__main__":
    sys.exit(main())
