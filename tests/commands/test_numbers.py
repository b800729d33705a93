"""Every number of the command line is read by a type that knows its range: no NaN, no endless wait gets through."""

from __future__ import annotations

import argparse
import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfywear import cli, commands
from comfywear_export import cli as export_cli
from comfywear_sensors import load

ROOT = Path(__file__).resolve().parents[2]

# What speaks for itself: the scale, in its own words.
SAID_ELSEWHERE = {("vote", "level")}


def arguments(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                yield from arguments(child, f"{name} {word}".strip())
        else:
            yield name, action


def whole_command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers()
    for info in pkgutil.iter_modules(commands.__path__):
        if not info.name.startswith("_"):
            importlib.import_module(f"{commands.__name__}.{info.name}").add_parser(verbs)
    return parser


def test_every_number_has_a_range() -> None:
    found = list(arguments(whole_command_line(), ""))
    assert len(found) > 100
    bare = {(name, action.dest) for name, action in found if action.type in (int, float)}
    assert bare == SAID_ELSEWHERE


def test_no_program_of_the_house_takes_a_bare_number() -> None:
    """The workstation's commands, the sensors' and the measurements: as they are written, since some need torch."""
    bare, ranged = set(), 0
    for top in ("runtime", "sensors", "models", "export", "bench", "scripts", "systemd"):
        for path in (ROOT / top).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                given = call.keywords if isinstance(call, ast.Call) else ()
                for kind in (ast.unparse(each.value) for each in given if each.arg == "type"):
                    ranged += "whole" in kind or "number" in kind or "seconds" in kind
                    if kind in ("int", "float"):
                        bare.add(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert ranged > 100
    assert {place.partition(":")[0] for place in bare} == {"runtime/comfywear/commands/vote.py"}, sorted(bare)


@pytest.mark.parametrize(
    "words",
    [
        "listen --seconds nan",
        "listen --seconds -1",
        "listen --count 0",
        "record --out o.mp4 --seconds inf",
        "record --out o.mp4 --seconds 0",
        "record --out o.mp4 --fps nan",
        "record --out o.mp4 --fps 1000",
        "demo --frames 0",
        "models import m.onnx --threshold 30",
        "models import m.onnx --threshold 1",
        "cameras list --seconds nan",
        "sensors watch fake://room --every nan",
        "sensors watch fake://room --every inf",
        "sensors watch fake://room --patience nan",
        "sensors watch fake://room --count -1",
        "doctor --patience nan",
        "doctor --patience -1",
        "homeassistant forget --config x --wait nan",
        "homeassistant forget --config x --wait -1",
        "forget --config x --wait inf",
        "finds reject 0",
        "finds miss nan 0 1 1",
        "learning rollback --to -1",
        "collect --db x --ack-every nan",
        "comfort --air-temp 22 --humidity 50 --usual-temp nan",
        "comfort --air-temp 22 --humidity 50 --usual-temp inf",
        "comfort --air-temp 22 --humidity 50 --sun -5",
        "bench sensors --seconds nan",
        "bench tracker --frames 0",
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words.split())
    assert ended.value.code == 2
    assert "number" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        "evaluate detector --data x --threads 0",
        f"evaluate detector --data x --limit {'9' * 5000}",
        "evaluate detector --data x --most nan",
        "evaluate comfort --data x --folds 1",
        "track --detections x --out y --lost-s inf",
        "track --detections x --out y --frame-rate nan",
        "dataset x --validation -0.5",
        "dataset x --min-score 7",
        "evaluate dral --data x --seeds 0",
        "evaluate dral --data x --views 1",
        "evaluate dral --data x --neighbours 0",
        "tune setpoint-advice --policy x --setpoint 27 --pmv 9 --outdoor-temp 20",
        "tune advice --reward x --air-temp nan --humidity 50",
        "tune setpoint-advice --policy x --setpoint 99 --pmv 0 --outdoor-temp 20",
        "tune setpoint --out x --days 366",
        "select x --gap inf",
        "train detector --data x --minutes -1",
        "train attributes --data x --out y --mix 1.5",
        "train painter --data x --out y --batch 0",
        "cycle --data x --batch 0",
        "parity detector --data x --threads 1 -1",
        "parity detector --data x --limit 0",
    ],
    ids=lambda words: words[:40],
)
def test_a_number_that_cannot_be_meant_is_refused_on_the_workstation(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        export_cli.main(words.split())
    assert ended.value.code == 2
    assert "number" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "9" * 400, "soon"])
def test_the_load_of_sensors_is_measured_for_a_time_that_can_be_meant(
    seconds: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["load", "--seconds", seconds, "fake://room"])
    with pytest.raises(SystemExit) as ended:
        load.main()
    assert ended.value.code == 2
    assert "give a number of seconds" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["listen", "collect --db x", "demo"])
@pytest.mark.parametrize("port", ["²", "1" * 5000, "0", "65536"])
def test_a_port_that_is_none_is_refused(command: str, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*command.split(), "--broker", f"127.0.0.1:{port}"]) == 2
    assert "is no broker" in capsys.readouterr().err
