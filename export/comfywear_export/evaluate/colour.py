"""`comfywear-export evaluate colour`: how often the basic names agree with what people said."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comfywear.colour import BASIC_TERMS, basic_names
from comfywear.errors import SourceError

__all__ = ["AnswerSet", "add_parser", "evaluate", "load_answers", "run"]

# From this share of people on, they agree.
AGREED = 0.8


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """Colours with the term that most people gave them.

    Attributes:
        name: Of the set.
        rgb: `(N, 3)`, 0…255, a little beyond where a colour is out of sRGB's gamut.
        terms: N basic terms.
        shares: The share of people who gave it `(N,)`, NaN where the set does not say.
    """

    name: str
    rgb: NDArray[np.float64]
    terms: list[str]
    shares: NDArray[np.float64]


def load_answers(path: Path) -> AnswerSet:
    """Read a file of colour-naming answers; raises SourceError saying what is missing or wrong in it."""
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        items = document["items"]
        rgb = np.array([item["rgb"] for item in items], dtype=np.float64)
        terms = [str(item["term"]) for item in items]
        shares = np.array([item.get("share", np.nan) for item in items], dtype=np.float64)
        name = str(document["set"])
    except OSError as error:
        raise SourceError(f"cannot read the answers: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{path} is not a file of answers with set and items of rgb and term: {error!r}") from None
    strange = sorted(set(terms) - set(BASIC_TERMS))
    if strange or not terms or rgb.shape != (len(terms), 3) or not np.isfinite(rgb).all():
        raise SourceError(
            f"{path} must hold items with three rgb values and a basic term each, got {strange or 'none'}"
        )
    return AnswerSet(name, rgb, terms, shares)


def evaluate(answers: AnswerSet) -> dict[str, str | int | float | None]:
    """`accuracy` over all items and `accuracy_agreed` over those with a share of 0.8 or more (None without any)."""
    right = np.array([said == term for said, term in zip(basic_names(answers.rgb), answers.terms, strict=True)])
    agreed = answers.shares >= AGREED
    return {
        "set": answers.name,
        "n": len(right),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_agreed": round(float(right[agreed].mean()), 4) if agreed.any() else None,
        "n_agreed": int(agreed.sum()),
    }


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subject."""
    parser = commands.add_parser("colour", help="compare the basic colour names with people's answers")
    parser.add_argument("file", type=Path, help='JSON: {"set": NAME, "items": [{"rgb": [r, g, b], "term": …}, …]}')
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the accuracy on one file."""
    answers = load_answers(args.file)
    result = evaluate(answers)
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{result['set']}: {result['n']} colours, {result['accuracy']:.1%} named as most people do")
        if result["accuracy_agreed"] is not None:
            print(f"where 80 % of people agree: {result['n_agreed']} colours, {result['accuracy_agreed']:.1%}")
    return 0
