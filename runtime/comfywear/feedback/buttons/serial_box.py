"""A button box on a serial port: it writes `1`…`5`, `vote 3` or `undo`, a line each.

`ask` is written to it when the device asks for a vote, `here` when it shows which one it is, `quiet` when that is over.
The answer to each line of its own is `ok 3 just comfortable`, `ok undone 3 just comfortable`, or `error` and why.
"""

from __future__ import annotations

import fcntl
import re
import termios
import tty
from typing import final

from comfywear.errors import SourceError
from comfywear.feedback.buttons.port import Port
from comfywear.feedback.buttons.presses import UNDO, Wish
from comfywear.feedback.buttons.signals import Call
from comfywear.records import Vote
from comfywear.settings.button_uri import SerialBox
from comfywear.texts import Text

LONGEST_LINE = 64
_VOTE = re.compile(r"(?:vote\s+)?(-?\d{1,3})", re.IGNORECASE)
_USE = "say 1…5, vote N or undo"


@final
class SerialPanel:
    """The box of `spec`, open. Unlike pyserial it keeps what arrived before it was opened.

    Raises:
        SourceError: When it cannot be opened, is no serial port, or another program holds it.
    """

    def __init__(self, spec: SerialBox) -> None:
        self._port = Port(spec.path)
        self._line = bytearray()
        self._too_long = False
        self._call: Call = "quiet"
        try:
            fcntl.flock(self._port.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            tty.setraw(self._port.fd, termios.TCSANOW)
            settings = termios.tcgetattr(self._port.fd)
            settings[4] = settings[5] = getattr(termios, f"B{spec.baud}")
            settings[2] |= termios.CLOCAL | termios.CREAD
            termios.tcsetattr(self._port.fd, termios.TCSANOW, settings)
        except BlockingIOError as error:
            self._port.close()
            raise SourceError(Text("{path} is in use by another program", path=spec.path)) from error
        except AttributeError as error:
            self._port.close()
            raise SourceError(
                Text(
                    "{path}: no serial port has {baud} baud; 9600 and 115200 are usual", path=spec.path, baud=spec.baud
                )
            ) from error
        except (OSError, termios.error) as error:
            self._port.close()
            raise SourceError(Text("{path} is no serial port ({why})", path=spec.path, why=error.args[-1])) from error

    def read(self, timeout_s: float) -> list[Wish]:
        """What was pressed, after `timeout_s` seconds at most; a line that means nothing is answered at once.

        Raises:
            SourceError: When the box is gone.
        """
        wishes = []
        for line in self._lines(self._port.read(timeout_s)):
            word = line.strip()
            if word.lower() == "undo":
                wishes.append(UNDO)
            elif found := _VOTE.fullmatch(word):
                wishes.append(Wish(int(found[1])))
            elif word:
                self._say(f"error {_USE}")
        return wishes

    def _lines(self, data: bytes) -> list[str]:
        """Whole lines; of one that is longer than `LONGEST_LINE` only a mark that means nothing is kept."""
        lines = []
        for byte in data:
            if byte in b"\r\n":
                lines.append("?" if self._too_long else self._line.decode("ascii", "replace"))
                self._line.clear()
                self._too_long = False
            elif len(self._line) < LONGEST_LINE:
                self._line.append(byte)
            else:
                self._too_long = True
        return lines

    def accepted(self, wish: Wish, vote: Vote) -> None:
        """Say what is stored."""
        self._say(f"ok {'undone ' if wish == UNDO else ''}{vote.level} {vote.words}")

    def refused(self, wish: Wish, reason: str) -> None:  # noqa: ARG002 - the box knows what it asked
        """Say why it is not."""
        self._say(f"error {' '.join(reason.split())}")

    def attend(self, call: Call) -> None:
        """Say what the device wants, once."""
        if call != self._call:
            self._say(call)
            self._call = call

    def _say(self, text: str) -> None:
        self._port.write(text.encode() + b"\n")

    def close(self) -> None:
        """Give the port back."""
        self._port.close()
