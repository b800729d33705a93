"""`comfywear/Asking-v0`: which two views are asked about next, so that few answers tell who is who (DRAL).

Action: the item of the pool that is asked about; 0 is the nearest to the query at the beginning. Observation:
`(pool, 13) float32`, 0…1: for each item the features of `dral.rounds.FEATURES`, and whether it may be asked about.
Reward: of the answer, the harder it was to tell the more (`Round.rewards`). An episode is terminated after as many
questions as are allowed, or when nothing is left to ask.

An item that was asked about may not be asked about again (`info["action_mask"]`); doing so all the same tells nothing
and costs 1. `info` has rank-1 and average precision of the whole gallery as it stands.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from comfywear.errors import UsageError
from comfywear_export.dral.embedding import whitened
from comfywear_export.dral.rounds import FEATURES, Round
from comfywear_export.dral.simulate import Asking, Crowd
from comfywear_export.environments.pictures import figure_of, picture_of

__all__ = ["AskingEnv", "made_up"]

Observation = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SELDOM = -1.0  # for asking what may not be asked
_PERSONS, _VIEWS, _SIZE = 80, 4, 16


class AskingEnv(gymnasium.Env[Observation, np.int64]):
    """A round of questions about one view of one person, whose own answers are right.

    Args:
        render_mode: "rgb_array" draws the pool, None nothing.
        vectors: `(N, V, D)` V views of each of N persons, as `dral.views.vectors` makes them of photos; None: made up
            anew at each `reset` that is given a seed.
        how: Size of the pool, questions at most, neighbours.

    Raises:
        UsageError: A render mode that there is none of, or too few views for the pool.
    """

    metadata = {  # noqa: RUF012 - gymnasium's own attribute
        "render_modes": ["rgb_array"],
        "render_fps": 2,
    }

    def __init__(
        self, render_mode: str | None = None, vectors: Floats | None = None, how: Asking | None = None
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise UsageError(f"render_mode {render_mode!r}: there is rgb_array, or None")
        self.render_mode = render_mode
        self._how = how or Asking()
        self._given = vectors
        if vectors is not None and (vectors.ndim != 3 or vectors.shape[0] * vectors.shape[1] <= self._how.pool):
            raise UsageError(
                f"vectors {vectors.shape}: (persons, views, size) with more views than the pool's {self._how.pool}"
            )
        self.action_space = gymnasium.spaces.Discrete(self._how.pool)
        shape = (self._how.pool, len(FEATURES) + 1)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, shape, np.float32)
        self._crowd: Crowd | None = None
        self._round: Round | None = None
        self._rows: Ints = np.zeros(0, np.int64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Another query of the same persons; with a seed and without `vectors`, of other persons."""
        super().reset(seed=seed, options=options)
        if self._crowd is None or (seed is not None and self._given is None):
            vectors = self._given if self._given is not None else made_up(self.np_random)
            self._crowd = Crowd(vectors, whitened(vectors.reshape(-1, vectors.shape[2])))
        query = int(self.np_random.integers(len(self._crowd.person)))
        self._round, self._rows = self._crowd.begin(query, self._how)
        return self._observed(self._round), self._told(self._round)

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Ask about an item, and take the answer.

        Raises:
            UsageError: An item that is not in the pool, before the first `reset`, or after the end.
        """
        now, crowd = self._round, self._crowd
        if now is None or crowd is None or now.over:
            raise UsageError("call reset() first")
        if not self.action_space.contains(np.int64(action)):
            raise UsageError(f"action {action}: the pool has 0 to {self._how.pool - 1}")
        item, reward = int(now.by_distance()[int(action)]), _SELDOM
        if self._mask(now)[int(action)]:
            reward = now.tell(item, crowd.same(int(self._rows[0]), int(self._rows[item])))
        else:
            now.asked += 1
        return self._observed(now), reward, now.over, False, self._told(now)

    def render(self) -> NDArray[np.uint8] | None:
        """`(H, W, 3) uint8` RGB: how like the query each item is, and what was answered; None without a render mode."""
        if self.render_mode is None or self._round is None:
            return None
        now = self._round
        items = now.by_distance()
        figure = figure_of(8.0, 3.0)
        axis = figure.subplots()
        colours = {1: "#3a9d6e", -1: "#c44e1e", 0: "#9aa5b1"}
        shown = [colours[int(now.graph.answers[item])] for item in items]
        axis.bar(range(len(items)), now.graph.sim[0, items], color=shown)
        axis.set_ylim(0, 1)
        axis.set_xlabel("views, nearest to the query first (green: the same person, red: another, grey: not asked)")
        axis.set_ylabel("similarity")
        axis.set_title(f"{now.asked} of {now.most} questions asked", loc="left", fontsize="medium")
        return picture_of(figure)

    def _mask(self, now: Round) -> NDArray[np.int8]:
        return np.isin(now.by_distance(), now.graph.open()).astype(np.int8)

    def _observed(self, now: Round) -> Observation:
        mask = self._mask(now)[:, None]
        features = now.features(now.by_distance()) * mask
        return np.asarray(np.clip(np.hstack([features, mask]), 0.0, 1.0), np.float32)

    def _told(self, now: Round) -> dict[str, Any]:
        assert self._crowd is not None
        ranked = self._crowd.ranked(now, self._rows)
        rank_1, precision = self._crowd.scores(int(self._rows[0]), ranked)
        return {"action_mask": self._mask(now), "rank_1": rank_1, "average_precision": precision}


def made_up(rng: np.random.Generator) -> Floats:
    """`(80, 4, 16)` views of persons who differ about as much from one another as their own views do: hard to tell."""
    persons = rng.normal(size=(_PERSONS, 1, _SIZE))
    return np.asarray(persons + 0.8 * rng.normal(size=(_PERSONS, _VIEWS, _SIZE)), np.float64)
