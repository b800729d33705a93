"""The device: wires the rooms and passes records between them. The only file that knows all of them."""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, final

from comfywear import publishing
from comfywear.device.air.climate_worker import Sensors
from comfywear.device.air.outdoors_worker import OutdoorSensors
from comfywear.device.building import Building
from comfywear.device.mqtt.live_states import LiveStates, models_of
from comfywear.device.mqtt.mqtt_commands import MqttCommands
from comfywear.device.mqtt.mqtt_worker import MqttLink
from comfywear.device.page.calibration import PageCalibration
from comfywear.device.page.page import DevicePage
from comfywear.device.page.restores import PageRestores
from comfywear.device.sight.camera_views import CameraViews
from comfywear.device.sight.capture_worker import CaptureWorker
from comfywear.device.sight.finds import CorrectionBook
from comfywear.device.sight.privacy import Privacy
from comfywear.device.sight.view_sender import ViewSender
from comfywear.device.sight.vision_worker import patience_s, vision_worker_of
from comfywear.device.telemetry.opentelemetry import traces_of
from comfywear.device.upkeep.audit import AUDIT_FILE, AuditList
from comfywear.device.upkeep.backups import Backups
from comfywear.device.upkeep.maintenance import Maintenance
from comfywear.device.upkeep.model_updates import ModelUpdates
from comfywear.device.upkeep.program_updates import ProgramUpdates
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.device.upkeep.settings_trial import SettingsTrial
from comfywear.device.votes.button_workers import add_buttons, buttons_of
from comfywear.device.votes.deletions import Deletions
from comfywear.device.votes.voting import Voting, moment_of
from comfywear.device.watch import Watch
from comfywear.device.zones.activity import ZoneActivities
from comfywear.device.zones.estimator import Around, Estimator, Newest
from comfywear.device.zones.line_counts import LineCounts
from comfywear.device.zones.setpoints import Setpoints
from comfywear.device.zones.thermostats import Thermostats
from comfywear.device.zones.weather import ZoneWeather
from comfywear.errors import StoreError
from comfywear.feedback import ControlServer, Snapshot, socket_path
from comfywear.learning.worker import Learning
from comfywear.records import Outdoors, Vote, ZoneEstimate
from comfywear.settings import Settings, state_folder
from comfywear.settings.views import ONLY
from comfywear.system.board import headroom_of, hottest_c
from comfywear.system.cadence import Cadence
from comfywear.system.clock import wall_time
from comfywear.system.process import rss_mb
from comfywear.system.supervisor import Pulse, Supervisor, WorkerHealth
from comfywear.texts import Text, builtins

_log = logging.getLogger(__name__)

TICK_S = 0.25
HEAT_EVERY_S = 5.0


