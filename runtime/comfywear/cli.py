"""The command `comfywear`: one of the modules in `commands` does what is asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from comfywear import commands
from comfywear.system.command_line import dispatch


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of the device."""
    words = sys.argv[1:] if argv is None else argv
    return dispatch("comfywear", "A camera, a sensor and a button become a comfort sensor.", commands.__name__, words)


if __name__ == "__main__":
    sys.exit(main())
