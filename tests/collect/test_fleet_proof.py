"""The proof with a thousand devices: nothing lost, nothing twice, though a collector is killed."""

from __future__ import annotations

import json
import time

import pytest
from cluster import find_binaries

pytest.importorskip("psycopg", reason="needs psycopg (pip install 'comfywear[collect]')")

from limits import MOSQUITTO, Stage, allow_many_files, verdict

DEVICES, RATE, SECONDS, ACK_EVERY_S = 1000, 100, 40, 5


@pytest.mark.slow
def test_a_thousand_devices_lose_nothing_though_a_collector_of_two_is_killed() -> None:
    if MOSQUITTO is None or find_binaries() is None:
        pytest.skip("needs mosquitto and PostgreSQL's server (Debian: apt install mosquitto postgresql)")
    allow_many_files()
    stage = Stage(collectors=2, arguments=("--ack-every", str(ACK_EVERY_S)))
    try:
        began = time.monotonic()
        fleet = stage.devices(DEVICES, RATE, SECONDS, settle=300)
        assert fleet.stdout is not None
        while stage.stored() < DEVICES and fleet.poll() is None:
            time.sleep(0.2)
        stage.kill_collector(0)
        time.sleep(5)
        stage.collectors[0] = stage.start_collector(0)
        fleet.stdout.readline()
        ended = json.loads(fleet.stdout.readline())
        took_s = time.monotonic() - began
        assert fleet.wait(90) == 0
        assert ended["connections"] >= DEVICES
        assert ended["unconfirmed"] == 0
        assert verdict(stage, ended["last"]) == {"lost": 0, "twice": 0}
        # Two collectors answer, but each device hears at most one of them in each period (and again after a restart).
        assert ended["confirmations"] <= DEVICES * (took_s / ACK_EVERY_S + 3)
    finally:
        stage.close()
