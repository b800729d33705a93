"""What a garment's find is worth, once the attribute model has said what its wearer wears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comfywear.records import Box, Detection
from comfywear.vision.people.wardrobe import GarmentRules, group_probability, wearers

__all__ = ["weighed"]

_LEAST = 1e-4  # of a probability, so that no answer rules a find out for good


def weighed(
    persons: Sequence[Box],
    attributes: Sequence[Mapping[str, float]],
    garments: Sequence[Detection],
    rules: GarmentRules,
) -> list[Detection]:
    """The finds with other scores: of a kind that the attribute model knows, on a person whom it has seen.

    Of a person's finds of a kind, the best gets the geometric mean of its score and the attribute model's probability
    (a logarithmic opinion pool, Genest and Zidek 1986), `rules.pooled` being the share of the latter. The others fall
    behind it by the power `rules.double` of how far they were behind: mostly one of them is right.

    Args:
        persons: Boxes, in the pixels of the finds.
        attributes: Of each person, probabilities by label; empty where nothing is known.
        garments: Finds of garments; what nobody wears stays as it is.
        rules: How much either counts.

    Returns:
        As many finds, in the same order, scores 0…1.
    """
    owners = wearers(persons, garments, rules)
    best: dict[tuple[int, str], float] = {}
    for find, owner in zip(garments, owners, strict=True):
        best[owner, find.label] = max(best.get((owner, find.label), 0.0), find.score)
    out = []
    for find, owner in zip(garments, owners, strict=True):
        said = group_probability(find.label, attributes[owner]) if owner >= 0 else None
        if said is not None and find.score > 0.0:
            top = best[owner, find.label]
            pooled: float = top ** (1.0 - rules.pooled) * max(said, _LEAST) ** rules.pooled
            find = Detection(find.box, pooled * (find.score / top) ** rules.double, find.label)
        out.append(find)
    return out
