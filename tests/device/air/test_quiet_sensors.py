"""Quiet is no fault: six sensors that publish every five minutes, at a real broker, for an hour of a fast clock."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import paho.mqtt.client as paho

from comfywear.device.troubles import TroubleBook
from comfywear.device.watch import Watch
from comfywear_sensors import ClimateFilter, PatientReader

SENSORS, EVERY_S, HOUR_S = 6, 300.0, 3600.0


class FastClock:
    """Goes `rate` times as fast as the machine's own once it is told to."""

    def __init__(self) -> None:
        self.rate = 1.0
        self._real_s, self._now_s = time.monotonic(), 0.0

    def monotonic(self) -> float:
        real_s = time.monotonic()
        self._now_s += (real_s - self._real_s) * self.rate
        self._real_s = real_s
        return self._now_s

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.rate)


def test_six_five_minute_sensors_for_an_hour_miss_nothing_and_raise_no_trouble(mosquitto: Any) -> None:
    clock = FastClock()
    zones = [f"z{number}" for number in range(SENSORS)]
    readers = [
        PatientReader(f"mqtt://127.0.0.1:{mosquitto.port}/tele/{zone}/SENSOR", clock=clock, silent_after_s=60.0)
        for zone in zones
    ]
    filters = {zone: ClimateFilter(zone, stale_after_s=1200.0) for zone in zones}
    for reader in readers:
        reader.poll(0.05)  # connects and subscribes
    device = SimpleNamespace(
        settings=SimpleNamespace(climate=SimpleNamespace(stale_after_s=1200.0)),
        sensors=SimpleNamespace(readers=list(zip(zones, readers, strict=True))),
        estimates=lambda: {
            zone: SimpleNamespace(climate=each.climate(clock.monotonic())) for zone, each in filters.items()
        },
    )
    publisher = paho.Client(paho.CallbackAPIVersion.VERSION2)
    publisher.connect("127.0.0.1", mosquitto.port)
    publisher.loop_start()
    book, heard, sent = TroubleBook(), dict.fromkeys(zones, 0), dict.fromkeys(zones, 0)
    clock.rate = 240.0
    start_s = clock.monotonic()
    while (passed_s := clock.monotonic() - start_s) < HOUR_S + 120.0:
        for index, zone in enumerate(zones):
            if sent[zone] * EVERY_S + index * 50.0 <= min(passed_s, HOUR_S - 1.0):
                air = {"Temperature": 20.0 + 0.1 * sent[zone], "Humidity": 45.0}
                publisher.publish(f"tele/{zone}/SENSOR", json.dumps({"AM2301": air, "TempUnit": "C"}), qos=1)
                sent[zone] += 1
        for zone, reader in zip(zones, readers, strict=True):
            reading = reader.poll(0.02)  # a real wait, inside the broker
            if reading:
                heard[zone] += 1
                filters[zone].add(reading)
        book.update(Watch._air(SimpleNamespace(_device=device)), clock.monotonic())  # type: ignore[arg-type]
    publisher.disconnect()
    publisher.loop_stop()
    assert sent == dict.fromkeys(zones, 12)
    assert heard == sent
    assert (book.begun, [reader.faults for reader in readers]) == (0, [0] * SENSORS)
    # The filter follows each message: after the last, 20.0 + 1.1.
    assert [round(filters[zone].climate(clock.monotonic()).air_temp_c or 0.0, 2) for zone in zones] == [21.1] * SENSORS
    for reader in readers:
        reader.close()
