"""The program's log: lines for stderr, and never a secret in one, whoever writes it."""

from __future__ import annotations

import logging

from comfywear_sensors.redaction import redact

__all__ = ["RedactingFormatter", "begin_log", "guard_log"]


class RedactingFormatter(logging.Formatter):
    """Formats a record whole, with its arguments and its traceback, and cuts every secret out of that."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines, of a record."""
        return redact(super().format(record))


def begin_log(level: int, layout: str) -> None:
    """Log to stderr from `level` on, a line as `layout` says (`%(message)s` and others of `logging`)."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(layout))
    logging.basicConfig(level=level, handlers=[handler])


def guard_log() -> None:
    """The same for what is logged before, or without, `begin_log`: called once where a program starts."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(RedactingFormatter("%(message)s"))
