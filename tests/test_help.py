"""Every command of both programs, down to the last, can say how it is used."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from types import ModuleType

import pytest

import comfywear.commands
import comfywear_export.commands
from comfywear.cli import add_modules


def below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from below(inner)


@pytest.mark.parametrize("package", [comfywear.commands, comfywear_export.commands])
def test_every_command_explains_itself(package: ModuleType) -> None:
    parser = argparse.ArgumentParser()
    add_modules(parser.add_subparsers(), package)
    found = list(below(parser))
    assert len(found) > 15
    for each in found:
        assert "--help" in each.format_help()
