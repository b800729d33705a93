"""What the page shows of a device, and its two workers: the page itself, and the history of its chart."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from comfywear import __version__, web
from comfywear.device.mqtt.mqtt_commands import MqttCommands
from comfywear.device.mqtt.mqtt_worker import MqttLink
from comfywear.device.page.calibration import PageCalibration
from comfywear.device.page.drawing import PageDrawings
from comfywear.device.page.now import (
    STARTING,
    air_now,
    comfort_now,
    liked_now,
    looking_now,
    outdoors_now,
    person_now,
    point_of,
    trouble_line,
)
from comfywear.device.page.restores import PageRestores
from comfywear.device.page.settings_tables import settings_tables
from comfywear.device.runner import check_change
from comfywear.device.sight.camera_views import CameraViews
from comfywear.device.sight.capture_worker import CaptureWorker
from comfywear.device.sight.finds import CorrectionBook
from comfywear.device.sight.privacy import Privacy
from comfywear.device.sight.vision_worker import Sight, VisionWorker
from comfywear.device.upkeep.audit import AuditList
from comfywear.device.upkeep.backups import Backups
from comfywear.device.upkeep.settings_desk import SettingsDesk
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.device.votes.voting import Voting
from comfywear.device.watch import Watch
from comfywear.device.zones.line_counts import LineCounts
from comfywear.device.zones.setpoints import Setpoints
from comfywear.errors import StoreError
from comfywear.learning.worker import Learning
from comfywear.records import (
    ZoneEstimate,
)
from comfywear.settings import Settings
from comfywear.settings.draft import DraftFault
from comfywear.system.clock import WallMoments, wall_time
from comfywear.system.supervisor import Pulse, Supervisor, WorkerHealth
from comfywear.texts import Text, recalled
from comfywear.web.history import QUARTER_S

_log = logging.getLogger(__name__)

DAY_S, HOUR_S = 86400.0, 3600.0
SPANS_S: Mapping[web.Span, float] = {"day": DAY_S, "week": 7 * DAY_S, "month": 30 * DAY_S}
POINT_EVERY_S = 60.0
RECORDING_EVERY_S = 5.0
MOST_VOTES: Mapping[web.Span, int] = {"day": 300, "week": 1000, "month": 1000}


class ShownDevice(Protocol):
    """What the page shows of a device.

    Attributes:
        settings: Of the device.
        folder: The state folder.
        link: The way to the broker.
        voting: Takes the votes.
        learning: What was learnt from them.
        vision: Looks at the camera; None without one.
        views: What is shown of it.
        finds: Takes corrections of what it finds.
        commands: Knows the questions that stand, and the zones' given names.
        capture: Whether pictures are kept.
        privacy: Which cameras may not look.
        lines: Counts who crosses the lines.
        setpoints: What each zone likes.
        watch: What does not work.
        file: The settings as they stand in their file.
        audit: What was changed.
        calibration: The sensors against references.
        backups: Makes backups.
        restores: Takes them.
    """

    settings: Settings
    folder: Path
    link: MqttLink
    voting: Voting
    learning: Learning
    vision: VisionWorker | None
    views: CameraViews
    finds: CorrectionBook
    commands: MqttCommands
    capture: CaptureWorker
    privacy: Privacy
    lines: LineCounts
    setpoints: Setpoints
    watch: Watch
    file: SettingsFile
    audit: AuditList
    calibration: PageCalibration
    backups: Backups
    restores: PageRestores

    def estimates(self) -> Mapping[str, ZoneEstimate]:
        """The newest estimate of each zone."""

    def health(self) -> Mapping[str, WorkerHealth]:
        """How each worker is."""

    def metrics(self) -> Mapping[str, float | None]:
        """How the device is doing, by the names of the metrics message."""


class DevicePage:
    """The page of one device; what `comfywear.web.PageDevice` asks for."""

    def __init__(self, device: ShownDevice) -> None:
        """Reads the page's tokens.

        Raises:
            UsageError: When the page would be open to the network without one, or it cannot be read.
        """
        self._device = device
        chosen = device.settings.web
        others = [(web.read_token(each.file, "web.tokens.file"), each.role) for each in chosen.tokens]
        access = web.Access(
            web.read_token(chosen.token_file),
            web.read_secret(device.folder / "page.key"),
            others=others,
            sessions=web.Sessions(device.folder / "page-sessions.json"),
        )
        self.server = web.PageServer(
            self,
            access,
            host=chosen.host,
            port=chosen.port,
            title=chosen.title,
            language=chosen.language,
            proxy=chosen.proxy,
            tls=web.page_tls(chosen.certificate, chosen.certificate_key, device.folder),
        )
        self._desk = SettingsDesk(device.file, device.folder, partial(check_change, device.settings))
        self._drawings = PageDrawings(
            device.file, device.settings, lambda: device.vision.pictures() if device.vision else {}
        )
        self._history = _open_history(device.folder / "page.sqlite")
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._moments = WallMoments()
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
        names = self._device.commands.names
        return [web.Zone(zone.name, names.shown(zone.name)) for zone in self._device.settings.zones]

    def now(self, zone: str) -> web.Now:
        """How a zone is now."""
        device, estimate = self._device, self._device.estimates().get(zone)
        unseen: str = Text("there is no camera in the settings")
        sight = device.vision.sight() if device.vision else None
        if sight:
            unseen = sight.unseen.get(zone, "")
        question = device.commands.questions.of(zone)
        seen = estimate.people if estimate and not unseen else None
        return web.Now(
            zone=zone,
            air=air_now(estimate),
            people=None if seen is None else tuple(person_now(each) for each in seen),
            unseen=None if seen is not None else unseen or STARTING,
            comfort=comfort_now(estimate),
            learnt=self._learnt(zone),
            question=(question.why or question.text) if question else None,
            votes=self._count(zone),
            recording=self._recording(),
            sketch="on" if device.vision and device.settings.web.shown_view != "off" else "off",
            troubles=tuple(trouble_line(each) for each in device.watch.book.now()),
            liked=liked_now(device.setpoints.of(zone)),
            showing=device.link.topics.device if device.commands.showing else None,
            cameras=looking_now(device.privacy.state()),
            presence=self._presence(zone, sight) if sight else None,
            grey=bool(sight and zone in sight.grey and not unseen),
            lines=tuple(web.LineNow(each.line, each.entered, each.left) for each in device.lines.counts()),
            outdoors=outdoors_now(estimate),
        )

    def day(self, zone: str, span: web.Span = "day") -> web.Day:
        """The last 24 hours of a zone, or 7 or 30 days; nothing while the clock is not set."""
        now_s, time_ok = time.time(), wall_time().time_ok
        since_s = now_s - SPANS_S[span]
        if not time_ok:
            return web.Day(zone, since_s, now_s, False, (), ())
        votes = [
            web.DayVote(at, vote.level)
            for vote in self._device.voting.store.pressed(MOST_VOTES[span], zone)
            if vote.ts and since_s <= (at := datetime.fromisoformat(vote.ts).timestamp()) <= now_s
        ]
        points = (
            self._history.since(zone, since_s)
            if span == "day"
            else self._history.quarters(zone, since_s, QUARTER_S if span == "week" else HOUR_S)
        )
        return web.Day(zone, since_s, now_s, True, points, tuple(reversed(votes)))

    def vote(
        self,
        zone: str | None,
        level: int,
        source: str,
        person: str | None,
        *,
        vote_id: str | None = None,
        age_s: float = 0.0,
    ) -> web.Accepted:
        """Commit a vote; errors as `Voting.vote`."""
        vote = self._device.voting.vote(zone, level, source, person=person, vote_id=vote_id, age_s=age_s)
        undo_s = self._device.settings.votes.undo_s
        return web.Accepted(vote.id, vote.zone, vote.level, undo_s, self._learnt(vote.zone))

    def undo(self, vote_id: str) -> None:
        """Take a vote back; errors as `Voting.undo`."""
        self._device.voting.undo(vote_id)

    def cameras(self) -> Sequence[str]:
        """Their names."""
        return list(self._device.vision.cameras) if self._device.vision else []

    def sketch(self, camera: str, *, dark: bool = False) -> bytes | None:
        """As `CameraViews.jpeg`."""
        return self._device.views.jpeg(camera, dark=dark)

    def finds(self) -> web.Finds:
        """As `CorrectionBook.listed`; nothing where no view is shown."""
        if self._device.vision is None or self._device.vision.sight().missing:
            return web.Finds()
        if self._device.settings.web.shown_view == "off":
            return web.Finds()
        return msgspec.convert(self._device.finds.listed(), web.Finds)

    def reject(self, person: int) -> int:
        """As `CorrectionBook.reject`."""
        return self._device.finds.reject(person)

    def miss(self, box: Sequence[float], camera: str | None) -> int:
        """As `CorrectionBook.miss`."""
        return self._device.finds.miss(box, camera)

    def take_back(self, correction: int) -> None:
        """As `CorrectionBook.undo`."""
        self._device.finds.undo(correction)

    def switch_privacy(self, on: bool, camera: str | None) -> Sequence[web.Looking]:
        """As `Privacy.switch`."""
        return looking_now(self._device.privacy.switch(on, camera, "on the page"))

    def drawings(self) -> web.Drawings:
        """Zones, masks and lines of the settings file."""
        return self._drawings

    def settings_form(self) -> web.SettingsForm:
        """As `SettingsDesk.form`."""
        return self._desk.form()

    def check_settings(self, draft: web.SettingsDraft) -> Sequence[DraftFault]:
        """As `SettingsDesk.check`."""
        return self._desk.check(draft)

    def save_settings(self, draft: web.SettingsDraft) -> web.SettingsSaved:
        """As `SettingsDesk.save`."""
        return self._desk.save(draft)

    def settings_outcome(self) -> web.SettingsOutcome:
        """As `SettingsFile.outcome`."""
        return self._device.file.outcome()

    def calibrations(self) -> web.Calibrations:
        """The sensors against references."""
        return self._device.calibration

    def settings(self) -> Sequence[web.SettingsTable]:
        """The settings file's tables; passwords in addresses are left out."""
        return settings_tables(self._device.settings)

    def make_backup(self, passphrase: str | None) -> web.MadeBackup:
        """As `Backups.make`."""
        topics, day = self._device.link.topics, (wall_time().ts or "undated")[:10]
        return web.MadeBackup(self._device.backups.make(passphrase), f"{topics.site}-{topics.device}-{day}.comfywear")

    def restores(self) -> web.Restores:
        """Backups that are uploaded."""
        return self._device.restores

    def changes(self) -> Sequence[web.ListedChange]:
        """As `AuditList.newest`."""
        return [
            web.ListedChange(each.ts, recalled(each.what), each.detail, each.origin)
            for each in self._device.audit.newest()
        ]

    def note_change(self, what: str, detail: str, origin: str) -> None:
        """As `AuditList.note`."""
        self._device.audit.note(what, detail, origin)

    def metrics(self) -> bytes:
        """How the device is, for Prometheus; without anything that is said of a person."""
        device = self._device
        from comfywear.device.telemetry.prometheus import exposition  # who is never asked does not load the library

        identity = {"version": __version__, "device": device.link.topics.device, "site": device.settings.device.site}
        return exposition(
            identity,
            device.metrics(),
            device.health(),
            device.estimates(),
            connected=device.link.connected,
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
            occupied = self._device.vision.sight().occupied if self._device.vision else {}
            points = [
                (zone, point_of(estimate, now_s, occupied.get(zone)))
                for zone, estimate in self._device.estimates().items()
            ]
            try:
                self._history.add(points)
            except StoreError as error:  # a gap in the chart; the trouble itself is said by the watch
                _log.debug("%s", error)

    def _presence(self, zone: str, sight: Sight) -> web.PresenceNow:
        """Whether anybody is in a zone."""
        found = sight.occupied.get(zone)
        if found is None or found.state == "unknown":
            return web.PresenceNow("unknown", None, None, sight.unseen.get(zone) or sight.doubts.get(zone))
        with self._lock:
            since = self._moments.of(found.since_s, time.monotonic())
        return web.PresenceNow(found.state, found.count, since)

    def _learnt(self, zone: str) -> str | None:
        return self._device.learning.summary(zone)

    def _recording(self) -> web.Recording:
        """Whether pictures are kept; looked up every few seconds, since it may look at the disk."""
        now_s = time.monotonic()
        if now_s >= self._recording_until_s:
            state = self._device.capture.state()
            self._recorded = web.Recording(state.on, state.items)
            self._recording_until_s = now_s + RECORDING_EVERY_S
        return self._recorded

    def _count(self, zone: str) -> int:
        if zone not in self._counts:
            self._recount(zone)
        return self._counts[zone]

    def _recount(self, zone: str) -> None:
        self._counts[zone] = self._device.voting.store.count(zone)


def _open_history(path: Path) -> web.History:
    try:
        return web.History(path)
    except StoreError as error:
        _log.error("%s; the page's chart is kept in memory alone", error)
        return web.History(None)
