"""What the page shows of a device, and its two workers: the page itself, and the history of its chart."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from comfywear import __version__, web
from comfywear.clock import wall_time
from comfywear.errors import StoreError
from comfywear.estimates import PersonEstimate, ZoneEstimate
from comfywear.exposition import exposition
from comfywear.records import Trouble
from comfywear.settings import Settings, json_schema
from comfywear.supervisor import Pulse, Supervisor
from comfywear.troubles import sentence

if TYPE_CHECKING:
    from comfywear.device import Device
    from comfywear.records import Box

_log = logging.getLogger(__name__)

DAY_S = 86400.0
POINT_EVERY_S = 60.0
RECORDING_EVERY_S = 5.0
MOST_VOTES = 300
JPEG_QUALITY = 80
_STARTING = "the device is starting"
# A password in an address, and parameters that may hold one.
_SECRETS = (re.compile(r"(?<=//)[^/@\s]*@"), re.compile(r"(?i)(?<=[?&])(password|pass|pwd|token|key|secret)=[^&\s]*"))


class DevicePage:
    """The page of one device; what `comfywear.web.PageDevice` asks for."""

    def __init__(self, device: Device) -> None:
        """Reads the page's token.

        Raises:
            UsageError: When the page would be open to the network without one, or it cannot be read.
        """
        self._device = device
        chosen = device.settings.web
        access = web.Access(web.read_token(chosen.token_file), web.read_secret(device.folder / "page.key"))
        self.server = web.Page(
            self, access, host=chosen.host, port=chosen.port, title=chosen.title, language=chosen.language
        )
        self._history = _open_history(device.folder / "page.sqlite")
        self._lock = threading.Lock()
        self._drawn: tuple[int, bytes] | None = None
        self._counts: dict[str, int] = {}
        self._recorded = web.Recording(device.settings.capture.enabled)
        self._recording_until_s = 0.0
        for changed in (device.voting.after_vote, device.voting.after_undo):
            changed.append(lambda vote: self._recount(vote.zone))
        device.voting.after_delete.append(lambda _: self._counts.clear())

    def add_workers(self, supervisor: Supervisor) -> None:
        """Have the supervisor run the page and its history."""
        supervisor.add("page", lambda pulse: self.server.run(pulse.stop, pulse.beat))
        supervisor.add("page history", self._remember)

    def close(self) -> None:
        """Close the history."""
        self._history.close()

    def zones(self) -> Sequence[web.Zone]:
        """The zones with the names that were given to them."""
        names = self._device.orders.names
        return [web.Zone(zone, names.shown(zone)) for zone in self._device.zones]

    def now(self, zone: str) -> web.Now:
        """How a zone is now."""
        device, estimate = self._device, self._device.estimates().get(zone)
        unseen = "there is no camera in the settings"
        if device.looking:
            unseen = device.looking.sight().missing or ""
        question = device.orders.questions.of(zone)
        seen = estimate.people if estimate and not unseen else None
        return web.Now(
            zone=zone,
            air=_air(estimate),
            people=None if seen is None else tuple(_person(each) for each in seen),
            unseen=None if seen is not None else unseen or _STARTING,
            comfort=_comfort(estimate),
            learnt=self._learnt(zone),
            question=(question.why or question.text) if question else None,
            votes=self._count(zone),
            recording=self._recording(),
            sketch="on" if device.looking and device.settings.web.sketch else "off",
            troubles=tuple(_trouble(each) for each in device.watch.book.now()),
            showing=device.topics.device if device.orders.showing else None,
        )

    def day(self, zone: str) -> web.Day:
        """The last 24 hours of a zone; nothing while the clock is not set."""
        now_s, time_ok = time.time(), wall_time().time_ok
        since_s = now_s - DAY_S
        if not time_ok:
            return web.Day(zone, since_s, now_s, False, (), ())
        votes = [
            web.DayVote(at, vote.level)
            for vote in self._device.voting.store.pressed(MOST_VOTES, zone)
            if vote.ts and since_s <= (at := datetime.fromisoformat(vote.ts).timestamp()) <= now_s
        ]
        return web.Day(zone, since_s, now_s, True, self._history.since(zone, since_s), tuple(reversed(votes)))

    def vote(self, zone: str | None, level: int, source: str, person: str | None) -> web.Accepted:
        """Commit a vote; errors as `Device.vote`."""
        vote = self._device.vote(zone, level, source, person=person)
        undo_s = self._device.settings.votes.undo_s
        return web.Accepted(vote.id, vote.zone, vote.level, undo_s, self._learnt(vote.zone))

    def undo(self, vote_id: str) -> None:
        """Take a vote back; errors as `Device.undo`."""
        self._device.undo(vote_id)

    def sketch(self) -> bytes | None:
        """The newest frame as a sketch in JPEG; None where there is none, or the settings switch it off."""
        looking = self._device.looking
        if looking is None or not self._device.settings.web.sketch or looking.sight().missing:
            return None
        picture = looking.picture()
        if picture is None:
            return None
        frame, persons = picture
        with self._lock:  # one drawing a frame, however many look
            if self._drawn is None or self._drawn[0] != frame.index:
                self._drawn = (frame.index, _jpeg(frame.image, [person.box for person in persons]))
            return self._drawn[1]

    def settings(self) -> Sequence[web.SettingsTable]:
        """The settings file's tables; passwords in addresses are left out."""
        return settings_tables(self._device.settings)

    def metrics(self) -> bytes:
        """How the device is, for Prometheus; without anything that is said of a person."""
        device = self._device
        identity = {"version": __version__, "device": device.topics.device, "site": device.settings.device.site}
        return exposition(
            identity,
            device.metrics(),
            device.health(),
            device.estimates(),
            connected=device.connected(),
            troubles=device.watch.book.now(),
            begun=device.watch.book.begun,
        )

    def _remember(self, pulse: Pulse) -> None:
        """The worker of the history: a point a minute and zone while the clock is set."""
        due_s = time.monotonic() + 2.0  # the first estimate takes a moment
        while pulse.wait(0.5):
            if time.monotonic() < due_s or not wall_time().time_ok:
                continue
            due_s = time.monotonic() + POINT_EVERY_S
            now_s = time.time()
            points = [(zone, point_of(estimate, now_s)) for zone, estimate in self._device.estimates().items()]
            try:
                self._history.add(points)
            except StoreError as error:  # a gap in the chart; the trouble itself is said by the watch
                _log.debug("%s", error)

    def _learnt(self, zone: str) -> str | None:
        return self._device.learning.summary(zone)

    def _recording(self) -> web.Recording:
        """Whether pictures are kept; looked up every few seconds, since it may look at the disk."""
        now_s = time.monotonic()
        if now_s >= self._recording_until_s:
            state = self._device.capturing.state()
            self._recorded = web.Recording(state.on, state.items)
            self._recording_until_s = now_s + RECORDING_EVERY_S
        return self._recorded

    def _count(self, zone: str) -> int:
        if zone not in self._counts:
            self._recount(zone)
        return self._counts[zone]

    def _recount(self, zone: str) -> None:
        self._counts[zone] = self._device.voting.store.count(zone)


