"""What is known of a model's releases: which is in service, which was before, and what happened to them."""

from __future__ import annotations

import msgspec

from comfywear.system.clock import wall_time

__all__ = ["SHIPPED", "HistoryEntry", "ReleaseTrial", "Slot", "Slots"]

SHIPPED = "shipped"
"""What the version of a model that came with the program is called here."""

_MOST_ENTRIES = 20
_LONGEST_REASON = 500


class Slot(msgspec.Struct, frozen=True):
    """A release on this device.

    Attributes:
        version: From its card.
        folder: Below the model's.
        released: ISO 8601 UTC.
        shipped: The version of the model that the program came with when it was taken over; empty = there was none.
    """

    version: str
    folder: str
    released: str
    shipped: str = ""


class ReleaseTrial(msgspec.Struct, frozen=True):
    """The first minutes of a release in service.

    Attributes:
        limit_ms: What a picture may cost inside the engine; None = no model to compare with.
        starts: How often it was loaded without an orderly end.
    """

    limit_ms: float | None = None
    starts: int = 0


class HistoryEntry(msgspec.Struct, frozen=True):
    """Something that happened to a model: "refused", "taken over", "kept" or "rolled back", with the reason."""

    what: str
    version: str
    reason: str = ""
    ts: str | None = None


class Slots(msgspec.Struct, frozen=True):
    """A model's releases: None = the shipped model (or none, where no model of this name is shipped).

    Attributes:
        current: In service.
        previous: Comes back when it is rolled back.
        trial: While it is on trial.
        history: What happened, newest last.
        newest: When the newest release was released that was ever in service (ISO 8601 UTC).
    """

    current: Slot | None = None
    previous: Slot | None = None
    trial: ReleaseTrial | None = None
    history: list[HistoryEntry] = []
    newest: str = ""

    @property
    def version(self) -> str:
        """In service."""
        return self.current.version if self.current else SHIPPED

    @property
    def before(self) -> str | None:
        """The version that a roll-back would bring back; None when the shipped model is in service."""
        if self.current is None:
            return None
        return self.previous.version if self.previous else SHIPPED

    def with_entry(self, what: str, version: str, reason: str = "") -> Slots:
        """The same with one more entry; the oldest go."""
        entry = HistoryEntry(what, version, reason[:_LONGEST_REASON], wall_time().ts)
        return msgspec.structs.replace(self, history=[*self.history, entry][-_MOST_ENTRIES:])
