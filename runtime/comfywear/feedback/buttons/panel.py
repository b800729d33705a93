"""One source of votes for ever: opened again after it was gone, its presses committed before they are answered."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, final

from comfywear.errors import ComfyWearError
from comfywear.feedback.buttons.gpio import GpioPanel
from comfywear.feedback.buttons.keypad import KeypadPanel
from comfywear.feedback.buttons.presses import UNDO, Wish
from comfywear.feedback.buttons.serial_box import SerialPanel
from comfywear.feedback.buttons.signals import Call
from comfywear.records import Vote
from comfywear.settings.button_uri import ButtonSpec, GpioButtons, Keypad, parse_button_uri
from comfywear_sensors.backoff import BackOff

_log = logging.getLogger(__name__)

_WAIT_S = 0.45


class Panel(Protocol):
    """An open source of votes; its errors are `SourceError`s and mean that it is gone."""

    def read(self, timeout_s: float) -> list[Wish]:
        """What was pressed."""

    def accepted(self, wish: Wish, vote: Vote) -> None:
        """Show that it is stored."""

    def refused(self, wish: Wish, reason: str) -> None:
        """Show that it is not."""

    def attend(self, call: Call) -> None:
        """Show what the device wants of the people; called at least twice a second."""

    def close(self) -> None:
        """Give it back."""


@dataclass(frozen=True, slots=True)
class PanelState:
    """How a source of votes is: "up" or "down" with the reason; presses accepted and refused since the start."""

    name: str
    state: Literal["waiting", "up", "down"]
    error: str | None
    accepted: int
    refused: int


@final
class PatientPanel:
    """Turns the presses of one source into votes; `run` belongs in a thread of the supervisor.

    Args:
        uri: The source.
        long_press_s: See `Presses`.
        vote: Commits a level; raises ComfyWearError to refuse.
        undo: Takes the last vote of this source back; raises ComfyWearError to refuse.
        calls: What the device wants of the people at these buttons now.
        retry_s: First and longest pause before a source that is gone is tried again; it doubles in between.
        opener: Opens the source, in place of `open_panel`.

    Raises:
        UsageError: When `uri` cannot be meant.
    """

    def __init__(
        self,
        uri: str,
        long_press_s: float,
        *,
        vote: Callable[[int], Vote],
        undo: Callable[[], Vote],
        calls: Callable[[], Call] = lambda: "quiet",
        retry_s: tuple[float, float] = (0.5, 30.0),
        opener: Callable[[ButtonSpec, float], Panel] | None = None,
    ) -> None:
        self._spec = parse_button_uri(uri)
        self.name = self._spec.name
        self._long_press_s = long_press_s
        self._vote, self._undo, self._calls = vote, undo, calls
        self._back_off = BackOff(*retry_s, share=(0.75, 1.0))
        self._opener = opener or open_panel
        self._panel: Panel | None = None
        self._due_s = time.monotonic()
        self._up_since_s = 0.0
        self._state: Literal["waiting", "up", "down"] = "waiting"
        self._error: str | None = None
        self._accepted = self._refused = 0

    def state(self) -> PanelState:
        """How it is now; any thread may ask."""
        return PanelState(self.name, self._state, self._error, self._accepted, self._refused)

    def open(self) -> None:
        """Open it if it is time, so that the kernel keeps what is pressed from now on; never raises."""
        if self._panel is not None or time.monotonic() < self._due_s:
            return
        try:
            self._panel = self._opener(self._spec, self._long_press_s)
        except ComfyWearError as error:
            self._lost(str(error))
            return
        self._up_since_s = time.monotonic()
        if self._state != "up":
            _log.info("buttons up: %s", self.name)
        self._state, self._error = "up", None

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Take presses until `stop` is set."""
        try:
            while not stop.is_set():
                beat()
                self.open()
                if self._panel is None:
                    stop.wait(min(_WAIT_S, max(self._due_s - time.monotonic(), 0.0)))
                    continue
                try:
                    self._panel.attend(self._calls())
                    for wish in self._panel.read(_WAIT_S):
                        beat()
                        self._take(self._panel, wish)
                except ComfyWearError as error:
                    self._lost(str(error))
        finally:
            self._close()

    def _take(self, panel: Panel, wish: Wish) -> None:
        try:
            vote = self._undo() if wish == UNDO or wish.level is None else self._vote(wish.level)
        except Exception as error:  # the person must see that it does not count, whatever failed
            self._refused += 1
            known = isinstance(error, ComfyWearError)
            _log.log(logging.INFO if known else logging.ERROR, "a press on %s does not count: %s", self.name, error)
            panel.refused(wish, str(error) if known else "the vote could not be stored")
        else:
            self._accepted += 1
            panel.accepted(wish, vote)

    def _lost(self, reason: str) -> None:
        self._close()
        if time.monotonic() - self._up_since_s > self._back_off.longest_s:
            self._back_off.settle()  # only a source that stays starts again with short pauses; a loose plug does not
        self._due_s = time.monotonic() + self._back_off.fail()
        if (self._state, self._error) != ("down", reason):
            _log.warning("buttons down: %s", reason)
        self._state, self._error = "down", reason

    def _close(self) -> None:
        panel, self._panel = self._panel, None
        if panel is not None:
            panel.close()


def open_panel(spec: ButtonSpec, long_press_s: float) -> Panel:
    """Open a source of votes.

    Raises:
        SourceError: When it is not there or cannot be used.
    """
    if isinstance(spec, GpioButtons):
        return GpioPanel(spec, long_press_s)
    if isinstance(spec, Keypad):
        return KeypadPanel(spec, long_press_s)
    return SerialPanel(spec)
