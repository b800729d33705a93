"""`comfywear bench sensors`: what 8 readers at 1 Hz cost in one process, each at a real door of its kind."""

from __future__ import annotations

import argparse
import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from comfywear.errors import BrokerError, SourceError
from comfywear.system.arguments import seconds
from comfywear_sensors.pty_replay import PtyReplay

_LINE = "Humidity: 45.20 %\tTemperature: 23.10 *C 73.58 *F\tHeat index: 22.72 *C 72.90 *F"
_W1 = "91 01 4b 46 7f ff 0c 10 70 : crc=70 YES\n91 01 4b 46 7f ff 0c 10 70 t=25062\n"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `sensors`."""
    parser = commands.add_parser("sensors", help="processor and memory of 8 readers at 1 Hz")
    parser.add_argument("--seconds", type=seconds, default=20.0, metavar="S", help="how long (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns 0, or raises when a reader did not read."""
    with ExitStack() as stack:
        uris = list(_doors(stack))
        command = [sys.executable, "-m", "comfywear_sensors.load", "--seconds", str(args.seconds), *uris]
        child = subprocess.run(command, capture_output=True, text=True, timeout=args.seconds + 60, check=False)
    if child.returncode:
        raise SourceError(f"the process of the readers failed: {child.stderr.strip().splitlines()[-1:]}")
    figures = json.loads(child.stdout)
    if args.json:
        print(json.dumps(figures))
    else:
        print(f"{figures['readers']} readers at 1 Hz: {figures['cpu_share']:.2%} of a core, {figures['rss_mb']:.1f} MB")
        for source, count in figures["readings"].items():
            print(f"  {count:4} readings  {source}  {figures['faults'].get(source, '')}")
    silent = [source for source, count in figures["readings"].items() if not count]
    if silent:
        raise SourceError(f"nothing was read from {', '.join(silent)}: the figures do not count")
    return 0


def _doors(stack: ExitStack) -> Iterator[str]:
    """URIs of eight sensors that speak once a second; a fake one for MQTT's where no broker is installed."""
    from comfywear.demo.broker import embedded_broker  # the command line imports this module only to list it

    for _ in range(2):
        device = stack.enter_context(PtyReplay([_LINE]))
        device.start()
        yield f"serial://{device.path}"
    root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comfywear-bench-")))
    _write(root / "iio/iio:device0", name="bme280", in_temp_input="23100", in_humidityrelative_input="45200")
    yield f"iio://bme280?root={root}/iio"
    _write(root / "hwmon/hwmon0", name="sht3x", temp1_input="23100", humidity1_input="45200")
    yield f"hwmon://sht3x?root={root}/hwmon"
    _write(root / "w1/28-1", w1_slave=_W1)
    yield f"w1://28-1?root={root}/w1"
    _write(root, recording="temperature,humidity\n23.1,45.2\n23.2,45.1\n")
    yield f"replay://{root}/recording?loop=1"
    yield f"modbus://127.0.0.1:{stack.enter_context(_modbus_slave())}?preset=xy-md02"
    try:
        port = stack.enter_context(embedded_broker())
    except BrokerError:
        yield "fake://room"
        return
    stack.enter_context(_publisher(port))
    yield f"mqtt://127.0.0.1:{port}/tele/bench/SENSOR"


def _write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


@contextmanager
def _modbus_slave() -> Iterator[int]:
    """An XY-MD02 behind a TCP gateway: 23.1 °C, 45.2 %; yields its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    while request := connection.recv(12):
                        answer = struct.pack(">BBB2H", request[6], 4, 4, 231, 452)
                        connection.sendall(request[:4] + struct.pack(">H", len(answer)) + answer)

    threading.Thread(target=serve, daemon=True).start()
    with server:
        yield server.getsockname()[1]


@contextmanager
def _publisher(port: int) -> Iterator[None]:
    """A Tasmota that publishes every second."""
    from paho.mqtt.client import Client, MQTTv5
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    stop = threading.Event()

    def speak() -> None:
        while not stop.wait(1.0):
            message = {"AM2301": {"Temperature": 23.1, "Humidity": 45.2}, "TempUnit": "C"}
            client.publish("tele/bench/SENSOR", json.dumps(message | {"Time": time.time()}))

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        client.disconnect()
        client.loop_stop()
