"""ByteTrack (Zhang et al., ECCV 2022) with all tracks in one array: no object a track.

Every box counts: confident detections are matched to the predicted tracks first, then the weak ones to the tracks that
are left over; unmatched confident detections begin tracks, unmatched tracks are lost and kept for a while.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.errors import UsageError
from comfywear.vision import tracker_kalman as kalman
from comfywear.vision.tracker_association import Overlap, assign

__all__ = ["ByteTracker", "Tracked"]

Indices = NDArray[np.intp]

# Rows of the table after those of the Kalman filter.
_ID, _STATE, _SEEN, _BORN = range(kalman.ROWS, kalman.ROWS + 4)
_ROWS = kalman.ROWS + 4
_TENTATIVE, _TRACKED, _LOST = 0.0, 1.0, 2.0
_VELOCITY_OF_HEIGHT = 7

_SECOND_LIMIT, _TENTATIVE_LIMIT, _DUPLICATE_IOU = 0.5, 0.7, 0.85


class Tracked(NamedTuple):
    """The confirmed tracks that were seen in this frame.

    Attributes:
        ids: `(K,) int64`, from 1, unique within a tracker until `reset()`.
        boxes: `(K, 4) float32` x1 y1 x2 y2 in pixels, smoothed by the filter.
        indices: `(K,) int64`, which detection each one is.
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
        frame_rate: Frames a second that the filter's noise and `lost_buffer` are counted in.
    """

    def __init__(
        self,
        *,
        high: float = 0.6,
        low: float = 0.1,
        new: float = 0.7,
        match: float = 0.9,
        lost_buffer: float = 30.0,
        frame_rate: float = 30.0,
    ) -> None:
        if not 0.0 <= low <= high <= new <= 1.0:
            raise UsageError(f"a tracker needs 0 ≤ low ≤ high ≤ new ≤ 1, not {low}, {high}, {new}")
        if not (0.0 < match <= 1.0 and lost_buffer >= 0.0 and 0.0 < frame_rate < math.inf):
            raise UsageError("a tracker needs match in 0…1, lost_buffer ≥ 0 and frame_rate > 0")
        self.high, self.low, self.new, self.match = high, low, new, match
        self.lost_buffer, self.frame_rate = lost_buffer, frame_rate
        self._overlap = Overlap()
        self.reset()

    def reset(self) -> None:
        """Forget every track and begin again with id 1."""
        self._table = np.empty((_ROWS, 0))
        self._next_id = 1
        self._clock = 0.0

    def __len__(self) -> int:
        """How many tracks are held: tentative, seen and lost ones."""
        return self._table.shape[1]

    def update(self, boxes: ArrayLike, scores: ArrayLike, dt: float | None = None) -> Tracked:
        """Take the detections of the next frame.

        Args:
            boxes: `(N, 4)` x1 y1 x2 y2 in pixels. Boxes without area or with a number that is not finite are ignored.
            scores: `(N,)` in 0…1.
            dt: Seconds since the last update; 1 / frame_rate when None.

        Raises:
            UsageError: The shapes do not fit, a score is above 1, or dt is not positive.
        """
        detections, scores, kept = self._clean(boxes, scores)
        steps = 1.0 if dt is None else dt * self.frame_rate
        if not 0.0 < steps < math.inf:
            raise UsageError(f"dt must be a positive number of seconds, not {dt}")
        first = self._clock == 0.0
        self._clock += steps
        table = self._table
        n = table.shape[1]
        state = table[_STATE].copy()
        table[_VELOCITY_OF_HEIGHT] *= state != _LOST
        kalman.predict(table[: kalman.ROWS], steps)

        high = scores > self.high
        measurements = kalman.measured(detections)
        rows, columns = self._match(detections, scores, state, high)
        fresh = high & (scores >= self.new)
        fresh[columns] = False
        # Whoever was not matched is lost; a tentative track is dropped.
        unmatched = np.ones(n, bool)
        unmatched[rows] = False
        table[_STATE, unmatched] = _LOST
        if len(rows):
            matched = table[: kalman.ROWS, rows]
            kalman.update(matched, measurements[:, columns])
            table[: kalman.ROWS, rows] = matched
            table[_STATE, rows] = _TRACKED
            table[_SEEN, rows] = self._clock
        keep = ~unmatched | ((state != _TENTATIVE) & (self._clock - table[_SEEN] <= self.lost_buffer))
        self._drop_duplicates(table, keep)
        seen = np.full(n, -1, np.intp)
        seen[rows] = columns
        if not keep.all():
            table, seen = table[:, keep], seen[keep]
        born = np.flatnonzero(fresh)
        if len(born):
            table = np.concatenate([table, self._birth(measurements[:, born], first)], axis=1)
            seen = np.concatenate([seen, born])
        self._table = table
        shown = np.flatnonzero((table[_STATE] == _TRACKED) & (seen >= 0))
        chosen = table[:, shown]
        out = kalman.corners(chosen, np.empty((4, len(shown)), np.float32))
        return Tracked(chosen[_ID].astype(np.int64), np.ascontiguousarray(out.T), kept[seen[shown]])

    def _clean(
        self, boxes: ArrayLike, scores: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """The detections that can be used, as float64, and which of the given ones they are."""
        box = np.asarray(boxes, np.float64)
        score = np.asarray(scores, np.float64)
        if box.size == 0:
            box = box.reshape(0, 4)
        if box.ndim != 2 or box.shape[1] != 4 or score.shape != box.shape[:1]:
            raise UsageError(f"boxes must be (N, 4) and scores (N,), not {box.shape} and {score.shape}")
        size = box[:, 2:] - box[:, :2]
        usable = (score > self.low) & (size > 0.0).all(axis=1)
        if not math.isfinite(box.sum() + score.sum()):
            usable &= np.isfinite(box).all(axis=1) & np.isfinite(score)
        kept = np.flatnonzero(usable)
        if len(kept) < len(box):
            box, score = box[kept], score[kept]
        if len(score) and score.max() > 1.0:
            raise UsageError(f"scores must be in 0…1, and one is {score.max():g}")
        return box, score, kept

    def _match(
        self,
        detections: NDArray[np.float64],
        scores: NDArray[np.float64],
        state: NDArray[np.float64],
        high: NDArray[np.bool_],
    ) -> tuple[Indices, Indices]:
        """Pairs of tracks and detections after the three rounds of ByteTrack."""
        n, m = len(state), len(scores)
        if not n or not m:
            none = np.empty(0, np.intp)
            return none, none
        boxes = kalman.corners(self._table, np.empty((4, n), np.float32))
        iou = self._overlap.iou(boxes, np.ascontiguousarray(detections.T, np.float32))
        strong, weak = np.flatnonzero(high), np.flatnonzero(~high)
        fused = np.float32(1.0) - iou[:, strong] * scores[strong].astype(np.float32)
        confirmed = np.flatnonzero(state != _TENTATIVE)
        tentative = np.flatnonzero(state == _TENTATIVE)

        i, j = assign(fused[confirmed], self.match)
        rows, columns = [confirmed[i]], [strong[j]]
        left = np.ones(n, bool)
        left[rows[0]] = False
        if len(weak):
            again = np.flatnonzero(left & (state == _TRACKED))
            a, b = assign(np.float32(1.0) - iou[np.ix_(again, weak)], _SECOND_LIMIT)
            rows.append(again[a])
            columns.append(weak[b])
        if len(tentative):
            free = np.ones(len(strong), bool)
            free[j] = False
            rest = np.flatnonzero(free)
            a, b = assign(fused[np.ix_(tentative, rest)], _TENTATIVE_LIMIT)
            rows.append(tentative[a])
            columns.append(strong[rest[b]])
        return np.concatenate(rows), np.concatenate(columns)

    def _birth(self, measurements: NDArray[np.float64], confirmed: bool) -> NDArray[np.float64]:
        count = measurements.shape[1]
        table = np.empty((_ROWS, count))
        table[: kalman.ROWS] = kalman.birth(measurements)
        table[_ID] = np.arange(self._next_id, self._next_id + count)
        table[_STATE] = _TRACKED if confirmed else _TENTATIVE
        table[_SEEN] = table[_BORN] = self._clock
        self._next_id += count
        return table

    def _drop_duplicates(self, table: NDArray[np.float64], keep: NDArray[np.bool_]) -> None:
        """Of a lost and a seen track on the same spot, drop the one with the shorter history."""
        lost = np.flatnonzero(keep & (table[_STATE] == _LOST))
        if not len(lost):
            return
        seen = np.flatnonzero(keep & (table[_STATE] == _TRACKED))
        if not len(seen):
            return
        boxes = kalman.corners(table, np.empty((4, table.shape[1]), np.float32))
        i, j = np.nonzero(self._overlap.iou(boxes[:, seen], boxes[:, lost]) > _DUPLICATE_IOU)
        a, b = seen[i], lost[j]
        life = table[_SEEN] - table[_BORN]
        keep[np.where(life[a] > life[b], b, a)] = False
