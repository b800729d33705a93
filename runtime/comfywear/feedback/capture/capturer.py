"""Keeps crops that are worth labelling: chosen while looking, hidden and written by a worker of their own."""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from comfywear.errors import StoreError
from comfywear.feedback.capture.folder import SCHEMA, CaptureFolder
from comfywear.feedback.capture.samplers import SAMPLERS, Look, Pick, Wanted, covered, of_vote
from comfywear.records import Box, Detection, Vote
from comfywear.system.clock import Clock, wall_time
from comfywear.texts import Text

_log = logging.getLogger(__name__)

_WAITING = 8
_FRESH_S = 10.0  # a vote belongs to a look that is no older
_MARGIN = 0.1  # of a person's box, around the crop
_SMALLEST = 48  # pixels of a crop's shorter side
_LEAST_SHARP = 0.2  # of a crop; of less nothing can be learnt
_QUALITY = 90
_PRUNE_EVERY_S = 600.0


@dataclass(frozen=True, slots=True)
class CaptureState:
    """What the page shows: whether captures are made, and what there is."""

    on: bool
    items: int = 0
    bytes: int = 0
    newest: str | None = None
    skipped: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    look: Look
    pick: Pick
    sampler: str
    vote: Vote | None
    correction: Mapping[str, Any] | None = None


