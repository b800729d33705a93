"""`comfywear-export evaluate walking`: who walks, told from tracks of boxes, beside annotated tracks (MOTChallenge)."""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from comfywear.comfort.activity import Motion, activity_of
from comfywear.errors import SourceError
from comfywear.system import arguments
from comfywear.vision.tracking.tracker import ByteTracker
from comfywear.vision.tracking.walking import SLOWEST_HEIGHTS_S, WINDOW_S, Gait
from comfywear_export.data.mot import Sequence as Recording
from comfywear_export.data.mot import find_sequences, read_detections

__all__ = ["Moment", "add_parser", "figures", "moments", "run"]

# Annotated people who certainly stay, and certainly walk, body heights a second; between is neither.
_STILL, _WALK = 0.08, 0.3
_HEIGHT_M, _SEATED_MET = 1.7, 1.2
_SAME_PERSON = 0.5
# Classes of MOT16/17 that are people: walking, and still (who sit or stand). MOT15 has no classes.
_PEOPLE = frozenset({-1, 1, 7})
Boxes = Mapping[int, tuple[float, float, float, float]]


class Moment(NamedTuple):
    """One person at one look: their annotated speed, and the one told from the track (None: not known)."""

    truth_heights_s: float
    told_heights_s: float | None


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("walking", help="who walks, told from tracks, on MOTChallenge sequences")
    parser.add_argument("--data", type=Path, required=True, nargs="+", help="folders of sequences with gt and det")
    parser.add_argument("--only", nargs="*", help="these sequences alone: of a camera that stands still")
    parser.add_argument("--fps", type=arguments.number(0.0, 1000.0, above=True), default=2.0, help="looks a second (2)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the figures; returns the exit code."""
    found: list[Moment] = []
    for recording in (each for data in args.data for each in find_sequences(data)):
        if not args.only or recording.name in args.only:
            found += moments(recording, args.fps)
    said = figures(found)
    if args.json:
        print(json.dumps(said, indent=2))
        return 0
    for name, value in said.items():
        print(f"{name:<26}{value:.3f}" if isinstance(value, float) else f"{name:<26}{value}")
    return 0


def moments(recording: Recording, fps: float) -> list[Moment]:
    """Every tracked person at every look, whom an annotated box covers."""
    step = max(1, round(recording.frame_rate / fps))
    looks_s = recording.frame_rate / step
    detections = read_detections(recording.detections)
    annotated = _annotated(recording.folder / "gt" / "gt.txt")
    tracker = ByteTracker(high=0.5, new=0.55, frame_rate=looks_s, lost_buffer=2.0 * looks_s)
    gaits: defaultdict[int, Gait] = defaultdict(Gait)
    found = []
    for frame in range(1, recording.length + 1, step):
        rows = detections[detections[:, 0] == frame]
        tracked = tracker.update(rows[:, 1:5], np.minimum(rows[:, 5], 1.0), dt=step / recording.frame_rate)
        here = {number: boxes[frame] for number, boxes in annotated.items() if frame in boxes}
        for number, row in zip(tracked.ids, tracked.boxes, strict=True):
            box = (float(row[0]), float(row[1]), float(row[2]), float(row[3]))
            told = gaits[int(number)].add(box, frame / recording.frame_rate)
            who = max(here, key=lambda each: _shared(box, here[each]), default=None)
            if who is None or _shared(box, here[who]) < _SAME_PERSON:
                continue
            truth = _speed(annotated[who], frame, recording.frame_rate)
            if truth is not None:
                found.append(Moment(truth, told))
    return found


def figures(found: Sequence[Moment]) -> dict[str, float | int]:
    """How many who stay were told to walk, how many who walk were found, and the error of met beside a fixed one.

    Raises:
        SourceError: Nobody was followed.
    """
    known = [(truth, told) for truth, told in found if told is not None]
    if not known:
        raise SourceError("nobody was followed long enough: give sequences with people, and two looks a second or more")
    still = [told for truth, told in known if truth < _STILL]
    walk = [(truth, told) for truth, told in known if truth >= _WALK]
    ratios = [told / truth for truth, told in walk if told]
    met = np.array([[_met(truth), _met(told)] for truth, told in known])
    return {
        "person looks": len(found),
        "of them known": len(known) / len(found),
        "who stay": len(still),
        "of them told to walk": _mean([told > 0.0 for told in still]),
        "who walk": len(walk),
        "of them found": _mean([told > 0.0 for _, told in walk]),
        "speed told / annotated": float(np.median(ratios)) if ratios else math.nan,
        "error of met, camera": float(np.abs(met[:, 1] - met[:, 0]).mean()),
        "error of met, fixed 1.2": float(np.abs(_SEATED_MET - met[:, 0]).mean()),
    }


def _met(heights_s: float) -> float:
    walks = heights_s >= SLOWEST_HEIGHTS_S
    return activity_of(Motion(walking_share=float(walks), speed_m_s=_HEIGHT_M * heights_s), _SEATED_MET).met


def _mean(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else math.nan


def _annotated(path: Path) -> Mapping[int, Boxes]:
    """Annotated boxes x y w h of people by number and frame."""
    found: defaultdict[int, dict[int, tuple[float, float, float, float]]] = defaultdict(dict)
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            parts = [float(part) for part in line.split(",")]
            if len(parts) < 8 or int(parts[7]) in _PEOPLE:
                found[int(parts[1])][int(parts[0])] = (parts[2], parts[3], parts[4], parts[5])
    except (OSError, ValueError, IndexError) as error:
        raise SourceError(f"{path}: not an annotation of MOTChallenge ({error})") from error
    return found


def _speed(boxes: Boxes, frame: int, frame_rate: float) -> float | None:
    """Of the middle of the annotated box over the window before, body heights a second."""
    frames = round(WINDOW_S * frame_rate)
    before, now = boxes.get(frame - frames), boxes.get(frame)
    if before is None or now is None:
        return None
    dx = now[0] + 0.5 * now[2] - before[0] - 0.5 * before[2]
    dy = now[1] + 0.5 * now[3] - before[1] - 0.5 * before[3]
    return math.hypot(dx, dy) / (0.5 * (before[3] + now[3])) / (frames / frame_rate)


def _shared(corners: tuple[float, float, float, float], box: tuple[float, float, float, float]) -> float:
    """Overlap by union of x1 y1 x2 y2 with x y w h."""
    left, top, right, bottom = corners
    x, y, w, h = box
    wide, high = min(right, x + w) - max(left, x), min(bottom, y + h) - max(top, y)
    if wide <= 0.0 or high <= 0.0:
        return 0.0
    return wide * high / ((right - left) * (bottom - top) + w * h - wide * high)
