"""`comfywear homeassistant`: what Home Assistant is told about this device, and taking it back."""

from __future__ import annotations

import argparse
import json
import time

from comfywear import __version__, machine, settings
from comfywear.broker import broker_settings
from comfywear.errors import BrokerError, DeviceNotRunningError, UsageError
from comfywear.feedback import ask
from comfywear.orders import METRICS_EVERY_S
from comfywear.publishing import Topics
from comfywear.publishing.connection import Acknowledged, Connection, Dialect
from comfywear.publishing.homeassistant import config_topic, discovery
from comfywear.settings import Settings, state_folder
from comfywear.zone_names import ZoneNames

_WAIT_S = 10.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `homeassistant`."""
    parser = commands.add_parser("homeassistant", help="what Home Assistant is told about this device")
    verbs = parser.add_subparsers(dest="verb", required=True)
    show = verbs.add_parser("show", help="print the discovery message and its topic; nothing is sent")
    forget = verbs.add_parser("forget", help="make Home Assistant forget the device and all its entities")
    for each in (show, forget):
        each.add_argument("--config", metavar="FILE", required=True, help="the device's settings")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show or forget."""
    found = settings.load(args.config)
    topics = Topics(found.device.site, found.device.name())
    topic = config_topic(found.homeassistant.prefix, topics)
    if args.verb == "show":
        names = ZoneNames(state_folder(found), [zone.name for zone in found.zones])
        message = discovery(
            topics,
            {zone.name: names.shown(zone.name) for zone in found.zones},
            version=__version__,
            interval_s=found.mqtt.interval_s,
            metrics_every_s=METRICS_EVERY_S,
            hardware=machine.board(),
        )
        print(json.dumps({"topic": topic, "retain": True, "message": message}, indent=2, ensure_ascii=False))
        return 0
    _check_nobody_says_it_again(found)
    _forget(found, topic)
    print(f"Home Assistant forgets {topics.device} ({topic})")
    return 0


def _check_nobody_says_it_again(found: Settings) -> None:
    """A running device would describe itself again at its next connection.

    Raises:
        UsageError: When it runs with Home Assistant switched on.
    """
    if not found.homeassistant.enabled:
        return
    try:
        ask(state_folder(found), {"verb": "status"})
    except DeviceNotRunningError:
        return
    raise UsageError(
        "the device runs and would describe itself again: set homeassistant.enabled = false and reload it "
        "(it then takes everything back by itself), or stop it first"
    )


def _forget(found: Settings, topic: str) -> None:
    """Publish the empty retained message, and wait for the broker's word.

    Raises:
        UsageError: When the settings name no broker.
        BrokerError: When it cannot be reached or refuses.
    """
    if not found.mqtt.host:
        raise UsageError("the settings name no broker (mqtt.host)")
    connection = Dialect().connect(broker_settings(found.mqtt), f"comfywear-forget-{found.device.name()}")
    try:
        mid = connection.publish(topic, b"", retain=True)
        _await(connection, mid)
    finally:
        connection.close()


def _await(connection: Connection, mid: int | None) -> None:
    until = time.monotonic() + _WAIT_S
    while mid is not None and connection.lost is None and time.monotonic() < until:
        connection.poll(0.2)
        while connection.events:
            event = connection.events.popleft()
            if isinstance(event, Acknowledged) and event.mid == mid:
                if event.refusal is None:
                    return
                raise BrokerError(f"the broker refuses: {event.refusal}")
    raise BrokerError(connection.lost or f"no answer from the broker for {_WAIT_S:g} s")
