"""The vision worker: the cameras' newest frames → detections → persons. No frame is kept or written."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING

from comfywear.device.sight.camera_sight import CameraSight
from comfywear.device.telemetry.opentelemetry import NO_TRACES, Traces
from comfywear.device.zones.presence import MOST_CHANGES, ZonePresence, id_step
from comfywear.errors import ComfyWearError
from comfywear.records import CameraUse, Frame, Occupancy, Person, PresenceChange
from comfywear.releases import InService, releases_of
from comfywear.settings import Settings, VisionSettings
from comfywear.settings.lines import inside_of
from comfywear.settings.views import cameras_of, views_of, zones_of
from comfywear.system.memory import give_back
from comfywear.system.supervisor import Pulse
from comfywear.texts import Text, together
from comfywear.vision.budget import Load, checked_headroom, fair_shares
from comfywear.vision.engines import choice as engine_choice
from comfywear.vision.engines.probe import Order, Trial, try_engine
from comfywear.vision.people.lines import Crossing, LineCrossings, LineOnFloor
from comfywear.vision.tracking.walking import Walked, Walking
from comfywear_sensors.redaction import redact

if TYPE_CHECKING:
    from comfywear.device.sight.frame_step import OnLook
    from comfywear.vision import AttributeModel, CameraState, ComposedDetector, Detector
    from comfywear.vision.camera.several import Turns
    from comfywear.vision.corrections import Correction

_log = logging.getLogger(__name__)

WAIT_S = 0.5
# An engine that takes longer than this to try (TensorRT compiles) is said to be at it, each minute.
PATIENT_S = 60.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen now.

    Attributes:
        persons: By zone, each once however many cameras see them.
        missing: Why nothing at all is seen; None while a camera gives pictures.
        present: Debounced counts by zone, of those that are seen.
        occupied: Whether anybody is in each zone, likewise.
        unseen: By zone why nobody can be seen there, where no camera sees it now.
        doubts: By zone why nobody seen does not mean that it is empty, where one of its two cameras sees nothing.
        loads: How the budget of each zone's cameras is.
        grey: The zones of which no camera's pictures have colours.
    """

    persons: Mapping[str, Sequence[Person]]
    missing: str | None
    present: Mapping[str, int] = field(default_factory=dict)
    occupied: Mapping[str, Occupancy] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    loads: Mapping[str, Sequence[Load]] = field(default_factory=dict)
    grey: frozenset[str] = frozenset()

    def shed(self, zone: str) -> tuple[str, ...]:
        """What is put off in a zone to hold the budget, in sentences."""
        return tuple(dict.fromkeys(what for load in self.loads.get(zone, ()) for what in load.shed))


def patience_s(engine: str) -> float:
    """For how long looking may give no sign of life: TensorRT compiles a model for minutes, the first time."""
    if engine == "auto" and _has_gpu_build():
        engine = "cuda"
    return {"tensorrt": 1200.0, "cuda": 180.0}.get(engine, 60.0)


def _has_gpu_build() -> bool:
    try:
        return bool(metadata.version("onnxruntime-gpu"))
    except metadata.PackageNotFoundError:
        return False


def shown_camera(uri: str) -> str:
    """The camera's URI without a password."""
    from comfywear.vision.camera import parse_camera_uri

    return redact(parse_camera_uri(uri).shown)


def lines_of(settings: Settings, camera: str) -> list[LineOnFloor]:
    """The lines in a camera's picture."""
    polygons = {zone: view.polygon for zone, view in views_of(settings, camera).items()}
    return [
        LineOnFloor(line.name, line.points[0], line.points[1], inside_of(line, polygons))
        for line in settings.lines
        if line.camera in ("", camera)
    ]


def sha256_of(model: Detector | AttributeModel) -> str:
    """The hash, from its card, of the file that a loaded model runs."""
    return model.file.sha256


def vision_worker_of(
    settings: Settings, private: Callable[[str], str | None] = lambda _: None, traces: Traces = NO_TRACES
) -> VisionWorker | None:
    """What looks at the camera of the settings, or None without one; `private` and `traces` as for `VisionWorker`.

    Raises:
        UsageError: When the camera's URI cannot be meant.
    """
    cameras = cameras_of(settings)
    for camera in cameras.values():
        shown_camera(camera.source)
    return VisionWorker(settings, private, traces) if cameras else None


