"""The ordinal model of votes: a cumulative logit whose terms are products of simple functions of the inputs.

P(vote ≤ k) = logistic(c_k − η) with η = Σ β f(inputs) and cutpoints c_1 < … < c_6 (McCullagh, Journal of the Royal
Statistical Society B 42, 1980). The file that holds β and c is plain JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort.site import complete
from comfywear.errors import ModelError

__all__ = ["ComfortFile", "OrdinalModel", "Term", "basis", "decide", "load_model", "three_classes"]

Array = NDArray[np.float64]
FUNCTIONS = ("linear", "above", "below")


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient and the functions that are multiplied with it: `(input, function, at, scale)` each.

    Functions of an input x: "linear" (x − at) / scale; "above" max(x − at, 0) / scale; "below" max(at − x, 0) / scale.
    A function of an unknown input is 0, so that it counts as the usual value `at`.
    """

    coefficient: float
    factors: tuple[tuple[str, str, float, float], ...]


@dataclass(frozen=True, slots=True)
class OrdinalModel:
    """A fitted cumulative logit over K ordered classes."""

    cutpoints: tuple[float, ...]
    terms: tuple[Term, ...]

    def predict(self, inputs: Mapping[str, Any]) -> Array:
        """`(N, K)` probabilities for columns `(N,)` of inputs, NaN where unknown."""
        eta = self.eta(inputs)
        below = 1.0 / (1.0 + np.exp(-np.clip(np.asarray(self.cutpoints) - eta[:, None], -35, 35)))
        rows = eta.shape[0]
        result: Array = np.diff(np.concatenate([np.zeros((rows, 1)), below, np.ones((rows, 1))], axis=1), axis=1)
        return result

    def eta(self, inputs: Mapping[str, Any]) -> Array:
        """`(N,)` η for columns `(N,)` of inputs, NaN where unknown: how warm it is on the scale of the cutpoints."""
        columns = {name: np.atleast_1d(np.asarray(value, float)) for name, value in inputs.items()}
        eta: Array = np.zeros(max((column.shape[0] for column in columns.values()), default=1))
        for term in self.terms:
            value: Any = term.coefficient
            for name, function, at, scale in term.factors:
                value = value * basis(columns.get(name), function, at, scale)
            eta += value
        return eta

    def predict_one(self, inputs: Mapping[str, float]) -> tuple[float, ...]:
        """K probabilities for plain floats; the equations of `predict` at a thirtieth of its time for one row."""
        eta = self.eta_one(inputs)
        below = [1.0 / (1.0 + exp(-min(max(cut - eta, -35.0), 35.0))) for cut in self.cutpoints]
        return tuple(b - a for a, b in zip([0.0, *below], [*below, 1.0], strict=True))

    def eta_one(self, inputs: Mapping[str, float]) -> float:
        """η for plain floats."""
        eta = 0.0
        for term in self.terms:
            value = term.coefficient
            for name, function, at, scale in term.factors:
                x = inputs.get(name)
                if x is None or x != x:
                    value = 0.0
                    break
                x = (x - at) / scale
                if function == "above":
                    x = max(x, 0.0)
                elif function == "below":
                    x = max(-x, 0.0)
                value *= x
            eta += value
        return eta


