"""`comfywear sensors list|watch`: find temperature and humidity sensors, and see what they say."""

from __future__ import annotations

import argparse
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from comfywear.errors import SourceError, UsageError
from comfywear.system.arguments import seconds, whole
from comfywear_sensors import BadSensorURI, PatientReader, Reader, Reading, open_reader
from comfywear_sensors.discover import find_sensors
from comfywear_sensors.gate import Gate, no_room

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 40


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `sensors` with `list` and `watch`."""
    parser = commands.add_parser("sensors", help="find temperature and humidity sensors, see what they say")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    find = actions.add_parser("list", help="what is plugged in, with the settings line for each")
    find.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    find.set_defaults(run=run_list)
    watch = actions.add_parser("watch", help="live values of one sensor with a small chart")
    watch.add_argument("uri", metavar="URI", help="such as serial:///dev/ttyUSB0 (docs/sensors.md)")
    watch.add_argument("--count", type=whole(0), default=0, metavar="N", help="end after N readings (default: never)")
    watch.add_argument("--every", type=seconds, default=1.0, metavar="S", help="how often to ask, in seconds")
    watch.add_argument(
        "--patience", type=seconds, default=30.0, metavar="S", help="give up after S seconds without one"
    )
    watch.add_argument("--raw", action="store_true", help="show every line or message as it comes, too")
    watch.set_defaults(run=run_watch)


def run_list(args: argparse.Namespace) -> int:
    """Print a settings line for every sensor found; returns 0, also when there is none."""
    found = list(find_sensors(args.root))
    for sensor in found:
        print(f'[[sensors]]  # {sensor.note}\nuri = "{sensor.uri}"\n')
    if not found:
        print("No sensor is plugged in: no serial port, IIO, hwmon, 1-Wire or I²C device was found.")
    print("Not found by looking: modbus://HOST, mqtt://BROKER/TOPIC, replay:///FILE, fake://ROOM (docs/sensors.md).")
    return 0


def run_watch(args: argparse.Namespace) -> int:
    """Print a line for every reading until `--count`; returns 0, or raises when the sensor stays silent."""
    try:
        opener = _raw_reader if args.raw else None
        sensor = PatientReader(args.uri, every_s=args.every, retry_s=(0.5, 5.0), opener=opener)
    except BadSensorURI as error:
        raise UsageError(str(error)) from None
    try:
        return _watch(sensor, args.count, args.patience)
    finally:
        sensor.close()


def _raw_reader(uri: str) -> Reader:
    """An open reader that prints what it receives, where that is lines or messages."""
    reader = open_reader(uri)
    if hasattr(reader, "on_raw"):
        reader.on_raw = _print_raw
    else:
        print("(this sensor sends no lines: --raw has nothing to show)", flush=True)
    return reader


def _print_raw(line: str) -> None:
    print(f"  > {line[:200]!r}", flush=True)


def _watch(sensor: PatientReader, count: int, patience_s: float) -> int:
    gate, temperatures = Gate(), deque[float](maxlen=_WIDTH)
    shown, heard_s, said = 0, time.monotonic(), ""
    while not count or shown < count:
        reading = sensor.poll(0.5)
        if reading is None:
            if sensor.hopeless:
                raise UsageError(str(sensor.error))
            if sensor.state == "ended":
                print("the recording has ended")
                return 0
            words = (sensor.error or sensor.said or "").removeprefix(f"{sensor.source}: ")
            if words and words != said:
                said = words
                print(f"({words})", flush=True)
            if time.monotonic() - heard_s > patience_s:
                raise SourceError(sensor.error or sensor.said or f"{sensor.source}: no reading in {patience_s:g} s")
            continue
        heard_s = time.monotonic()
        refused = gate.rejected.total()
        admitted = gate.admit(reading)
        if "air_temp_c" in admitted:
            temperatures.append(admitted["air_temp_c"])
        note = "  refused: " + ", ".join(gate.rejected) if gate.rejected.total() > refused else ""
        note += f" ({why})" if note and (why := no_room(reading)) else ""
        print(f"{describe(reading)}  {chart(temperatures)}{note}", flush=True)
        shown += 1
    return 0


def describe(reading: Reading) -> str:
    """What a reading says, in one line."""
    parts = [
        text.format(value)
        for text, value in (
            ("{:6.2f} °C", reading.air_temp_c),
            ("{:5.1f} %", reading.humidity_pct),
            ("globe {:.1f} °C", reading.radiant_temp_c),
            ("{:.2f} m/s", reading.air_speed_m_s),
            ("{:.0f} lx", reading.illuminance_lx),
            ("{:.0f} W/m²", reading.irradiance_w_m2),
            ("{:.0f} ppm CO₂", reading.co2_ppm),
        )
        if value is not None
    ]
    return "  ".join([*parts, *(["(simulated)"] if reading.simulated else [])])


def chart(values: Sequence[float]) -> str:
    """The temperatures as bars, over at least half a degree so that noise looks like noise."""
    if not values:
        return ""
    low, high = min(values), max(values)
    span = max(high - low, 0.5)
    bars = "".join(_BARS[min(len(_BARS) - 1, int((value - low) / span * len(_BARS)))] for value in values)
    return f"{bars} {low:.1f}…{high:.1f}"
