"""The device: wires the rooms and passes records between them. The only file that knows all of them."""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, final

import msgspec

from comfywear import __version__, publishing, sending
from comfywear.broker import broker_settings
from comfywear.cadence import Cadence
from comfywear.capturing import Capturing
from comfywear.errors import StoreError
from comfywear.estimates import Estimator, Newest, ZoneEstimate
from comfywear.feedback import ControlServer, Snapshot, socket_path
from comfywear.learning import Learning
from comfywear.live_states import LiveStates, models_of
from comfywear.looking import Looking, patience_s, shown_camera
from comfywear.machine import headroom_of, hottest_c
from comfywear.metrics import rss_mb
from comfywear.orders import Orders
from comfywear.page import DevicePage
from comfywear.pressing import add_buttons, buttons_of
from comfywear.records import Vote
from comfywear.sensing import read, sensors_of
from comfywear.settings import Settings, state_folder
from comfywear.supervisor import Pulse, Supervisor, WorkerHealth
from comfywear.updating import Updating
from comfywear.voting import Voting, moment_of
from comfywear.watching import Watch
from comfywear_sensors import PatientReader

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

    def __init__(self, settings: Settings, *, reload: Callable[[], None] | None = None) -> None:
        with ExitStack() as opened:  # what fails half way leaves nothing open: the next device needs the same files
            self.settings = settings
            self.zones = [zone.name for zone in settings.zones]
            self.topics = publishing.Topics(settings.device.site, settings.device.name())
            self.folder = state_folder(settings)
            _hold(self.folder, opened)
            self._spool = sending.open_spool(self.folder, self.topics.device, settings.mqtt)
            opened.callback(self._spool.close)
            self.voting = Voting(self.folder, self.zones, settings.votes, moment=self._moment, send=self._send_vote)
            opened.callback(self.voting.store.close)
            self._publisher = publishing.Publisher(
                broker_settings(settings.mqtt),
                self.topics,
                self._spool,
                on_vote=self._take_mqtt_vote,
                version=__version__,
                confirm_by=settings.mqtt.confirm_by,
            )
            self.learning = Learning(self.folder, settings, self.voting)
            if settings.camera.source:
                shown_camera(settings.camera.source)  # one that cannot be meant is refused now
            self.looking = Looking(settings) if settings.camera.source else None
            self.updating = Updating(settings, self.looking)
            self.orders = Orders(
                settings,
                self.folder,
                self._publisher,
                again=self._say_again,
                learnt=self.learning.question,
                reload=reload,
                updating=self.updating,
            )
            self.voting.after_vote.append(lambda vote: self.orders.questions.answered(vote.zone))
            estimator = Estimator(settings.comfort)
            self._newest = Newest(estimator)
            self._models = partial(models_of, estimator, self.looking)
            self.live = LiveStates(
                settings,
                self.topics,
                self._spool,
                self._publisher,
                self.orders,
                self.updating,
                self.looking,
                self._models,
                self.metrics,
            )
            self.capturing = Capturing(
                self.folder,
                settings.capture,
                self.voting,
                lambda: [msgspec.to_builtins(model) for model in self._models() if model.engine],
            )
            if self.looking is not None:
                self.looking.on_look = self.capturing.on_look
            self._filters, self._readers = sensors_of(settings, self.zones)
            for reader in self._readers:
                opened.callback(reader.close)
            self._heat = Cadence(HEAT_EVERY_S, HEAT_EVERY_S)
            self._estimates: Mapping[str, ZoneEstimate] = {}
            self._started_s = time.monotonic()
            self.buttons = buttons_of(settings.buttons, self.zones, self.voting, self.orders.call)
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
        self._supervisor.start()

    def stop(self) -> None:
        """Stop every worker and close the stores."""
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

    def connected(self) -> bool:
        """Whether the broker listens."""
        return self._publisher.state == "connected"

    def broker_state(self) -> str:
        """As `Publisher.state`."""
        return self._publisher.state

    def readers(self) -> list[tuple[str, PatientReader]]:
        """Each sensor's reader with its zone."""
        named = zip(self.settings.sensors, self._readers, strict=True)
        return [(sensor.zone or self.zones[0], reader) for sensor, reader in named]

    def storage_troubles(self) -> list[str]:
        """Why votes or messages cannot be kept on the disk."""
        alone = [("messages", self._spool.lasting), ("votes", self.voting.store.lasting)]
        said = [f"{what} are kept in memory alone" for what, lasting in alone if not lasting]
        return [*said, *([self._spool.complaint] if self._spool.complaint else [])]

    def metrics(self) -> dict[str, float | None]:
        """How the device is doing, by the names of the metrics message."""
        uptime_s = time.monotonic() - self._started_s
        broker, looking = self._publisher.health(), self.looking
        return {
            "uptime_s": uptime_s,
            "rss_mb": rss_mb(),
            "board_temp_c": hottest_c(),
            "frames": looking.frames if looking else None,
            "frames_per_s": looking.frames / uptime_s if looking else None,
            **(looking.budget_metrics() if looking else {}),
            "engine_share": looking.engine_s() / looking.looked_s if looking and looking.looked_s else None,
            "persons": sum(len(each.people) for each in self._estimates.values()),
            "votes": self.voting.store.count(),
            "votes_refused": broker.votes_refused,
            "commands": self.orders.carried_out,
            "commands_refused": self.orders.refused,
            "vision_reopened": self.watch.memory.reopened,
            "restarts": sum(health.restarts for health in self._supervisor.health().values()),
            **sending.spool_metrics(self._spool),
            "connections": broker.connections,
            "acknowledged": broker.acknowledged,
            "denied": broker.denied,
            "acks_refused": broker.acks_refused,
        }

    def _workers(self) -> Supervisor:
        supervisor = Supervisor()
        verbs = {**self.voting.verbs(), **self.learning.verbs(), "status": self._answer_status}
        verbs["models"] = self.updating.answer
        control = ControlServer(self.folder, verbs)
        sending.add_workers(supervisor, self._publisher, self.voting)
        supervisor.add("control", lambda pulse: control.run(pulse.stop, pulse.beat))
        supervisor.add("comfort", self._feel)
        for sensor, reader in zip(self.settings.sensors, self._readers, strict=True):
            zone = sensor.zone or self.zones[0]
            supervisor.add(f"sensor {reader.source}", partial(read, reader, self._filters[zone]))
        self.watch.add_worker(supervisor)
        add_buttons(supervisor, self.buttons)
        self.capturing.add_worker(supervisor)
        if self.looking is not None:
            supervisor.add("vision", self.looking.work, hang_after_s=patience_s(self.settings.vision.engine))
        self.updating.add_worker(supervisor)
        if self.page is not None:
            self.page.add_workers(supervisor)
        return supervisor

    def _feel(self, pulse: Pulse) -> None:
        """The comfort worker: air and people of each zone become an estimate; what changed goes out."""
        while pulse.wait(TICK_S):
            now_s = time.monotonic()
            sight = self.looking.sight() if self.looking else None
            self._estimates = {
                zone: self._newest.zone(
                    zone,
                    now_s,
                    self._filters[zone].climate(now_s),
                    sight.persons.get(zone, ()) if sight else (),
                    site=self.learning.site(zone),
                    taught=self.learning.taught(zone),
                )
                for zone in self.zones
            }
            if self.looking and self._heat.due("heat", None, now_s) and (heat_c := hottest_c()) is not None:
                self.looking.headroom = headroom_of(heat_c, self.settings.budget.hot_c)
            missing = sight.missing if sight else "there is no camera in the settings"
            self.learning.tick(now_s, self._estimates, camera=missing is None)
            self.orders.tick(now_s)
            self.live.tick(now_s, self._estimates, sight, missing)

    def _say_again(self) -> None:
        """Every live state goes out again: somebody has just begun to listen."""
        self.live.say_again()
        self.watch.forget()

    def _send_vote(self, vote: Vote) -> None:
        self._publisher.post(self.topics.vote(vote.zone), partial(publishing.vote_message, vote), event=True)

    def _moment(self, zone: str) -> Snapshot:
        return moment_of(self._estimates.get(zone), {model.role: model.id for model in self._models()})

    def _take_mqtt_vote(self, zone: str, level: int) -> None:
        self.vote(zone, level, "mqtt")

    def _answer_status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        workers = {name: msgspec.to_builtins(health) for name, health in self._supervisor.health().items()}
        buttons = [msgspec.to_builtins(panel.state()) for panel in self.buttons]
        choice = self.looking.choice if self.looking else None
        return {
            "metrics": self.metrics(),
            **({"engine": choice.told()} if choice else {}),
            "broker": self._publisher.state,
            "troubles": [msgspec.to_builtins(each) for each in self.watch.book.now()],
            "workers": workers,
            "buttons": buttons,
            "capture": msgspec.to_builtins(self.capturing.state()),
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
            f"another device runs with the state folder {folder}; stop it, or set device.state_dir"
        ) from error
