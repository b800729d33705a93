"""From the settings to the spool and the publisher, and the workers that keep them going."""

from __future__ import annotations

import logging
from pathlib import Path

from comfywear import publishing
from comfywear.errors import StoreError
from comfywear.settings_mqtt import MqttSettings
from comfywear.supervisor import Pulse, Supervisor
from comfywear.voting import Voting

_log = logging.getLogger(__name__)

FILE_NAME = "spool.sqlite"
_DAY_S = 86_400.0
_RETRY_S = 10.0


def open_spool(folder: Path, device: str, mqtt: MqttSettings) -> publishing.Spool:
    """The spool in `folder`; where that cannot be written, one in memory alone, and that is logged."""
    limits = publishing.Limits(
        bytes=int(mqtt.spool_mb * 1e6),
        age_s=mqtt.spool_days * _DAY_S,
        confirm_s=mqtt.confirm_days * _DAY_S if mqtt.confirm_by else None,
        written_bytes_a_day=mqtt.write_mb_per_day * 1e6,
    )
    try:
        return publishing.Spool(folder / FILE_NAME, device, limits=limits)
    except StoreError as error:
        _log.error("%s; messages are kept in memory alone", error)
        return publishing.Spool(None, device, limits=limits)


def add_workers(supervisor: Supervisor, publisher: publishing.Publisher, voting: Voting) -> None:
    """The workers that commit, carry, and hand votes on that could not be handed on at once."""

    def retry(pulse: Pulse) -> None:
        while pulse.wait(_RETRY_S):
            voting.retry()

    supervisor.add("spool", lambda pulse: publisher.spool.run(pulse.stop, pulse.beat))
    supervisor.add("publisher", lambda pulse: publisher.run(pulse.stop, pulse.beat))
    supervisor.add("votes", retry)


def spool_metrics(spool: publishing.Spool) -> dict[str, float | None]:
    """How the spool does, by the names of the metrics message."""
    health = spool.health()
    return {
        "spool_rows": health.rows,
        "spool_bytes": health.bytes,
        "spool_thinned": health.thinned,
        "spool_dropped_telemetry": health.dropped_telemetry,
        "spool_dropped_events": health.dropped_events,
        "spool_unconfirmed": health.unconfirmed,
        "spool_refused": health.refused,
        "spool_written_day_bytes": health.written_day_bytes,
        "spool_budget_day_bytes": int(spool.limits.written_bytes_a_day),
    }
