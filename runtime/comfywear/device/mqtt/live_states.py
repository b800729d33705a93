"""What a device says by itself: each live state when it changes, and now and then all the same."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from comfywear import __version__, publishing
from comfywear.comfort import SCALE
from comfywear.device.mqtt.mqtt_commands import COMMANDS, METRICS_EVERY_S, MqttCommands, ask_of
from comfywear.device.mqtt.mqtt_worker import MqttLink
from comfywear.device.sight.privacy import Privacy
from comfywear.device.sight.vision_worker import Sight, VisionWorker, sha256_of, shown_camera
from comfywear.device.telemetry.opentelemetry import Traces
from comfywear.device.upkeep.model_updates import ModelUpdates
from comfywear.device.upkeep.program_updates import ProgramUpdates
from comfywear.device.zones.estimator import Estimator
from comfywear.device.zones.line_counts import LineCounts
from comfywear.device.zones.setpoints import Setpoints
from comfywear.device.zones.thermostats import Thermostats
from comfywear.errors import StoreError
from comfywear.records import Occupancy, Outdoors, ThermostatUse, ZoneEstimate, ZoneSetpoint
from comfywear.settings import Settings
from comfywear.settings.views import cameras_of
from comfywear.system import board as machine
from comfywear.system.cadence import Cadence
from comfywear.system.clock import WallMoments
from comfywear.texts import Text
from comfywear_sensors import source_of

__all__ = ["LiveStates", "models_of"]

_log = logging.getLogger(__name__)

# A live state that changes is sent at most this often; one that does not, at the interval of the settings.
GAP_S = 1.0


class SpeakingDevice(Protocol):
    """What is said of a device by itself.

    Attributes:
        settings: Of the device.
        link: Takes what goes out.
        commands: Knows the questions that stand, and the zones' given names.
        updates: Knows which releases are in service.
        program: Knows what comes for the program.
        vision: Sees who comes and goes; None without a camera.
        privacy: Which cameras may not look.
        lines: Counts who crosses the lines.
        setpoints: What each zone likes.
        thermostats: Those that follow it.
        traces: Hears of each zone's message.
        started_s: Monotonic time of its start.
    """

    settings: Settings
    link: MqttLink
    commands: MqttCommands
    updates: ModelUpdates
    program: ProgramUpdates
    vision: VisionWorker | None
    privacy: Privacy
    lines: LineCounts
    setpoints: Setpoints
    thermostats: Thermostats
    traces: Traces
    started_s: float

    def models(self) -> list[publishing.ModelInfo]:
        """The models that work now."""

    def metrics(self) -> Mapping[str, float | None]:
        """How the device is doing, by the names of the metrics message."""


class LiveStates:
    """Offers what changed to the spool."""

    def __init__(self, device: SpeakingDevice) -> None:
        self._device = device
        self._cadence = Cadence(device.settings.mqtt.interval_s, GAP_S)
        self._slow = Cadence(METRICS_EVERY_S, GAP_S)
        self._once = Cadence(math.inf, GAP_S)
        self._moments = WallMoments()
        self._unknown_since_s: dict[str, float] = {}

    def tick(
        self, now_s: float, estimates: Mapping[str, ZoneEstimate], sight: Sight | None, missing: str | None
    ) -> None:
        """Offer what has changed at `now_s` (monotonic); a full disk is said, and stops nothing.

        Args:
            now_s: Monotonic seconds.
            estimates: The newest of each zone.
            sight: What the camera sees; None without one.
            missing: Why nobody can be seen; None while somebody could be.
        """
        try:
            self._post_changes(now_s, estimates, sight, missing)
        except StoreError as error:
            if self._cadence.due("store", str(error), now_s):
                _log.error("%s", error)

    def zones(self, now_s: float) -> dict[str, dict[str, object]]:
        """Whether anybody is in each zone at `now_s`: state, count, for how long, and why it is not known."""
        sight = self._device.vision.sight() if self._device.vision else None
        found: dict[str, dict[str, object]] = {}
        for zone in self._device.settings.zones:
            each = sight.occupied.get(zone.name) if sight else None
            why = (sight.unseen.get(zone.name) or sight.doubts.get(zone.name)) if sight else Text("there is no camera")
            if each is None or each.state == "unknown":
                found[zone.name] = {"state": "unknown", "reason": why}
            else:
                found[zone.name] = {"state": each.state, "count": each.count, "for_s": round(now_s - each.since_s)}
        return found

    def say_again(self) -> None:
        """Every live state goes out again: somebody has just begun to listen."""
        for cadence in (self._cadence, self._slow, self._once):
            cadence.forget()

    def _post_changes(
        self, now_s: float, estimates: Mapping[str, ZoneEstimate], sight: Sight | None, missing: str | None
    ) -> None:
        device, due = self._device, self._cadence.due
        post, live, topics = device.link.spool.offer, device.link.post, device.link.topics
        models, names, releases = device.models(), device.commands.names.given(), device.updates.state()
        started = self._moments.of(device.started_s, now_s)
        if self._once.due("meta", (started, *(model.id for model in models), *names.items(), *releases), now_s):
            live(topics.meta, partial(self._meta, models, started))
        if self._slow.due("metrics", None, now_s):
            post(topics.metrics, partial(publishing.metrics_message, device.metrics()))
        for change in device.vision.changes() if device.vision else ():
            post(topics.presence(change.zone), partial(publishing.presence_message, change))
        for crossing in device.lines.take(device.vision.crossings() if device.vision else ()):
            post(topics.crossing(crossing.line), partial(publishing.crossing_message, crossing))
        for count in device.lines.counts():
            if due(f"line {count.line}", count, now_s):
                live(topics.line(count.line), partial(publishing.line_message, count))
        for camera in device.vision.uses() if device.vision and device.settings.cameras else ():
            if due(f"camera {camera.name}", (camera.state, steady(camera.missing), len(camera.shed)), now_s):
                live(topics.camera(camera.name), partial(publishing.camera_message, camera))
        coming = (device.program.state(), device.updates.updates())
        if due("updates", coming, now_s):
            live(topics.updates, partial(publishing.updates_message, *coming))
        privacy = device.privacy.state()
        if privacy and due("privacy", tuple(privacy), now_s):
            live(topics.privacy, partial(publishing.privacy_message, privacy))

        def of_zone(topic: str, build: publishing.Build) -> None:
            with device.traces.message(zone, topic):
                live(topic, build)

        for zone, estimate in estimates.items():
            unseen = sight.unseen.get(zone) if sight else missing
            doubt = sight.doubts.get(zone) if sight else None
            if due(f"climate {zone}", _climate_key(estimate), now_s):
                live(topics.climate(zone), partial(publishing.climate_message, estimate.climate))
            present, shed = (sight.present.get(zone), sight.shed(zone)) if sight else (None, ())
            grey = bool(sight and zone in sight.grey)
            if due(f"people {zone}", (unseen, present, len(shed), grey, _people_key(estimate)), now_s):
                views = [(each.person, each.clothing, each.skin) for each in estimate.people]
                build = partial(
                    publishing.people_message, zone, views, missing_reason=unseen, present=present, shed=shed, grey=grey
                )
                of_zone(topics.people(zone), build)
            occupied = self._occupancy(zone, sight, now_s)
            why = unseen or doubt
            if due(f"occupancy {zone}", (steady(why), occupied.state, occupied.count, occupied.since_s), now_s):
                since = self._moments.of(occupied.since_s, now_s)
                say = partial(publishing.occupancy_message, zone, occupied, since=since, reason=why)
                of_zone(topics.occupancy(zone), say)
            if due(f"comfort {zone}", _comfort_key(estimate), now_s):
                feels = partial(
                    publishing.comfort_message,
                    zone,
                    estimate.comfort,
                    outdoors=estimate.outdoors,
                    adaptive=estimate.adaptive,
                    window=estimate.window,
                    activity=estimate.activity,
                )
                of_zone(topics.comfort(zone), feels)
            wanted, used = device.setpoints.of(zone), device.thermostats.used(zone)
            if wanted is not None and due(f"setpoint {zone}", _setpoint_key(wanted, used), now_s):
                live(topics.setpoint(zone), partial(publishing.setpoint_message, zone, wanted, thermostats=used))
            if due(f"ask {zone}", asked := device.commands.questions.of(zone), now_s):
                live(topics.ask(zone), partial(ask_of, zone, asked))

    def _occupancy(self, zone: str, sight: Sight | None, now_s: float) -> Occupancy:
        """Whether anybody is in `zone`; while nobody can look it is unknown since that began."""
        found = sight.occupied.get(zone) if sight else None
        if found is None:
            return Occupancy("unknown", 0, self._unknown_since_s.setdefault(zone, now_s))
        self._unknown_since_s.pop(zone, None)
        return found

    def _meta(
        self, models: list[publishing.ModelInfo], started: str | None, stamp: publishing.Stamp
    ) -> publishing.Message:
        settings, commands = self._device.settings, self._device.commands
        outdoors = settings.outdoors.uris
        zones = [zone.name for zone in settings.zones]
        sources = [
            publishing.SourceInfo(
                kind="camera", uri=shown_camera(camera.source), name=name if settings.cameras else None
            )
            for name, camera in cameras_of(settings).items()
        ]
        sources += [
            publishing.SourceInfo(kind="sensor", uri=source_of(each.uri), zone=each.zone or zones[0])
            for each in settings.sensors
        ]
        sources += [publishing.SourceInfo(kind="sensor", uri=source_of(uri), name="outdoors") for uri in outdoors]
        return publishing.meta_message(
            stamp,
            site=settings.device.site,
            version=__version__,
            zones=zones,
            sources=sources,
            models=models,
            scale_id=SCALE.id,
            scale_words=SCALE.words,
            zone_names=commands.names.given(),
            hardware=machine.board(),
            system=machine.system(),
            commands=list(COMMANDS),
            releases=self._device.updates.state(),
            started=started,
        )


def models_of(estimator: Estimator, vision: VisionWorker | None) -> list[publishing.ModelInfo]:
    """The models that work now, each with its role: those of comfort, and those that look."""
    found = [publishing.ModelInfo(role=role, id=name) for role, name in estimator.models().items()]
    for role, model in vision.models if vision else []:
        name = f"{model.card.name} {model.card.version} {model.precision}"
        found.append(publishing.ModelInfo(role=role, id=name, engine=model.engine_name, sha256=sha256_of(model)))
    return found


def steady(reason: str | None) -> str | None:
    """A reason without its numbers: "silent for 61 s" says nothing new a second later."""
    return reason and re.sub(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", "0", reason)


def _climate_key(estimate: ZoneEstimate) -> tuple[object, ...]:
    """What must change for the climate to go out before its time: a tenth of a degree, a percent, a state."""
    air = estimate.climate
    return (air.state, steady(air.reason), _step(air.air_temp_c, 0.1), _step(air.humidity_pct, 1.0))


def _people_key(estimate: ZoneEstimate) -> tuple[object, ...]:
    return tuple(
        (each.person.track_id, tuple((g.kind, g.colours[0].name if g.colours else "") for g in each.person.garments))
        for each in estimate.people
    )


def _comfort_key(estimate: ZoneEstimate) -> tuple[object, ...]:
    comfort = estimate.comfort
    activity = estimate.activity and (_step(estimate.activity.met, 0.1), estimate.activity.source)
    known = (steady(comfort.reason), comfort.level, comfort.decision, _step(comfort.expected_vote, 0.1), activity)
    return known if estimate.outdoors is None else (*known, *_weather_key(estimate, estimate.outdoors))


def _weather_key(estimate: ZoneEstimate, outdoors: Outdoors) -> tuple[object, ...]:
    """Of the weather: half a degree, 50 W/m², a state; whether the window helps, and the categories."""
    air, adaptive, window = outdoors.air, estimate.adaptive, estimate.window
    return (
        (air.state, _step(air.air_temp_c, 0.5), _step(air.irradiance_w_m2, 50.0), outdoors.running_mean_c),
        adaptive and (adaptive.en_category, adaptive.ashrae_acceptability),
        window and (window.helps, window.why),
    )


def _setpoint_key(wanted: ZoneSetpoint, used: Sequence[ThermostatUse]) -> tuple[object, ...]:
    liked = wanted.liked
    bounds = (liked.preferred_c, liked.low_80_c, liked.high_80_c)
    said = tuple((each.reported_c, each.sent_c, steady(each.why)) for each in used)
    return (wanted.setpoint_c, steady(wanted.why), wanted.heating, liked.reason, *(_step(c, 0.1) for c in bounds), said)


def _step(value: float | None, size: float) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value / size)
