"""Clothing to insulation: from a list of garments, or from what the models saw, to clo with its standard deviation.

The garments' values are summed (Olesen, ASHRAE Transactions 91(2), 1985; the rule of ASHRAE 55), and the sum is turned
into the ensemble's insulation by I_cl = 0.161 + 0.835 Σ I_clu (McCullough and Jones 1984; ISO 9920). On the seven
ensembles of the data that list their garments, all rows of ASHRAE 55, the plain sum is 0.071 clo off on average and
the regression 0.037, so that the regression is used. `Clothing.sum_clo` keeps the plain sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from comfywear.comfort.clothing.garments import GARMENTS, GarmentClo, garment_clo
from comfywear.comfort.clothing.worn import Part, parts_of
from comfywear.errors import UsageError
from comfywear.records import Clothing, Person

__all__ = ["TYPICAL_INDOOR", "as_clothing", "clothing_of", "clothing_of_names", "ensemble_clo"]

# McCullough and Jones 1984 as ISO 9920 has it, and the error of the rule on the ensembles of ASHRAE 55 (clo).
INTERCEPT, SLOPE, RULE_SD = 0.161, 0.835, 0.045
# How much the clo of one look differs from the mean of a person's looks (`comfywear-export evaluate reid` on the train
# photos of Clothing Co-Parsing): the part of the deviation that falls as a person is seen longer.
LOOK_SD = 0.028

TYPICAL_INDOOR = Clothing(
    clo=0.65, clo_sd=0.29, sum_clo=0.59, assumptions=("nobody was seen: 0.65 clo was assumed, as indoors on average",)
)
"""Where nobody is seen: mean and spread of 77,651 votes of the ASHRAE Global Thermal Comfort Database II."""


def ensemble_clo(sum_clo: float) -> float:
    """Insulation of an ensemble, clo, from the sum of its garments'; nothing worn is 0, with no step in between."""
    return min(INTERCEPT + SLOPE * sum_clo, 2.0 * sum_clo)


def clothing_of_names(names: Iterable[str]) -> Clothing:
    """The ensemble of garments that a person names, such as `["t-shirt", "trousers", "sneakers"]`.

    Underwear, socks and shoes are added where none is named, and so are trousers or a top where the legs or the upper
    body would be bare; `items` says which are "assumed". UsageError names what an unknown garment may have meant.
    """
    rows = [garment_clo(name) for name in names if name.strip()]
    slots = {row.slot for row in rows}
    extra: list[GarmentClo] = []
    assumptions: list[str] = []

    def assume(garment: str) -> None:
        extra.append(GARMENTS[garment])

    dressed = "dress" in slots
    if not dressed and not slots & {"top", "knit", "outer"}:
        assume("long-sleeve shirt")
    elif not dressed and not slots & {"top", "knit"}:
        assume("t-shirt")
    if not dressed and "lower" not in slots:
        assume("trousers")
    if "underwear" not in slots:
        assume("underwear")
    if "footwear" not in slots:
        assume("shoes")
    if "legwear" not in slots and not any(row.name == "sandals" for row in rows):
        assume("socks")
    if extra:
        assumptions.append("assumed: " + ", ".join(row.name for row in extra))
    parts = [Part(row.name, ((row, 1.0),), seen=True) for row in rows]
    return _clothing(parts + [Part(row.name, ((row, 1.0),), seen=False) for row in extra], assumptions)


def as_clothing(clothing: Clothing | float) -> Clothing:
    """Clothing as it is, or a number of clo that is taken to be exact; UsageError for anything else."""
    if isinstance(clothing, Clothing):
        return clothing
    try:
        if isinstance(clothing, (str, bytes, bool)):
            raise TypeError
        return Clothing(clo=float(clothing), clo_sd=0.0)
    except (TypeError, ValueError):
        words = 'give a number of clo such as 0.5, or clothing_of_names(["t-shirt", "trousers"])'
        raise UsageError(f"clothing {clothing!r}: {words}") from None


def clothing_of(person: Person) -> Clothing:
    """Expected insulation of what the models saw on `person`, with the standard deviation of that.

    Garments and attributes are probabilities, so that the answer is an expected value over what it may be; a person
    of whom nothing was recognised gets the average of indoor clothes with a large deviation.
    """
    parts, assumptions = parts_of(person)
    return _clothing(parts, assumptions, looks=max(person.looks, 1))


def _clothing(parts: Sequence[Part], assumptions: Sequence[str], looks: int = 1) -> Clothing:
    """Sum the parts up. The mean of several looks errs less than one, by what looks at one person differ."""
    total = sum(part.clo for part in parts)
    variance = SLOPE**2 * sum(part.variance for part in parts) + RULE_SD**2
    variance -= min(LOOK_SD**2, variance / 2) * (1.0 - 1.0 / looks)
    items = [
        (part.likeliest.name, round(part.clo, 3), "seen" if part.seen else "assumed")
        for part in parts
        if part.clo >= 0.005 or part.likeliest.clo == 0.0
    ]
    items.sort(key=lambda item: (item[2] != "seen", -item[1]))
    return Clothing(
        clo=ensemble_clo(total),
        clo_sd=variance**0.5,
        items=tuple(items),
        sum_clo=total,
        assumptions=tuple(assumptions),
    )
