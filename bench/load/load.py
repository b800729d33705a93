"""Puts a real device under load and into trouble, and shows what that costs it and its people.

    .venv/bin/python bench/load/load.py [SCENARIO …] [--out runs/load]

Each scenario starts a `comfywear run` of its own, without a camera, with a fake sensor, its page and a mosquitto on
loopback. Somebody votes every 50 ms over the control socket and looks at the page twice a second: before (5 s), during
(about 12 s) and after (5 s). What is shown: resident memory, the 99th percentile of a vote's time, and what people see.
A scenario of a full or read-only disk mounts a tmpfs (root); those of disk, clock and names need a C compiler. All
traffic stays on 127.0.0.1. It ends with 1 where the device ended, a traceback was logged, or an accepted vote is lost.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "soak"))  # what is wrong with clock, disk and names

from scenarios import SCENARIOS


def main() -> int:
    """Run the scenarios, one after another."""
    parser = argparse.ArgumentParser(description="a device under load", epilog="scenarios: " + ", ".join(SCENARIOS))
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help="none = all")
    parser.add_argument("--out", type=Path, default=Path("runs/load"))
    args = parser.parse_args()
    if unknown := set(args.scenario) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    args.out.mkdir(parents=True, exist_ok=True)
    bad = []
    for name in args.scenario or SCENARIOS:
        scenario = SCENARIOS[name]
        with scenario.bed(args.out, name) as bed:
            seen = bed.measure(scenario.load)
        print(f"{name}: {scenario.what}\n{json.dumps(asdict(seen), indent=1, ensure_ascii=False)}", flush=True)
        (args.out / f"{name}.json").write_text(json.dumps(asdict(seen), indent=1, ensure_ascii=False) + "\n")
        if not seen.alive or seen.tracebacks or seen.votes_lost:
            bad.append(name)
    print("all held" if not bad else f"did not hold: {', '.join(bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
