"""The numbers of a device as monitoring reads them: which of them only grow, what each says, those of a zone."""

from __future__ import annotations

from functools import cache
from typing import cast

import msgspec

from comfywear.publishing.messages.device import MetricsMessage
from comfywear.records import ZoneEstimate

__all__ = ["COUNTERS", "ZONE_VALUES", "descriptions", "of_zone"]

# What only grows while the device runs; all else is a gauge.
COUNTERS = {
    "frames", "votes_refused", "commands", "commands_refused", "connections", "acknowledged", "denied", "acks_refused",
    "vision_reopened",
    "spool_thinned", "spool_dropped_telemetry", "spool_dropped_events", "spool_unconfirmed", "spool_refused",
}  # fmt: skip
ZONE_VALUES = {
    "air_temperature_celsius": "Air temperature.",
    "relative_humidity_ratio": "Relative humidity, 0 to 1.",
    "people": "Persons seen.",
    "clothing_clo": "Insulation of the clothing, clo; typical indoor clothing while nobody is seen.",
    "comfort_level": "Estimated comfort, 1 (uncomfortable) to 5 (comfortable).",
    "expected_vote": "Estimated thermal sensation, -3 (cold) to 3 (hot).",
}


@cache
def descriptions() -> dict[str, str]:
    """What the schema of the metrics message says of each of its fields."""
    info = msgspec.inspect.type_info(MetricsMessage)
    fields = {field.name: field.type for field in cast(msgspec.inspect.StructType, info).fields}
    return {
        name: str((kind.extra_json_schema or {}).get("description", name))
        for name, kind in fields.items()
        if isinstance(kind, msgspec.inspect.Metadata)
    }


def of_zone(estimate: ZoneEstimate) -> dict[str, float | None]:
    """The numbers of a zone by the names of `ZONE_VALUES`; None for what is not known."""
    climate, comfort = estimate.climate, estimate.comfort
    return {
        "air_temperature_celsius": climate.air_temp_c,
        "relative_humidity_ratio": None if climate.humidity_pct is None else climate.humidity_pct / 100,
        "people": len(estimate.people),
        "clothing_clo": estimate.clothing.clo,
        "comfort_level": comfort.level,
        "expected_vote": comfort.expected_vote,
    }
