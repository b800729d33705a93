"""What a device of two zones tells Home Assistant, as Home Assistant reads it."""

from __future__ import annotations

import json
from typing import Any

from comfywear.publishing import Topics
from comfywear.publishing.homeassistant.discovery import Facts, discovery
from comfywear.publishing.homeassistant.zone_entities import OPTIONAL

TOPICS = Topics("home", "lab1")
ZONES = {"desk": "By the window", "sofa": "sofa"}
# What is told once it was measured.
EVERY = {f"{what}-{zone}" for what in OPTIONAL for zone in ZONES}
LEVEL_WORDS = {level: f"word {level}" for level in range(1, 6)}


def all_told(
    topics: Topics = TOPICS, zones: dict[str, str] = ZONES, measured: Any = (), **options: Any
) -> dict[str, dict[str, Any]]:
    facts = {"version": "0.1", "interval_s": 30.0, "metrics_every_s": 60.0, "words": LEVEL_WORDS, **options}
    found: dict[str, dict[str, Any]] = json.loads(
        json.dumps(discovery("homeassistant", topics, zones, Facts(**facts), measured))
    )
    return found


def told(**options: Any) -> dict[str, Any]:
    """All components, of whichever device, as if they were one's."""
    first, *others = all_told(**options).values()
    for message in others:
        first["components"] |= message["components"]
    return first


def component(key: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = told(**options)["components"][key]
    return found
