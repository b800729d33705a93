"""What the tests of the building's protocols share: a board of made readings, and servers that run in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from comfywear.buildings.points import POINTS
from comfywear.buildings.readings import Board, Reading, Validity
from comfywear.errors import ComfyWearError

GOOD = {
    "air-temperature": 23.1,
    "humidity": 45.2,
    "co2": 640.0,
    "people": 2.0,
    "occupied": 1.0,
    "expected-vote": -0.5,
    "comfort-level": 4.0,
    "ppd": 10.2,
}


def readings(values: Mapping[str, float], why: Validity = Validity.UNUSED) -> dict[str, Reading]:
    """Readings of now with these values; `why` the others have none."""
    now_s = time.monotonic()
    return {
        point.name: Reading(values[point.name], Validity.GOOD, now_s) if point.name in values else Reading(None, why)
        for point in POINTS
    }


def board(values: Mapping[str, float], *zones: str) -> Board:
    made = Board()
    made.hand({zone: readings(values) for zone in zones}, time.monotonic())
    return made


@contextmanager
def served(run: Callable[[threading.Event, Callable[[], None]], None]) -> Iterator[None]:
    """`run(stop, beat)` of a server in a thread, as its worker has it; it must end when it is told to."""
    stop, failed = threading.Event(), list[ComfyWearError]()

    def work() -> None:
        try:
            run(stop, lambda: None)
        except ComfyWearError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
        assert not failed, failed[0]
