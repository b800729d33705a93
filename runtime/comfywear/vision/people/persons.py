"""Persons over time: who is there, where, and what they wear, averaged over everything seen of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear.records import Box, ColourShare, Detection, Frame, Garment, Person
from comfywear.vision.people.person_memory import Palette, PersonMemory, Worn
from comfywear.vision.people.wardrobe import GarmentRules, combine, owners, resolve
from comfywear.vision.people.weighing import weighed
from comfywear.vision.people.zones import ZoneArea, zone_of
from comfywear.vision.tracking.reid import Description, Gallery, describe
from comfywear.vision.tracking.tracker import ByteTracker, Tracked

__all__ = ["Colours", "PersonBook", "Predictor", "person_crop"]

Image = NDArray[np.uint8]

Colours = Callable[[Image, Box, Sequence[Box]], Sequence[ColourShare]]
"""`(image_rgb, box, others)` → the colours of what is in `box` but not in `others`, heaviest first."""

PERSON = "person"
_BELIEVED = 0.3
_SURE = 0.6  # the score from which ByteTrack takes a detection as confident
_WORTH_A_LOOK = 0.25  # evidence from which a garment's colours are looked at
_KEPT_S = 5.0  # a lost person is known again for so long
_SETTLED_S = 2.0  # an id may still change to that of somebody who left, this long after a birth
_SAME_EVIDENCE = 0.05  # a change of a garment's evidence that changes nothing
_SETTLED_LOOKS, _SELDOM = 3, 6  # after so many looks at a garment's colours, one look at a person in so many will do
_NEW_COLOURS = 4  # garments that came into sight between looks: at most so many in a frame
_SMALLEST_CROP = 12


class Predictor(Protocol):
    """An attribute model: crops `(H, W, 3) uint8` BGR → probabilities `(N, A)`, in the order of `labels`."""

    @property
    def labels(self) -> Sequence[str]:
        """Names of the columns of what `predict` returns."""

    def predict(self, crops: Sequence[Image]) -> NDArray[np.float32]:
        """Probabilities `(N, A)` of N crops."""


class PersonBook:
    """Keeps a memory of every person in view.

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
        gallery: Knows persons again who left for a while; None = nobody is.
        first_id: Of the first person; a book that follows another goes on with its `next_id`.
        id_step: From one person's number to the next: books of several cameras take turns, so that no number is in two.
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
        gallery: Gallery | None = None,
        first_id: int = 1,
        id_step: int = 1,
    ) -> None:
        if not attribute_interval_s > 0.0 or crops_a_frame < 1 or hold_s < 0.0 or id_step < 1:
            raise UsageError(
                "attribute_interval_s must be above 0, crops_a_frame and id_step 1 or more, hold_s 0 or more"
            )
        self._thresholds = thresholds or {}
        believed = self._believed(PERSON)
        # The tracker weighs overlaps by scores, for detectors that are sure from 0.6 up; others are sure from 0.2.
        self._sure = believed if tracker is None else _SURE
        self._tracker = tracker or ByteTracker(
            high=_SURE,
            low=_SURE / 3.0,
            new=self._tracker_score(min(1.1 * believed, 1.0)),
            lost_buffer=_KEPT_S * frame_rate,
            frame_rate=frame_rate,
        )
        self._rules = rules or GarmentRules()
        self._zones = tuple(zones) or (ZoneArea("room"),)
        self._interval_s = attribute_interval_s
        self._crops = crops_a_frame
        self._hold_s = hold_s
        self._gallery = gallery
        self._memories: dict[int, PersonMemory] = {}  # by the tracker's number
        self._seen: list[int] = []
        self.next_id, self._id_step = first_id, id_step
        self._labels: tuple[str, ...] = ()
        self._last_s: float | None = None

    def __len__(self) -> int:
        """How many persons are remembered, present or just lost."""
        return len(self._memories)

    def description(self, person: int) -> Description | None:
        """What the person with this number looks like; None before the first look, or when they are not remembered."""
        memory = next((each for each in self._memories.values() if each.id == person), None)
        return None if memory is None else self._describe(memory)

    def boxes(self) -> list[Box]:
        """Where the persons are who were seen in the last frame."""
        return [self._memories[track].box for track in self._seen]

    def update(
        self,
        frame: Frame,
        detections: Sequence[Detection] | None,
        attributes: Predictor | None = None,
        colours: Colours | None = None,
    ) -> list[Person]:
        """Take what the detector saw in `frame`; returns the persons present, in the order of their ids.

        The same as `follow`, `look` and `persons`. Crops and frames are not kept.
        """
        self.follow(frame, detections)
        self.look(frame, attributes, colours)
        return self.persons(frame)

    def follow(self, frame: Frame, detections: Sequence[Detection] | None) -> None:
        """Follow the persons into `frame`, and note their garments; None = nobody looked, the tracker carries on."""
        now_s = frame.monotonic_s
        dt = None if self._last_s is None else max(now_s - self._last_s, 1e-3)  # a frame may come with an old time
        self._last_s = now_s
        if detections is None:
            self._carry(now_s, self._tracker.carry(dt))
        else:
            persons = [d for d in detections if d.label == PERSON]
            boxes = np.array([person.box for person in persons], np.float64).reshape(-1, 4)
            scores = np.array([min(person.score, 1.0) for person in persons])
            weighed = np.array([self._tracker_score(score) for score in scores.tolist()])
            self._follow(now_s, self._tracker.update(boxes, weighed, dt), scores)
            self._dress(now_s, [d for d in detections if d.label != PERSON])
        self._forget(now_s)

    def waiting(self, now_s: float, slower: float = 1.0) -> tuple[int, float]:
        """How many of the persons seen are due for a look, and for how long the first of them has been, s."""
        due = self._due(now_s, slower)
        if not due:
            return 0, 0.0
        memory = self._memories[due[0]]
        return len(due), now_s - max(memory.first_s, memory.looked_s + slower * self._interval_s)

    def look(
        self,
        frame: Frame,
        attributes: Predictor | None = None,
        colours: Colours | None = None,
        *,
        most: int | None = None,
        slower: float = 1.0,
        coloured: bool = True,
    ) -> int:
        """Look at what those wear who waited longest; returns at how many.

        Args:
            frame: The one that was followed last.
            attributes: The attribute model; without one nobody is known again.
            colours: `comfywear.colour.garment_colours` when None.
            most: Persons at most; `crops_a_frame` when None.
            slower: Factor on the interval.
            coloured: False in a grey or infrared picture: no garment's colour is looked at, and none becomes known.
        """
        if attributes is not None and self._labels != tuple(attributes.labels):
            self._labels = tuple(attributes.labels)
            for memory in self._memories.values():
                memory.forget_attributes()
        now_s, most = frame.monotonic_s, self._crops if most is None else min(most, self._crops)
        chosen = self._due(now_s, slower)[:most]
        for track in chosen:
            self._memories[track].looked_s = now_s
        if attributes is not None:
            self._predict(frame.image, chosen, attributes)
        if coloured:
            self._colour(frame.image, chosen, colours or _garment_colours())
        if self._gallery is not None:
            for track in chosen:
                self._know_again(self._gallery, self._memories[track], now_s)
        return len(chosen)

    def persons(self, frame: Frame) -> list[Person]:
        """The persons present, in the order of their ids."""
        now_s = frame.monotonic_s
        height, width = frame.image.shape[:2]
        return sorted(
            (self._person(self._memories[track], now_s, width, height) for track in self._present(now_s)),
            key=lambda person: person.track_id,
        )

    def _believed(self, label: str) -> float:
        return self._thresholds.get(label, _BELIEVED)

    def _tracker_score(self, score: float) -> float:
        """The detector's score on the tracker's scale: what is just believed becomes 0.6, and 0 and 1 stay."""
        if score <= self._sure:
            return _SURE * score / self._sure
        return _SURE + (1.0 - _SURE) * (score - self._sure) / max(1.0 - self._sure, 1e-9)

    def _follow(self, now_s: float, tracked: Tracked, scores: NDArray[np.float64]) -> None:
        self._seen = sorted(tracked.ids.tolist())
        for track, box, index in zip(tracked.ids.tolist(), tracked.boxes.tolist(), tracked.indices, strict=True):
            memory = self._memories.get(track)
            if memory is None:
                memory = self._memories[track] = PersonMemory(now_s, now_s, tuple(box), 0.0)
            memory.box, memory.seen_s, memory.score = tuple(box), now_s, float(scores[index])

    def _carry(self, now_s: float, tracked: Tracked) -> None:
        """Move the boxes on. Nobody looked, so nobody was missed: those who were held are held as before."""
        self._seen = []
        for track, box in zip(tracked.ids.tolist(), tracked.boxes.tolist(), strict=True):
            if memory := self._memories.get(track):
                memory.box, memory.seen_s = tuple(box), now_s
                self._seen.append(track)
        self._seen.sort()

    def _dress(self, now_s: float, garments: Sequence[Detection]) -> None:
        """Give every garment to whoever wears it, and their memory the evidence for it."""
        worn: dict[int, dict[str, tuple[Detection, float]]] = {track: {} for track in self._seen}
        boxes = [self._memories[track].box for track in self._seen]
        said = [self._values(self._memories[track]) for track in self._seen]
        finds = weighed(boxes, said, garments, self._rules)
        usable = [d for d in finds if d.score >= 0.5 * self._believed(d.label)]
        for garment, owner in zip(usable, owners(boxes, usable, self._rules), strict=True):
            if owner >= 0:
                evidence = min(0.5 * garment.score / self._believed(garment.label), 1.0)
                worn[self._seen[owner]][garment.label] = garment, evidence
        for track, found in worn.items():
            self._memories[track].dress(now_s, found)

    def _due(self, now_s: float, slower: float) -> list[int]:
        """Those of the persons seen who are due for a look, the longest waiting first."""
        interval_s = slower * self._interval_s
        due = [track for track in self._seen if now_s - self._memories[track].looked_s >= interval_s]
        return sorted(due, key=lambda track: self._memories[track].looked_s)

    def _predict(self, image: Image, chosen: Sequence[int], model: Predictor) -> None:
        """Attributes of the chosen persons in one batch, averaged over the track."""
        crops = {track: crop for track in chosen if (crop := person_crop(image, self._memories[track].box)) is not None}
        if crops:
            for track, row in zip(crops, model.predict(list(crops.values())), strict=True):
                self._memories[track].predicted(row)

    def _colour(self, image: Image, chosen: Sequence[int], colours: Colours) -> None:
        """Colours of the chosen persons' garments, and of some that came into sight since their look."""
        rgb: Image | None = None
        new = _NEW_COLOURS
        for track in self._seen:
            memory = self._memories[track]
            again = track in chosen
            if not again and (not new or memory.evidence.keys() <= memory.colours.keys()):
                continue
            boxes = {kind: box for kind, box in memory.boxes().items() if memory.evidence[kind] >= _WORTH_A_LOOK}
            memory.colour_looks += again
            due = [kind for kind in boxes if kind not in memory.colours or (again and _colours_due(memory, kind))]
            if not again:
                due = due[:new]
                new -= len(due)
            for kind in due:
                if rgb is None:
                    rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
                # A smaller box lies over a larger one: a bag before a coat, a shirt in an open jacket.
                box = boxes[kind]
                inner = [other for k, other in boxes.items() if k != kind and _area(other) < _area(box)]
                memory.colours.setdefault(kind, Palette()).add(colours(rgb, box, inner))

    def _know_again(self, gallery: Gallery, memory: PersonMemory, now_s: float) -> None:
        """Give somebody who has just come the id that they had before they left, if they are known."""
        if memory.known or now_s - memory.first_s > _SETTLED_S:
            return
        description = self._describe(memory)
        if description is None:
            return
        present = {other.id for other in self._memories.values() if other is not memory and other.seen_s >= now_s}
        lost = {p.id: track for track, p in self._memories.items() if p.id and p is not memory and p.id not in present}
        for track in lost.values():
            self._leave(gallery, self._memories[track])
        found = gallery.find(description, now_s, without=present)
        if found is not None:
            memory.id, memory.known = found, True
            if found in lost:
                del self._memories[lost[found]]

    def _present(self, now_s: float) -> list[int]:
        """Those seen now, and those missed for a moment unless somebody else stands on their spot."""
        here = [self._memories[i].box for i in self._seen]
        held = [
            i
            for i, memory in self._memories.items()
            if memory.seen_s < now_s <= memory.seen_s + self._hold_s
            and not any(_covers(box, memory.box) for box in here)
        ]
        return sorted([*self._seen, *held])

    def _person(self, memory: PersonMemory, now_s: float, width: int, height: int) -> Person:
        if not memory.id:
            memory.id, self.next_id = self.next_id, self.next_id + self._id_step
        zone = zone_of(memory.box, width, height, self._zones)
        seen_s, values = now_s - memory.first_s, self._values(memory)
        return Person(memory.id, memory.box, memory.score, self._garments(memory), values, seen_s, zone, memory.looks)

    def _values(self, memory: PersonMemory) -> dict[str, float]:
        return {} if memory.attributes is None else dict(zip(self._labels, memory.attributes.tolist(), strict=True))

    def _garments(self, memory: PersonMemory) -> tuple[Garment, ...]:
        """What somebody wears, resolved again when what speaks for it changed, not with every wobble of a box."""
        boxes, looks = memory.boxes(), (memory.looks, *(palette.looks for palette in memory.colours.values()))
        before = memory.worn
        if before is not None and before.looks == looks and before.boxes == boxes.keys():
            old = before.evidence
            if old.keys() == memory.evidence.keys() and all(
                abs(now - old[kind]) < _SAME_EVIDENCE for kind, now in memory.evidence.items()
            ):
                return tuple(
                    replace(garment, box=boxes[garment.kind]) if garment.kind in boxes else garment
                    for garment in before.garments
                )
        garments = self._resolved(memory, boxes)
        memory.worn = Worn(garments, dict(memory.evidence), looks, frozenset(boxes))
        return garments

    def _resolved(self, memory: PersonMemory, boxes: Mapping[str, Box]) -> tuple[Garment, ...]:
        palettes = {kind: palette.colours() for kind, palette in memory.colours.items()}
        return resolve(combine(memory.evidence, self._values(memory), self._rules), boxes, palettes, self._rules)

    def _forget(self, now_s: float) -> None:
        keep_s = max(self._hold_s, self._tracker.lost_buffer / self._tracker.frame_rate)
        for track in [track for track, memory in self._memories.items() if now_s - memory.seen_s > keep_s]:
            memory = self._memories.pop(track)
            if self._gallery is not None:
                self._leave(self._gallery, memory)

    def _leave(self, gallery: Gallery, memory: PersonMemory) -> None:
        description = self._describe(memory)
        if memory.id and description is not None:
            gallery.add(memory.id, description, memory.seen_s)

    def _describe(self, memory: PersonMemory) -> Description | None:
        return None if memory.attributes is None else describe(memory.attributes, self._garments(memory))


def _colours_due(memory: PersonMemory, kind: str) -> bool:
    """Whether a look at a person is also one at the colours of a garment: at first each, then one in six."""
    return memory.colours[kind].looks < _SETTLED_LOOKS or memory.colour_looks % _SELDOM == 0


def _garment_colours() -> Colours:
    from comfywear.colour import garment_colours  # it loads tables, which nobody needs who brings colours

    return garment_colours


def person_crop(image: Image, box: Box) -> Image | None:
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
