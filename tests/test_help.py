"""Every command of both programs, down to the last, can say how it is used."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from types import ModuleType

import pytest

import comfywear.commands
import comfywear_export.commands
from comfywear.system.command_line import add_modules


def below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from below(inner)


def test_every_option_at_the_workstation_says_what_it_does() -> None:
    parser = argparse.ArgumentParser()
    add_modules(parser.add_subparsers(), comfywear_export.commands)
    silent = [
        f"{each.prog.split(maxsplit=1)[1]} {'/'.join(action.option_strings) or action.dest}"
        for each in list(below(parser))[1:]
        for action in each._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert not silent


@pytest.mark.parametrize("package", [comfywear.commands, comfywear_export.commands])
def test_every_command_explains_itself(package: ModuleType) -> None:
    parser = argparse.ArgumentParser()
    add_modules(parser.add_subparsers(), package)
    found = list(below(parser))
    assert len(found) > 15
    for each in found:
        assert "--help" in each.format_help()
