"""A month that was made up and went the real way: real estimates, real messages, the collector's own store."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from comfywear import publishing
from comfywear.collect import open_store
from comfywear.collect.reading import read
from comfywear.collect.store import Received
from comfywear.comfort import TYPICAL_INDOOR, ComfyWear
from comfywear.publishing import Stamp, Topics
from comfywear.publishing.messages.fields import stamped
from comfywear.records import Climate, Occupancy, Vote
from comfywear.texts import encode

STEP = timedelta(minutes=10)
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
DAYS = 31
# An office: heated from six to six on weekdays; two warm days, one cold one, a sensor that fell silent, a power cut.
HOT, COLD, DIFFER, SILENT, CUT = (14, 15), (20,), (8,), (22,), (27,)


def said(days: int = DAYS, device: str = "office-1", site: str = "house", zone: str = "desk") -> Iterator[Received]:
    """Every message of the month, as it reaches the collector."""
    topics, model, rng = Topics(site, device), ComfyWear(), random.Random(1)
    seq = 0

    def received(topic: str, make: Callable[[Stamp], object], at: datetime) -> Received:
        nonlocal seq
        seq += 1
        stamp = Stamp(device, "0123456789abcdef", seq, at.isoformat(timespec="milliseconds"), True)
        item = read(topic, encode(make(stamp)), "archive")
        assert item is not None
        return Received(item, at + timedelta(seconds=1))

    for index in range(days * 144):
        at = BEGIN + index * STEP
        hour = at.hour + at.minute / 60
        if at.day in CUT and 4 <= hour < 19:
            continue
        air = air_at(at)
        there = at.weekday() < 5 and 8 <= hour < 17.5 and not 12 <= hour < 12.5
        humidity = 38.0 + 4 * math.sin(index / 300)
        differ = "desk and wall differ by 3.1 K" if at.day in DIFFER and 10 <= hour < 12 else None
        state = Climate(zone, "fresh", round(air, 2), round(humidity, 1), disagreement=differ)
        if at.day in SILENT and 9 <= hour < 14:
            state = Climate(zone, "stale", None, None, reason="no reading for 300 s")
        comfort = model.estimate(state.air_temp_c, state.humidity_pct, TYPICAL_INDOOR)
        yield received(topics.climate(zone), partial(publishing.climate_message, state), at)
        yield received(topics.comfort(zone), partial(publishing.comfort_message, zone, comfort), at)
        wanted = {"zone": zone, "setpoint_c": setpoint_at(at)}
        yield received(f"{topics.base}/zone/{zone}/setpoint", lambda stamp, said=wanted: stamped(stamp) | said, at)
        who = Occupancy("occupied", 2, 0.0) if there else Occupancy("empty", 0, 0.0)
        yield received(topics.occupancy(zone), partial(publishing.occupancy_message, zone, who), at)
        if there and rng.random() < 0.03 and comfort.level is not None:
            level = min(5, max(1, comfort.level + rng.choice((-1, 0, 0, 0, 1))))
            pressed = at.isoformat(timespec="milliseconds")
            vote = Vote(f"v{index}", zone, level, "comfort-5", "said", "button", pressed, True, state, comfort=comfort)
            yield received(topics.vote(zone), partial(publishing.vote_message, vote), at)


def setpoint_at(at: datetime) -> float:
    """°C that the thermostat is to be set to: lower at night and on days off, and a little higher from the 19th on."""
    if at.weekday() > 4 or not 6 <= at.hour < 18:
        return 18.0
    return 23.0 if at.day < 19 else 23.5


def air_at(at: datetime) -> float:
    """°C of the room."""
    hour = at.hour + at.minute / 60
    working = at.weekday() < 5
    warmth = 1.0 / (1.0 + math.exp(-(hour - 7.5) * 1.6)) - 1.0 / (1.0 + math.exp(-(hour - 19.0) * 0.7))
    air = 19.7 + (4.2 if working else 0.6) * warmth + 0.7 * math.sin((hour - 9) / 24 * 2 * math.pi)
    if at.day in HOT and 11 <= hour < 20:
        air += 4.2 * math.sin((hour - 11) / 9 * math.pi)
    if at.day in COLD:
        air -= 2.5
    return air


def collect(place: str, days: int = DAYS, **named: str) -> None:
    """Have the collector's store keep the month."""
    store = open_store(place)
    batch: list[Received] = []
    for each in said(days, **named):
        batch.append(each)
        if len(batch) == 1000:
            store.save(batch)
            batch = []
    if batch:
        store.save(batch)
    store.close()


if __name__ == "__main__":
    import sys

    Path(sys.argv[1]).unlink(missing_ok=True)
    collect(sys.argv[1])
