"""The vision worker: newest frame → detections → persons, and what the camera is doing. No frame is kept or written."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

from comfywear import engine_choice
from comfywear.engine_probe import Order, Trial, try_engine
from comfywear.errors import ComfyWearError
from comfywear.memory import give_back
from comfywear.records import Frame, Person, PresenceChange
from comfywear.releases import InService, releases_of
from comfywear.settings import Settings, VisionSettings
from comfywear.supervisor import Pulse
from comfywear.vision.budget import Load, checked_headroom

if TYPE_CHECKING:
    from comfywear.frame_step import FrameStep, OnLook
    from comfywear.vision import AttributeModel, CameraState, ComposedDetector, Detector

_log = logging.getLogger(__name__)

WAIT_S = 0.5
# An engine that takes longer than this to try (TensorRT compiles) is said to be at it, each minute.
PATIENT_S = 60.0
# Persons of the last frame count as present for so long when the camera falls silent.
FORGET_AFTER_S = 10.0
# Changes of presence that nobody fetches are kept up to so many.
MOST_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen now: persons by zone, or why nothing is; debounced counts; how the budget is."""

    persons: Mapping[str, Sequence[Person]]
    missing: str | None
    present: Mapping[str, int] = field(default_factory=dict)
    load: Load | None = None

    def shed(self) -> tuple[str, ...]:
        """What is put off to hold the budget, in sentences."""
        return self.load.shed if self.load else ()


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

    return parse_camera_uri(uri).shown


def sha256_of(model: Detector | AttributeModel) -> str:
    """The hash, from its card, of the file that a loaded model runs."""
    return model.file.sha256


class Looking:
    """Looks at the camera of the settings in the worker `work`; any thread may ask for `sight()`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        vision = settings.vision
        names = (vision.detector, vision.garments, vision.attributes)
        self._in_service = InService(releases_of(settings), names, settings.updates.trial_s)
        self._lock = threading.Lock()
        self._persons: tuple[Person, ...] = ()
        self._frame: Frame | None = None
        self._seen_s = time.monotonic()
        self._missing: str | None = "the models are being loaded"
        self._starting_s: float | None = time.monotonic()
        self.frames = 0
        self.looked_s = 0.0
        self._step: FrameStep | None = None
        self._present: Mapping[str, int] = {}
        self._load: Load | None = None
        self._headroom = 1.0
        self._changes: deque[PresenceChange] = deque(maxlen=MOST_CHANGES)
        self.models: list[tuple[str, Detector | AttributeModel]] = []
        self._anew = threading.Event()
        self._first_id = 1
        self.choice: engine_choice.Choice | None = None
        self.on_look: OnLook | None = None  # set it before the worker starts

    def sight(self) -> Sight:
        """The persons of the newest frame by zone."""
        with self._lock:
            persons, missing, present, load = self._persons, self._missing, self._present, self._load
            if missing is None and time.monotonic() - self._seen_s > FORGET_AFTER_S:
                missing = f"no frame for {time.monotonic() - self._seen_s:.0f} s"
        by_zone: dict[str, list[Person]] = {zone.name: [] for zone in self._settings.zones}
        for person in () if missing else persons:
            by_zone.setdefault(person.zone, []).append(person)
        return Sight(by_zone, missing, {} if missing else present, load)

    def starting_s(self) -> float | None:
        """For how many seconds looking has been starting, without a fault; None when it looks or something is wrong."""
        since_s = self._starting_s
        return None if since_s is None else time.monotonic() - since_s

    def changes(self) -> list[PresenceChange]:
        """Who entered and left since this was last asked."""
        with self._lock:
            found = list(self._changes)
            self._changes.clear()
        return found

    def budget_metrics(self) -> dict[str, float | None]:
        """How the budget is, by the names of the metrics message."""
        with self._lock:
            load = self._load
        if load is None:
            return {}
        return {"vision_share": load.cpu_share, "vision_level": load.level, "detect_every": load.every}

    @property
    def headroom(self) -> float:
        """0…1 from outside, such as from a hot processor: scales what looking may take."""
        return self._headroom

    @headroom.setter
    def headroom(self, value: float) -> None:
        self._headroom = checked_headroom(value)
        if self._step is not None:
            self._step.budget.headroom = value

    def picture(self) -> tuple[Frame, tuple[Person, ...]] | None:
        """The newest frame with its persons, for showing on this device; None before the first."""
        with self._lock:
            return (self._frame, self._persons) if self._frame is not None else None

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
            self._step, self.models = None, []
            give_back()

    def _look(self, pulse: Pulse) -> None:
        """Load the models, open the camera, look at each newest frame."""
        from comfywear.frame_step import FrameStep
        from comfywear.vision import open_camera

        camera_settings = self._settings.camera
        self._in_service.begin()
        vision = self._in_service.vision_of(self._settings.vision)
        try:
            detector, attributes = self._open_models(vision, pulse)
        except Exception as error:
            engine_choice.forget(engine_choice.fingerprint(vision))
            self._say(str(error))
            raise
        self.looked_s = 0.0  # newly loaded models count their seconds from here
        self.models = [*detector.parts, *([("attributes", attributes)] if attributes else [])]
        step = FrameStep(self._settings, detector, attributes, self.on_look, first_id=self._first_id)
        step.budget.headroom = self._headroom
        self._step = step
        self._say("the camera is starting", logging.INFO)
        with open_camera(camera_settings.source, fps=camera_settings.fps, loop=camera_settings.loop) as camera:
            while not (pulse.stopping or self._anew.is_set()):
                pulse.beat()
                frame = camera.latest(WAIT_S)
                if frame is None:
                    self._note_camera(camera.state)
                    continue
                began_s = time.perf_counter()
                with self._in_service.at_work():
                    persons, changes = step.take(frame)
                with self._lock:
                    self._present, self._load = step.counts(), step.load()
                    self._changes.extend(changes)
                    self._frame, self._persons, self._missing = frame, tuple(persons), None
                    self._starting_s = None
                    self._seen_s = time.monotonic()
                    self.frames += 1
                    self.looked_s += time.perf_counter() - began_s
                if self._in_service.look(self.models):
                    self.reopen("a model on trial is rolled back")
        left, self._first_id = step.close()
        with self._lock:
            self._changes.extend(left)
            self._persons, self._present = (), {}
        if not pulse.stopping:
            self._say("looking is opened anew", logging.INFO)

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
                    minutes = f"{passed_s / 60:.0f} of at most {patience_s / 60:.0f} minutes"
                    self._say(f"the engine {order.engine} is being tried, {minutes}", logging.INFO)
                return not pulse.stopping

            trial = try_engine(order, patience_s=patience_s, go_on=go_on)
            if pulse.stopping:
                raise ComfyWearError("the device was stopped while an engine was tried")
            return trial

        engine = engine_choice.settle(vision, attempt, say=lambda what: self._say(what, logging.INFO))
        self.choice = engine_choice.kept(engine_choice.fingerprint(vision))
        return engine

    def _note_camera(self, state: CameraState) -> None:
        if state.name in ("gone", "ended"):
            self._say(f"camera {state.name}: {state.reason}")

    def _say(self, missing: str, level: int = logging.WARNING) -> None:
        """Take a new reason; one log line for each change."""
        with self._lock:
            if missing != self._missing:
                _log.log(level, "no picture: %s", missing)
            self._missing = missing
            if level > logging.INFO:
                self._starting_s = None
            elif self._starting_s is None:
                self._starting_s = time.monotonic()
