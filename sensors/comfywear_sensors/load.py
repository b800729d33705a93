"""What reading costs: `python -m comfywear_sensors.load --seconds 20 URI …` polls each URI as a device's worker does.

Prints one JSON object: `cpu_share` of one core, `rss_mb`, `readings` a URI, `faults` a URI.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
import time
from pathlib import Path

from comfywear_sensors.patient import PatientReader

_MOST_S = 86_400.0


def main() -> None:
    """Poll for the time asked for and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m comfywear_sensors.load")
    parser.add_argument("--seconds", type=_seconds, default=20.0)
    parser.add_argument("--every", type=_seconds, default=1.0, help="interval of sensors that are asked, seconds")
    parser.add_argument("uris", nargs="+", metavar="URI")
    args = parser.parse_args()
    sensors = [PatientReader(uri, every_s=args.every) for uri in args.uris]
    readings = [0] * len(sensors)
    stop = threading.Event()

    def work(index: int) -> None:
        while not stop.is_set():
            readings[index] += sensors[index].poll(1.0) is not None

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sensors))]
    for thread in threads:
        thread.start()
    time.sleep(3.0)  # opening and importing are not what a day costs
    started_s, cpu_s = time.monotonic(), time.process_time()
    before = list(readings)
    time.sleep(args.seconds)
    elapsed_s, cpu_s = time.monotonic() - started_s, time.process_time() - cpu_s
    figures = {
        "readers": len(sensors),
        "cpu_share": round(cpu_s / elapsed_s, 4),
        "rss_mb": round(_rss_mb(), 1),
        "readings": {sensor.source: now - then for sensor, now, then in zip(sensors, readings, before, strict=True)},
        "faults": {sensor.source: sensor.error for sensor in sensors if sensor.error},
    }
    stop.set()
    for thread in threads:
        thread.join()
    for sensor in sensors:
        sensor.close()
    sys.stdout.write(json.dumps(figures) + "\n")


def _seconds(word: str) -> float:
    """More than 0 and at most a day; raises argparse.ArgumentTypeError."""
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not 0.0 < found <= _MOST_S:
        raise argparse.ArgumentTypeError(f"{word[:40]!r}: give a number of seconds, at most {_MOST_S:g}")
    return found


def _rss_mb() -> float:
    """Resident memory of this process in MB of 1,000,000 bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    main()
