"""What fleets need, computed from measured figures: the table of docs/fleet.md.

    .venv/bin/python bench/fleet/plan.py            # prints it
    .venv/bin/python bench/fleet/plan.py --write    # puts it into docs/fleet.md

Inputs: figures.json (limits.py), storage.json (storage.py), and what is stated below.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "fleet.md"
BEGIN, END = "<!-- computed by bench/fleet/plan.py -->", "<!-- end -->"

FLEETS = (1_000, 100_000, 1_000_000)
METRICS_S = 60.0  # between metrics
VOTES_A_DAY = 20
# Seconds between two messages of each live state (climate, people, comfort) of a zone.
REGIMES = (("quiet", 30.0, 60.0), ("usual", 10.0, 60.0), ("busiest", 1.0, 60.0))
# Bytes beside the payload: topic and MQTT header (60), TCP/IP (40) and TLS (29) of the message and of its PUBACK (4).
WIRE_BYTES = 60 + 4 + 2 * (40 + 29)
CONFIRMATION_BYTES = 120 + WIRE_BYTES
LOAD = 0.5  # part of a core that is planned to be used


class Need(NamedTuple):
    """What one fleet in one regime needs."""

    messages_s: float
    confirmations_s: float
    megabit_s: float
    broker_cores: float
    collector_cores: float
    database_cores: float
    gigabytes_day: float


def need(devices: int, state_s: float, ack_s: float, figures: dict[str, Any], sizes: dict[str, Any]) -> Need:
    """The needs of `devices` with one zone each.

    Args:
        devices: How many.
        state_s: Between two messages of each live state.
        ack_s: --ack-every.
        figures: Of limits.py.
        sizes: Of storage.py.
    """
    rates = {"climate": 1 / state_s, "people": 1 / state_s, "comfort": 1 / state_s}
    rates |= {"metrics": 1 / METRICS_S, "vote": VOTES_A_DAY / 86400}
    rate = sum(rates.values())
    confirmations = min(rate, 1 / ack_s)
    wire = sum(each * (sizes[kind]["payload_bytes"] + WIRE_BYTES) for kind, each in rates.items())
    stored = sum(each * sizes[kind]["postgresql_bytes"] for kind, each in rates.items())
    spent = (figures["drain"] or best_step(figures))["cpu_us_per_message"]
    cores = {name: devices * rate * micro * 1e-6 / LOAD for name, micro in spent.items()}
    return Need(
        devices * rate,
        devices * confirmations,
        devices * (wire + confirmations * CONFIRMATION_BYTES) * 8 / 1e6,
        cores["broker"],
        cores["collectors"],
        cores["postgresql"],
        devices * stored * 86400 / 1e9,
    )


def best_step(figures: dict[str, Any]) -> dict[str, Any]:
    """The highest rate that held: at its end less than two seconds' worth was not stored yet."""
    held = [step for step in figures["steps"] if step["backlog_s"] < 2] or figures["steps"][:1]
    return max(held, key=lambda step: float(step["accepted_per_s"]))


def table(figures: dict[str, Any], sizes: dict[str, Any]) -> str:
    """The table in Markdown."""
    step, drained = best_step(figures), figures["drain"]
    spent = (drained or step)["cpu_us_per_message"]
    measured = (
        f"Measured with {step['devices']:,} devices and {figures['collectors']} collectors: {step['accepted_per_s']:g} "
        f"messages a second kept up with; CPU time a message {spent['broker']} µs broker, {spent['collectors']} µs "
        f"collectors, {spent['postgresql']} µs PostgreSQL{' (draining a queue)' if drained else ''}; "
        f"memory {step['memory_mb']['broker']:.0f} MB broker, {step['memory_mb']['collector']:.0f} MB a collector; the "
        f"load average of the {figures['machine']['cores']} cores before it was {step['load_before']:g}."
    )
    heads = (
        "devices|regime|messages/s|confirmations/s|Mbit/s|broker cores|collector cores|PostgreSQL cores|storage a day"
    )
    lines = [BEGIN, "", measured, "", f"| {heads.replace('|', ' | ')} |", "|---:|---" + 7 * "|---:" + "|"]
    for devices in FLEETS:
        for regime, state_s, ack_s in REGIMES:
            found = need(devices, state_s, ack_s, figures, sizes)
            cores = " | ".join(_cores(value) for value in found[3:6])
            lines.append(
                f"| {devices:,} | {regime} | {_round(found.messages_s)} | {_round(found.confirmations_s)} "
                f"| {_round(found.megabit_s)} | {cores} | {_round(found.gigabytes_day)} GB |"
            )
    sizes_line = ", ".join(
        f"{kind} {size['payload_bytes']} → {size['postgresql_bytes']}" for kind, size in sizes.items()
    )
    return "\n".join([*lines, "", f"Bytes of a message and what it takes in PostgreSQL: {sizes_line}.", "", END])


def _cores(value: float) -> str:
    return f"{max(1, math.ceil(value)):,}"


def _round(value: float) -> str:
    """Two significant digits: more would not be true."""
    if value <= 0:
        return "0"
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(0, digits)}f}"


def put_into(document: str, text: str) -> str:
    """`document` with what stands between the marks replaced."""
    head, _, rest = document.partition(BEGIN)
    return head + text + rest.partition(END)[2]


def main() -> int:
    parser = argparse.ArgumentParser(description="what fleets need, from measured figures")
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT.name}")
    args = parser.parse_args()
    text = table(json.loads((HERE / "figures.json").read_text()), json.loads((HERE / "storage.json").read_text()))
    if args.write:
        DOCUMENT.write_text(put_into(DOCUMENT.read_text(), text))
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
