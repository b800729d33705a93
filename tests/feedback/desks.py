"""A store with a panel's worker in front of it, for tests of buttons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from comfywear.errors import ComfyWearError
from comfywear.feedback import Snapshot, VoteStore
from comfywear.feedback.buttons import Call, PatientPanel
from comfywear.feedback.buttons.panel import Panel
from comfywear.records import Vote
from comfywear.settings.button_uri import ButtonSpec

WORDS = {1: "very bad", 2: "bad", 3: "neutral", 4: "good", 5: "very good"}


class Desk:
    """A store with a panel's worker in front of it; `failing` makes the store refuse."""

    def __init__(self, uri: str, opener: Callable[[ButtonSpec, float], Panel] | None = None) -> None:
        self.store = VoteStore(None, zones=["desk"], scale_id="s", scale_words=WORDS)
        self.failing: ComfyWearError | None = None
        self.call: Call = "quiet"
        self.panel = PatientPanel(
            uri,
            0.4,
            vote=self._vote,
            undo=self._undo,
            calls=lambda: self.call,
            retry_s=(0.05, 0.2),
            opener=opener,
        )

    def _vote(self, level: int) -> Vote:
        if self.failing:
            raise self.failing
        return self.store.accept("desk", level, self.panel.name, Snapshot())

    def _undo(self) -> Vote:
        return self.store.undo(self.store.last("desk", self.panel.name).id)

    def levels(self) -> list[int]:
        return [vote.level for vote in reversed(self.store.newest())]

    @contextmanager
    def working(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self.panel.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive()
