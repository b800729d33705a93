"""ByteTrack (Zhang et al., ECCV 2022) with all tracks in one array: no object a track.

Every box counts: confident detections are matched to the predicted tracks first, then the weak ones to the tracks that
are left over; unmatched confident detections begin tracks, unmatched tracks are lost and kept for a while.

Three things are not as in the original: a weak detection must overlap its track more (IoU 0.6, not 0.5); the step is
left out that drops the younger of a lost and a seen track on the same spot: two people who cross look like that; and
where looks are far apart in time, boxes are widened before they are compared, as in C-BIoU (Yang et al., WACV 2023).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.errors import UsageError
from comfywear.vision.tracking import kalman
from comfywear.vision.tracking.association import Association

__all__ = ["ByteTracker", "Tracked"]

Indices = NDArray[np.intp]

# Rows of the table after those of the Kalman filter: whether the track was seen in the last frame (1) or is lost (0),
# and when it was last seen, in steps.
_ID, _HERE, _SEEN = range(kalman.ROWS, kalman.ROWS + 3)
_ROWS = kalman.ROWS + 3
_VELOCITY_OF_HEIGHT = 7

_BEYOND = np.float32(math.inf)
_THIN = 0.01  # pixels: in float32, boxes that are thinner may have no area
_SECOND_LIMIT, _TENTATIVE_LIMIT = 0.4, 0.7
# From so long between looks on, boxes are widened by as much of their sides as seconds passed.
_NARROW_S, _WIDEST = 0.15, 0.7
_NOISE_RATE = 30.0  # frames a second that the filter's noise was made for


class Tracked(NamedTuple):
    """The confirmed tracks that were seen in this frame.

    Attributes:
        ids: `(K,) int64`, from 1, unique within a tracker until `reset()`.
        boxes: `(K, 4) float32` x1 y1 x2 y2 in pixels, smoothed by the filter.
        indices: `(K,) int64`, which detection each one is; −1 where nobody looked.
    """

    ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    indices: NDArray[np.int64]


class ByteTracker:
    """Follows boxes from frame to frame.

    Args:
        high: Score above which a detection is confident, 0…1.
        low: Score above which a weak detection may continue a track.
        new: Score from which a confident detection may begin a track.
        match: Largest cost 1 − IoU · score of a confident match.
        lost_buffer: For how many frames of `frame_rate` a lost track is kept.
        frame_rate: Frames a second that usually come. The filter's uncertainty of a frame grows with the square root
            of the time between frames, against that of 30 frames a second.
    """

    def __init__(
        self,
        *,
        high: float = 0.6,
        low: float = 0.1,
        new: float = 0.7,
        match: float = 0.9,
        lost_buffer: float = 60.0,
        frame_rate: float = 30.0,
    ) -> None:
        if not 0.0 <= low <= high <= new <= 1.0:
            raise UsageError(f"a tracker needs 0 ≤ low ≤ high ≤ new ≤ 1, not {low}, {high}, {new}")
        if not (0.0 < match <= 1.0 and lost_buffer >= 0.0 and 0.0 < frame_rate < math.inf):
            raise UsageError("a tracker needs match in 0…1, lost_buffer ≥ 0 and frame_rate > 0")
        self.high, self.low, self.new, self.match = high, low, new, match
        self.lost_buffer, self.frame_rate = lost_buffer, frame_rate
        self._unit = math.sqrt(_NOISE_RATE / frame_rate)  # steps of the filter in a usual frame
        self._association = Association()
        self.reset()

    def reset(self) -> None:
        """Forget every track and begin again with id 1."""
        self._table = np.empty((_ROWS, 0))
        self._tentative = 0  # so many of the last columns are not confirmed yet
        self._next_id = 1
        self._clock = self._looked = 0.0

    def __len__(self) -> int:
        """How many tracks are held: tentative, seen and lost ones."""
        return self._table.shape[1]

    def update(self, boxes: ArrayLike, scores: ArrayLike, dt: float | None = None) -> Tracked:
        """Take the detections of the next frame.

        Args:
            boxes: `(N, 4)` x1 y1 x2 y2 in pixels. Boxes without area (a side of less than 0.01) or with a number that
                is not finite are ignored.
            scores: `(N,)` in 0…1.
            dt: Seconds since the last update; 1 / frame_rate when None.

        Raises:
            UsageError: The shapes do not fit, a score is above 1, or dt is not positive.
        """
        detections, confidence, kept = self._clean(boxes, scores)
        first = self._clock == 0.0
        confirmed = self._advance(dt)
        gap_s = (self._clock - self._looked) / (self._unit * self.frame_rate)
        self._looked = self._clock
        table = self._table
        measurements = kalman.measured(detections)
        strong = int(np.count_nonzero(confidence > self.high))
        match = self._match(detections, confidence, strong, min(gap_s, _WIDEST) if gap_s > _NARROW_S else 0.0)
        hit = match >= 0
        fresh = confidence[:strong] >= self.new
        if len(match) and len(confidence):
            kalman.update(table[: kalman.ROWS], measurements.take(match, axis=1), hit)
            taken = match[hit]
            fresh[taken[taken < strong]] = False
        table[_HERE] = hit
        np.copyto(table[_SEEN], self._clock, where=hit)
        if not hit.all():
            keep = hit | (self._clock - table[_SEEN] <= self.lost_buffer * self._unit)
            keep[confirmed.shape[1] :] = hit[confirmed.shape[1] :]
            table, match = table[:, keep], match[keep]
        born = fresh.nonzero()[0]
        self._tentative = 0 if first else len(born)
        if len(born):
            table = np.concatenate([table, self._birth(measurements[:, born])], axis=1)
            match = np.concatenate([match, born])
        self._table = table
        shown = (match[: len(self) - self._tentative] >= 0).nonzero()[0]
        return self._shown(shown, kept.take(match.take(shown)))

    def carry(self, dt: float | None = None) -> Tracked:
        """Move on over a frame in which nobody looked for persons: the tracks seen last, where they should be now.

        Nothing counts as missed, and nothing is learnt: the tracks move as they last did, and what is known of them
        becomes less sure with time. The `indices` are −1.

        Args:
            dt: Seconds since the last update or carry; 1 / frame_rate when None.

        Raises:
            UsageError: dt is not positive.
        """
        confirmed = self._advance(dt) if len(self) else self._table
        shown = confirmed[_HERE].nonzero()[0]
        return self._shown(shown, np.full(len(shown), -1, np.int64))

    def _advance(self, dt: float | None) -> NDArray[np.float64]:
        """Move the clock and the confirmed tracks on; returns the part of the table that holds those."""
        steps = self._unit * (1.0 if dt is None else dt * self.frame_rate)
        if not 0.0 < steps < math.inf:
            raise UsageError(f"dt must be a positive number of seconds, not {dt}")
        self._clock += steps
        confirmed = self._table[:, : len(self) - self._tentative]
        confirmed[_VELOCITY_OF_HEIGHT] *= confirmed[_HERE]  # a lost person's height stays as it is
        kalman.predict(confirmed[: kalman.ROWS], steps)
        return confirmed

    def _shown(self, columns: Indices, indices: NDArray[np.int64]) -> Tracked:
        chosen = self._table if len(columns) == len(self) else self._table.take(columns, axis=1)
        out = kalman.corners(chosen, np.empty((4, len(columns)), np.float32))
        np.maximum(out[2:], np.nextafter(out[:2], _BEYOND), out=out[2:])  # a sliver may have no width in float32
        return Tracked(chosen[_ID].astype(np.int64), np.ascontiguousarray(out.T), indices)

    def _clean(
        self, boxes: ArrayLike, scores: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """The detections that can be used, the confident ones first, and which of the given ones they are."""
        box = np.asarray(boxes, np.float64)
        score = np.asarray(scores, np.float64)
        if box.size == 0:
            box = box.reshape(0, 4)
        if box.ndim != 2 or box.shape[1] != 4 or score.shape != box.shape[:1]:
            raise UsageError(f"boxes must be (N, 4) and scores (N,), not {box.shape} and {score.shape}")
        usable = (score > self.low) & (box[:, 2] - box[:, 0] > _THIN) & (box[:, 3] - box[:, 1] > _THIN)
        if not math.isfinite(box.sum() + score.sum()):
            usable &= np.isfinite(box).all(axis=1) & np.isfinite(score)
        high = score > self.high
        kept = (usable & high).nonzero()[0]
        if len(kept) < len(score):
            kept = np.concatenate([kept, (usable & ~high).nonzero()[0]])
        box, score = box.take(kept, axis=0), score.take(kept)
        if len(score) and score.max() > 1.0:
            raise UsageError(f"scores must be in 0…1, and one is {score.max():g}")
        return box, score, kept

    def _match(
        self, detections: NDArray[np.float64], scores: NDArray[np.float64], strong: int, wider: float
    ) -> Indices:
        """Which detection each track is after ByteTrack's three rounds, −1 for none; the strong ones come first.

        Boxes are compared `wider` by that part of their sides on each side.
        """
        table, n, sure = self._table, len(self), len(self) - self._tentative
        match = np.full(n, -1, np.intp)
        if not n or not len(scores):
            return match
        boxes = kalman.corners(table, np.empty((4, n), np.float32))
        found = np.array(detections.T, np.float32, order="C")
        if wider:
            _widen(boxes, wider)
            _widen(found, wider)
        cost = self._association.iou(boxes, found)
        cost[:, :strong] *= scores[:strong].astype(np.float32)
        np.subtract(1.0, cost, out=cost)
        rows, columns = self._association.assign(cost[:sure, :strong], self.match)
        match[rows] = columns
        if strong < len(scores):
            left = np.flatnonzero((match[:sure] < 0) & (table[_HERE, :sure] > 0.0))
            rows, columns = self._association.assign(cost[left, strong:], _SECOND_LIMIT)
            match[left[rows]] = columns + strong
        if sure < n and strong:
            rest = np.setdiff1d(np.arange(strong), match, assume_unique=True)
            rows, columns = self._association.assign(cost[sure:, rest], _TENTATIVE_LIMIT)
            match[sure + rows] = rest[columns]
        return match

    def _birth(self, measurements: NDArray[np.float64]) -> NDArray[np.float64]:
        count = measurements.shape[1]
        table = np.empty((_ROWS, count))
        table[: kalman.ROWS] = kalman.birth(measurements)
        table[_ID] = np.arange(self._next_id, self._next_id + count)
        table[_HERE] = 1.0
        table[_SEEN] = self._clock
        self._next_id += count
        return table


def _widen(boxes: NDArray[np.float32], by: float) -> None:
    """Widen boxes `(4, N)` in place by a part of their sides on each side."""
    margin = np.float32(by) * (boxes[2:] - boxes[:2])
    boxes[:2] -= margin
    boxes[2:] += margin