@dataclass(frozen=True, slots=True)
class ComfortFile:
    """The content of the model file: the two models, guesses for unknown inputs, and the decision rules."""

    id: str
    votes: OrdinalModel
    preference: OrdinalModel
    when_unknown: Mapping[str, Mapping[str, float]]
    neutral_within: float
    no_change_within: float

    @classmethod
    def from_json(cls, name: str, data: Mapping[str, Any]) -> ComfortFile:
        """The content of the file under an id; LookupError, TypeError or ValueError where it is no model."""
        return cls(
            name,
            _model(data["votes"], 7),
            _model(data["preference"], 3),
            {name: {key: float(value) for key, value in line.items()} for name, line in data["when_unknown"].items()},
            float(data["decision"]["neutral_within"]),
            float(data["decision"]["no_change_within"]),
        )

    def predict(self, inputs: Mapping[str, Any]) -> tuple[Array, Array]:
        """`(N, 7)` probabilities of votes and `(N, 3)` of warmer, no change, cooler."""
        full = complete(inputs, self.when_unknown)
        return self.votes.predict(full), self.preference.predict(full)

    def eta(self, inputs: Mapping[str, Any]) -> Array:
        """`(N,)` η of the votes: how warm it is on the scale of their cutpoints."""
        return self.votes.eta(complete(inputs, self.when_unknown))

    def eta_one(self, inputs: Mapping[str, float]) -> float:
        """The same for plain floats."""
        return self.votes.eta_one(complete(inputs, self.when_unknown))

    def eta_per_k(self, inputs: Mapping[str, float]) -> float:
        """How much η rises with a kelvin of air temperature, what is usual here staying what it is; at least 0.05."""
        fixed = dict(inputs) | {"usual_temp_c": self.usual_temp_c(inputs)}
        air = inputs["air_temp_c"]
        high, low = (self.eta_one(fixed | {"air_temp_c": air + by}) for by in (1.0, -1.0))
        return max((high - low) / 2.0, 0.05)

    def usual_temp_c(self, inputs: Mapping[str, float]) -> float:
        """What is usual here, °C: as given, or as guessed from the present air temperature."""
        return float(complete(inputs, self.when_unknown)["usual_temp_c"])

    def wishes_one(self, inputs: Mapping[str, float]) -> tuple[float, ...]:
        """Warmer, no change, cooler alone, for plain floats."""
        return self.preference.predict_one(complete(inputs, self.when_unknown))

    def wish_one(self, inputs: Mapping[str, float]) -> float:
        """η of the wishes above the point where as many want it warmer as cooler, for plain floats."""
        middle = sum(self.preference.cutpoints) / 2.0
        return self.preference.eta_one(complete(inputs, self.when_unknown)) - middle

    def predict_one(self, inputs: Mapping[str, float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The same as `predict` for plain floats."""
        full = complete(inputs, self.when_unknown)
        return self.votes.predict_one(full), self.preference.predict_one(full)


def basis(column: Array | None, function: str, at: float, scale: float) -> Any:
    """One function of `Term` over a column; unknown (None or NaN) is 0."""
    if column is None:
        return 0.0
    x = np.where(np.isnan(column), 0.0, column - at) / scale
    return x if function == "linear" else np.maximum(x if function == "above" else -x, 0.0)


def decide(probabilities: Array, within: float) -> NDArray[np.int64]:
    """`(N, K)` probabilities of K classes around a middle one → `(N,)` 0 below, 1 middle, 2 above.

    The mean of the distribution decides: the middle class when it lies within ±`within` of it. The likeliest class
    would be the middle one nearly always, because most votes are; how often it is right hardly differs for that.
    """
    half = probabilities.shape[1] // 2
    mean = probabilities @ np.arange(-half, half + 1.0)
    return 1 + (mean > within).astype(np.int64) - (mean < -within).astype(np.int64)


def three_classes(probabilities: Array) -> Array:
    """`(N, 7)` → `(N, 3)`: cool, neutral, warm."""
    parts = (probabilities[:, :3].sum(axis=1), probabilities[:, 3], probabilities[:, 4:].sum(axis=1))
    return np.stack(parts, axis=1)


@cache
def load_model(name_or_path: str = "comfort") -> ComfortFile:
    """The shipped model, or one by the path of its card; ModelError when its file is missing, altered or no model."""
    # Cards are read with msgspec, which takes half as long to load as numpy; the standards need no card.
    from comfywear_models import CardError, find, verify

    try:
        card, folder = find(name_or_path)
        path: Path = verify(card.files[0], folder)
        return ComfortFile.from_json(f"{card.name}-{card.version}", json.loads(path.read_text(encoding="utf-8")))
    except (CardError, OSError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(f"the comfort model cannot be used: {error}") from error


def _model(data: Mapping[str, Any], classes: int) -> OrdinalModel:
    cutpoints = tuple(float(cut) for cut in data["cutpoints"])
    if len(cutpoints) != classes - 1 or list(cutpoints) != sorted(cutpoints):
        raise ValueError(f"needs {classes - 1} rising cutpoints, not {cutpoints}")
    terms = []
    for entry in data["terms"]:
        factors = tuple(
            (str(f["input"]), str(f["function"]), float(f["at"]), float(f["scale"])) for f in entry["factors"]
        )
        if unknown := {function for _, function, _, _ in factors} - set(FUNCTIONS):
            raise ValueError(f"functions that this version does not know: {', '.join(sorted(unknown))}")
        terms.append(Term(float(entry["coefficient"]), factors))
    return OrdinalModel(cutpoints, tuple(terms))
