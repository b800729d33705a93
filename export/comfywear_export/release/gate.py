"""Whether a new model is good enough to take the place of the one in service: figure by figure, pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comfywear_models import Card

__all__ = ["FEWEST", "Fall", "Figure", "Tolerances", "compare", "figures"]

FEWEST = 20
"""A single class with fewer examples is not judged: one photo more or less moves its figure too far."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        value: 0…1.
        n: How many persons, boxes or photos it was measured on.
        single: Of one class alone, not a headline.
        lower: A smaller value is the better one.
    """

    value: float
    n: int
    single: bool = False
    lower: bool = False


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far a figure may fall: a headline figure, and that of a single class."""

    headline: float = 0.01
    single: float = 0.05


@dataclass(frozen=True, slots=True)
class Fall:
    """What speaks against a release.

    Attributes:
        name: Of the figure, as `--allow` takes it.
        was: In service; None where there is no such figure.
        now: Of the new model; None where it was not measured.
        why: In words.
    """

    name: str
    was: float | None
    now: float | None
    why: str


def figures(quality: Mapping[str, Any]) -> dict[str, Figure]:
    """The figures in a card's `quality` by name, such as "onnxruntime fp16: person AP50 on people validation"."""
    return {
        f"{form}: {name} on {data}": figure
        for form, sets in quality.items()
        for data, found in sets.items()
        for name, figure in _of_set(found)
        if figure is not None
    }


def compare(
    new: Card,
    current: Card,
    tolerances: Tolerances,
    measured: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
) -> tuple[dict[str, tuple[Figure | None, Figure | None]], list[Fall]]:
    """A new model beside the one in service.

    Args:
        new: Its card.
        current: That of the model in service.
        tolerances: How far figures may fall.
        measured: The `quality` of both where they were measured anew, side by side; else that of the cards.

    Returns:
        All figures by name (in service, new), and what speaks against the release.
    """
    was, now = (figures(quality) for quality in (measured[::-1] if measured else (current.quality, new.quality)))
    both = {name: (was.get(name), now.get(name)) for name in (*was, *(name for name in now if name not in was))}
    falls = [*_missing(new, current)]
    for name, (old, fresh) in both.items():
        if old is None:
            continue
        if fresh is None:
            if not old.single:
                falls.append(Fall(name, old.value, None, "the new model was not measured so"))
        elif old.n != fresh.n:
            why = f"measured on {old.n} and {fresh.n}: not the same photos (measure both with --data)"
            falls.append(Fall(name, old.value, fresh.value, why))
        elif not old.single or old.n >= FEWEST:
            limit = tolerances.single if old.single else tolerances.headline
            fall = (fresh.value - old.value) if old.lower else (old.value - fresh.value)
            if fall > limit + 1e-9:
                why = f"worse by {fall:.4f}, at most {limit:g} is tolerated"
                falls.append(Fall(name, old.value, fresh.value, why))
    return both, falls


def _of_set(found: Mapping[str, Any]) -> Iterator[tuple[str, Figure | None]]:
    if "person" in found:
        person, garments = found["person"], found["garments"]
        yield "person AP50", _figure(person["ap50"], person["n"])
        yield "person AP50:95", _figure(person["ap"], person["n"])
        yield "person F1 at the threshold", _figure(_f1(person["recall50"], person["precision50"]), person["n"])
        yield "garments mean AP50", _figure(garments["map50"], found["images"])
        for label, entry in garments["per_class"].items():
            yield f"{label} AP50", _figure(entry["ap50"], entry["n"], single=True)
    if "quick" in found:
        quiet = found["quick"]
        yield "photos of nobody with a person", _figure(quiet["share"], quiet["images"], lower=True)
    if "map_groups" in found:
        persons = found["persons"]
        yield "mean AP of the groups", _figure(found["map_groups"], persons)
        yield "mean AP of single garments", _figure(found["map_labels"], persons)
        yield "mean F1 of the groups", _figure(found["f1_groups"], persons)
        yield "right group decisions", _figure(found["decisions"]["right"], persons)
        yield "calibration error", _figure(found["calibration_error"], persons, lower=True)
        for label, entry in found["labels"].items():
            if label.startswith("group/"):
                yield f"{label} AP", _figure(entry["ap"], entry["positives"], single=True)


def _f1(recall: float | None, precision: float | None) -> float:
    """Zero where nothing was found, as the threshold then finds nothing."""
    return 2 * recall * precision / (recall + precision) if recall and precision else 0.0


def _figure(value: float | None, n: int, *, single: bool = False, lower: bool = False) -> Figure | None:
    return None if value is None or math.isnan(value) else Figure(value, n, single, lower)


def _missing(new: Card, current: Card) -> Iterator[Fall]:
    """What devices that run the model in service would miss."""
    forms = {f"{file.engine} {file.precision}" for file in new.files}
    for file in current.files:
        form = f"{file.engine} {file.precision}"
        if form not in forms:
            yield Fall(f"form {form}", None, None, "in service, but not among the new model's files")
    for label in current.labels:
        if label not in new.labels:
            yield Fall(f"label {label}", None, None, "the model in service knows it, the new one does not")
