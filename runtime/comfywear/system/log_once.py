"""Says what is wrong once: when it begins, when its words change, and when it is over; not each time it is met."""

from __future__ import annotations

import logging

__all__ = ["LogOnce"]


class LogOnce:
    """One thing that may be wrong.

    Args:
        log: Where it is said.

    Attributes:
        standing: What is wrong now, in words; None when nothing is.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self.standing: str | None = None

    def trouble(self, error: Exception) -> None:
        """It is wrong; an error in the log, where it is another than before."""
        if str(error) != self.standing:
            self._log.error("%s", error)
        self.standing = str(error)

    def over(self, said: str = "") -> None:
        """It is well; `said` goes to the log where something was wrong before."""
        if said and self.standing is not None:
            self._log.warning("%s", said)
        self.standing = None
