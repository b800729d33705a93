"""Thermostats on the broker: what they say they are set to, what they are told, and giving them back at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from comfywear.comfort.setpoint import Setpoint
from comfywear.comfort.thermostat import Manners, Thermostat, give_back, step
from comfywear.errors import StoreError
from comfywear.publishing import Aside, Incoming
from comfywear.records import ThermostatUse, ZoneSetpoint
from comfywear.settings.setpoint import ThermostatSettings
from comfywear.system.json_file import load_json, save_json
from comfywear.system.log_once import LogOnce
from comfywear.texts import Text, encode
from comfywear_sensors.errors import NotAReading
from comfywear_sensors.payloads import parse_message, parse_number

__all__ = ["FILE_NAME", "Thermostats"]

_log = logging.getLogger(__name__)

FILE_NAME = "thermostats.json"
# A thermostat that heard of it only later would be told what was wanted then.
_EXPIRY_S = 60
_FIELD = "air_temp_c"


class ThermostatLink(Protocol):
    """The way to the broker."""

    @property
    def state(self) -> str:
        """It is "connected" while the broker listens."""

    def listen(self, topic_filter: str, listener: Callable[[Incoming], None]) -> None:
        """Subscribe; `listener` is called in another thread."""

    def say(self, aside: Aside) -> None:
        """Send a message outside the sequence."""


@dataclass(slots=True)
class _One:
    """A thermostat: its settings, what is known of it, what it said last and what was last said of it."""

    settings: ThermostatSettings
    zone: str
    manners: Manners
    state: Thermostat
    reported_c: float | None = None
    why: str = Text("the thermostat does not say what it is set to")
    complaint: LogOnce = field(default_factory=lambda: LogOnce(_log))

    @property
    def name(self) -> str:
        """What tells it from others: where it is told."""
        chosen = self.settings
        return f"{chosen.command_topic} {chosen.command_key}" if chosen.command_key else chosen.command_topic


class _Moved(msgspec.Struct, frozen=True):
    """What must outlive a loss of power: what it was set to before it was first moved, and what it was sent."""

    before_c: float
    sent_c: float | None = None


class _File(msgspec.Struct, frozen=True):
    """The thermostats that are moved, by name."""

    moved: dict[str, _Moved] = {}


class Thermostats:
    """The thermostats of the settings; any thread may ask.

    Args:
        settings: Which.
        first_zone: Whose setpoint those follow that name no zone.
        folder: The state folder.
        carrier: The way to the broker; its `listen` is called here, before it runs.
    """

    def __init__(
        self, settings: Sequence[ThermostatSettings], first_zone: str, folder: Path, carrier: ThermostatLink
    ) -> None:
        self._carrier = carrier
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()
        self._ended = False
        moved = load_json(self._path, _File()).moved if settings else {}
        self._all = [_one(each, each.zone or first_zone) for each in settings]
        for one in self._all:
            if (before := moved.get(one.name)) is not None:
                one.state = Thermostat(before_c=before.before_c, sent_c=before.sent_c)
        for topic in {each.state_topic for each in settings}:
            carrier.listen(topic, self._take)

    def reported(self, zone: str) -> float | None:
        """What the first thermostat of the zone that is moved says it is set to, °C; None where none does."""
        said = (one.reported_c for one in self._all if one.zone == zone and not one.settings.dry_run)
        return next((value for value in said if value is not None), None)

    def used(self, zone: str) -> tuple[ThermostatUse, ...]:
        """How those of a zone are."""
        return tuple(
            ThermostatUse(one.settings.command_topic, one.reported_c, one.state.sent_c, one.settings.dry_run, one.why)
            for one in self._all
            if one.zone == zone
        )

    def tick(self, now_s: float, wanted: Mapping[str, ZoneSetpoint]) -> None:
        """Tell each what is wanted of it at `now_s` (monotonic), with manners; nothing while the broker is away."""
        if not self._all or self._carrier.state != "connected":
            return
        with self._lock:
            if self._ended:
                return
            for one in self._all:
                if one.zone in wanted:
                    self._step(one, now_s, wanted[one.zone])

    def give_back(self) -> None:
        """Set each as it was before it was first moved, unless somebody has turned it since; nothing is told after."""
        with self._lock:
            self._ended = True
            for one in self._all:
                action = give_back(one.state)
                if action.send_c is None:
                    one.state = Thermostat()
                    continue
                _log.info("thermostat %s: %.1f °C, %s", one.name, action.send_c, action.why)
                self._send(one, action.send_c, on_taken=partial(self._given, one))
            self._save()

    def _given(self, one: _One) -> None:
        with self._lock:
            one.state = Thermostat()
            self._save()

    def _step(self, one: _One, now_s: float, wanted: ZoneSetpoint) -> None:
        before = one.state
        goal = Setpoint(wanted.setpoint_c, wanted.why)
        one.state, action = step(one.state, now_s, one.reported_c, goal, one.manners)
        if action.send_c is not None:
            _log.info("thermostat %s: %.1f °C, %s", one.name, action.send_c, action.why)
            self._send(one, action.send_c)
        elif one.settings.dry_run and action.why.startswith("would send") and action.why != one.why:
            _log.info("thermostat %s: %s", one.name, action.why)
        one.why = action.why
        if (before.before_c, before.sent_c) != (one.state.before_c, one.state.sent_c):
            self._save()

    def _send(self, one: _One, value_c: float, on_taken: Callable[[], None] | None = None) -> None:
        value = round(value_c * 9 / 5 + 32 if one.settings.unit == "°F" else value_c, 1)
        said: object = value
        for key in reversed(one.settings.command_key.split(".") if one.settings.command_key else []):
            said = {key: said}
        payload = encode(said)
        self._carrier.say(Aside(one.settings.command_topic, payload, expiry_s=_EXPIRY_S, on_taken=on_taken))

    def _take(self, message: Incoming) -> None:
        """A thermostat says what it is set to; what cannot be read is said once."""
        with self._lock:
            for one in self._all:
                if one.settings.state_topic != message.topic:
                    continue
                unit, key = one.settings.unit.removeprefix("°"), one.settings.state_key
                try:
                    if key:
                        found = parse_message(message.payload, unit=unit, paths={_FIELD: key})
                    else:
                        found = parse_number(message.payload, _FIELD, unit)
                except NotAReading as error:
                    if one.reported_c is None:  # else a message about something else, as zigbee2mqtt sends them
                        one.complaint.trouble(NotAReading(f"thermostat {one.name}: {error}"))
                else:
                    one.complaint.over()
                    one.reported_c = found[_FIELD]

    def _save(self) -> None:
        if not self._all:
            return
        moved = {
            one.name: _Moved(one.state.before_c, one.state.sent_c)
            for one in self._all
            if one.state.before_c is not None
        }
        try:
            save_json(self._path, _File(moved))
        except StoreError as error:
            _log.error("%s", error)


def _one(chosen: ThermostatSettings, zone: str) -> _One:
    manners = Manners(chosen.dead_band_k, chosen.pause_s, chosen.hold_s, chosen.answer_s, chosen.dry_run)
    return _One(chosen, zone, manners, Thermostat())
