"""The figures of `evaluate reid` on tables with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from comfywear_export.data.made_views import VIEWS
from comfywear_export.measure.reid import choose_threshold, figures


def test_perfect_and_hopeless_distances_give_the_figures_that_they_should() -> None:
    n = 40
    near, far = np.where(np.eye(n) > 0, 0.05, 0.4), np.full((n, n), 0.05)
    row = figures({"crop": near}, 0.1)["crop"]
    assert row == {"n": n, "rank1": 1.0, "known_again": 1.0, "mistaken": 0.0, "false_accepts": 0.0}
    row = figures({"crop": far}, 0.1)["crop"]
    assert (row["known_again"], row["false_accepts"]) == (0.0, 0.0)  # all alike: nobody is meant


def test_the_threshold_keeps_strangers_out_and_uses_what_room_there_is() -> None:
    rng = np.random.default_rng(0)
    table = rng.uniform(0.2, 0.6, (80, 80))
    np.fill_diagonal(table, rng.uniform(0.0, 0.15, 80))
    threshold = choose_threshold({"crop": table})
    assert threshold == pytest.approx(0.2, abs=0.02)
    row = figures({"crop": table}, threshold)["crop"]
    assert row["false_accepts"] <= 0.03
    assert row["known_again"] > 0.9


def test_persons_that_were_not_found_are_left_out() -> None:
    table = np.where(np.eye(30) > 0, 0.05, 0.4)
    table[3], table[:, 5] = np.nan, np.nan
    assert figures({"crop": table}, 0.1)["crop"]["n"] == 28


def test_every_made_view_is_a_picture_of_another_kind() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (200, 150, 3), dtype=np.uint8)
    before = image.copy()
    made = {name: view(image, np.array([40.0, 20.0, 110.0, 190.0]), rng) for name, view in VIEWS.items()}
    assert (image == before).all()
    assert (made.pop("plain") == image).all()
    assert {view.dtype for view in made.values()} == {np.dtype(np.uint8)}
    assert all(view.shape != image.shape or (view != image).any() for view in made.values())
    assert (made["desk"][130:] == made["desk"][-1, 0]).all()
