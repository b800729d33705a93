"""Knows persons again who left for a while, by what they wear: in memory, for minutes, and never written anywhere.

A description holds what the attribute model said and the colours of the clothes, and nothing of a face or a picture.
Somebody who changes their coat outside comes back as somebody else, and two people in the same uniform are told apart
by nothing: then nobody is known again, since the best answer must also be clearly better than the second.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comfywear.errors import UsageError
from comfywear.records import Garment

__all__ = ["Description", "Gallery", "describe", "distance"]

Floats = NDArray[np.float64]

_LOGIT_LIMIT = 4.0
_MOST = 64
_PARTS: tuple[tuple[str, ...], ...] = (("top", "knit", "outer", "dress"), ("trousers", "skirt", "shorts", "dress"))
_ATTRIBUTES = 8.0  # weight of the attributes against that of the colours of one part of the body
_UNKNOWN = 0.45  # distance of colours where one of two was not seen: between that of the same and of two strangers

THRESHOLD, MARGIN = 0.125, 0.02
"""Chosen by `comfywear-export evaluate reid --split train --limit 200 --choose`; to be done again for a new model."""


class Description(NamedTuple):
    """What somebody looks like.

    Attributes:
        logits: `(A,)` of the attribute model, cut at ±4.
        colours: Of the upper and the lower body, by name a share; the shares of a part sum to about 1, none = unseen.
    """

    logits: Floats
    colours: tuple[Mapping[str, float], ...]


def describe(attributes: ArrayLike, garments: Iterable[Garment]) -> Description | None:
    """The description of a person with `(A,)` probabilities of attributes and garments; None without attributes."""
    p = np.clip(np.asarray(attributes, np.float64), 1e-6, 1.0 - 1e-6)
    if not p.size:
        return None
    logits = np.clip(np.log(p / (1.0 - p)), -_LOGIT_LIMIT, _LOGIT_LIMIT)
    worn = tuple(garments)
    return Description(logits, tuple(_mixed(garment for garment in worn if garment.kind in part) for part in _PARTS))


def _mixed(garments: Iterable[Garment]) -> dict[str, float]:
    """The colours of one part of the body: those of its garments, each by how much it is believed."""
    out: dict[str, float] = {}
    for garment in garments:
        for colour in garment.colours:
            out[colour.name] = out.get(colour.name, 0.0) + garment.probability * colour.share
    total = sum(out.values())
    return {name: share / total for name, share in out.items()} if total > 0.0 else {}


def distance(a: Description, b: Description) -> float:
    """How different two descriptions are, 0…1: of the attributes and of the colours of both parts of the body."""
    attributes = float(np.abs(a.logits - b.logits).mean()) / (2.0 * _LOGIT_LIMIT)
    colours = sum(_apart(one, other) for one, other in zip(a.colours, b.colours, strict=True))
    return (_ATTRIBUTES * attributes + colours) / (_ATTRIBUTES + len(_PARTS))


def _apart(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Half the sum of the differences of two sets of shares."""
    if not a or not b:
        return _UNKNOWN
    return 0.5 * sum(abs(a.get(name, 0.0) - b.get(name, 0.0)) for name in a.keys() | b.keys())


class Gallery:
    """Those who left, for a while.

    Args:
        keep_s: For how long.
        threshold: Largest distance at which somebody is known again.
        margin: The second best must be this much further away.
    """

    def __init__(self, keep_s: float = 300.0, *, threshold: float = THRESHOLD, margin: float = MARGIN) -> None:
        if not keep_s > 0.0:
            raise UsageError(f"a gallery is kept for a positive time, not {keep_s} s")
        self._keep_s, self._threshold, self._margin = keep_s, threshold, margin
        self._left: dict[int, tuple[float, Description]] = {}

    def __len__(self) -> int:
        """How many are remembered; those who left too long ago are dropped at the next `add` or `find`."""
        return len(self._left)

    def add(self, person: int, description: Description, now_s: float) -> None:
        """Remember who left at `now_s`; beyond 64 the one who left first is forgotten."""
        self._drop_old(now_s)
        self._left.pop(person, None)
        self._left[person] = (now_s, description)
        while len(self._left) > _MOST:
            del self._left[min(self._left, key=lambda each: self._left[each][0])]

    def find(self, description: Description, now_s: float, without: Collection[int] = ()) -> int | None:
        """The id of whoever came back, who is then no longer in the gallery; None for a stranger.

        Args:
            description: Of the newcomer.
            now_s: When.
            without: Ids that are present and hence cannot be meant.
        """
        self._drop_old(now_s)
        known = {
            person: each
            for person, (_, each) in self._left.items()
            if person not in without and len(each.logits) == len(description.logits)
        }
        found = self.choose({person: distance(description, each) for person, each in known.items()})
        if found is not None:
            del self._left[found]
        return found

    def choose(self, distances: Mapping[int, float]) -> int | None:
        """Who is meant, by the distance of each: the nearest, if near enough and clearly nearer than the second."""
        ranked = sorted((apart, person) for person, apart in distances.items())
        if not ranked or ranked[0][0] > self._threshold:
            return None
        if len(ranked) > 1 and ranked[1][0] - ranked[0][0] < self._margin:
            return None
        return ranked[0][1]

    def _drop_old(self, now_s: float) -> None:
        self._left = {person: entry for person, entry in self._left.items() if now_s - entry[0] <= self._keep_s}
