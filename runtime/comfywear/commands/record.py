"""`comfywear record`: a clip of the annotated view; the picture itself is never written."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfywear import settings as settings_file
from comfywear.commands._keys import keys
from comfywear.device.sight.privacy import check_may_look
from comfywear.errors import SourceError, UsageError
from comfywear.settings import CameraSettings, Settings
from comfywear.settings.views import ONLY, cameras_of, views_of, which_camera
from comfywear.system.arguments import number, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from comfywear.records import Detection, Frame, Person

WEAK = 0.1  # persons down to this score are hidden in the view
WAIT_S = 0.2
TOLD_EVERY_S = 5.0
PATIENCE_S = 15.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `record`."""
    parser = commands.add_parser(
        "record",
        help="record the annotated view of the room; space pauses and goes on (or SIGUSR1), q or Ctrl-C ends",
    )
    parser.add_argument("--out", metavar="CLIP", required=True, help="clip.mp4 (or .mkv, .avi, .webm)")
    parser.add_argument("--seconds", metavar="N", type=seconds, help="end after so much recorded time")
    parser.add_argument("--source", metavar="URI", help="the camera; default: that of --config")
    parser.add_argument("--camera", metavar="NAME", help="which of several cameras of --config")
    parser.add_argument("--fps", metavar="N", type=number(0.5, 60), default=10.0, help="frames a second (default 10)")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.add_argument("--paused", action="store_true", help="begin paused")
    parser.add_argument("--config", metavar="FILE", help="the device's settings: camera, models, zones")
    parser.add_argument("--view", choices=("room", "sketch"), help="default: that of the page (web.view), or room")
    parser.set_defaults(run=run)


@dataclasses.dataclass(slots=True)
class _Tape:
    """The time of the recording, which stands still while paused."""

    paused: bool
    recorded_s: float = 0.0
    ended: bool = False
    _last_s: float | None = None

    def tick(self, now_s: float) -> None:
        if self._last_s is not None and not self.paused:
            self.recorded_s += now_s - self._last_s
        self._last_s = now_s

    def toggle(self) -> None:
        self.paused = not self.paused

    def end(self) -> None:
        self.ended = True


def run(args: argparse.Namespace) -> int:
    """Record until the time, the source or the user ends it; returns 0 when there is a clip."""
    settings = settings_file.load(args.config) if args.config else settings_file.Settings()
    name, camera = _camera(settings, args.camera)
    source = args.source or camera.source
    if not source:
        raise UsageError("name a camera: --source v4l2:///dev/video0, or --config FILE with one")
    if not args.source:
        check_may_look(settings, [name])
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its messages are no messages to the user
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    from comfywear.vision.camera import parse_camera_uri
    from comfywear.vision.drawing.clip_file import ClipFile

    if missing := parse_camera_uri(source).missing():
        raise SourceError(missing)
    tape = _Tape(args.paused)
    with ClipFile(Path(args.out), args.fps, force=args.force) as clip, _signals(tape):
        reason = _record(settings, name, source, args, tape, clip.add)
    if not clip.frames:
        raise SourceError(f"nothing was recorded, so {args.out} was not written: {reason}")
    size_mb = Path(args.out).stat().st_size / 1e6
    print(f"{args.out}: {clip.frames / args.fps:.1f} s, {clip.frames} frames, {size_mb:.1f} MB ({reason})")
    return 0


def _camera(settings: Settings, name: str | None) -> tuple[str, CameraSettings]:
    """The camera that is meant, with its name; that of no settings where there is none."""
    cameras = cameras_of(settings)
    if not cameras and name is None:
        return ONLY, settings.camera
    chosen = which_camera(name, list(cameras), "say which with --camera NAME")
    return chosen, cameras[chosen]


