"""The ordinal model of votes: a cumulative logit whose terms are sums and products of simple functions of the inputs.

P(vote ≤ k) = logistic((c_k − η) / s), with η = Σ β f(inputs), log s = Σ γ g(inputs), and cutpoints c_1 < … < c_6
(McCullagh, Journal of the Royal Statistical Society B 42, 1980). The file that holds β, γ and c is plain JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.errors import ModelError
from comfywear_models import CardError, find, verify

__all__ = ["OrdinalModel", "Term", "load_model"]

Array = NDArray[np.float64]
VOTES = np.arange(-3.0, 4.0)


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient and the functions that are multiplied with it: `(input, function, at, scale)` each.

    Functions of an input x: "linear" (x − at) / scale; "above" max(x − at, 0) / scale; "below" max(at − x, 0) / scale;
    "is" 1 where x equals `at`, else 0; "known" 1 where x is known, else 0. A function of an unknown input is 0.
    """

    coefficient: float
    factors: tuple[tuple[str, str, float, float], ...]


@dataclass(frozen=True, slots=True)
class OrdinalModel:
    """A fitted model; `predict` gives probabilities by row."""

    id: str
    cutpoints: Array
    terms: tuple[Term, ...]
    scale_terms: tuple[Term, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any], model_id: str) -> OrdinalModel:
        """The model of one section ("votes", "preference") of the file."""
        terms = [tuple(_term(entry) for entry in data.get(key, ())) for key in ("terms", "scale_terms")]
        return cls(model_id, np.asarray(data["cutpoints"], float), *terms)

    def predict(self, inputs: Mapping[str, Any]) -> Array:
        """`(N, K)` probabilities for inputs that broadcast to N rows; missing or NaN inputs count as unknown."""
        columns = {name: np.atleast_1d(np.asarray(value, float)) for name, value in inputs.items()}
        rows = max((column.shape[0] for column in columns.values()), default=1)
        eta, log_scale = sum_terms(self.terms, columns, rows), sum_terms(self.scale_terms, columns, rows)
        below = 1.0 / (1.0 + np.exp(-np.clip((self.cutpoints - eta[:, None]) * np.exp(-log_scale)[:, None], -35, 35)))
        edges = np.concatenate([np.zeros((rows, 1)), below, np.ones((rows, 1))], axis=1)
        probabilities: Array = np.diff(edges, axis=1)
        return probabilities


def sum_terms(terms: tuple[Term, ...], columns: Mapping[str, Array], rows: int) -> Array:
    """`(rows,)` sum of the terms."""
    total = np.zeros(rows)
    for term in terms:
        value: Any = term.coefficient
        for name, function, at, scale in term.factors:
            value = value * basis(columns.get(name), function, at, scale)
        total += value
    return total


def basis(column: Array | None, function: str, at: float, scale: float) -> Any:
    """One function of `Term` over a column; unknown (None or NaN) is 0."""
    if column is None:
        return 0.0
    known = ~np.isnan(column)
    if function == "known":
        return known.astype(float)
    if function == "is":
        return (column == at).astype(float)
    x = np.where(known, column - at, 0.0) / scale
    if function == "above":
        return np.maximum(x, 0.0)
    if function == "below":
        return np.maximum(-x, 0.0)
    if function == "linear":
        return x
    raise ModelError(f"the comfort model asks for a function {function!r} that this version does not know")


def _term(entry: Mapping[str, Any]) -> Term:
    factors = tuple(
        (str(f["input"]), str(f["function"]), float(f.get("at", 0)), float(f.get("scale", 1))) for f in entry["factors"]
    )
    return Term(float(entry["coefficient"]), factors)


@cache
def load_model(name_or_path: str = "comfort") -> tuple[dict[str, OrdinalModel], dict[str, Any]]:
    """The shipped model, or one by the path of its card: its ordinal parts by name, and the rest of its file.

    ModelError when the file is missing or is not the one on its card.
    """
    try:
        card, folder = find(name_or_path)
        path: Path = verify(card.files[0], folder)
        data = json.loads(path.read_text(encoding="utf-8"))
        model_id = f"{card.name}-{card.version}"
        parts = {key: OrdinalModel.from_json(data[key], model_id) for key in ("votes", "preference")}
    except (CardError, OSError, LookupError, ValueError) as error:
        raise ModelError(f"the comfort model cannot be used: {error}") from error
    return parts, data
