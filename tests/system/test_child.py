"""Something is tried in a process of its own: whatever it does there, there is an outcome, and the process is gone."""

from __future__ import annotations

import sys

import pytest

from comfywear.system.child import Outcome, signal_name, try_in_child


def run(code: str, patience_s: float = 20.0, asked: bytes = b"") -> Outcome:
    return try_in_child([sys.executable, "-c", code], asked=asked, patience_s=patience_s)


def test_what_is_asked_goes_in_and_what_is_said_comes_out() -> None:
    code = "import sys; sys.stdout.write(sys.stdin.read()[::-1]); sys.stderr.write('first\\nlast\\n'); sys.exit(3)"
    assert run(code, asked=b"ab" * 100_000) == Outcome("ended", b"ba" * 100_000, "last", 3)


@pytest.mark.parametrize(("number", "name"), [(4, "SIGILL"), (11, "SIGSEGV")])
def test_a_signal_that_ends_it_is_named(number: int, name: str) -> None:
    outcome = run(f"import os; print('begun', flush=True); os.kill(os.getpid(), {number})")
    assert (outcome.end, outcome.said, signal_name(-outcome.code)) == ("ended", b"begun\n", name)


def test_what_hangs_is_ended_and_late() -> None:
    outcome = run("import time; time.sleep(600)", patience_s=0.2)
    assert (outcome.end, outcome.code) == ("late", -9)


def test_it_ends_when_nobody_wants_it_any_more() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert try_in_child(command, patience_s=60.0, go_on=lambda passed_s: passed_s < 0.2).end == "called off"


def test_a_signal_without_a_name_is_a_number() -> None:
    assert signal_name(99) == "signal 99"
