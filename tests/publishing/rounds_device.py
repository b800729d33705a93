"""A device of a few lines, run as a process that can be killed: offers messages at a rate, and notes what is accepted.

Arguments: one JSON object with port, folder, notes, rate (messages a second) and confirm_by. On SIGTERM it offers no
more, waits until everything is gone from the spool, and ends.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

from comfywear.errors import StoreError
from comfywear.publishing import BrokerSettings, Pace, Publisher, Spool, SpoolLimits, Topics, metrics_message

PACE = Pace(
    first_pause_s=0.2, longest_pause_s=2, ack_timeout_s=5, flush_s=2, backlog_spread_s=0.5, resend_s=1, probe_s=2
)
TICK_S = 0.01


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    given = json.loads(sys.argv[1])
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    confirm_by = given["confirm_by"]
    # So many messages are beyond the usual budget of writes.
    limits = SpoolLimits(confirm_s=86_400.0 if confirm_by else None, written_bytes_a_day=0)
    spool = Spool(Path(given["folder"]) / "spool.sqlite", "dev", limits=limits)
    topics = Topics("home", "dev")
    broker = BrokerSettings("127.0.0.1", given["port"], timeout_s=3)
    publisher = Publisher(broker, topics, spool, pace=PACE, confirm_by=confirm_by)
    stop = threading.Event()
    threads = [threading.Thread(target=worker, args=(stop,)) for worker in (spool.run, publisher.run)]
    for thread in threads:
        thread.start()
    notes = os.open(given["notes"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    noted, began_s, made = 0, time.monotonic(), 0
    while not end.is_set():
        while made < (time.monotonic() - began_s) * given["rate"]:
            made += 1
            retain = made % 2 == 0
            topic = topics.climate("desk") if retain else topics.metrics
            spool.offer(topic, partial(metrics_message, {"frames": made}), retain=retain)
        if spool.last_seq > noted:
            noted = spool.last_seq
            os.write(notes, f"{spool.epoch} {noted}\n".encode())
        end.wait(TICK_S)
    spool.flush()
    os.write(notes, f"{spool.epoch} {spool.last_seq}\n".encode())
    deadline_s = time.monotonic() + 240
    while spool.health().rows and time.monotonic() < deadline_s:
        if confirm_by and made:  # something follows, so that a consumer notices what is missing at the end
            made = 0
            try:
                spool.accept(topics.metrics, partial(metrics_message, {"frames": 0}))
            except StoreError as error:
                print(error, file=sys.stderr)
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    spool.close()


if __name__ == "__main__":
    main()
