"""The scenarios: what is done to a device, for how long, and what of it is noted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bed import Bed, remount
from faults import fill
from stand_ins import RELEASES, Answer, large_publish, server, slowly

from comfywear.system.process import rss_mb
from comfywear_models.release import new_key

LOAD_S = 12.0
PATIENCE_S = 40.0
SYNC_MS, NAMES_MS = 2000, 30_000
TEN_YEARS_S = 10 * 365 * 86_400
PULL_S = 100.0
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Scenario:
    """One: what is done, what it needs, and how the device is set up for it."""

    what: str
    load: Callable[[Bed], str]
    options: dict[str, Any]
    broker: Answer | None = None

    @contextmanager
    def bed(self, out: Path, name: str) -> Iterator[Bed]:
        """A device that is set up for it."""
        if self.broker is None:
            bed = Bed(out, name, **self.options)
            try:
                yield bed
            finally:
                bed.close()
            return
        with server(self.broker) as port:
            bed = Bed(out, name, port=port, **self.options)
            try:
                yield bed
            finally:
                bed.close()


def _wait(_: Bed) -> str:
    time.sleep(LOAD_S)
    return ""


def _wait_long(_: Bed) -> str:
    """Until a device that hears no acknowledgement has given up on the connection."""
    time.sleep(PATIENCE_S)
    return ""


def _clients(kind: str, bed: Bed) -> str:
    port = bed.page if kind in ("silent", "requests", "streams") else bed.broker
    order = [sys.executable, str(HERE / "clients.py"), kind, str(port), str(LOAD_S)]
    done = subprocess.run(order, capture_output=True, text=True, timeout=5 * LOAD_S, check=False)
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return lines[-1] if lines else "nothing said"


def _strangers(bed: Bed) -> str:
    """Strangers' messages while the device listens, and all of them again as it comes back to the broker."""
    said = _clients("strangers", bed)
    bed.stop_broker()
    bed.start_broker()
    time.sleep(LOAD_S)
    return said


def _large(bed: Bed) -> str:
    said = _clients("large", bed)
    time.sleep(3)
    return said


def _full(bed: Bed) -> str:
    if bed.disk is None:
        return "not done: a file system cannot be mounted here (root)"
    junk = bed.disk / "junk"
    until_s = time.monotonic() + LOAD_S
    while time.monotonic() < until_s:
        fill(junk, 0)
        time.sleep(0.2)
    junk.unlink()
    time.sleep(2)
    return ""


def _read_only(bed: Bed) -> str:
    if not bed.wrong.possible:
        return "not done: no C compiler"
    bed.wrong.set_disk(read_only=True)
    time.sleep(LOAD_S)
    bed.wrong.set_disk()
    time.sleep(2)
    return ""


def _writable_again(bed: Bed) -> str:
    if bed.disk is None:
        return "not done: a file system cannot be mounted here (root)"
    time.sleep(LOAD_S / 2)
    again = remount(bed.disk, "rw")
    time.sleep(LOAD_S)
    return f"remounted rw: {again}"


def _slow_disk(bed: Bed) -> str:
    bed.wrong.set_disk(sync_ms=SYNC_MS)
    time.sleep(LOAD_S)
    bed.wrong.set_disk()
    return "" if bed.wrong.possible else "not done: no C compiler"


def _jump(bed: Bed) -> str:
    for years_s in (TEN_YEARS_S, -TEN_YEARS_S, 0):
        bed.wrong.set_clock(years_s)
        time.sleep(LOAD_S / 3)
    return "" if bed.wrong.possible else "not done: no C compiler"


def _releases(bed: Bed) -> str:
    """A pull from each hostile server; seconds, most memory, and the last words of the command."""
    config = bed.folder / "pull.toml"
    config.write_text(f'[device]\nstate_dir = "{bed.state}"\n[updates]\nkeys = ["{new_key()[1]}"]\n')
    said = {}
    for name, answer in RELEASES.items():
        with server(answer) as port:
            said[name] = _pulled(f"http://127.0.0.1:{port}/x.release.json", config)
    return json.dumps(said, ensure_ascii=False)


def _pulled(url: str, config: Path) -> str:
    order = [sys.executable, "-m", "comfywear.cli", "models", "pull", url, "--config", str(config)]
    began_s = time.monotonic()
    most = 0.0
    with subprocess.Popen(order, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while process.poll() is None and time.monotonic() - began_s < PULL_S and most < 1000:
            most = max(most, rss_mb(process.pid) or 0.0)
            time.sleep(0.05)
        ended = process.poll()
        process.kill()
        words = (process.communicate()[0].strip().splitlines() or ["nothing said"])[-1]
    end = f"ends with {ended}" if ended is not None else "does not end"
    return f"{end} after {time.monotonic() - began_s:.0f} s, {most:.0f} MB: {words.replace(url, 'URL')[:160]}"


SCENARIOS = {
    "nothing": Scenario("nothing: what the machine alone does", _wait, {}),
    "silent": Scenario("1,000 connections to the page that say nothing", partial(_clients, "silent"), {}),
    "requests": Scenario("50 clients ask as often as they are answered", partial(_clients, "requests"), {}),
    "streams": Scenario("24 event streams that are never read", partial(_clients, "streams"), {}),
    "strangers": Scenario("100,000 retained messages under …/cmd/#, twice", _strangers, {}),
    "large": Scenario("a message of 200 MB through the broker", _large, {}),
    "large-broker": Scenario("a broker that sends 200 MB itself", _wait, {}, large_publish(200_000_000)),
    "slow-broker": Scenario(
        "a broker that answers a byte a second", _wait_long, {}, slowly(b"\x20\x03\x00\x00\x00", b"\xd0\x00")
    ),
    "names": Scenario(
        "a broker whose name never resolves",
        _wait,
        {"host": "broker.invalid", "port": 1883, "wrong": True, "names_ms": NAMES_MS},
    ),
    "disk-full": Scenario("a full disk", _full, {"disk": True}),
    "disk-ro": Scenario("a disk that became read-only", _read_only, {"wrong": True}),
    "disk-ro-start": Scenario(
        "a disk that is read-only at the start, writable later", _writable_again, {"disk": True, "read_only": True}
    ),
    "disk-slow": Scenario("an fsync of 2 s", _slow_disk, {"wrong": True}),
    "clock": Scenario("a clock that jumps by ±10 years", _jump, {"wrong": True}),
    "releases": Scenario("hostile release servers", _releases, {}),
}
