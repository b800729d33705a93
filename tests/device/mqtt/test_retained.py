"""What the device leaves at a broker when a zone is taken out of the settings, at a real one."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from peers import Consumer
from samples import CLIMATE
from spools import memory

from comfywear.device.mqtt.retained import FILE_NAME, Retained, kept_at, retained_of
from comfywear.publishing import BrokerSettings, Pace, Publisher, Spool, Topics, climate_message
from comfywear.publishing.messages import asyncapi
from waiting import until

TOPICS = Topics("home", "dev")


@contextmanager
def device(port: int, folder: Path, spool: Spool, *zones: str) -> Iterator[Publisher]:
    publisher = Publisher(BrokerSettings("127.0.0.1", port), TOPICS, spool, pace=Pace(0.05, 0.2, will_delay_s=0))
    retained = Retained(publisher, folder, f"127.0.0.1:{port}", retained_of(TOPICS, zones))
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.02):
            retained.tick()

    threads = [threading.Thread(target=tick), threading.Thread(target=publisher.run, args=(stop,))]
    for thread in threads:
        thread.start()
    try:
        yield publisher
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def air(spool: Spool, zone: str) -> None:
    spool.offer(TOPICS.climate(zone), partial(climate_message, CLIMATE), retain=True)
    spool.flush()


def standing(port: int) -> set[str]:
    """The topics of zones that somebody hears who comes late."""
    with Consumer(port) as late:
        until(lambda: any(topic == TOPICS.status for topic, _, _ in late.came))
        late.send("comfywear/v1/marker", b'{"schema": "marker"}')  # comes behind what is retained
        until(lambda: any(topic == "comfywear/v1/marker" for topic, _, _ in late.came))
        return {topic for topic, _, kept in late.came if kept and "/zone/" in topic}


def drained(spool: Spool) -> bool:
    return spool.health().rows == 0


def test_all_that_the_broker_keeps_is_known() -> None:
    topics = Topics("_site_", "_device_")
    kept = {asyncapi.address(name) for name, channel in asyncapi.CHANNELS.items() if channel.retained}
    named = retained_of(topics, ["_zone_"], ["_camera_"], ["_line_"], privacy=True)
    assert {topic.replace("_", "") for topic in named} == {re.sub(r"[_{}]", "", topic) for topic in kept}


def test_a_zone_that_is_taken_out_says_nothing_more(mosquitto: Any, tmp_path: Path) -> None:
    spool = memory()
    with device(mosquitto.port, tmp_path, spool, "desk", "sofa"):
        air(spool, "desk")
        air(spool, "sofa")
        until(lambda: drained(spool) and f"127.0.0.1:{mosquitto.port}" in kept_at(tmp_path))
    assert standing(mosquitto.port) == {TOPICS.climate("desk"), TOPICS.climate("sofa")}
    air(spool, "sofa")  # the last word of a zone that is gone waits in the spool
    with device(mosquitto.port, tmp_path, spool, "desk"):
        until(partial(drained, spool))
        until(lambda: not any("sofa" in topic for topic in kept_at(tmp_path)[f"127.0.0.1:{mosquitto.port}"]))
    assert standing(mosquitto.port) == {TOPICS.climate("desk")}


def test_a_broker_that_was_away_is_cleared_when_it_is_there_again(make_mosquitto: Any, tmp_path: Path) -> None:
    first, second = make_mosquitto(), make_mosquitto()
    first.start()
    second.start()
    spool = memory()
    with device(first.port, tmp_path, spool, "desk", "sofa"):
        air(spool, "sofa")
        until(lambda: drained(spool) and f"127.0.0.1:{first.port}" in kept_at(tmp_path))
    with device(second.port, tmp_path, spool, "desk"):
        until(lambda: f"127.0.0.1:{second.port}" in kept_at(tmp_path))
    assert standing(first.port) == {TOPICS.climate("sofa")}
    with device(first.port, tmp_path, spool, "desk"):
        until(lambda: not any("sofa" in topic for topic in kept_at(tmp_path)[f"127.0.0.1:{first.port}"]))
    assert standing(first.port) == set()
    assert set(json.loads((tmp_path / FILE_NAME).read_text())["brokers"]) == set(kept_at(tmp_path))