def point_of(estimate: ZoneEstimate, unix_s: float) -> web.Point:
    """A point of the chart, rounded to what the chart can show."""

    def rounded(value: float | None, digits: int) -> float | None:
        return None if value is None else round(value, digits)

    air = estimate.climate
    return web.Point(
        round(unix_s),
        rounded(air.air_temp_c, 2),
        rounded(air.humidity_pct, 1),
        rounded(estimate.comfort.expected_vote, 2),
    )


def settings_tables(settings: Settings) -> list[web.SettingsTable]:
    """Every table of the settings with its values as they are used, without secrets."""
    schema = json_schema()
    tables: list[web.SettingsTable] = []
    for name in settings.__struct_fields__:
        found = getattr(settings, name)
        heading = str(schema["$defs"]["Settings"]["properties"][name].get("title", name))
        for number, section in enumerate(found if isinstance(found, list) else [found], 1):
            definition = schema["$defs"][type(section).__name__]
            fields = tuple(
                _field(definition["properties"][field], type(section), field, getattr(section, field))
                for field in section.__struct_fields__
            )
            shown = f"{heading} {number}" if isinstance(found, list) else heading
            tables.append(web.SettingsTable(shown, str(definition.get("description", "")), fields))
    return tables


def _field(definition: dict[str, Any], section: type[msgspec.Struct], name: str, value: object) -> web.Field:
    info = msgspec.inspect.type_info(section)
    assert isinstance(info, msgspec.inspect.StructType)
    kind = next(field.type for field in info.fields if field.name == name)
    unit = (kind.extra or {}).get("unit", "") if isinstance(kind, msgspec.inspect.Metadata) else ""
    return web.Field(
        str(definition.get("title", name)), _said(value), str(unit), str(definition.get("description", ""))
    )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(f"({_said(each)})" if isinstance(each, tuple) else _said(each) for each in value) or "none"
    return _without_secrets(f"{value:g}" if isinstance(value, float) else str(value)) or "–"


def _without_secrets(text: str) -> str:
    credentials, parameters = _SECRETS
    return parameters.sub(r"\1=…", credentials.sub("…@", text))


def _trouble(trouble: Trouble) -> str:
    """What does not work, for how long, and what to do."""
    minutes = (time.monotonic() - trouble.since_s) / 60
    age = f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.0f} h"
    return _without_secrets(f"{sentence(trouble)} ({age}) → {trouble.do}")


def _air(estimate: ZoneEstimate | None) -> web.AirNow:
    if estimate is None:
        return web.AirNow(None, None, _STARTING)
    air = estimate.climate
    temperature = None if air.air_temp_c is None else round(air.air_temp_c, 1)
    humidity = None if air.humidity_pct is None else round(air.humidity_pct)
    return web.AirNow(temperature, humidity, air.reason, air.simulated)


def _person(seen: PersonEstimate) -> web.PersonNow:
    garments = [
        web.WornNow(piece.kind, piece.colours[0].name, piece.colours[0].rgb)
        if piece.colours
        else web.WornNow(piece.kind)
        for piece in seen.person.garments
    ]
    return web.PersonNow(tuple(garments), round(seen.clothing.clo, 2))


def _comfort(estimate: ZoneEstimate | None) -> web.ComfortNow:
    if estimate is None:
        return web.ComfortNow(None, None, {}, (), _STARTING)
    comfort = estimate.comfort
    vote = None if comfort.expected_vote is None else round(comfort.expected_vote, 2)
    preference = {name: round(share, 2) for name, share in comfort.preference.items()}
    return web.ComfortNow(vote, comfort.level, preference, comfort.advice, comfort.reason)


def _jpeg(image: Any, boxes: Sequence[Box]) -> bytes:
    import cv2

    from comfywear.vision.sketch import sketch

    _, encoded = cv2.imencode(".jpg", sketch(image, boxes), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def _open_history(path: Path) -> web.History:
    try:
        return web.History(path)
    except StoreError as error:
        _log.error("%s; the page's chart is kept in memory alone", error)
        return web.History(None)
