"""`comfywear homeassistant`: what Home Assistant is told about this device, and taking it back."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Collection

from comfywear import settings
from comfywear.device.mqtt import homeassistant, retained
from comfywear.device.mqtt.mqtt_commands import facts_of
from comfywear.device.mqtt.mqtt_worker import broker_settings
from comfywear.device.zones.names import ZoneNames
from comfywear.errors import BrokerError, DeviceNotRunningError, UsageError
from comfywear.feedback import ask
from comfywear.publishing import Topics
from comfywear.publishing.broker.connection import Acknowledged, Connection, Incoming, Subscribed
from comfywear.publishing.broker.dialect import Dialect
from comfywear.publishing.homeassistant.discovery import (
    Message,
    discovery,
    platforms,
    retained_topics,
    revived,
    status_topics,
)
from comfywear.settings import Settings, state_folder
from comfywear.system.arguments import number
from comfywear.system.json_file import load_json
from comfywear.texts import encode

_WAIT_S = 10.0
# Home Assistant subscribes anew a moment after it said that it is there, and needs one to take in what it hears.
_SETTLE_S = 5.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `homeassistant`."""
    parser = commands.add_parser("homeassistant", help="what Home Assistant is told about this device")
    verbs = parser.add_subparsers(dest="verb", required=True)
    show = verbs.add_parser("show", help="print the discovery messages and their topics; nothing is sent")
    show.add_argument("--config", metavar="FILE", required=True, help="the device's settings")
    add_forget(verbs.add_parser("forget", help="make broker and Home Assistant forget the device and all its entities"))
    parser.set_defaults(run=run)


def add_forget(parser: argparse.ArgumentParser) -> None:
    """The arguments of forgetting."""
    parser.add_argument("--config", metavar="FILE", required=True, help="the device's settings")
    parser.add_argument(
        "--wait",
        metavar="S",
        type=number(0.0, 1e6),
        default=0.0,
        help="Home Assistant is off: wait so many seconds for its start, then tell it (entities stay otherwise)",
    )


def run(args: argparse.Namespace) -> int:
    """Show or forget."""
    return show(args) if args.verb == "show" else forget(args)


def show(args: argparse.Namespace) -> int:
    """Print what would be sent."""
    found = settings.load(args.config)
    for topic, message in _messages(found).items():
        print(json.dumps({"topic": topic, "retain": True, "message": message}, indent=2, ensure_ascii=False))
    return 0


def forget(args: argparse.Namespace) -> int:
    """Clear all that the broker keeps for the device, discovery and states."""
    found = settings.load(args.config)
    topics, folder = Topics(found.device.site, found.device.name()), state_folder(found)
    _check_nobody_says_it_again(found)
    if not found.mqtt.host:
        raise UsageError("the settings name no broker (mqtt.host)")
    broker = f"{found.mqtt.host}:{found.mqtt.port}"
    zones = [zone.name for zone in found.zones]
    told = load_json(folder / homeassistant.FILE_NAME, homeassistant.Told())
    described = {topic: platforms(message) for topic, message in _messages(found).items()}
    gone = {**described, **told.all(), **told.gone}
    kept = retained.kept_at(folder)
    cameras = [camera.name for camera in found.cameras]
    lines = [line.name for line in found.lines]
    states = dict.fromkeys((*retained.retained_of(topics, zones, cameras, lines, privacy=True), *kept.get(broker, ())))
    earlier, *ours = retained_topics(found.homeassistant.prefix, topics, zones)
    connection = Dialect().connect(broker_settings(found.mqtt), f"comfywear-forget-{topics.device}")
    try:
        if args.wait > 0.0:
            _tell_at_its_start(connection, topics, gone, status_topics(found.homeassistant.prefix), args.wait)
        _publish(connection, earlier, b"", needed=False)  # of an earlier version; rules of today may deny it
        for topic in dict.fromkeys((*ours, *gone, *states)):
            if topic != earlier:
                _publish(connection, topic, b"")
    finally:
        connection.close()
    retained.forget(folder, broker)
    print(
        f"{broker} forgets {topics.device}, and so does Home Assistant ({len(states)} states, {len(ours)} descriptions)"
    )
    if left := [name for name in kept if name != broker]:
        print(f"states may be left at {', '.join(left)}: name that broker in the settings and forget again")
    return 0


def _messages(found: Settings) -> dict[str, Message]:
    topics = Topics(found.device.site, found.device.name())
    names = ZoneNames(state_folder(found), [zone.name for zone in found.zones])
    shown = {zone.name: names.shown(zone.name) for zone in found.zones}
    told = load_json(state_folder(found) / homeassistant.FILE_NAME, homeassistant.Told()).all()
    measured = [key for keys in told.values() for key in keys]
    return discovery(found.homeassistant.prefix, topics, shown, facts_of(found, restarts=True), measured)


def _check_nobody_says_it_again(found: Settings) -> None:
    """A running device would describe itself again at its next connection.

    Raises:
        UsageError: When it runs.
    """
    try:
        ask(state_folder(found), {"verb": "status"})
    except DeviceNotRunningError:
        return
    raise UsageError(
        "the device runs and would describe itself again: stop it first (or set homeassistant.enabled = false and "
        "reload it: it then takes its description back by itself)"
    )


def _tell_at_its_start(
    connection: Connection, topics: Topics, gone: dict[str, dict[str, str]], births: Collection[str], wait_s: float
) -> None:
    """Wait for Home Assistant's start, and name all components whole: it removes only what it knows.

    Raises:
        BrokerError: When it did not start, or the broker lets nobody listen for its start.
    """
    denied: list[str] = []
    for topic in births:
        connection.subscribe(topic)
    until = time.monotonic() + wait_s
    while connection.lost is None and time.monotonic() < until:
        connection.poll(0.2)
        while connection.events:
            event = connection.events.popleft()
            if isinstance(event, Subscribed) and event.refusal:
                denied.append(event.refusal)
            if len(denied) == len(births):
                raise BrokerError(
                    f"the broker refuses the subscription to {' and '.join(births)}: {denied[0]}; nothing was cleared"
                )
            if not isinstance(event, Incoming):
                continue
            connection.done(event)
            if event.topic in births and event.payload == b"online" and not event.retained:
                _rest(connection)
                for topic, keys in gone.items():
                    said = encode(revived(topics, None, keys))
                    _publish(connection, topic, said, retain=False, needed=False)
                _rest(connection)
                return
    partly = f" (the broker refuses one of {' and '.join(births)}: {denied[0]})" if denied else ""
    raise BrokerError(
        connection.lost or f"Home Assistant did not start within {wait_s:g} s{partly}; nothing was cleared"
    )


def _rest(connection: Connection) -> None:
    until = time.monotonic() + _SETTLE_S
    while connection.lost is None and time.monotonic() < until:
        connection.poll(0.2)


def _publish(connection: Connection, topic: str, payload: bytes, *, retain: bool = True, needed: bool = True) -> None:
    """Publish, and wait for the broker's word.

    Raises:
        BrokerError: When it does not answer, or refuses what is `needed`.
    """
    mid = connection.publish(topic, payload, retain=retain)
    until = time.monotonic() + _WAIT_S
    while mid is not None and connection.lost is None and time.monotonic() < until:
        connection.poll(0.2)
        while connection.events:
            event = connection.events.popleft()
            if isinstance(event, Acknowledged) and event.mid == mid:
                if event.refusal is None or not needed:
                    return
                raise BrokerError(f"the broker refuses {topic}: {event.refusal}")
    raise BrokerError(connection.lost or f"no answer from the broker for {_WAIT_S:g} s")
