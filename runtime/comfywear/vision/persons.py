"""Persons over time: who is there, where, and what they wear, averaged over everything seen of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Box, ColourShare, Detection, Frame, Person
from comfywear.vision.tracker import ByteTracker
from comfywear.vision.wardrobe import GarmentRules, combine, owners, resolve
from comfywear.vision.zones import ZoneArea, zone_of

__all__ = ["Colours", "PersonBook", "Predictor"]

Image = NDArray[np.uint8]

Colours = Callable[[Image, Box, Sequence[Box]], Sequence[ColourShare]]
"""`(image_rgb, box, others)` → the colours of what is in `box` but not in `others`, heaviest first."""

PERSON = "person"
_BELIEVED = 0.3
_WORTH_A_LOOK = 0.25  # evidence from which a garment's colours are looked at
_KEPT_S = 5.0  # a lost person is known again for so long
_EVIDENCE_S = 15.0  # time constant of the averages, once a track is that old
_BOX_S = 2.0  # a garment's box is forgotten so long after it was last seen
_SMALLEST_CROP = 12
_COLOURS_KEPT, _LEAST_SHARE = 3, 0.08


class Predictor(Protocol):
    """An attribute model: crops `(H, W, 3) uint8` BGR → probabilities `(N, A)`, in the order of `labels`."""

    @property
    def labels(self) -> Sequence[str]:
        """Names of the columns of what `predict` returns."""

    def predict(self, crops: Sequence[Image]) -> NDArray[np.float32]:
        """Probabilities `(N, A)` of N crops."""


@dataclass(slots=True)
class _Page:
    """What is known of one track."""

    first_s: float
    seen_s: float
    box: Box
    score: float
    evidence: dict[str, float] = field(default_factory=dict)
    boxes: dict[str, tuple[float, Box]] = field(default_factory=dict)
    attributes: NDArray[np.float64] | None = None
    predictions: int = 0
    predicted_s: float = -math.inf
    coloured_s: float = -math.inf
    frames: int = 0
    colours: dict[str, _Palette] = field(default_factory=dict)


@dataclass(slots=True)
class _Palette:
    """The colours of one garment, averaged over looks: by name a share and an sRGB value."""

    looks: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    rgb: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, colours: Iterable[ColourShare]) -> None:
        self.looks += 1
        weight = max(1.0 / self.looks, 0.2)
        new = {colour.name: colour for colour in colours}
        for name in self.shares.keys() | new.keys():
            share = new[name].share if name in new else 0.0
            if name in new:
                old = self.rgb.get(name)
                value = np.array(new[name].rgb, np.float64)
                self.rgb[name] = value if old is None else old + weight * (value - old)
            self.shares[name] = (1.0 - weight) * self.shares.get(name, 0.0) + weight * share

    def colours(self) -> tuple[ColourShare, ...]:
        names = sorted((n for n, s in self.shares.items() if s >= _LEAST_SHARE), key=lambda n: -self.shares[n])
        return tuple(ColourShare(name, self.shares[name], _rgb(self.rgb[name])) for name in names[:_COLOURS_KEPT])


class PersonBook:
    """Keeps a page for every person in view.

    Args:
        tracker: Follows the persons; by default one with the threshold for persons that keeps a lost one for 5 s.
        frame_rate: Frames a second that usually come, for that tracker; real times count when they differ.
        rules: How garments are assigned and believed.
        thresholds: The detector's score by label above which it is believed; 0.3 where none is given. Twice as much is
            taken as certain, less than half of it is not used.
        zones: Parts of the picture; none = one zone "room" that is everything.
        attribute_interval_s: How often a person's attributes and colours are looked at again; the first time at once.
        crops_a_frame: At most so many persons are looked at in one frame, those first that waited longest.
        hold_s: A person that the detector misses stays present for so long.
    """

    def __init__(
        self,
        tracker: ByteTracker | None = None,
        *,
        frame_rate: float = 5.0,
        rules: GarmentRules | None = None,
        thresholds: Mapping[str, float] | None = None,
        zones: Sequence[ZoneArea] = (),
        attribute_interval_s: float = 10.0,
        crops_a_frame: int = 8,
        hold_s: float = 1.5,
    ) -> None:
        if not attribute_interval_s > 0.0 or crops_a_frame < 1 or hold_s < 0.0:
            raise UsageError("attribute_interval_s must be above 0, crops_a_frame 1 or more, hold_s 0 or more")
        self._thresholds = thresholds or {}
        believed = self._believed(PERSON)
        self._tracker = tracker or ByteTracker(
            high=believed,
            low=believed / 3.0,
            new=min(1.1 * believed, 1.0),
            lost_buffer=_KEPT_S * frame_rate,
            frame_rate=frame_rate,
        )
        self._rules = rules or GarmentRules()
        self._zones = tuple(zones) or (ZoneArea("room"),)
        self._interval_s = attribute_interval_s
        self._crops = crops_a_frame
        self._hold_s = hold_s
        self._pages: dict[int, _Page] = {}
        self._labels: tuple[str, ...] = ()
        self._last_s: float | None = None

    def __len__(self) -> int:
        """How many persons are remembered, present or just lost."""
        return len(self._pages)

    def update(
        self,
        frame: Frame,
        detections: Sequence[Detection],
        attributes: Predictor | None = None,
        colours: Colours | None = None,
    ) -> list[Person]:
        """Take what the detector saw in `frame`; returns the persons present, in the order of their ids.

        `colours` is `comfywear.colour.garment_colours` when None. Crops and frames are not kept.
        """
        now_s = frame.monotonic_s
        seen = self._follow(now_s, [d for d in detections if d.label == PERSON])
        self._dress(
            now_s, seen, [d for d in detections if d.label != PERSON and d.score >= 0.5 * self._believed(d.label)]
        )
        if attributes is not None:
            self._predict(frame.image, now_s, seen, attributes)
        self._colour(frame.image, now_s, seen, colours or _garment_colours())
        self._forget(now_s)
        height, width = frame.image.shape[:2]
        return [self._person(track_id, now_s, width, height) for track_id in self._present(now_s, seen)]

    def _believed(self, label: str) -> float:
        return self._thresholds.get(label, _BELIEVED)

    def _follow(self, now_s: float, persons: Sequence[Detection]) -> list[int]:
        """Update the tracks; returns the ids that were seen now."""
        dt = None if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        boxes = np.array([person.box for person in persons], np.float64).reshape(-1, 4)
        scores = np.array([min(person.score, 1.0) for person in persons])
        # A frame that is not newer than the last counts as a very short step.
        tracked = self._tracker.update(boxes, scores, None if dt is None else max(dt, 1e-3))
        for track_id, box, index in zip(tracked.ids.tolist(), tracked.boxes.tolist(), tracked.indices, strict=True):
            page = self._pages.get(track_id)
            if page is None:
                page = self._pages[track_id] = _Page(now_s, now_s, tuple(box), 0.0)
            page.box, page.seen_s, page.score = tuple(box), now_s, persons[index].score
        return sorted(tracked.ids.tolist())

    def _dress(self, now_s: float, seen: Sequence[int], garments: Sequence[Detection]) -> None:
        """Average the detector's evidence for every kind: the score where it was seen, 0 where it was not."""
        worn: dict[int, dict[str, Detection]] = {track_id: {} for track_id in seen}
        boxes = [self._pages[track_id].box for track_id in seen]
        for garment, owner in zip(garments, owners(boxes, garments, self._rules), strict=True):
            if owner >= 0:
                worn[seen[owner]][garment.label] = garment
        for track_id, found in worn.items():
            page = self._pages[track_id]
            page.frames += 1
            age_s = now_s - page.first_s
            step_s = age_s / max(page.frames - 1, 1)  # the usual time between frames
            weight = max(1.0 / page.frames, min(step_s / _EVIDENCE_S, 1.0))
            for kind in page.evidence.keys() | found.keys():
                now = min(0.5 * found[kind].score / self._believed(kind), 1.0) if kind in found else 0.0
                page.evidence[kind] = (1.0 - weight) * page.evidence.get(kind, 0.0) + weight * now
            page.boxes |= {kind: (now_s, garment.box) for kind, garment in found.items()}
            page.boxes = {kind: entry for kind, entry in page.boxes.items() if now_s - entry[0] <= _BOX_S}

    def _predict(self, image: Image, now_s: float, seen: Sequence[int], model: Predictor) -> None:
        """Attributes of those persons who waited longest, averaged over the track."""
        if self._labels != tuple(model.labels):
            self._labels = tuple(model.labels)
            for page in self._pages.values():
                page.attributes, page.predictions, page.predicted_s = None, 0, -math.inf
        due = [i for i in seen if now_s - self._pages[i].predicted_s >= self._interval_s]
        due = sorted(due, key=lambda i: self._pages[i].predicted_s)[: self._crops]
        crops = {i: crop for i in due if (crop := _crop(image, self._pages[i].box)) is not None}
        if not crops:
            return
        for track_id, row in zip(crops, model.predict(list(crops.values())), strict=True):
            page = self._pages[track_id]
            page.predicted_s = now_s
            page.predictions += 1
            value = np.asarray(row, np.float64)
            old = value if page.attributes is None else page.attributes
            page.attributes = old + max(1.0 / page.predictions, 0.125) * (value - old)

    def _colour(self, image: Image, now_s: float, seen: Sequence[int], colours: Colours) -> None:
        """Colours of garments with a box: of new ones at once, of all of a person at the interval."""
        rgb: Image | None = None
        for track_id in seen:
            page = self._pages[track_id]
            boxes = {kind: box for kind, (_, box) in page.boxes.items() if page.evidence[kind] >= _WORTH_A_LOOK}
            again = now_s - page.coloured_s >= self._interval_s
            due = [kind for kind in boxes if again or kind not in page.colours]
            if due and again:
                page.coloured_s = now_s
            for kind in due:
                if rgb is None:
                    rgb = np.ascontiguousarray(image[:, :, ::-1])
                # A smaller box lies over a larger one: a bag before a coat, a shirt in an open jacket.
                box = boxes[kind]
                inner = [other for k, other in boxes.items() if k != kind and _area(other) < _area(box)]
                page.colours.setdefault(kind, _Palette()).add(colours(rgb, box, inner))

    def _present(self, now_s: float, seen: Sequence[int]) -> list[int]:
        """Those seen now, and those missed for a moment unless somebody else stands on their spot."""
        here = [self._pages[i].box for i in seen]
        held = [
            i
            for i, page in self._pages.items()
            if page.seen_s < now_s <= page.seen_s + self._hold_s and not any(_covers(box, page.box) for box in here)
        ]
        return sorted([*seen, *held])

    def _person(self, track_id: int, now_s: float, width: int, height: int) -> Person:
        page = self._pages[track_id]
        values = {} if page.attributes is None else dict(zip(self._labels, page.attributes.tolist(), strict=True))
        boxes = {kind: box for kind, (_, box) in page.boxes.items()}
        palettes = {kind: palette.colours() for kind, palette in page.colours.items()}
        garments = resolve(combine(page.evidence, values, self._rules), boxes, palettes, self._rules)
        zone = zone_of(page.box, width, height, self._zones)
        return Person(track_id, page.box, page.score, garments, values, now_s - page.first_s, zone)

    def _forget(self, now_s: float) -> None:
        keep_s = max(self._hold_s, self._tracker.lost_buffer / self._tracker.frame_rate)
        self._pages = {i: page for i, page in self._pages.items() if now_s - page.seen_s <= keep_s}


def _garment_colours() -> Colours:
    from comfywear.colour import garment_colours  # it loads tables, which nobody needs who brings colours

    return garment_colours


def _crop(image: Image, box: Box) -> Image | None:
    """The part of the picture in `box`, or None when next to nothing of it is inside."""
    height, width = image.shape[:2]
    x1, y1 = max(round(box[0]), 0), max(round(box[1]), 0)
    x2, y2 = min(round(box[2]), width), min(round(box[3]), height)
    if x2 - x1 < _SMALLEST_CROP or y2 - y1 < _SMALLEST_CROP:
        return None
    return image[y1:y2, x1:x2]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _covers(box: Box, other: Box) -> bool:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return width > 0.0 and height > 0.0 and width * height > 0.5 * min(_area(box), _area(other))


def _rgb(value: NDArray[np.float64]) -> tuple[int, int, int]:
    red, green, blue = (int(channel) for channel in np.clip(np.rint(value), 0, 255))
    return red, green, blue
