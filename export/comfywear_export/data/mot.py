"""Sequences in the layout of MOTChallenge: their detections, and what a tracker makes of them."""

from __future__ import annotations

import argparse
import configparser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import SourceError
from comfywear.system import arguments
from comfywear.vision.tracking.tracker import ByteTracker

__all__ = [
    "Row",
    "Sequence",
    "add_tracker_options",
    "find_sequences",
    "make_tracker",
    "read_detections",
    "track",
    "write_results",
]

Row = tuple[int, int, float, float, float, float, float]
"""Frame (from 1), id, x, y, width, height, score."""

# ByteTrack's own filter of what it hands in: no specks, nobody wider than tall.
_LEAST_AREA, _WIDEST = 100.0, 1.6


@dataclass(frozen=True, slots=True)
class Sequence:
    """One folder of a set: `seqinfo.ini`, `det/det.txt` and perhaps `gt/gt.txt`."""

    name: str
    folder: Path
    frame_rate: float
    length: int

    @property
    def detections(self) -> Path:
        """Where its detections are."""
        return self.folder / "det" / "det.txt"


def find_sequences(data: Path) -> list[Sequence]:
    """The sequences in `data`, by name.

    Raises:
        SourceError: There is none, or a `seqinfo.ini` cannot be read.
    """
    found = [read_info(path) for path in sorted(data.glob("*/seqinfo.ini"))]
    if not found:
        raise SourceError(f"no sequence in {data}: expected <sequence>/seqinfo.ini, det/det.txt and gt/gt.txt")
    return found


def read_info(path: Path) -> Sequence:
    """The sequence that `path`, a `seqinfo.ini`, describes."""
    parser = configparser.ConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        section = parser["Sequence"]
        return Sequence(path.parent.name, path.parent, section.getfloat("frameRate", 30.0), int(section["seqLength"]))
    except (OSError, ValueError, KeyError, TypeError, configparser.Error) as error:
        raise SourceError(f"{path}: not a seqinfo.ini with frameRate and seqLength ({error})") from error


def read_detections(path: Path) -> NDArray[np.float64]:
    """Rows `(N, 6)` of frame, x1, y1, x2, y2, score from lines `frame,id,x,y,width,height,score,…`.

    Raises:
        SourceError: It cannot be read or a line is not of that form.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: the detections cannot be read ({error})") from error
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            frame, _, x, y, width, height, score = (float(part) for part in line.split(",")[:7])
        except ValueError:
            raise SourceError(f"{path}:{number}: not frame,id,x,y,width,height,score: {line[:60]!r}") from None
        if frame < 1 or frame != int(frame):
            raise SourceError(f"{path}:{number}: frames count from 1, not {frame:g}")
        rows.append((frame, x, y, x + width, y + height, score))
    return np.array(rows, np.float64).reshape(-1, 6)


def add_tracker_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings of the tracker, with those of ByteTrack as default."""
    parser.add_argument(
        "--high", type=arguments.number(0.0, 1.0), default=0.6, help="score of a confident detection (default 0.6)"
    )
    parser.add_argument(
        "--low", type=arguments.number(0.0, 1.0), default=0.1, help="score of a weak detection (default 0.1)"
    )
    parser.add_argument(
        "--new", type=arguments.number(0.0, 1.0), default=0.7, help="score that begins a track (default 0.7)"
    )
    parser.add_argument(
        "--match", type=arguments.number(0.0, 1.0), default=0.9, help="largest cost of a confident match (default 0.9)"
    )
    parser.add_argument(
        "--lost-s", type=arguments.seconds, default=2.0, help="seconds that a lost track is kept (default 2)"
    )


def make_tracker(args: argparse.Namespace, frame_rate: float) -> ByteTracker:
    """The tracker of these settings for a sequence of `frame_rate`."""
    return ByteTracker(
        high=args.high,
        low=args.low,
        new=args.new,
        match=args.match,
        lost_buffer=args.lost_s * frame_rate,
        frame_rate=frame_rate,
    )


def track(tracker: ByteTracker, detections: NDArray[np.float64], length: int = 0) -> Iterator[Row]:
    """Run `tracker` over the frames 1…`length` (or to the last detection) and give its rows, frame by frame."""
    last = max(length, int(detections[:, 0].max()) if len(detections) else 0)
    order = detections[np.argsort(detections[:, 0], kind="stable")]
    starts = np.searchsorted(order[:, 0], np.arange(1, last + 2))
    for frame in range(1, last + 1):
        now = order[starts[frame - 1] : starts[frame]]
        ids, boxes, indices = tracker.update(now[:, 1:5], now[:, 5])
        for track_id, box, index in zip(ids.tolist(), boxes.tolist(), indices.tolist(), strict=True):
            width, height = box[2] - box[0], box[3] - box[1]
            if width * height > _LEAST_AREA and width <= _WIDEST * height:
                yield frame, track_id, box[0], box[1], width, height, float(now[index, 5])


def write_results(rows: Iterable[Row], path: Path) -> int:
    """Write rows in the form of MOTChallenge to `path`; returns how many."""
    lines = [f"{f},{i},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{s:.3f},-1,-1,-1\n" for f, i, x, y, w, h, s in rows]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{path}: the results cannot be written ({error.strerror})") from error
    return len(lines)
