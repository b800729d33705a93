"""What one change would help most, and by how much.

Clothing and moving air are weighed by the heat balance: the change of PMV is turned into the change of temperature
that does the same. What people would then say comes from the model of votes at that temperature. The model of votes
is not asked about clothing itself: people dress for the cold, so that across votes more clothing goes with *cooler*
votes, which says nothing about what taking a jacket off does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from comfywear.comfort.clothing.garments import GARMENTS
from comfywear.comfort.standards.pmv import pmv_ppd
from comfywear.records import Clothing
from comfywear.texts import Text

__all__ = ["Proposal", "Situation", "advise", "proposals"]

# A layer to take off must be worth this much, and a change must move at least this share of people.
_LAYER_CLO, _LEAST_GAIN = 0.08, 0.01
_MOST = 3


class Situation(NamedTuple):
    """The inputs of the heat balance, and the clothing that `clo` comes from."""

    tdb: float
    tr: float
    vr: float
    rh: float
    met: float
    clo: float
    clothing: Clothing


class _Change(NamedTuple):
    words: str
    kelvin: float


class Proposal(NamedTuple):
    """A change that can be made here.

    Attributes:
        words: What to do.
        kelvin: The change of temperature that does the same, K.
        gain: By how much the share of people who want no change would rise.
        after: That share afterwards.
    """

    words: str
    kelvin: float
    gain: float
    after: float


def proposals(now: Situation, wishes: Callable[[float], tuple[float, ...]]) -> tuple[Proposal, ...]:
    """Every change that can be made, also those that would not help, the one that would help most first.

    Args:
        now: The situation.
        wishes: (warmer, no change, cooler) with everything warmer by so many K.
    """
    before = wishes(0.0)
    found = []
    for words, kelvin in _changes(now, too_warm=before[2] > before[0]):
        after = wishes(kelvin)[1]
        found.append(Proposal(words, kelvin, after - before[1], after))
    return tuple(sorted(found, key=lambda proposal: -proposal.gain))


def advise(now: Situation, wishes: Callable[[float], tuple[float, ...]]) -> tuple[str, ...]:
    """Sentences from `proposals`; empty when none would satisfy noticeably more people."""
    helpful = [proposal for proposal in proposals(now, wishes) if proposal.gain >= _LEAST_GAIN]
    return tuple(
        _worth(words, kelvin, f"{100 * after:.0f}", f"{100 * (after - gain):.0f}")
        for words, kelvin, gain, after in helpful[:_MOST]
    )


def _worth(words: str, kelvin: float, after: str, before: str) -> Text:
    if words.startswith("make the air"):
        return Text(
            "{what}: {after}% instead of {before}% would want no change", what=words, after=after, before=before
        )
    return Text(
        "{what} (like {kelvin} K {way}): {after}% instead of {before}% would want no change",
        what=words, kelvin=f"{abs(kelvin):.1f}", way="cooler" if kelvin < 0 else "warmer", after=after,
        before=before,
    )  # fmt: skip


def _changes(now: Situation, too_warm: bool) -> list[_Change]:
    present = _pmv(now)
    by_kelvin = _pmv(now._replace(tdb=now.tdb + 1.0, tr=now.tr + 1.0)) - present

    def like(changed: Situation) -> float:
        return (_pmv(changed) - present) / by_kelvin

    if not too_warm:
        warmer = now._replace(clo=now.clo + 0.25)
        return [
            _Change(Text("make the air 1 K warmer"), 1.0),
            _Change(Text("put a sweater or jacket on"), like(warmer)),
        ]
    changes = [_Change(Text("make the air 1 K cooler"), -1.0)]
    if layer := _outer_layer(now.clothing):
        name, clo = layer
        lighter = now._replace(clo=max(now.clo - 0.835 * clo, 0.0))
        changes.append(_Change(Text("take the {garment} off", garment=name), like(lighter)))
    if now.vr < 0.7 and now.tdb < 34.0:
        changes.append(_Change(Text("more air, 0.3 m/s from a fan"), like(now._replace(vr=now.vr + 0.3))))
    return changes


def _outer_layer(clothing: Clothing) -> tuple[str, float] | None:
    """The outermost layer that was seen and can come off."""
    for slot in ("outer", "knit"):
        worn = [(name, clo) for name, clo, how in clothing.items if how == "seen" and _slot(name) == slot]
        if worn and (heaviest := max(worn, key=lambda item: item[1]))[1] >= _LAYER_CLO:
            return heaviest
    return None


def _slot(name: str) -> str | None:
    return GARMENTS[name].slot if name in GARMENTS else None


def _pmv(now: Situation) -> float:
    return float(pmv_ppd(now.tdb, now.tr, now.vr, now.rh, now.met, now.clo, limit=False).pmv)
