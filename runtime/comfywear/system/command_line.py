"""A command line with a module a subcommand: finds the one that is meant, runs it, turns refusals into exit codes."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from comfywear import __version__
from comfywear.errors import ComfyWearError
from comfywear.system.log import guard_log
from comfywear_sensors.redaction import redact

__all__ = ["add_modules", "counted", "dispatch"]


def counted(count: int, noun: str) -> str:
    """Such as "1 vote" and "2 votes"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


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
    guard_log()
    with suppress(ValueError, OSError, RuntimeError):  # no stderr to write to
        if not faulthandler.is_enabled():
            faulthandler.enable()  # a crash in an engine leaves the stack of every thread in the journal
    try:
        result: int = args.run(args)
    except ComfyWearError as error:
        sys.stderr.write(f"{program}: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:  # what no command foresaw: a folder that may not be looked into, a full disk
        sys.stderr.write(f"{program}: {_in_words(error)}\n")
        return 1
    return result


def _in_words(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return redact(f"{type(error).__name__}: {error}" if error.strerror is None else str(error.strerror))
    barred = "; this user may not: run it as whoever owns it" if isinstance(error, PermissionError) else ""
    return redact(f"{error.filename}: {error.strerror}{barred}")


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
