"""The table of colour names: a smooth fit to what people answered in the xkcd colour survey (C3's aggregation).

The survey gives, for 5 × 5 × 5 bins of CIELAB, how often each basic term was answered. The answers are modelled by
multinomial logistic regression on Gaussian bumps over CIELAB (a radial basis function network with a softmax; Bishop,
"Pattern Recognition and Machine Learning", 2006, sections 4.3.4 and 6.3), fitted by penalised maximum likelihood, so
that every answer counts and the shares stay probabilities up to the edge of the gamut.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comfywear.colour import BASIC_TERMS, rgb_to_lab
from comfywear.colour.names import GRID, expand_table
from comfywear.errors import SourceError

__all__ = ["SURVEY", "Fit", "Survey", "build_table", "cross_validate", "fit_shares", "load_survey", "tone_limits"]

SURVEY = Path("colour") / "xkcd_c3_dev.json"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Survey:
    """The survey's bins: centres as `lab (N, 3)` and `rgb (N, 3)` 0…255, `answers (N, 11)` in order of BASIC_TERMS."""

    lab: Floats
    rgb: Floats
    answers: Floats
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Fit:
    """How the survey is smoothed; the defaults have the lowest log-loss in `comfywear-export train colour --compare`.

    Attributes:
        widths: Standard deviations of the bumps, in CIELAB units: one model each, their shares averaged. Bumps stand
            on every second bin of each axis.
        penalty: On the squared weights of the bumps, per answer.
        steps: At most so many steps of L-BFGS.
    """

    widths: tuple[float, ...] = (10.0, 12.0, 15.0)
    penalty: float = 1e-7
    steps: int = 300


def load_survey(path: Path) -> Survey:
    """The survey's file; raises SourceError where it is missing or of another form."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        order = [document["terms"].index(term) for term in BASIC_TERMS]
        items = document["items"]
        lab = np.array([item["lab"] for item in items], dtype=np.float64)
        rgb = np.array([item["rgb"] for item in items], dtype=np.float64)
        answers = np.array([item["answers"] for item in items], dtype=np.float64)[:, order]
    except OSError as error:
        raise SourceError(f"cannot read the survey: {error} (--data names the folder that holds {SURVEY})") from None
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise SourceError(f"{path} is not a file of survey answers with terms, lab, rgb, answers: {error!r}") from None
    return Survey(lab, rgb, answers, str(document.get("source", "")), str(document.get("licence", "")))


def fit_shares(survey: Survey, fit: Fit) -> Callable[[Floats], Floats]:
    """Fit the survey; returns a function from sRGB `(M, 3)` 0…255 to shares `(M, 11)` whose rows sum to 1."""
    models = [_fit_width(survey, width, fit) for width in fit.widths]

    def shares(rgb: Floats) -> Floats:
        mean: Floats = np.mean([model(rgb) for model in models], axis=0)
        return mean

    return shares


def _fit_width(survey: Survey, width: float, fit: Fit) -> Callable[[Floats], Floats]:
    from scipy.optimize import minimize  # a workstation's package: the command line must start without it

    bumps = survey.lab[(survey.lab % 10.0 == 0.0).all(axis=1)]
    design = _features(rgb_to_lab(survey.rgb), bumps, width)
    answers = survey.answers
    total = answers.sum(axis=1, keepdims=True)
    count = total.sum()
    # The constant and the quadratic carry the broad trend: they are held back much less than the bumps.
    penalty = fit.penalty * np.r_[np.ones(len(bumps)), np.full(design.shape[1] - len(bumps), 0.01)][:, None]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(design.shape[1], answers.shape[1])
        log_shares = _log_softmax(design @ weights)
        gradient = design.T @ (total * np.exp(log_shares) - answers) / count + 2 * penalty * weights
        return float(-(answers * log_shares).sum() / count + (penalty * weights**2).sum()), gradient.ravel()

    start = np.zeros(design.shape[1] * answers.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": fit.steps})
    weights = found.x.reshape(design.shape[1], answers.shape[1])
    return lambda rgb: np.exp(_log_softmax(_features(rgb_to_lab(rgb), bumps, width) @ weights))


def cross_validate(survey: Survey, fit: Fit, folds: int = 10, seed: int = 0) -> tuple[float, float]:
    """Tenfold cross-validation on the survey's bins.

    Returns:
        Mean log-loss of the left-out answers (nats, each bin counts the same) and the fraction of left-out bins whose
        most frequent answer is met.
    """
    fold = np.random.default_rng(seed).integers(0, folds, len(survey.rgb))
    loss, right = 0.0, 0
    for k in range(folds):
        left, kept = fold == k, fold != k
        part = Survey(survey.lab[kept], survey.rgb[kept], survey.answers[kept], survey.source, survey.licence)
        predicted = fit_shares(part, fit)(survey.rgb[left])
        answers = survey.answers[left]
        shares = answers / answers.sum(axis=1, keepdims=True)
        # One answer in a hundred is noise, as in any survey; it also keeps the loss finite.
        loss -= float((shares * np.log(0.99 * predicted + 0.01 / len(BASIC_TERMS))).sum())
        right += int((predicted.argmax(axis=1) == answers.argmax(axis=1)).sum())
    return loss / len(survey.rgb), right / len(survey.rgb)


def build_table(survey: Survey, fit: Fit) -> NDArray[np.uint8]:
    """Shares at the 32 × 32 × 32 grid points of the sRGB cube, `(32, 32, 32, 11)`, 0…255."""
    axis = np.linspace(0.0, 255.0, GRID)
    shares = fit_shares(survey, fit)
    planes = [
        shares(np.stack(np.meshgrid([red], axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)).reshape(GRID, GRID, -1)
        for red in axis
    ]
    return np.rint(np.stack(planes) * 255.0).astype(np.uint8)


def tone_limits(table: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Per term the 20th and 80th percentile of L* and of C* of all sRGB colours that it names: `(11, 4)`."""
    cells = expand_table(table)
    side = cells.shape[0]
    axis = (np.arange(side) + 0.5) * (256 / side) - 0.5
    lab = rgb_to_lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)).reshape(-1, 3)
    names = cells.argmax(axis=-1).ravel()
    limits = np.empty((len(BASIC_TERMS), 4), dtype=np.float32)
    for term in range(len(BASIC_TERMS)):
        own = lab[names == term]
        limits[term, :2] = np.percentile(own[:, 0], (20, 80))
        limits[term, 2:] = np.percentile(np.hypot(own[:, 1], own[:, 2]), (20, 80))
    return limits


def _features(lab: Floats, bumps: Floats, width: float) -> Floats:
    """The bumps, then a constant, the coordinates and their products (scaled to about one): `(M, B + 10)`."""
    squares = (lab**2).sum(axis=1)[:, None] + (bumps**2).sum(axis=1) - 2 * lab @ bumps.T
    scaled = (lab - (50.0, 0.0, 0.0)) / 50.0
    first, second = np.triu_indices(3)
    products = scaled[:, first] * scaled[:, second]
    return np.hstack([np.exp(-0.5 * squares / width**2), np.ones((len(lab), 1)), scaled, products])


def _log_softmax(values: Floats) -> Floats:
    shifted = values - values.max(axis=1, keepdims=True)
    log_shares: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_shares
