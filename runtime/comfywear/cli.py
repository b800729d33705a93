"""The command `comfywear`: finds the subcommand, runs it, and turns a refusal into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
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
    for name in _modules(package):
        if name == chosen:
            importlib.import_module(f"{package_name}.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=_purpose(package, name))
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


def add_modules(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], package: ModuleType) -> None:
    """Let every module of `package` add its parser."""
    for name in _modules(package):
        importlib.import_module(f"{package.__name__}.{name}").add_parser(subparsers)


def _modules(package: ModuleType) -> list[str]:
    return sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))


def _purpose(package: ModuleType, name: str) -> str:
    """What the module's first line says after the colon, without importing it."""
    # Read, not parsed: CPython 3.11 may fail to parse while another thread writes a traceback (SystemError: AST
    # constructor recursion depth mismatch).
    with (Path(package.__path__[0]) / f"{name}.py").open(encoding="utf-8") as source:
        first = source.readline().strip().strip('"')
    return first.partition(": ")[2].rstrip(".").replace("%", "%%")


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of the device."""
    words = sys.argv[1:] if argv is None else argv
    return dispatch("comfywear", "A camera, a sensor and a button become a comfort sensor.", commands.__name__, words)


if __name__ == "__main__":
    sys.exit(main())
