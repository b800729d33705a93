"""What was proven: a line a check, with its time, as it happens; and the same in a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


class Report:
    """Prints lines and keeps them for the transcript.

    Attributes:
        failed: The names of the checks that failed.
    """

    def __init__(self, transcript: Path | None) -> None:
        self._transcript = transcript
        self._started_s = time.monotonic()
        self._lines: list[str] = []
        self.failed: list[str] = []
        self.passed = 0

    def say(self, line: str = "") -> None:
        """Print a line."""
        print(line, flush=True)
        self._lines.append(line)
        if self._transcript is not None:
            self._transcript.parent.mkdir(parents=True, exist_ok=True)
            self._transcript.write_text("\n".join(self._lines) + "\n")

    def check(self, name: str, proof: Callable[[], str]) -> bool:
        """Run one check; what it returns is said beside its name. Whatever it raises is a failure; the next follows."""
        started_s = time.monotonic()
        try:
            detail, failure = proof(), None
        except Exception as error:  # a check that breaks is a check that failed
            detail, failure = "", f"{type(error).__name__}: {error}"
        took_s = time.monotonic() - started_s
        if failure is None:
            self.passed += 1
            self.say(f"  pass {took_s:6.1f} s  {name}{': ' if detail else ''}{detail}")
        else:
            self.failed.append(name)
            self.say(f"  FAIL {took_s:6.1f} s  {name}: {failure}")
        return failure is None

    def end(self) -> int:
        """Say the sum; returns the exit status."""
        minutes = (time.monotonic() - self._started_s) / 60
        self.say(f"{self.passed} passed, {len(self.failed)} failed, in {minutes:.0f} minutes")
        for name in self.failed:
            self.say(f"  failed: {name}")
        return 1 if self.failed else 0
