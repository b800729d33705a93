"""Tries something in a process of its own: whatever it does there, crash, hang or eat the memory, this one goes on."""

from __future__ import annotations

import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Literal, NamedTuple

__all__ = ["Outcome", "signal_name", "try_in_child"]

_POLL_S = 0.1
_PARTING_S = 10.0
_LAST_BYTES = 300


class Outcome(NamedTuple):
    """What became of the process.

    Attributes:
        end: "ended" by itself, "late" when its time was over, "called off" when `go_on` said so.
        said: Its standard output.
        last_words: The last line of its standard error.
        code: Its exit code; minus the number of a signal that ended it.
    """

    end: Literal["ended", "late", "called off"]
    said: bytes
    last_words: str
    code: int


def try_in_child(
    command: Sequence[str],
    *,
    asked: bytes = b"",
    patience_s: float,
    go_on: Callable[[float], bool] = lambda _: True,
) -> Outcome:
    """Run a command to its end; it is gone when this returns.

    Args:
        command: The program and its arguments.
        asked: Its standard input.
        patience_s: After so long it is ended.
        go_on: Called about ten times a second with the seconds so far; False ends it, and so does what it raises.
    """
    began_s = time.monotonic()
    said = b""
    end: Literal["ended", "late", "called off"] = "ended"
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stderr:
        stdin.write(asked)
        stdin.seek(0)
        with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr) as child:
            assert child.stdout is not None
            try:
                while (part := _read(child.stdout)) != b"":
                    said += part or b""
                    passed_s = time.monotonic() - began_s
                    if not go_on(passed_s):
                        end = "called off"
                        break
                    if passed_s > patience_s:
                        end = "late"
                        break
                else:
                    with suppress(subprocess.TimeoutExpired):  # what hangs at its end has answered before
                        child.wait(_PARTING_S)
            finally:
                child.kill()
                code = child.wait()
        stderr.seek(0)
        last = stderr.read()[-_LAST_BYTES:].decode("utf-8", "replace").strip().splitlines()[-1:]
    return Outcome(end, said, "".join(last), code)


def signal_name(number: int) -> str:
    """What a signal is called: "SIGILL" for 4, "signal 99" for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read(pipe: IO[bytes]) -> bytes | None:
    """What the child said; None when it says nothing for a moment, b"" when it is done."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return pipe.read1(65_536) if selector.select(_POLL_S) else None  # type: ignore[attr-defined]  # buffered
