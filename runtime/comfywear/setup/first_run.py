"""A device without a settings file: its page alone, until the file is there."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from functools import partial
from pathlib import Path

from comfywear.setup.assistant import SetupAssistant
from comfywear.system.listening import listen
from comfywear.system.loopback import is_loopback
from comfywear.system.sd_notify import ServiceManager
from comfywear.web.server import config_of, serve

__all__ = ["FirstRun"]

_log = logging.getLogger(__name__)

IDLE_S = 20.0
SAID_EVERY_S = 5.0
ANSWER_S = 0.5
"""So long the last answer may take before the page ends."""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is read as another
_CODE = 12


class FirstRun:
    """Serves the first run's page.

    Attributes:
        url: Where it is; None while it is not.
        code: Signs in once; "" where only this machine reaches the page.

    Args:
        path: The settings file that is to be made.
        folder: The state folder.
        host: Where it listens: a loopback address, or one that the network reaches, which then needs the code.
        port: 0 = any that is free.
    """

    def __init__(self, path: Path, folder: Path, host: str, port: int) -> None:
        self._path, self._folder, self._host, self._port = path, folder, host, port
        self._stop = threading.Event()
        self._made = False
        self._ends_s = self._due_s = 0.0
        self.url: str | None = None
        local = is_loopback(host)
        self.code = "" if local else "".join(secrets.choice(_LETTERS) for _ in range(_CODE))

    def stop(self) -> None:
        """End `run`; also from a signal's handler."""
        self._stop.set()

    def run(self, manager: ServiceManager) -> bool:
        """Serve until the settings are made (True) or `stop` is called (False).

        Raises:
            ComfyWearError: When the port cannot be listened on.
        """
        from comfywear.web.setup_app import make_setup_app

        with listen(self._host, self._port, "the first run's page", "name another with --setup HOST:PORT") as listener:
            host, port = listener.getsockname()[:2]
            self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
            said = f"there are no settings yet ({self._path}): set this device up at {self.url}"
            if self.code:
                said += f" with the code {self.code} (any address of this machine; the code works once)"
            _log.warning("%s", said)
            manager.ready(said.replace(self.code, "…") if self.code else said)
            assistant = SetupAssistant(self._path, self._folder, self._host, port, self._finished)
            app = make_setup_app(assistant, self.code, local=is_loopback(self._host), stop=self._stop)
            try:
                asyncio.run(serve(config_of(app), listener, self._stop, partial(self._beat, assistant, manager)))
            finally:
                assistant.rest()
                self.url = None
        return self._made

    def _finished(self) -> None:
        self._made, self._ends_s = True, time.monotonic() + ANSWER_S

    def _beat(self, assistant: SetupAssistant, manager: ServiceManager) -> None:
        """Feed the watchdog, let go of what nobody looks at, and end once the settings are made."""
        now_s = time.monotonic()
        if self._made and now_s >= self._ends_s:
            self._stop.set()
        if now_s >= self._due_s:
            self._due_s = now_s + SAID_EVERY_S
            manager.alive("waits to be set up on its page")
            assistant.let_go(IDLE_S)
