"""What is known of one person: averages over everything seen, without any picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from comfywear.records import Box, ColourShare, Detection, Garment

__all__ = ["Palette", "PersonMemory", "Worn"]

_EVIDENCE_S = 15.0  # time constant of the averages, once a track is that old
_BOX_S = 2.0  # a garment's box is forgotten so long after it was last seen
_MOST_LOOKS = 8  # later looks count as one in so many
_COLOURS_KEPT, _LEAST_SHARE = 3, 0.08


@dataclass(slots=True)
class Palette:
    """The colours of one garment, averaged over looks: by name a share and an sRGB value."""

    looks: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    rgb: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    _heaviest: tuple[ColourShare, ...] | None = None

    def add(self, colours: Iterable[ColourShare]) -> None:
        """Take one more look into the average."""
        self.looks, self._heaviest = self.looks + 1, None
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
        """The heaviest few, heaviest first."""
        if self._heaviest is None:
            names = sorted((n for n, s in self.shares.items() if s >= _LEAST_SHARE), key=lambda n: -self.shares[n])
            chosen = names[:_COLOURS_KEPT]
            self._heaviest = tuple(ColourShare(name, self.shares[name], _rgb(self.rgb[name])) for name in chosen)
        return self._heaviest


@dataclass(frozen=True, slots=True)
class Worn:
    """Garments as they were resolved, and from what: evidence by kind, counts of looks, kinds that had a box."""

    garments: tuple[Garment, ...]
    evidence: Mapping[str, float]
    looks: tuple[int, ...]
    boxes: frozenset[str]


@dataclass(slots=True)
class PersonMemory:
    """What is known of one track.

    Attributes:
        first_s: When this stay began, monotonic.
        seen_s: When the person was last seen, or carried on by the tracker.
        box: Where.
        score: The detector's, when it last saw them.
        id: The number that is shown; 0 until one is given.
        known: True when that number is one from before, since the person was known again.
        evidence: By kind of garment, 0…1, averaged over the frames that were looked at.
        attributes: `(A,)` probabilities averaged over looks, or None before the first.
        looks: How many looks that average holds.
        looked_s: When attributes and colours were last looked at.
        colours: By kind of garment.
        worn: What was last resolved of what they wear, or None.
        colour_looks: How often this person's colours could have been looked at since the first look.
    """

    first_s: float
    seen_s: float
    box: Box
    score: float
    id: int = 0
    known: bool = False
    evidence: dict[str, float] = field(default_factory=dict)
    attributes: NDArray[np.float64] | None = None
    looks: int = 0
    looked_s: float = -math.inf
    colours: dict[str, Palette] = field(default_factory=dict)
    colour_looks: int = 0
    worn: Worn | None = None
    _frames: int = 0
    _boxes: dict[str, tuple[float, Box, Box]] = field(default_factory=dict)

    def dress(self, now_s: float, found: Mapping[str, tuple[Detection, float]]) -> None:
        """Take the garments `(detection, evidence)` by kind that a frame showed; a kind that it did not show is a 0."""
        self._frames += 1
        age_s = now_s - self.first_s
        step_s = age_s / max(self._frames - 1, 1)  # the usual time between frames
        weight = max(1.0 / self._frames, min(step_s / _EVIDENCE_S, 1.0))
        for kind in self.evidence.keys() | found.keys():
            now = found[kind][1] if kind in found else 0.0
            self.evidence[kind] = (1.0 - weight) * self.evidence.get(kind, 0.0) + weight * now
        self._boxes |= {kind: (now_s, garment.box, self.box) for kind, (garment, _) in found.items()}
        self._boxes = {kind: entry for kind, entry in self._boxes.items() if now_s - entry[0] <= _BOX_S}

    def boxes(self) -> dict[str, Box]:
        """Where each garment is, by kind: where it was seen, moved along with the person since."""
        return {kind: _moved(box, person, self.box) for kind, (_, box, person) in self._boxes.items()}

    def predicted(self, probabilities: NDArray[np.float32]) -> None:
        """Take one more answer `(A,)` of the attribute model into the average."""
        self.looks += 1
        value = np.asarray(probabilities, np.float64)
        old = value if self.attributes is None else self.attributes
        self.attributes = old + max(1.0 / self.looks, 1.0 / _MOST_LOOKS) * (value - old)

    def forget_attributes(self) -> None:
        """Begin that average again, since another model answers."""
        self.attributes, self.looks, self.looked_s, self.worn = None, 0, -math.inf, None


def _moved(box: Box, before: Box, now: Box) -> Box:
    """`box`, seen when the person's box was `before`, for the person's box `now`."""
    if before == now:
        return box
    out = []
    for axis in (0, 1):
        size = max(before[axis + 2] - before[axis], 1e-6)
        scale = (now[axis + 2] - now[axis]) / size
        out.append([now[axis] + scale * (box[corner] - before[axis]) for corner in (axis, axis + 2)])
    return out[0][0], out[1][0], out[0][1], out[1][1]


def _rgb(value: NDArray[np.float64]) -> tuple[int, int, int]:
    red, green, blue = (min(max(round(channel), 0), 255) for channel in value.tolist())
    return red, green, blue
