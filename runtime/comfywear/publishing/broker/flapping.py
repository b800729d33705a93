"""Why a connection breaks again and again: the cause is named once it repeats."""

from __future__ import annotations

from comfywear.publishing.spool.rows import Row
from comfywear.texts import Text

# Connections in a row that broke before they had settled, after which the cause is named.
OFTEN = 3


class Losses:
    """Remembers the connections that broke before they had settled.

    Args:
        client_id: What this device calls itself to the broker.
    """

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._count = 0
        self._taken = False
        self._row: Row | None = None
        self._same_row = 0

    def settled(self) -> None:
        """The last connection lasted."""
        self._count = self._same_row = 0
        self._taken = False
        self._row = None

    def note(self, reason: str, heading: Row | None) -> str:
        """Take a loss; returns the reason, with the cause once it is known.

        Args:
            reason: Why the connection ended.
            heading: The oldest message that was on its way.
        """
        self._count += 1
        same = heading is not None and self._row is not None and heading.key == self._row.key
        self._same_row = self._same_row + 1 if same else 1
        self._row = heading
        if "same id" in reason:
            self._taken = True  # a broker's word on it is often lost with the connection
            return self._double(reason)
        if self._count < OFTEN:
            return reason
        if culprit := self.culprit():
            return Text(
                "{why}, each time while message {key} to {topic} ({payload} bytes) was on its way; that topic waits",
                why=reason,
                key=culprit.key[1],
                topic=culprit.topic,
                payload=len(culprit.payload),
            )
        if self._taken:
            return self._double(reason)
        return Text(
            "{why}, again and again: does another client have the id {client_id}? Else the network is "
            "unstable, or the broker restarts",
            why=reason,
            client_id=self._client_id,
        )

    def _double(self, reason: str) -> str:
        return Text(
            "{why} (the id is {client_id}: do two programs run with one device id on this machine, or "
            "was its memory card copied?)",
            why=reason,
            client_id=self._client_id,
        )

    def culprit(self) -> Row | None:
        """The message that was the oldest on its way each time, when it is always the same."""
        return self._row if self._same_row >= OFTEN else None
