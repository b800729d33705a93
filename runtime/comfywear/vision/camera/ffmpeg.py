"""Why FFmpeg cannot open a stream: it says so on the standard error output, and OpenCV passes it on in no other way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from comfywear.errors import LoginRefusedError, SourceError
from comfywear.texts import Text

__all__ = ["Overheard", "overhearing", "refusal"]

_STATUS = re.compile(r"failed: (\d{3}) ([^\n]*)|HTTP error (\d{3}) ([^\n]*)|Server returned (\d{3}) ([^\n(]*)")
_WORDS = (
    ("Connection refused", Text("nothing answers at this address and port")),
    ("No route to host", Text("the network knows no way to this host")),
    ("timed out", Text("no answer in time")),
    ("Failed to resolve hostname", Text("there is no such host")),
    ("Protocol not found", Text("this build of OpenCV does not read this kind of address")),
    ("Invalid data found", Text("what comes is no video that can be read")),
)


class Overheard:
    """The text so far."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._text = b""

    @property
    def text(self) -> str:
        """Everything that was written."""
        while True:
            try:
                more = os.read(self._fd, 65536)
            except BlockingIOError:
                break
            if not more:
                break
            self._text += more
        return self._text.decode(errors="replace")


@contextmanager
def overhearing() -> Iterator[Overheard]:
    """Read what this process writes on its standard error output, at most what fits a pipe; nobody else sees it."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)  # FFmpeg drops what does not fit, and never waits
    kept = os.dup(2)
    os.dup2(write, 2)
    os.close(write)
    try:
        yield Overheard(read)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(read)


def refusal(shown: str, text: str, *, login: bool) -> SourceError:
    """Why a network camera could not be opened.

    Args:
        shown: Its address without secrets.
        text: What FFmpeg said.
        login: Whether the address has a user name.
    """
    status = _STATUS.search(text)
    number = next((group for group in status.groups() if group), "") if status else ""
    if number == "401" or "Unauthorized" in text:
        if login:
            return LoginRefusedError(Text("{shown}: user name or password refused (401)", shown=shown))
        return LoginRefusedError(
            Text(
                "{shown} asks for a user name and password (401): put NAME:PASSWORD and an at sign in front "
                "of the host",
                shown=shown,
            )
        )
    if number == "403":
        return LoginRefusedError(Text("{shown}: access refused (403)", shown=shown))
    if number == "404":
        return SourceError(Text("{shown}: the camera has no stream at this path (404)", shown=shown))
    if number and number != "200":
        return SourceError(Text("{shown}: the camera answers {number}", shown=shown, number=number))
    for sign, words in _WORDS:
        if sign in text:
            return SourceError(Text("{shown}: {why}", shown=shown, why=words))
    return SourceError(Text("{shown} cannot be opened (is it plugged in, switched on and not in use?)", shown=shown))
