"""The command `comfywear`: finds the subcommand, runs it, and turns a refusal into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from comfywear import __version__, commands
from comfywear.errors import ComfyWearError


def dispatch(program: str, description: str, package_name: str, argv: Sequence[str]) -> int:
    """Run the subcommand that `argv` names from the modules of `package_name`; returns its exit code.

    Only the module that was asked for is imported, so that `--help` and small commands start at once.
    """
    package = importlib.import_module(package_name)
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    chosen = next((word for word in argv if not word.startswith("-")), None)
    add_modules(subparsers, package, only=chosen)
    args = parser.parse_args(argv)
    try:
        result: int = args.run(args)
    except ComfyWearError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    return result


def add_modules(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], package: ModuleType, only: str | None = None
) -> None:
    """Let the modules of `package` add their parsers; just one of them where `only` names it."""
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))
    for name in [only] if only in names else names:
        importlib.import_module(f"{package.__name__}.{name}").add_parser(subparsers)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of the device."""
    words = sys.argv[1:] if argv is None else argv
    return dispatch("comfywear", "A camera, a sensor and a button become a comfort sensor.", commands.__name__, words)


if __name__ == "__main__":
    sys.exit(main())
