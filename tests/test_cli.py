"""The command line: finds commands, and turns every refusal into one line and an exit code."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import comfywear.commands
import comfywear_export.commands
from comfywear import __version__
from comfywear.cli import main
from comfywear.system import command_line


def test_version_and_help_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--version"], ["--help"], ["config", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
    said = capsys.readouterr().out
    assert __version__ in said
    for command in ("run", "config", "bench", "vote", "listen", "demo", "models"):
        assert command in said


@pytest.mark.parametrize("package", [comfywear.commands, comfywear_export.commands])
def test_the_help_says_of_each_command_what_it_is_for(package: ModuleType) -> None:
    for name in command_line._modules(package):
        said = command_line._purpose(package, name)
        assert len(said) > 15, name
        assert '"' not in said


@pytest.mark.parametrize("words", [[], ["nonsense"], ["config"], ["run", "--config"], ["vote", "five"]])
def test_wrong_use_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_refusal_is_one_line_without_a_traceback() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "comfywear.cli", "run", "--config", "/nowhere/device.toml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "/nowhere/device.toml" in ended.stderr