def _record(
    settings: Settings,
    name: str,
    source: str,
    args: argparse.Namespace,
    tape: _Tape,
    add: Callable[[NDArray[np.uint8], float], None],
) -> str:
    """Record; returns why it ended."""
    from comfywear.vision.camera import open_configured

    camera_settings = cameras_of(settings).get(name, settings.camera)
    shown = args.view or settings.web.shown_view
    draw = _drawing(settings, name, "room" if shown == "off" else shown)
    seen_s, longest_s = time.monotonic(), args.seconds or math.inf
    with (
        open_configured(camera_settings, source=source, fps=args.fps) as camera,
        keys() as typed,
        closing(_Telling()) as told,
    ):
        while not tape.ended:
            for key in typed():
                if key == " ":
                    tape.toggle()
                elif key in "qQ":
                    tape.end()
            frame = camera.latest(WAIT_S)
            now_s = time.monotonic()
            if frame is not None:
                seen_s = now_s
                tape.tick(now_s)
            if frame is not None and not tape.paused:
                add(draw(frame), min(tape.recorded_s, longest_s - 1 / args.fps))
            if tape.recorded_s >= longest_s:
                return "the time is over"
            state = camera.state
            if frame is None and (state.name == "ended" or now_s - seen_s > PATIENCE_S):
                return f"the camera gave no more pictures: {state.reason or f'none for {PATIENCE_S:.0f} s'}"
            told.tell(tape)
    return "ended by the user" + (" while paused" if tape.paused else "")


class _Telling:
    """Progress on stderr: a line that is written anew on a terminal, one now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._told: tuple[object, ...] = ()

    def tell(self, tape: _Tape) -> None:
        state = "paused" if tape.paused else "recording"
        step = 0.5 if self._terminal else TOLD_EVERY_S
        now = (state, tape.recorded_s // step)
        if now == self._told:
            return
        self._told = now
        text = f"{state}: {tape.recorded_s:.1f} s"
        sys.stderr.write(f"\r{text:40}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self._terminal and self._told:
            sys.stderr.write("\n")


@contextmanager
def _signals(tape: _Tape) -> Iterator[None]:
    """SIGUSR1 pauses and goes on; SIGINT and SIGTERM end the recording, and what there is becomes the clip."""
    wanted: dict[int, Callable[[], None]] = {
        signal.SIGUSR1: tape.toggle,
        signal.SIGINT: tape.end,
        signal.SIGTERM: tape.end,
    }
    before = {number: signal.signal(number, lambda got, _: wanted[got]()) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _drawing(settings: Settings, camera: str, shown: str) -> Callable[[Frame], NDArray[np.uint8]]:
    """What makes the annotated view of a frame: what was found in the picture is drawn on the view alone."""
    from comfywear.vision import AttributeModel, PersonBook, ZoneArea, open_detector
    from comfywear.vision.drawing.persons_picture import annotate
    from comfywear.vision.drawing.room_view import RoomView
    from comfywear.vision.drawing.sketch import sketch
    from comfywear.vision.motion import MotionMap

    vision = settings.vision
    engine: dict[str, Any] = {"engine": vision.engine, "precision": vision.precision, "threads": vision.threads}
    detector = open_detector(
        vision.detector, garments=vision.garments, interval_s=vision.attribute_interval_s, **engine
    )
    attributes = AttributeModel.load(vision.attributes, **engine) if vision.attributes else None
    book = PersonBook(
        zones=[ZoneArea(zone, view.polygon) for zone, view in views_of(settings, camera).items()],
        attribute_interval_s=vision.attribute_interval_s,
        thresholds=detector.thresholds,
        frame_rate=cameras_of(settings).get(camera, settings.camera).fps,
    )

    view, motion = RoomView(), MotionMap()

    def draw(frame: Frame) -> NDArray[np.uint8]:
        found: Sequence[Detection] = detector.detect(frame.image, threshold=WEAK)
        persons: Sequence[Person] = book.update(frame, found, attributes)
        boxes = [each.box for each in found if each.label == "person"] + [person.box for person in persons]
        if shown == "sketch":
            return annotate(sketch(frame.image, boxes), persons)
        motion.add(frame.image, frame.monotonic_s)
        view.add(frame.image, frame.monotonic_s, [person.box for person in persons], motion, weak=boxes)
        drawn = view.draw(persons)
        assert drawn is not None  # it has just been given a frame
        return annotate(drawn, persons)

    return draw
