"""The reward model as a file, and the adviser's proposals in the order that it gives them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from comfywear.comfort import ComfyWear
from comfywear.comfort.advice import Proposal
from comfywear.errors import UsageError
from comfywear.records import Clothing
from comfywear_export.comfort.pairs import BASES, features
from comfywear_export.ledger import write_whole

__all__ = ["Ranked", "RewardModel", "rank"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RewardModel:
    """How good situations are to people, on a scale without a zero: only differences mean anything.

    Attributes:
        coefficients: `(F,)` of the terms of `comfywear_export.comfort.pairs.features`.
        when_unknown: Guesses for what is usual in a place.
        rating: What people were asked, "preference", "vote" or "comfort".
    """

    coefficients: Array
    when_unknown: Mapping[str, Mapping[str, float]]
    rating: str

    def reward(self, inputs: Mapping[str, Any]) -> Array:
        """`(N,)` for columns `(N,)` of inputs, NaN where unknown; σ of a difference is P(rated better)."""
        result: Array = features(inputs, self.when_unknown) @ self.coefficients
        return result

    def reward_one(self, inputs: Mapping[str, float]) -> float:
        """The same for plain floats."""
        return float(self.reward({name: np.asarray([value]) for name, value in inputs.items()})[0])

    def save(self, folder: Path, card: Mapping[str, Any]) -> Path:
        """Write `reward.json` and its card `reward.card.json` with the hash; returns the first."""
        content = {
            "rating": self.rating,
            "bases": [list(base) for base in BASES],
            "coefficients": [round(float(value), 6) for value in self.coefficients],
            "when_unknown": self.when_unknown,
        }
        text = json.dumps(content, indent=1) + "\n"
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = folder / "reward.json"
        write_whole(path, text)
        file = {
            "path": path.name, "engine": "numpy", "precision": "float64", "sha256": digest, "bytes": len(text.encode()),
        }  # fmt: skip
        full = json.dumps({**card, "files": [file]}, indent=1, ensure_ascii=False) + "\n"
        write_whole(folder / "reward.card.json", full)
        return path

    @classmethod
    def load(cls, path: Path) -> RewardModel:
        """Read such a file; UsageError when it is none."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if [tuple(base) for base in data["bases"]] != list(BASES):
                raise ValueError("its inputs are not those of this version")
            coefficients = np.asarray(data["coefficients"], float)
            if coefficients.shape != (len(BASES) * (len(BASES) + 3) // 2,) or not np.isfinite(coefficients).all():
                raise ValueError("a coefficient is missing or no number")
            return cls(coefficients, data["when_unknown"], str(data["rating"]))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror}); make it with tune preference") from error
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: not a reward model: {error}") from error


class Ranked(NamedTuple):
    """A proposal of the adviser, and by how much it raises the reward."""

    proposal: Proposal
    reward: float


def rank(model: RewardModel, adviser: ComfyWear, inputs: Mapping[str, float], clothing: Clothing) -> Sequence[Ranked]:
    """The adviser's proposals, the one that raises the reward most first.

    As in the adviser, clothing and moving air are asked about as the change of temperature that does the same: people
    dress for the cold, so that clothing itself says in the data how cold it was.

    Args:
        model: Orders them.
        adviser: Makes them.
        inputs: `Comfort.inputs` of an estimate.
        clothing: Of that estimate.
    """
    now = model.reward_one(adviser.moved(inputs, 0.0))
    found = [
        Ranked(each, model.reward_one(adviser.moved(inputs, each.kelvin)) - now)
        for each in adviser.proposals(inputs, clothing)
    ]
    return sorted(found, key=lambda ranked: -ranked.reward)
