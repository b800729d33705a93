"""`comfywear listen`: what devices say on the broker, as any consumer hears it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import replace
from functools import partial

from comfywear import settings
from comfywear.device.mqtt.mqtt_worker import broker_settings
from comfywear.errors import UsageError
from comfywear.publishing import BrokerSettings
from comfywear.publishing.broker.connection import Incoming
from comfywear.publishing.broker.listener import EVERYTHING, Listener, Sequences, covers_devices
from comfywear.publishing.messages.kinds import read_message
from comfywear.publishing.messages.readable import JPEG, clean, readable
from comfywear.system.arguments import host_and_port, seconds, whole
from comfywear.system.log import begin_log

_USUAL_PORT = 1883


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `listen`."""
    parser = commands.add_parser("listen", help="show what devices say on the broker")
    parser.add_argument("--broker", metavar="HOST[:PORT]", help="default: that of --config, else 127.0.0.1:1883")
    parser.add_argument("--topic", default=EVERYTHING, help=f"what to subscribe to (default {EVERYTHING})")
    parser.add_argument("--config", metavar="FILE", help="settings with the broker, user name, password file and TLS")
    parser.add_argument("--json", action="store_true", help="one JSON object a message: topic, retained, message")
    parser.add_argument("--count", metavar="N", type=whole(1), help="end after so many messages")
    parser.add_argument("--seconds", metavar="S", type=seconds, help="end after so many seconds")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print messages until the count or the time is reached; 1 when the time was over before the count."""
    begin_log(logging.WARNING, "%(message)s")
    sequences = Sequences() if covers_devices(args.topic) else None
    listener = Listener(broker(args.broker, args.config), args.topic)
    for number, message in enumerate(
        listener.messages(seconds=args.seconds, quiet=partial(_quiet, args.topic)), start=1
    ):
        if sequences is not None and (remark := _gap(message, sequences)):
            print(remark, file=sys.stderr if args.json else sys.stdout, flush=True)
        print(_as_json(message) if args.json else readable(message.topic, message.payload), flush=True)
        if number == args.count:
            return 0
    return 0 if args.count is None else 1


def _quiet(topic: str) -> None:
    said = (
        f"connected, and nothing on {topic} so far: does the device run, with this broker in its settings? Ctrl-C ends"
    )
    print(said, file=sys.stderr, flush=True)


def broker(place: str | None, config: str | None) -> BrokerSettings:
    """The broker that the arguments name: `place` is HOST or HOST:PORT, `config` a settings file or None.

    Raises:
        UsageError: When `place` cannot be read, or neither names a broker.
    """
    mqtt = settings.load(config).mqtt if config else settings.MqttSettings(host="127.0.0.1")
    host, port = (mqtt.host, mqtt.port) if place is None else broker_place(place)
    if not host:
        raise UsageError(f"{config}: names no broker (mqtt.host); name one with --broker HOST:PORT")
    return replace(broker_settings(mqtt), host=host, port=port)


def broker_place(place: str) -> tuple[str, int]:
    """HOST, HOST:PORT or [IPV6]:PORT in two parts; without a port MQTT's usual one.

    Raises:
        UsageError: When it is none of these.
    """
    found = host_and_port(place, _USUAL_PORT)
    if found is None:
        raise UsageError(f"{place[:100]!r} is no broker: write HOST or HOST:PORT, such as broker.local:1883")
    return found


def _gap(message: Incoming, sequences: Sequences) -> str | None:
    """What is missing before this message, or that it is a repeat; kept (retained) messages are out of sequence."""
    if message.retained:
        return None
    try:
        found = read_message(message.payload)
    except UsageError:
        return None
    remark = None if found.seq is None else sequences.note(found.device, found.epoch, found.seq)
    return clean(remark) if remark else None


def _as_json(message: Incoming) -> str:
    payload: object
    try:
        payload = json.loads(message.payload)
    except (ValueError, RecursionError):
        picture = message.payload.startswith(JPEG)
        payload = {"jpeg_bytes": len(message.payload)} if picture else message.payload.decode(errors="replace")
    return json.dumps({"topic": message.topic, "retained": message.retained, "message": payload}, ensure_ascii=False)
