from __future__ import annotations

import subprocess
import sys
import threading
import time

from comfywear.system.signal_event import SignalEvent


def test_it_is_an_event() -> None:
    bell, began = SignalEvent(), time.monotonic()
    assert not bell.wait(0.05)
    assert time.monotonic() - began >= 0.05
    bell.set()
    bell.set()
    assert bell.is_set()
    assert bell.wait()
    assert bell.wait(0)
    bell.clear()
    assert not bell.is_set()
    assert not bell.wait(0)


def test_every_thread_that_waits_is_woken() -> None:
    bell, woken = SignalEvent(), list[bool]()
    threads = [threading.Thread(target=lambda: woken.append(bell.wait(60))) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    bell.set()
    for thread in threads:
        thread.join(60)
    assert woken == [True] * 4


# A wait that ends a thousand times a second, and a signal nearly as often: sooner or later inside the wait's own work.
STORM = """
import signal, time
from comfywear.system.signal_event import SignalEvent
bell, heard, end_s = SignalEvent(), 0, time.monotonic() + 3
signal.signal(signal.SIGALRM, lambda *_: bell.set())
signal.setitimer(signal.ITIMER_REAL, 0.0007, 0.0013)
while time.monotonic() < end_s:
    heard += bell.wait(0.001)
    bell.clear()
signal.setitimer(signal.ITIMER_REAL, 0)
print(heard)
"""


def test_a_signals_handler_may_set_it_while_its_own_thread_waits() -> None:
    done = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) > 100
