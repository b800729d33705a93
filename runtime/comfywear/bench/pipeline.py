"""`comfywear bench pipeline`: processor time of each stage from a camera's JPEG to the encoded message.

And the glue that is written today for the same, on the same detections and crops, where its parts are installed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.bench._glue import make_glue
from comfywear.demo.scene import sample_photo
from comfywear.device.zones.estimator import Estimator, Newest
from comfywear.errors import ComfyWearError
from comfywear.publishing import Stamp, comfort_message, people_message
from comfywear.records import Box, Climate, ColourShare, Detection, Frame, Person
from comfywear.settings import ComfortSettings
from comfywear.system.arguments import whole
from comfywear.texts import encode
from comfywear.vision import AttributeModel, Detector, PersonBook
from comfywear.vision.corrections import CorrectedFinds
from comfywear.vision.motion import MotionMap
from comfywear.vision.still_finds import StillFinds

__all__ = ["add_parser", "fixed_frame", "measure", "run"]

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
PERSONS = (1, 5)
FPS, INTERVAL_S = 2.0, 10.0  # as in the settings
ENGINES = ("detector engine", "attribute engine")
_EMPTY = "nothing"
_WARM = 3  # frames that are not counted: caches, tables, the first look
_STAMP = Stamp("bench", "0" * 16, 1, "2027-01-01T00:00:00.000+00:00", True)
_AIR = Climate("room", "fresh", 25.0, 45.0)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the stage."""
    parser = commands.add_parser("pipeline", help="each stage from picture to message, and usual glue beside it")
    parser.add_argument(
        "--frames", type=whole(1), default=100, help="frames a scene (default 100; looks come every 20th)"
    )
    parser.add_argument("--engine", default="auto", help="onnxruntime, litert or auto")
    parser.add_argument("--precision", default="fp16", help="fp16 or int8 (default fp16)")
    parser.add_argument("--detector", default="detector", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--attributes", default="attributes", metavar="NAME", help="model, by name or path of its card")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit code."""
    detector = Detector.load(args.detector, engine=args.engine, precision=args.precision, threads=1)
    attributes = AttributeModel.load(args.attributes, engine=args.engine, precision=args.precision, threads=1)
    result = measure(detector, attributes, max(args.frames, 2 * _WARM))
    print(json.dumps(result, indent=2) if args.json else _table(result))
    return 0


class _Clock:
    """Processor seconds by stage, without those of stages within a stage and without what reading the clock takes.

    A virtual machine may take a tenth of a millisecond for that, and more where caches are cold: an empty stage in each
    frame says how much.
    """

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._reads: dict[str, int] = {}  # of the clock, in pairs: its own and those of stages inside
        self._open: list[list[float]] = [[0.0, 0]]  # for each open stage: what stages inside took, and how many

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._open.append([0.0, 0])
        began = time.process_time()
        yield
        spent = time.process_time() - began
        inside, count = self._open.pop()
        self._open[-1][0] += spent
        self._open[-1][1] += 1
        self._spent[name] = self._spent.get(name, 0.0) + spent - inside
        self._reads[name] = self._reads.get(name, 0) + 1 + int(count)

    def clear(self) -> None:
        """Begin anew."""
        self._spent.clear()
        self._reads.clear()

    def seconds(self) -> dict[str, float]:
        """By stage, without the empty one."""
        read_s = self._spent[_EMPTY] / self._reads[_EMPTY]
        return {
            name: max(spent - read_s * self._reads[name], 0.0) for name, spent in self._spent.items() if name != _EMPTY
        }


class _TimedEngine:
    """An engine whose processor time is noted."""

    def __init__(self, engine: Any, clock: _Clock, stage: str) -> None:
        self._engine, self._clock, self._stage = engine, clock, stage

    def run(self, images: NDArray[np.float32]) -> Any:
        with self._clock.stage(self._stage):
            return self._engine.run(images)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def measure(detector: Detector, attributes: AttributeModel, frames: int) -> dict[str, Any]:
    """By number of persons: `ms` and `share` a stage, `outside_over_engines`; and `glue` with five persons."""
    scenes = {str(persons): _stages(detector, attributes, persons, frames) for persons in PERSONS}
    return {
        "frame": f"{WIDTH}x{HEIGHT}",
        "fps": FPS,
        "attribute_interval_s": INTERVAL_S,
        "engine": detector.engine_name,
        "precision": detector.precision,
        "threads": 1,
        "clock": "processor time of the process",
        "persons": scenes,
        "glue": _against_glue(detector, attributes, frames),
    }


def _stages(detector: Detector, attributes: AttributeModel, persons: int, frames: int) -> dict[str, Any]:
    jpegs = [cv2.imencode(".jpg", image)[1] for image in _scene(persons)]
    book, newest = PersonBook(thresholds=detector.thresholds, frame_rate=FPS), Newest(Estimator(ComfortSettings()))
    clock = _Clock()
    watched = _watching()
    plain = detector._engine, attributes._engine
    colours = _timed_colours(clock)
    found = 0
    try:
        # The models' own engines are wrapped for the time of the measurement.
        detector._engine = _TimedEngine(plain[0], clock, ENGINES[0])
        attributes._engine = _TimedEngine(plain[1], clock, ENGINES[1])
        for index in range(frames):
            if index == _WARM:
                clock.clear()
            with clock.stage("decode"):
                image = cv2.imdecode(jpegs[index % len(jpegs)], cv2.IMREAD_COLOR)
            frame = Frame(np.asarray(image, np.uint8), index, index / FPS, "bench")
            with clock.stage("detector: letterbox, boxes, NMS"):
                seen = detector.detect(frame.image, threshold=0.1)
            with clock.stage(_EMPTY):
                pass
            with clock.stage("motion, still finds, corrections"):
                watched(frame, book)
            with clock.stage("tracking, garments to persons"):
                book.follow(frame, seen)
            with clock.stage("attributes: crops"):
                book.look(frame, attributes, colours)
            with clock.stage("records"):
                people = book.persons(frame)
            found += len(people)
            with clock.stage("clothing and comfort"):
                estimate = newest.zone("room", frame.monotonic_s, _AIR, people)
            with clock.stage("messages"):
                _messages(estimate)
    finally:
        detector._engine, attributes._engine = plain
    spent = clock.seconds()
    counted = frames - _WARM
    total = sum(spent.values())
    engines = sum(spent.get(name, 0.0) for name in ENGINES)
    return {
        "found": round(found / frames, 2),
        "ms": {name: round(1e3 * seconds / counted, 3) for name, seconds in spent.items()},
        "share": {name: round(seconds / total, 4) for name, seconds in spent.items()},
        "total_ms": round(1e3 * total / counted, 2),
        "engines_ms": round(1e3 * engines / counted, 2),
        "outside_over_engines": round((total - engines) / engines, 3),
    }


def _watching() -> Callable[[Frame, PersonBook], None]:
    """What `FrameStep` does with each frame beside following: where it moved, what never moves, no correction."""
    motion, still, corrected = MotionMap(), StillFinds(), CorrectedFinds()

    def step(frame: Frame, book: PersonBook) -> None:
        motion.add(frame.image, frame.monotonic_s)
        corrected.begin(frame.image, frame.monotonic_s, (), motion)
        still.update(frame.image, frame.monotonic_s, book.boxes(), motion)

    return step


def _messages(estimate: Any) -> tuple[bytes, bytes]:
    views = [(each.person, each.clothing, each.skin) for each in estimate.people]
    people = people_message("room", views, _STAMP)
    comfort = comfort_message("room", estimate.comfort, _STAMP)
    return encode(people), encode(comfort)


def _timed_colours(clock: _Clock) -> Callable[[Image, Box, Sequence[Box]], Sequence[ColourShare]]:
    from comfywear.colour import garment_colours

    def colours(image: Image, box: Box, others: Sequence[Box]) -> Sequence[ColourShare]:
        with clock.stage("colours"):
            return garment_colours(image, box, others)

    return colours


class _Answers:
    """An attribute model that knows its answers: the engine's time is the same on both sides and left out."""

    def __init__(self, model: AttributeModel, crops: Sequence[Image]) -> None:
        self.labels = model.labels
        self._answers = model.predict(crops)

    def predict(self, crops: Sequence[Image]) -> NDArray[np.float32]:
        return np.resize(self._answers, (len(crops), self._answers.shape[1]))


def _against_glue(detector: Detector, attributes: AttributeModel, frames: int) -> dict[str, Any]:
    """From detections to the message with five persons: ours as it runs, with a look in every frame, and the glue."""
    images = _scene(max(PERSONS))
    seen = [detector.detect(image, threshold=0.1) for image in images]
    persons = [d for d in seen[0] if d.label == "person" and d.score >= detector.thresholds["person"]]
    if not persons:
        return {"missing": "the detector found nobody in the scene"}
    crops = [images[0][int(d.box[1]) : int(d.box[3]), int(d.box[0]) : int(d.box[2])] for d in persons]
    answers = _Answers(attributes, crops)
    steps: dict[str, Callable[[int], object]] = {
        "comfywear": _ours(detector, answers, images, seen, INTERVAL_S),
        "comfywear, a look in every frame": _ours(detector, answers, images, seen, 1e-6),
    }
    believed = [[d for d in found if d.score >= detector.thresholds[d.label]] for found in seen]
    glue, missing = make_glue(images, believed)
    if glue is not None:
        steps["glue"] = glue
    times: dict[str, float] = dict.fromkeys(steps, 0.0)
    for index in range(frames):
        for name, step in steps.items():
            began = time.process_time()
            step(index)
            if index >= _WARM:
                times[name] += time.process_time() - began
    ms = {name: round(1e3 * spent / (frames - _WARM), 3) for name, spent in times.items()}
    return {
        "persons": len(persons),
        "garments": sum(d.label != "person" for d in believed[0]),
        "ms": ms,
        "times_less": {name: round(ms["glue"] / ms[name], 1) for name in ms if name != "glue"} if glue else None,
        "missing": missing,
    }


def fixed_frame(detector: Detector, attributes: AttributeModel) -> Callable[[], object]:
    """What a frame with five persons costs beside the models' engines, again and again: from detections to messages."""
    images = _scene(max(PERSONS))
    seen = [detector.detect(image, threshold=0.1) for image in images]
    boxes = [each.box for each in seen[0] if each.label == "person"]
    crops = [images[0][int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] for box in boxes]
    step = _ours(detector, _Answers(attributes, crops), images, seen, INTERVAL_S)
    numbers = itertools.count()
    return lambda: step(next(numbers))


def _ours(
    detector: Detector, answers: _Answers, images: Sequence[Image], seen: Sequence[list[Detection]], interval_s: float
) -> Callable[[int], object]:
    book = PersonBook(thresholds=detector.thresholds, frame_rate=FPS, attribute_interval_s=interval_s)
    estimator = Estimator(ComfortSettings())

    def step(index: int) -> object:
        frame = Frame(images[index % len(images)], index, index / FPS, "bench")
        people: list[Person] = book.update(frame, seen[index % len(seen)], answers)
        return _messages(estimator.zone(_AIR, people))

    return step


def _scene(persons: int, frames: int = 10) -> list[Image]:
    """Frames with the demo's person so many times in two rows, each swaying by a few pixels."""
    photo = cv2.imread(str(sample_photo()))
    if photo is None:
        raise ComfyWearError(f"{sample_photo()}: the demo's photograph cannot be read")
    rows = 1 if persons == 1 else 2
    columns = -(-persons // rows)
    high = HEIGHT // rows
    wide = min(WIDTH // columns, round(high * photo.shape[1] / photo.shape[0]))
    small = cv2.resize(photo, (wide, high), interpolation=cv2.INTER_AREA)
    out = []
    for index in range(frames):
        image = np.full((HEIGHT, WIDTH, 3), 114, np.uint8)
        for person in range(persons):
            sway = round(3 * np.sin(2 * np.pi * index / frames + person))
            row, column = divmod(person, columns)
            left = (2 * column + 1) * WIDTH // (2 * columns) - wide // 2
            image[row * high : (row + 1) * high, left : left + wide] = np.roll(small, sway, axis=1)
        out.append(image)
    return out


def _table(result: dict[str, Any]) -> str:
    lines = [f"{result['engine']} {result['precision']}, one thread, {result['frame']}, {result['clock']}"]
    for persons, row in result["persons"].items():
        lines.append(f"\n{persons} in the picture ({row['found']} found on average), ms a frame")
        lines += [f"  {name:34}{row['ms'][name]:9.3f}{row['share'][name]:9.1%}" for name in row["ms"]]
        lines.append(f"  {'all':34}{row['total_ms']:9.2f}")
        lines.append(f"  outside the engines / in them: {row['outside_over_engines']:.1%}")
    glue = result["glue"]
    lines.append("\nfrom detections to the encoded message, ms a frame")
    lines += [f"  {name:34}{ms:9.3f}" for name, ms in glue.get("ms", {}).items()]
    for name, ratio in (glue.get("times_less") or {}).items():
        lines.append(f"  {name}: {ratio} times less than the glue")
    if glue.get("missing"):
        lines.append(f"  not measured: {glue['missing']}")
    return "\n".join(lines)
