"""Where messages go: comfywear/v1/<site>/<device>/… ."""

from __future__ import annotations

import re
from dataclasses import dataclass

from comfywear.errors import UsageError
from comfywear.texts import Text

ROOT = "comfywear/v1"
BACKLOG = "backlog"
"""The level below a device's own that what comes late has before the rest of its topic."""
_LONGEST_TOPIC = 512
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def check_name(name: str, what: str) -> str:
    """`name` itself, when it can stand in a topic.

    Raises:
        UsageError: When it is empty or holds anything but letters, digits, _ and - (such as a wildcard).
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            Text("{what} {name} cannot stand in a topic: use letters, digits, _ and - only", what=what, name=repr(name))
        )
    return name


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device.

    Raises:
        UsageError: When a name cannot stand in a topic.
    """

    site: str
    device: str

    def __post_init__(self) -> None:
        check_name(self.site, "site")
        check_name(self.device, "device")

    @property
    def base(self) -> str:
        """What every topic of the device begins with, without a closing slash."""
        return f"{ROOT}/{self.site}/{self.device}"

    @property
    def status(self) -> str:
        """Retained; the broker itself says "offline" there when the device is gone (last will)."""
        return f"{self.base}/status"

    @property
    def meta(self) -> str:
        """Retained: what the device is."""
        return f"{self.base}/meta"

    @property
    def metrics(self) -> str:
        """How the device is doing."""
        return f"{self.base}/device/metrics"

    @property
    def health(self) -> str:
        """Retained: what does not work now."""
        return f"{self.base}/device/health"

    @property
    def deletion(self) -> str:
        """An event: somebody had votes deleted, of which collectors delete their copies."""
        return f"{self.base}/deletion"

    @property
    def updates(self) -> str:
        """Retained: versions of the program and of the models, and the progress of an update."""
        return f"{self.base}/device/updates"

    def camera(self, name: str) -> str:
        """Retained: how one of several cameras is."""
        return f"{self.base}/camera/{check_name(name, 'camera')}"

    def view(self, camera: str) -> str:
        """A JPEG of the view of a camera, where the settings send it; empty while there is none."""
        return f"{self.base}/view/{check_name(camera, 'camera')}"

    @property
    def privacy(self) -> str:
        """Retained: which cameras may not look."""
        return f"{self.base}/privacy"

    def line(self, name: str) -> str:
        """Retained: how many crossed a line today."""
        return f"{self.base}/line/{check_name(name, 'line')}/count"

    def crossing(self, name: str) -> str:
        """An event: somebody crossed a line."""
        return f"{self.base}/line/{check_name(name, 'line')}/crossing"

    def climate(self, zone: str) -> str:
        """Retained: the air of a zone."""
        return self._of(zone, "climate")

    def people(self, zone: str) -> str:
        """Retained: who is there, by clothing alone."""
        return self._of(zone, "people")

    def occupancy(self, zone: str) -> str:
        """Retained: whether anybody is in the zone, how many, since when."""
        return self._of(zone, "occupancy")

    def presence(self, zone: str) -> str:
        """An event: somebody came into the zone or left it."""
        return self._of(zone, "presence")

    def comfort(self, zone: str) -> str:
        """Retained: how comfortable the zone is."""
        return self._of(zone, "comfort")

    def setpoint(self, zone: str) -> str:
        """Retained: what the zone likes, and what a thermostat should be set to."""
        return self._of(zone, "setpoint")

    def vote(self, zone: str) -> str:
        """An event: somebody pressed 1–5."""
        return self._of(zone, "vote")

    def ask(self, zone: str) -> str:
        """Retained: what the device would like to know from the people of a zone."""
        return self._of(zone, "ask")

    def vote_set(self, zone: str) -> str:
        """Incoming: a vote from elsewhere."""
        return self._of(zone, "vote/set")

    @property
    def vote_set_filter(self) -> str:
        """The subscription that brings votes for every zone."""
        return f"{self.base}/zone/+/vote/set"

    def zone_of_vote_set(self, topic: str) -> str | None:
        """The zone of an incoming vote's topic, or None when the topic is something else."""
        head, tail = f"{self.base}/zone/", "/vote/set"
        if not (topic.startswith(head) and topic.endswith(tail)):
            return None
        zone = topic[len(head) : -len(tail)]
        return zone if _NAME.fullmatch(zone) else None

    @property
    def ack_filter(self) -> str:
        """The subscription that brings the acknowledgements of every consumer."""
        return f"{self.base}/ack/+"

    def ack(self, consumer: str) -> str:
        """Incoming: how far a consumer has stored what came."""
        return f"{self.base}/ack/{check_name(consumer, 'consumer')}"

    def gone(self, consumer: str) -> str:
        """An answer to an acknowledgement: what the device no longer has."""
        return f"{self.base}/gone/{check_name(consumer, 'consumer')}"

    def backlog(self, topic: str) -> str:
        """Where a message of `topic` goes that comes late: collectors read it, whoever shows what is now does not.

        `topic` itself when it is no topic of the device, or one of its backlog already.
        """
        head = f"{self.base}/"
        if not topic.startswith(head) or topic.startswith(f"{head}{BACKLOG}/"):
            return topic
        return f"{head}{BACKLOG}/{topic.removeprefix(head)}"

    @property
    def command_filter(self) -> str:
        """The subscription that brings commands."""
        return f"{self.base}/cmd/+"

    def command(self, name: str) -> str:
        """Incoming: a command."""
        return f"{self.base}/cmd/{check_name(name, 'command')}"

    def reply(self, name: str) -> str:
        """Where a command's reply goes that names no other topic."""
        return f"{self.base}/reply/{check_name(name, 'command')}"

    def may_answer_at(self, topic: str) -> bool:
        """True when replies may go to `topic`: below the device's `reply` alone.

        Elsewhere somebody could make the device speak in the name of another, with the device's rights.
        """
        head = f"{self.base}/reply/"
        if len(topic) > _LONGEST_TOPIC or not topic.startswith(head):
            return False
        return all(_NAME.fullmatch(level) for level in topic[len(head) :].split("/"))

    def _of(self, zone: str, what: str) -> str:
        return f"{self.base}/zone/{check_name(zone, 'zone')}/{what}"
