"""From the settings to the spool and the publisher, and the workers that keep them going."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from comfywear import __version__, publishing
from comfywear.device.votes.voting import Voting
from comfywear.errors import StoreError
from comfywear.settings.mqtt import MqttSettings
from comfywear.system.supervisor import Pulse, Supervisor
from comfywear.texts import encode

_log = logging.getLogger(__name__)

FILE_NAME = "spool.sqlite"
_DAY_S = 86_400.0
_RETRY_S, _TEND_S = 10.0, 3600.0


def open_spool(folder: Path, device: str, mqtt: MqttSettings, language: str) -> publishing.Spool:
    """The spool in `folder`; where that cannot be written, one in memory alone, and that is logged."""
    limits = publishing.SpoolLimits(
        bytes=int(mqtt.spool_mb * 1e6),
        age_s=mqtt.spool_days * _DAY_S,
        confirm_s=mqtt.confirm_days * _DAY_S if mqtt.confirm_by else None,
        written_bytes_a_day=mqtt.write_mb_per_day * 1e6,
    )
    try:
        return publishing.Spool(folder / FILE_NAME, device, limits=limits, language=language)
    except StoreError as error:
        _log.error("%s; messages are kept in memory alone", error)
        return publishing.Spool(None, device, limits=limits, language=language)


class MqttLink:
    """What the device sends: the spool that keeps it, and the publisher that carries it to the broker.

    Args:
        settings: The broker, and how much is kept for how long.
        folder: The state folder.
        topics: Of the device.
        language: Of what messages say in words.
        on_vote: Takes a vote that comes over MQTT, as `Publisher` says.
        on_new_session: As `Publisher` says.
    """

    def __init__(
        self,
        settings: MqttSettings,
        folder: Path,
        topics: publishing.Topics,
        language: str,
        *,
        on_vote: publishing.OnVote,
        on_new_session: Callable[[], object],
    ) -> None:
        self.topics = topics
        self.spool = open_spool(folder, topics.device, settings, language)
        self.publisher = publishing.Publisher(
            broker_settings(settings),
            topics,
            self.spool,
            on_vote=on_vote,
            on_new_session=on_new_session,
            version=__version__,
            confirm_by=settings.confirm_by,
        )

    @property
    def state(self) -> str:
        """As `Publisher.state`."""
        return self.publisher.state

    @property
    def waits(self) -> str | None:
        """As `Publisher.waits`."""
        return self.publisher.waits

    @property
    def connected(self) -> bool:
        """Whether the broker listens."""
        return self.publisher.state == "connected"

    def post(self, topic: str, build: publishing.Build) -> None:
        """Offer a live state to the spool; while that can keep nothing, it goes out at once, outside the sequence."""
        self.spool.offer(topic, build, retain=True)
        if self.spool.complaint and self.connected:
            payload = encode(build(self.spool.stamp()), self.spool.language)
            self.publisher.say(publishing.Aside(topic, payload, retain=True))

    def metrics(self) -> dict[str, float | None]:
        """How it goes, by the names of the metrics message."""
        broker = self.publisher.health()
        return {
            **spool_metrics(self.spool),
            "connections": broker.connections,
            "acknowledged": broker.acknowledged,
            "denied": broker.denied,
            "acks_refused": broker.acks_refused,
        }

    def add_workers(self, supervisor: Supervisor, voting: Voting) -> None:
        """The workers that commit, carry, and hand votes on that could not be handed on at once."""

        def retry(pulse: Pulse) -> None:
            tended_s = float("-inf")
            while pulse.wait(_RETRY_S):
                voting.retry(pulse.beat)
                if time.monotonic() - tended_s > _TEND_S:
                    tended_s = time.monotonic()
                    voting.tend(pulse.beat)

        supervisor.add("spool", lambda pulse: self.spool.run(pulse.stop, pulse.beat))
        supervisor.add("publisher", lambda pulse: self.publisher.run(pulse.stop, pulse.beat))
        supervisor.add("votes", retry)

    def close(self) -> None:
        """Close the spool and what wakes the publisher."""
        self.publisher.close()
        self.spool.close()


def broker_settings(mqtt: MqttSettings) -> publishing.BrokerSettings:
    """The broker that the settings name."""
    return publishing.BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password_file=mqtt.password_file,
        tls=mqtt.tls,
        ca_file=mqtt.ca_file,
        client_cert=mqtt.client_cert,
        client_key=mqtt.client_key,
    )


def spool_metrics(spool: publishing.Spool) -> dict[str, float | None]:
    """How the spool does, by the names of the metrics message; None for what its file does not say now."""
    try:
        found: publishing.SpoolHealth | None = spool.health()
    except StoreError:  # the spool says so itself
        found = None
    said = {f"spool_{field.name}": getattr(found, field.name, None) for field in fields(publishing.SpoolHealth)}
    return {**said, "spool_budget_day_bytes": int(spool.limits.written_bytes_a_day)}