@final
class Device:
    """One device with all its rooms; a context manager, or `start()` and `stop()`.

    Raises:
        UsageError: When the settings name what cannot be, such as an unknown kind of camera.
        StoreError: When another device runs on the same state folder. A folder that cannot be written is no error: the
            device runs on memory alone and says so.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        reload: Callable[[], None] | None = None,
        path: Path | None = None,
        trial: SettingsTrial | None = None,
        maintenance: Maintenance | None = None,
    ) -> None:
        with ExitStack() as opened:  # what fails half way leaves nothing open: the next device needs the same files
            self.settings = settings
            self.file = SettingsFile(path, reload, trial)
            self.zones = [zone.name for zone in settings.zones]
            self.topics = publishing.Topics(settings.device.site, settings.device.name())
            self.folder = state_folder(settings)
            _hold(self.folder, opened)
            self.backups = Backups(self.folder, path)
            self.audit = AuditList(self.folder / AUDIT_FILE)
            opened.callback(self.audit.close)
            self.link = MqttLink(
                settings.mqtt,
                self.folder,
                self.topics,
                settings.device.language,
                on_vote=lambda *vote: self.voting.take_delivered(*vote),
                on_new_session=lambda: self.voting.begin_session(),
            )
            opened.callback(self.link.close)
            self.voting = Voting(self.folder, self.zones, settings.votes, moment=self._moment, send=self._send_vote)
            opened.callback(self.voting.store.close)
            self.deletions = Deletions(
                self.folder,
                self.link.publisher,
                held=lambda epoch, seq: not self.link.spool.held(epoch, [(seq, seq)])[1],
                confirming=settings.mqtt.confirm_by,
                epoch=lambda: self.link.spool.epoch,
            )
            self.voting.after_erase.append(self.deletions.tell)
            self.learning = Learning(self.folder, settings, self.voting)
            self.privacy = Privacy(settings, self.folder)
            self.traces = traces_of(settings)
            opened.callback(self.traces.close)
            self.vision = vision_worker_of(settings, self.privacy.reason, self.traces)
            self.views = CameraViews(settings, self.vision, self.privacy.reason, self.estimates)
            self.lines = LineCounts(self.folder, [line.name for line in settings.lines])
            opened.callback(self.lines.save)
            self.updates = ModelUpdates(settings, self.vision)
            self.program = ProgramUpdates(self.folder, allowed=settings.updates.program)
            self.finds = CorrectionBook(
                self.folder,
                lambda: self.vision.pictures() if self.vision else {},
                cameras=tuple(self.vision.cameras) if self.vision else (ONLY,),
                keep_crop=lambda *said: self.capture.on_correction(*said),
                forget_crop=lambda number: self.capture.forget_correction(number),
            )
            if self.vision is not None:
                self.vision.corrections = self.finds.corrections
            self.commands = self._commands(reload)
            self.restores = PageRestores(
                self.folder,
                path,
                settings,
                maintenance,
                votes=self.voting.count,
                names=self.commands.names.given,
                trying=lambda: trial is not None and trial.active,
            )
            self.capture = CaptureWorker(self.folder, settings.capture, self.voting, self.vision, self._vision_models)
            self.sensors = Sensors(settings)
            opened.callback(self.sensors.close)
            self.calibration = PageCalibration(self.file, settings, self.sensors.log)
            self.outdoors = OutdoorSensors(self.folder, settings.outdoors)
            opened.callback(self.outdoors.close)
            self._estimator = Estimator(settings.comfort)
            self._newest = Newest(self._estimator)
            self._weather = ZoneWeather(settings)
            self._activities = ZoneActivities(settings)
            self._estimates: Mapping[str, ZoneEstimate] = {}
            self.thermostats = Thermostats(settings.thermostats, self.zones[0], self.folder, self.link.publisher)
            self.setpoints = Setpoints(
                settings.setpoint,
                liked=lambda zone, estimate: self._estimator.liked(estimate, self.learning.taught(zone)),
                site=self.learning.site,
                thermostats=self.thermostats,
            )
            self._heat = Cadence(HEAT_EVERY_S, HEAT_EVERY_S)
            self.started_s = time.monotonic()
            self.buttons = buttons_of(settings.buttons, self.zones, self.voting, self.commands.call)
            self.live = LiveStates(self)
            self.building = Building(settings, self.setpoints.of)
            self.watch = Watch(self)
            self.page = DevicePage(self) if settings.web.enabled else None
            if self.page:
                opened.callback(self.page.close)
            self._supervisor = self._workers()
            self._opened = opened.pop_all()

    def __enter__(self) -> Device:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start every worker; returns at once."""
        for panel in self.buttons:
            panel.open()  # first of all: from now on the kernel keeps what is pressed
        self.voting.catch_up()
        self.traces.observe(self.metrics, self.estimates)
        self.deletions.catch_up()
        self._supervisor.start()

    def stop(self) -> None:
        """Give the thermostats back, stop every worker and close the stores."""
        self.thermostats.give_back()
        late = self._supervisor.stop(timeout_s=10.0)
        if late:
            _log.warning("did not stop in time: %s", ", ".join(late))
        self._opened.close()

    def vote(self, zone: str | None, level: int, source: str, *, person: str | None = None) -> Vote:
        """Store a press of 1…5 with the moment it belongs to, then publish it; errors as `Voting.vote`."""
        return self.voting.vote(zone, level, source, person=person)

    def undo(self, vote_id: str) -> Vote:
        """Take a vote of the last minute back, then publish that; errors as `Voting.undo`."""
        return self.voting.undo(vote_id)

    def estimates(self) -> Mapping[str, ZoneEstimate]:
        """The newest estimate of each zone."""
        return self._estimates

    def health(self) -> Mapping[str, WorkerHealth]:
        """How each worker is."""
        return self._supervisor.health()

    def models(self) -> list[publishing.ModelInfo]:
        """The models that work now."""
        return models_of(self._estimator, self.vision)

    def storage_troubles(self) -> list[str]:
        """Why votes or messages cannot be kept on the disk."""
        said: list[str] = []
        if not self.link.spool.lasting:
            said.append(Text("messages are kept in memory alone"))
        if not self.voting.store.lasting:
            said.append(Text("votes are kept in memory alone"))
        return [*said, *([self.link.spool.complaint] if self.link.spool.complaint else [])]

    def metrics(self) -> dict[str, float | None]:
        """How the device is doing, by the names of the metrics message; None for what nobody knows now."""
        uptime_s = time.monotonic() - self.started_s
        vision = self.vision
        return {
            "uptime_s": uptime_s,
            "rss_mb": rss_mb(),
            "board_temp_c": hottest_c(),
            "frames": vision.frames if vision else None,
            "frames_per_s": vision.frames / uptime_s if vision else None,
            **(vision.budget_metrics() if vision else {}),
            "engine_share": vision.engine_s() / vision.looked_s if vision and vision.looked_s else None,
            "persons": sum(len(each.people) for each in self._estimates.values()),
            "votes": self.voting.count(),
            "votes_refused": self.link.publisher.health().votes_refused,
            "commands": self.commands.carried_out,
            "commands_refused": self.commands.refused,
            "vision_reopened": self.watch.memory.reopened,
            "restarts": sum(health.restarts for health in self._supervisor.health().values()),
            **self.link.metrics(),
        }

    def _commands(self, reload: Callable[[], None] | None) -> MqttCommands:
        commands = MqttCommands(
            self.settings,
            self.folder,
            self.link.publisher,
            again=self._say_again,
            learnt=self.learning.question,
            reload=reload,
            updates=self.updates,
            finds=self.finds,
            privacy=self.privacy,
            note=self.audit.note,
            program=self.program,
        )
        self.voting.after_vote.append(lambda vote: commands.questions.answered(vote.zone))
        return commands

    def _vision_models(self) -> list[dict[str, Any]]:
        return [builtins(model) for model in self.models() if model.engine]

    def _workers(self) -> Supervisor:
        supervisor = Supervisor()
        verbs = {**self.voting.verbs(), **self.learning.verbs(), "status": self._answer_status}
        verbs["deletions"] = self.deletions.answer
        verbs["models"] = self.updates.answer
        verbs["finds"] = self.finds.answer
        verbs["privacy"] = self.privacy.answer
        verbs["calibration"] = self.calibration.answer
        control = ControlServer(self.folder, verbs, self.audit.note_request)
        self.link.add_workers(supervisor, self.voting)
        supervisor.add("control", lambda pulse: control.run(pulse.stop, pulse.beat))
        supervisor.add("comfort", self._feel)
        self.sensors.add_workers(supervisor)
        self.outdoors.add_workers(supervisor)
        self.watch.add_worker(supervisor)
        add_buttons(supervisor, self.buttons)
        self.capture.add_worker(supervisor)
        self.privacy.add_worker(supervisor)
        if self.vision is not None:
            supervisor.add("vision", self.vision.work, hang_after_s=patience_s(self.settings.vision.engine))
        self.updates.add_worker(supervisor)
        house = self.settings.homeassistant
        if house.enabled and house.view:
            ViewSender(self.views, self.link.publisher, house.view_every_s).add_worker(supervisor)
        if self.page is not None:
            self.page.add_workers(supervisor)
        self.building.add_workers(supervisor)
        return supervisor

    def _feel(self, pulse: Pulse) -> None:
        """The comfort worker: air and people of each zone become an estimate; what changed goes out."""
        while pulse.wait(TICK_S):
            now_s = time.monotonic()
            sight = self.vision.sight() if self.vision else None
            weather = self.outdoors.tick(now_s)
            past_c = weather.running_mean_c if weather else None
            estimates = {}
            for zone in self.zones:
                with self.traces.comfort(zone):
                    felt = self._newest.zone(
                        zone,
                        now_s,
                        self.sensors.air(zone, now_s),
                        sight.persons.get(zone, ()) if sight else (),
                        site=self.learning.site(zone, past_c),
                        taught=self.learning.taught(zone),
                        around=self._around(zone, now_s, weather),
                    )
                    estimates[zone] = self._weather.of(zone, felt, weather)
            self._estimates = estimates
            if self.vision and self._heat.due("heat", None, now_s) and (heat_c := hottest_c()) is not None:
                self.vision.headroom = headroom_of(heat_c, self.settings.budget.hot_c)
            missing = sight.missing if sight else Text("there is no camera in the settings")
            self.setpoints.tick(now_s, self._estimates, sight.occupied if sight and not missing else None)
            self.learning.tick(now_s, self._estimates, camera=missing is None)
            self.commands.tick(now_s, self._estimates)
            self.live.tick(now_s, self._estimates, sight, missing)
            self.building.tick(now_s, self._estimates, sight, missing)

    def _around(self, zone: str, now_s: float, weather: Outdoors | None) -> Around:
        """The sun on the people of a zone, and what they do."""
        local = datetime.now().astimezone() if wall_time().time_ok else None
        walked = self.vision.walked(zone, now_s) if self.vision else None
        sun = self._weather.sun(zone, weather, local.timestamp() if local else None)
        return Around(sun, self._activities.of(zone, local, walked))

    def _say_again(self) -> None:
        """Every live state goes out again: somebody has just begun to listen."""
        self.live.say_again()
        self.watch.forget()

    def _send_vote(self, vote: Vote, late: bool) -> None:
        topic = self.topics.vote(vote.zone)
        build = partial(publishing.vote_message, vote)
        self.link.publisher.post(self.topics.backlog(topic) if late else topic, build, event=True)

    def _moment(self, zone: str) -> Snapshot:
        return moment_of(self._estimates.get(zone), {model.role: model.id for model in self.models()})

    def _answer_status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        workers = {name: builtins(health) for name, health in self._supervisor.health().items()}
        buttons = [builtins(panel.state()) for panel in self.buttons]
        choice = self.vision.choice if self.vision else None
        return {
            "metrics": self.metrics(),
            **({"engine": choice.told()} if choice else {}),
            "zones": self.live.zones(time.monotonic()),
            "cameras": [builtins(each) for each in self.vision.uses()] if self.vision else [],
            "broker": self.link.state,
            "troubles": [builtins(each) for each in self.watch.book.now()],
            "workers": workers,
            "buttons": buttons,
            "capture": builtins(self.capture.state()),
        }


def _hold(folder: Path, opened: ExitStack) -> None:
    """A lock on the state folder, until `opened` is closed: two devices on one store would tell one story twice."""
    socket_path(folder)  # refuses a path too long before anything starts
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        _log.error("%s: the state folder cannot be written (%s)", folder, error.strerror)
        return
    opened.callback(file.close)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreError(
            Text("another device runs with the state folder {folder}; stop it, or set device.state_dir", folder=folder)
        ) from error
