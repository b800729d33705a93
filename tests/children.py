"""Processes that a test starts and never leaves behind, nor waits for without end."""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Any

PATIENCE_S = 60.0


class Child(subprocess.Popen[Any]):
    """A `Popen` whose block ends: a process that should have ended by itself fails the test, and is killed."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.wait(PATIENCE_S)
        finally:
            self.kill()
            super().__exit__(kind, error, trace)