class VisionWorker:
    """Looks at the cameras of the settings in the worker `work`; any thread may ask for `sight()`.

    Attributes:
        cameras: What is known of each, by name.
        models: Those that look, with their roles.
        choice: The engine that was chosen; None before.
        on_look: Hears of each frame in which was looked; set it before the worker starts.
        corrections: Those of finds that hold, of a camera; likewise.

    Args:
        settings: Of the device.
        private: Says of a camera why it may not look, and None while it may.
        traces: Hears of each frame.
    """

    def __init__(
        self, settings: Settings, private: Callable[[str], str | None] = lambda _: None, traces: Traces = NO_TRACES
    ) -> None:
        self._settings, self._private, self._traces = settings, private, traces
        vision = settings.vision
        names = (vision.detector, vision.garments, vision.attributes)
        self._in_service = InService(releases_of(settings), names, settings.updates.trial_s)
        several = cameras_of(settings)
        self.cameras = {
            name: CameraSight(name, camera, title=name if len(several) > 1 else "", first_id=number)
            for number, (name, camera) in enumerate(several.items(), 1)
        }
        self._zones = ZonePresence(settings)
        self._lines = {name: LineCrossings(lines_of(settings, name)) for name in several}
        self._crossings: deque[Crossing] = deque(maxlen=MOST_CHANGES)
        self._walking = Walking() if settings.comfort.walking else None
        self._seen_by = zones_of(settings)
        self._headroom = 1.0
        self.models: list[tuple[str, Detector | AttributeModel]] = []
        self._anew = threading.Event()
        self.choice: engine_choice.Choice | None = None
        self.on_look: OnLook | None = None
        self.corrections: Callable[[str], Sequence[Correction]] = lambda _: ()

    @property
    def frames(self) -> int:
        """Frames looked at since the start."""
        return sum(camera.frames for camera in self.cameras.values())

    @property
    def looked_s(self) -> float:
        """Seconds that looking took since the models were loaded."""
        return sum(camera.looked_s for camera in self.cameras.values())

    def sight(self) -> Sight:
        """What is seen now; a zone that two cameras see is seen while one of them gives pictures."""
        missing = {name: why for name, camera in self.cameras.items() if (why := camera.missing())}
        unseen = {
            zone: self._joined({name: missing[name] for name in cameras})
            for zone, cameras in self._seen_by.items()
            if all(name in missing for name in cameras)
        }
        in_part = {
            zone: {name: missing[name] for name in cameras if name in missing}
            for zone, cameras in self._seen_by.items()
            if zone not in unseen
        }
        occupied = {zone: each for zone, each in self._zones.occupancies().items() if zone not in unseen}
        doubts = {
            zone: self._joined(reasons)
            for zone, reasons in in_part.items()
            if reasons and zone in occupied and not occupied[zone].count
        }
        loads = {
            zone: [load for name in cameras if (load := self.cameras[name].load())]
            for zone, cameras in self._seen_by.items()
        }
        return Sight(
            {zone: () if zone in unseen else self._zones.persons(zone) for zone in self._seen_by},
            self._joined(missing) if len(missing) == len(self.cameras) else None,
            {zone: count for zone, count in self._zones.counts().items() if zone not in unseen},
            {zone: each for zone, each in occupied.items() if zone not in doubts},
            unseen,
            doubts,
            loads,
            frozenset(
                zone
                for zone, cameras in self._seen_by.items()
                if cameras and all(self.cameras[name].light.grey for name in cameras)
            ),
        )

    def _joined(self, reasons: Mapping[str, str]) -> str:
        """Why several cameras give no picture; the name is left out where there is only one."""
        if len(self.cameras) == 1:
            return next(iter(reasons.values()))
        return together(*(Text("{name}: {why}", name=name, why=why) for name, why in reasons.items()))

    def uses(self) -> list[CameraUse]:
        """How each camera is, and what of the looking it has."""
        all_s, found = self.looked_s, []
        for name, camera in self.cameras.items():
            zones = tuple(zone for zone, cameras in self._seen_by.items() if name in cameras)
            share, load = camera.looked_s / all_s if all_s else None, camera.load()
            shed = load.shed if load else ()
            found.append(CameraUse(name, camera.missing(), zones, camera.frames, share, shed, camera.state()))
        return found

    def starting_s(self) -> float | None:
        """For how many seconds looking has been starting, without a fault; None when it looks or something is wrong."""
        return max(
            (each for camera in self.cameras.values() if (each := camera.starting_s()) is not None), default=None
        )

    def changes(self) -> list[PresenceChange]:
        """Who entered and left since this was last asked."""
        return self._zones.changes()

    def crossings(self) -> list[Crossing]:
        """Who crossed a line since this was last asked."""
        return [self._crossings.popleft() for _ in range(len(self._crossings))]

    def walked(self, zone: str, now_s: float) -> Walked | None:
        """How people walked in a zone of late, at `now_s` (monotonic); None where that is not known or not asked."""
        return self._walking.of(zone, now_s) if self._walking is not None else None

    def budget_metrics(self) -> dict[str, float | None]:
        """How the budget is, by the names of the metrics message."""
        loads = [load for camera in self.cameras.values() if (load := camera.load())]
        if not loads:
            return {}
        return {
            "vision_share": sum(load.cpu_share for load in loads),
            "vision_level": max(load.level for load in loads),
            "detect_every": max(load.every for load in loads),
        }

    @property
    def headroom(self) -> float:
        """0…1 from outside, such as from a hot processor: scales what looking may take."""
        return self._headroom

    @headroom.setter
    def headroom(self, value: float) -> None:
        self._headroom = checked_headroom(value)
        for camera in self.cameras.values():
            if camera.step is not None:
                camera.step.budget.headroom = value

    def pictures(self) -> dict[str, tuple[Frame, tuple[Person, ...]]]:
        """The newest frame of each camera that gives pictures now, with its persons."""
        seen = {name: camera.picture() for name, camera in self.cameras.items() if not camera.missing()}
        return {name: picture for name, picture in seen.items() if picture is not None}

    def picture(self, camera: str = "") -> tuple[Frame, tuple[Person, ...]] | None:
        """The newest frame of a camera ("" = the first) with its persons, for showing on this device; None before."""
        return self.cameras[camera or next(iter(self.cameras))].picture()

    def engine_s(self) -> float:
        """Seconds spent inside the model engines so far."""
        return sum(model.engine_s for _, model in self.models)

    def picture_ms(self) -> dict[str, float]:
        """What a picture costs inside the engine since the models were loaded, by their names."""
        looked = [(model.card.name, model.engine_s, model.pictures) for _, model in self.models if model.pictures]
        return {name: 1e3 * seconds / pictures for name, seconds, pictures in looked}

    def reopen(self, reason: str) -> None:
        """Have the worker close models and camera and open them anew; from any thread."""
        _log.warning("looking is closed and opened anew: %s", reason)
        self._anew.set()

    def work(self, pulse: Pulse) -> None:
        """The worker: look until it is told to stop, and begin anew when `reopen` was called."""
        while not pulse.stopping:
            self._anew.clear()
            try:
                self._look(pulse)
            finally:
                self._in_service.end()
                self._leave()
                give_back()

    def _leave(self) -> None:
        """Whatever ended the looking: everybody has left, their numbers are not given again, the models are let go."""
        self.models = []
        looked = [camera.leave() for camera in self.cameras.values()]
        if any(looked):
            self._zones.clear()

    def _look(self, pulse: Pulse) -> None:
        """Load the models, open the cameras, look at each newest frame."""
        from comfywear.vision.camera.several import Turns

        for name, camera in self.cameras.items():
            if reason := self._private(name):
                camera.hide(reason)
        self._in_service.begin()
        vision = self._in_service.vision_of(self._settings.vision)
        try:
            detector, attributes = self._open_models(vision, pulse)
        except Exception as error:
            engine_choice.forget(engine_choice.fingerprint(vision))
            self._say(str(error))
            raise
        self.models = [*detector.parts, *([("attributes", attributes)] if attributes else [])]
        for camera in self.cameras.values():
            camera.looked_s = 0.0  # newly loaded models count their seconds from here
        with closing(Turns()) as turns:
            while not (pulse.stopping or self._anew.is_set()):
                pulse.beat()
                self._open_and_close(turns, detector, attributes)
                found = turns.next(WAIT_S)
                looked = found[0] if found else None
                for name, stream in turns.cameras.items():
                    if name != looked:
                        self._note_camera(name, stream.state)
                        if self.cameras[name].missing():
                            self._zones.lost(name)
                if found is not None:
                    with self._traces.frame(found[0]):
                        self._take(self.cameras[found[0]], found[1])
        if not pulse.stopping:
            self._say(Text("looking is opened anew"), logging.INFO)

    def _open_and_close(
        self, turns: Turns, detector: Detector | ComposedDetector, attributes: AttributeModel | None
    ) -> None:
        """Open the cameras that may look, and close those that may not any more: nothing of their pictures is left."""
        from comfywear.device.sight.frame_step import FrameStep
        from comfywear.vision.camera import open_configured

        for name, camera in self.cameras.items():
            if reason := self._private(name):
                if name in turns.cameras:
                    turns.remove(name)
                if camera.hide(reason):
                    self._zones.forget(name)
            elif name not in turns.cameras:
                camera.step = FrameStep(
                    self._settings,
                    detector,
                    attributes,
                    self.on_look,
                    camera=name,
                    first_id=camera.next_id,
                    id_step=id_step(self._settings),
                    corrections=partial(self.corrections, name),
                )
                camera.step.budget.headroom = self._headroom
                camera.say(Text("the camera is starting"), logging.INFO)
                turns.add(name, open_configured(camera.settings))

    def _take(self, camera: CameraSight, frame: Frame) -> None:
        """Look at a frame of a camera."""
        assert camera.step is not None
        light = camera.light
        light.take(frame.light, frame.monotonic_s)
        if light.blind:  # who is there stays so until it is said to be dark, and nobody leaves for it
            if light.dark:
                camera.dim()
                self._zones.lost(camera.name)
            return
        began_s = time.perf_counter()
        with self._in_service.at_work():
            persons = camera.step.take(frame, coloured=light.coloured)
        height, width = frame.image.shape[:2]
        self._crossings.extend(self._lines[camera.name].update(persons, width, height, frame.monotonic_s))
        self._zones.take(camera.name, frame, persons, camera.step.description)
        if self._walking is not None:
            self._walking.take(persons, frame.monotonic_s)
        camera.took(frame, persons, camera.step.load(), time.perf_counter() - began_s)
        self._share_out()
        if self._in_service.look(self.models):
            self.reopen(Text("a model on trial is rolled back"))

    def _share_out(self) -> None:
        """Divide what looking may take among the cameras: none gets less than an equal part unless it wants less."""
        whole = self._settings.budget.cpu_share
        if whole == 1.0 or len(self.cameras) == 1:
            return
        # One that gives no pictures wants nothing.
        loads = [None if camera.missing() else camera.load() for camera in self.cameras.values()]
        shares = fair_shares(whole, [load.full_share if load else 0.0 for load in loads])
        for camera, share in zip(self.cameras.values(), shares, strict=True):
            if camera.step is not None:
                camera.step.budget.cpu_share = share

    def _open_models(
        self, vision: VisionSettings, pulse: Pulse
    ) -> tuple[Detector | ComposedDetector, AttributeModel | None]:
        """Load the models; a release that cannot be loaded is rolled back, so that the next attempt has another."""
        from comfywear.vision import AttributeModel, open_detector

        named, loading = self._settings.vision, self._in_service.loading
        with loading(named.detector, named.garments, named.attributes):
            engine = self._engine(vision, pulse)
        with loading(named.detector, named.garments):
            detector = open_detector(
                vision.detector,
                garments=vision.garments,
                engine=engine,
                precision=vision.precision,
                threads=vision.threads,
                interval_s=vision.attribute_interval_s,
            )
        if not vision.attributes:
            return detector, None
        with loading(named.attributes):
            return detector, AttributeModel.load(
                vision.attributes, engine=engine, precision=vision.precision, threads=vision.threads
            )

    def _engine(self, vision: VisionSettings, pulse: Pulse) -> str:
        """The engine that is to look: tried first where it was not tried yet, while this worker gives signs of life."""

        def attempt(order: Order, patience_s: float) -> Trial:
            def go_on(passed_s: float) -> bool:
                pulse.beat()
                if passed_s > PATIENT_S:
                    said = Text(
                        "the engine {engine} is being tried, {minutes} of at most {most} minutes",
                        engine=order.engine, minutes=f"{passed_s / 60:.0f}", most=f"{patience_s / 60:.0f}",
                    )  # fmt: skip
                    self._say(said, logging.INFO)
                return not pulse.stopping

            trial = try_engine(order, patience_s=patience_s, go_on=go_on)
            if pulse.stopping:
                raise ComfyWearError(Text("the device was stopped while an engine was tried"))
            return trial

        engine = engine_choice.settle(vision, attempt, say=lambda what: self._say(what, logging.INFO))
        self.choice = engine_choice.kept(engine_choice.fingerprint(vision))
        return engine

    def _note_camera(self, name: str, state: CameraState) -> None:
        if state.name in ("gone", "ended"):
            said = Text("camera gone: {why}" if state.name == "gone" else "camera ended: {why}", why=state.reason)
            self.cameras[name].say(said)

    def _say(self, missing: str, level: int = logging.WARNING) -> None:
        """No camera that may look gives a picture, for the same reason."""
        for name, camera in self.cameras.items():
            if not self._private(name):
                camera.say(missing, level)