class Capturer:
    """Give it every look and every vote; `run` belongs in a thread of the supervisor.

    Args:
        folder: Where captures are kept.
        samplers: Names of `SAMPLERS`, or "vote".
        wanted: What they look for.
        gap_s: Between two captures of one sampler; neighbouring frames teach nothing new.
        models: What the models that look are called: role, id and hash of each.
        clock: Says the time and whether it can be believed.
        draw: The chance.
    """

    def __init__(
        self,
        folder: CaptureFolder,
        samplers: Sequence[str],
        wanted: Wanted,
        gap_s: float,
        *,
        models: Callable[[], list[dict[str, Any]]],
        clock: Clock = wall_time,
        draw: random.Random | None = None,
    ) -> None:
        self._folder = folder
        self._samplers = tuple(samplers)
        self._wanted = wanted
        self._gap_s = gap_s
        self._models = models
        self._clock = clock
        self._draw = draw or random.Random()  # noqa: S311 - a sample, not a secret
        self._tasks: queue.Queue[_Task] = queue.Queue(_WAITING)
        self._newest_looks: dict[str, Look] = {}  # by camera
        self._last_s: dict[str, float] = {}
        self._newest: str | None = None
        self._error: str | None = None
        self._skipped = 0

    def on_look(self, look: Look) -> None:
        """Choose from a look; returns at once."""
        self._newest_looks[look.source] = look
        for name in self._samplers:
            if name not in SAMPLERS or not self._due(name, look.monotonic_s):
                continue
            picks = SAMPLERS[name](look, self._wanted, self._draw)
            if picks:
                self._last_s[name] = look.monotonic_s
            for pick in picks:
                self._put(_Task(look, pick, name, None))

    def on_vote(self, vote: Vote) -> None:
        """Keep the people of a vote's zone, as they were seen last."""
        now_s = time.monotonic()
        fresh = [look for look in self._newest_looks.values() if now_s - look.monotonic_s <= _FRESH_S]
        if "vote" not in self._samplers or not fresh:
            return
        look = max(fresh, key=lambda each: sum(person.zone == vote.zone for person in each.persons))
        if self._due("vote", now_s):
            self._last_s["vote"] = now_s
            for pick in of_vote(look, vote.zone, vote.level):
                self._put(_Task(look, pick, "vote", vote))

    def on_correction(self, number: int, kind: Literal["reject", "miss"], look: Look, box: Box) -> None:
        """Keep what somebody said of a find: "reject" = no person is in `box`, "miss" = one is, who was not found."""
        newest = self._newest_looks.get(look.source)
        if newest is not None and newest.monotonic_s == look.monotonic_s:
            look = newest
        found = [each for each in look.detections if covered(each.box, box) <= 0.5 or kind == "miss"]
        if kind == "miss":
            found.append(Detection(box, 1.0, "person"))
        look = Look(look.image, look.monotonic_s, found, look.persons, look.thresholds, look.source)
        why = "said to be no person" if kind == "reject" else "said to be a person"
        self._put(_Task(look, Pick(box, why), "correction", None, {"number": number, "kind": kind}))

    def _due(self, name: str, now_s: float) -> bool:
        return now_s - self._last_s.get(name, float("-inf")) >= self._gap_s

    def _put(self, task: _Task) -> None:
        try:
            self._tasks.put_nowait(task)
        except queue.Full:
            self._skipped += 1

    def state(self) -> CaptureState:
        """What there is now."""
        items, size = self._folder.size()
        return CaptureState(True, items, size, self._newest, self._skipped, self._error)

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Hide and write what was chosen until `stop` is set."""
        pruned_s = float("-inf")
        while not stop.is_set():
            beat()
            if time.monotonic() - pruned_s > _PRUNE_EVERY_S:
                pruned_s = time.monotonic()
                try:
                    self._folder.prune()
                except OSError as error:
                    _log.error("old captures cannot be deleted: %s", error)
            try:
                task = self._tasks.get(timeout=0.5)
            except queue.Empty:
                continue
            try:
                self._keep(task)
                self._error = None
            except StoreError as error:
                if str(error) != self._error:
                    _log.error("%s", error)
                self._error = str(error)

    def _keep(self, task: _Task) -> None:
        import cv2

        from comfywear.feedback.capture.faces import hide_faces

        image, (x1, y1, x2, y2) = task.look.image, _crop(task.pick.box, task.look.image.shape)
        if min(x2 - x1, y2 - y1) < _SMALLEST:
            self._skipped += 1
            return
        people = [_moved(box, x1, y1) for box in (*task.look.people(), task.pick.box)]
        crop, sharp = hide_faces(image[y1:y2, x1:x2], people)
        if sharp < _LEAST_SHARP:
            self._skipped += 1
            return
        done, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not done:
            raise StoreError(Text("a capture cannot be written as JPEG"))
        sidecar = self._sidecar(task, (x1, y1, x2, y2))
        self._folder.add(sidecar["id"], data.tobytes(), sidecar)
        self._newest = sidecar["ts"]

    def _sidecar(self, task: _Task, crop: tuple[int, int, int, int]) -> dict[str, Any]:
        x1, y1, x2, y2 = crop
        ts, time_ok = self._clock()
        capture_id = uuid.uuid4().hex
        owner = max(task.look.persons, key=lambda person: covered(task.pick.box, person.box), default=None)
        found = [each for each in task.look.detections if covered(each.box, (x1, y1, x2, y2)) > 0.5]
        return {
            "schema": SCHEMA,
            "id": capture_id,
            "image": {"file_name": f"{capture_id}.jpg", "width": x2 - x1, "height": y2 - y1},
            "annotations": [
                {
                    "label": each.label,
                    "bbox": _clipped(each.box, crop),
                    "score": round(each.score, 4),
                    "threshold": task.look.thresholds.get(each.label),
                }
                for each in found
            ],
            "sampler": task.sampler,
            "why": task.pick.why,
            "zone": task.vote.zone if task.vote else owner.zone if owner else None,
            "ts": ts,
            "time_ok": time_ok,
            "models": self._models(),
            "crop_of": {"box": list(crop), "width": task.look.image.shape[1], "height": task.look.image.shape[0]},
            "vote": _vote(task.vote),
            "correction": task.correction,
        }


def _vote(vote: Vote | None) -> Mapping[str, Any] | None:
    return {"id": vote.id, "level": vote.level, "scale": vote.scale} if vote else None


def _crop(box: Box, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box with its margin, in whole pixels within the picture."""
    x1, y1, x2, y2 = box
    side, up = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    return (
        max(round(x1 - side), 0),
        max(round(y1 - up), 0),
        min(round(x2 + side), shape[1]),
        min(round(y2 + up), shape[0]),
    )


def _moved(box: Box, x: float, y: float) -> Box:
    return box[0] - x, box[1] - y, box[2] - x, box[3] - y


def _clipped(box: Box, crop: tuple[int, int, int, int]) -> list[float]:
    """COCO's `[x, y, width, height]` in pixels of the crop."""
    x1, y1 = max(box[0], crop[0]) - crop[0], max(box[1], crop[1]) - crop[1]
    x2, y2 = min(box[2], crop[2]) - crop[0], min(box[3], crop[3]) - crop[1]
    return [round(value, 1) for value in (x1, y1, x2 - x1, y2 - y1)]
