"""Learning from votes: what moves, how far, and what cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.comfort import ComfyWear, Site, clothing_of_names
from comfywear.comfort.votes.influence import PERSON_LIMITS, InfluenceLimits, VoteOrigin, influences
from comfywear.comfort.votes.levels import learn_levels
from comfywear.comfort.votes.ordinal import load_model
from comfywear.comfort.votes.personal import FARTHEST_SD, Evidence, Learnt, Population, learn, terms, tilted
from comfywear.comfort.votes.populations import load_populations
from comfywear.errors import ModelError
from comfywear_models import find

CUTS = np.asarray(load_model().votes.cutpoints)
KNOWN = load_populations()
DAY = 86400.0


def votes_of(offset: float, count: int, seed: int = 1) -> Evidence:
    """Votes −3…+3 of somebody who feels `offset` warmer (in η) than the model says."""
    random = np.random.default_rng(seed)
    eta = random.normal(0.0, 1.0, count)
    felt = eta + offset + random.logistic(size=count)
    return Evidence(eta, np.searchsorted(CUTS, felt), np.ones(count))


def test_without_votes_the_model_answers_as_it_is() -> None:
    eta = np.linspace(-3.0, 3.0, 7)
    nothing = learn(KNOWN.zones, CUTS, Evidence(np.zeros(0), np.zeros(0, int), np.zeros(0)))
    np.testing.assert_allclose(nothing.probabilities(eta), tilted(np.zeros(3), eta, CUTS, KNOWN.zones.tilt))


@pytest.mark.parametrize("offset", [-1.5, 0.0, 1.5])
def test_the_offset_of_votes_is_found(offset: float) -> None:
    learnt = learn(KNOWN.persons, CUTS, votes_of(offset, 200))
    assert learnt.offset == pytest.approx(offset, abs=0.4)
    assert learnt.offset_sd < 0.3
    few = learn(KNOWN.persons, CUTS, votes_of(offset, 5))
    assert abs(few.offset) < abs(learnt.offset) + 0.5
    assert few.offset_sd > learnt.offset_sd


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30))
def test_probabilities_are_probabilities_and_the_order_of_votes_plays_no_part(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    evidence = Evidence(random.normal(0, 2, count), random.integers(0, 7, count), random.uniform(0, 1, count))
    turned = Evidence(*(column[::-1] for column in evidence))
    one, other = learn(KNOWN.zones, CUTS, evidence), learn(KNOWN.zones, CUTS, turned)
    eta = np.linspace(-6, 6, 13)
    np.testing.assert_allclose(one.probabilities(eta).sum(axis=1), 1.0)
    assert (one.probabilities(eta) >= 0.0).all()
    np.testing.assert_allclose(one.probabilities(eta), other.probabilities(eta), atol=1e-3)


def test_the_derivatives_are_those_of_finite_differences() -> None:
    random = np.random.default_rng(2)
    eta, at = random.normal(0, 2, 5), np.asarray([0.3, -0.2, 0.5])
    _, slopes = terms(at, eta, CUTS, KNOWN.zones.tilt)
    for number, step in enumerate(np.eye(3) * 1e-5):
        high, low = (np.log(tilted(at + by, eta, CUTS, KNOWN.zones.tilt)) for by in (step, -step))
        np.testing.assert_allclose(slopes[:, :, number], (high - low) / 2e-5, atol=1e-5)


def pressed(levels: list[int], places: list[str], times_s: list[float], now_s: float) -> Learnt:
    """A zone's lesson from levels pressed at η 1 (rather warm), by the path that a device takes."""
    weight = influences([VoteOrigin(*each) for each in zip(places, times_s, strict=True)], now_s)
    evidence = Evidence(np.full(len(levels), 1.0), np.asarray(levels) - 1, weight)
    return learn_levels(KNOWN.zones, CUTS, evidence, KNOWN.levels).learnt


def test_discomfort_in_warm_air_teaches_that_the_zone_likes_it_cooler() -> None:
    times = [day * DAY for day in range(15)]
    unhappy = pressed([1, 2, 1] * 5, ["a"] * 15, times, 15 * DAY)
    happy = pressed([5, 4, 5] * 5, ["a"] * 15, times, 15 * DAY)
    assert unhappy.offset > 0.1 > happy.offset


def test_a_stuck_button_counts_as_three_votes_an_hour_and_never_moves_a_zone_without_bound() -> None:
    burst = pressed([1] * 1000, ["stuck"] * 1000, [number * 1.0 for number in range(1000)], 1000.0)
    assert burst.weight == pytest.approx(3.0 * KNOWN.zones.trust, rel=1e-3)
    month = [number * 3600.0 for number in range(720)]
    stuck = pressed([1] * 720, ["stuck"] * 720, month, month[-1])
    assert stuck.weight <= 60.0 * KNOWN.zones.trust + 1e-9
    farthest = FARTHEST_SD * np.sqrt(np.diag(KNOWN.zones.covariance))
    assert (np.abs(stuck.mean - KNOWN.zones.mean) <= farthest + 1e-9).all()


def test_an_angry_afternoon_hardly_outweighs_a_calm_month() -> None:
    calm = [day * DAY + 36000.0 for day in range(30)]
    before = pressed([4] * 30, ["wall"] * 30, calm, 30 * DAY)
    afternoon = [30 * DAY + 50000.0 + 60.0 * number for number in range(200)]
    after = pressed([4] * 30 + [1] * 200, ["wall"] * 230, calm + afternoon, 31 * DAY)
    alone = pressed([1] * 200, ["wall"] * 200, afternoon, 31 * DAY)
    assert abs(after.offset - before.offset) < 0.6 * abs(alone.offset - before.offset)
    assert after.weight - before.weight <= 8.0 * KNOWN.zones.trust


def test_two_tablets_at_once_are_two_places() -> None:
    times = [float(number) for number in range(10)] * 2
    both = pressed([1] * 20, ["left"] * 10 + ["right"] * 10, times, 20.0)
    one = pressed([1] * 10, ["left"] * 10, times[:10], 20.0)
    assert both.weight == pytest.approx(2 * one.weight)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 40 * DAY)), min_size=1, max_size=60))
def test_no_place_hour_or_day_has_more_than_its_say(presses: list[tuple[str, float]]) -> None:
    limits = InfluenceLimits()
    weight = influences([VoteOrigin(*each) for each in presses], 40 * DAY, limits)
    assert ((weight >= 0) & (weight <= 1)).all()
    for place in "abc":
        mine = np.asarray([name == place for name, _ in presses])
        assert weight[mine].sum() <= limits.place + 1e-9
        for day in range(41):
            today = np.asarray([int(time // DAY) == day for _, time in presses])
            assert weight[mine & today].sum() <= limits.place_day + 1e-9
            assert weight[today].sum() <= limits.day + 1e-9


def test_a_persons_votes_of_one_hour_are_one() -> None:
    presses = [VoteOrigin("ada", 600.0 * number) for number in range(6)] + [VoteOrigin("ada", 7200.0)]
    weight = influences(presses, 7200.0, PERSON_LIMITS)
    assert weight[:6].sum() == pytest.approx(1.0, abs=1e-3)
    assert weight[6] == pytest.approx(1.0)


def test_votes_fade_over_months() -> None:
    new, old = influences([VoteOrigin("a", 90 * DAY), VoteOrigin("a", 0.0)], 90 * DAY)
    assert new == pytest.approx(1.0)
    assert old == pytest.approx(0.5)


def test_the_table_of_levels_moves_to_what_is_pressed_here() -> None:
    evidence = Evidence(np.zeros(60), np.full(60, 4), np.ones(60))
    taught = learn_levels(KNOWN.zones, CUTS, evidence, KNOWN.levels)
    np.testing.assert_allclose(taught.table.sum(axis=0), 1.0)
    assert taught.table[4, 3] > 2 * KNOWN.levels[4, 3]
    assert taught.table[4, 0] < taught.table[4, 3]


def test_comfywear_bends_with_what_was_taught_and_not_without() -> None:
    model, wearing = ComfyWear(), clothing_of_names(["shirt", "trousers"])
    site = Site(usual_temp_c=24.0, usual_temp_sd_k=1.0)
    plain = model.estimate(25.0, 50.0, wearing, site=site)
    eta = model.eta(plain.inputs)
    random = np.random.default_rng(3)
    levels = np.where(random.random(60) < 0.8, 0, 1)
    evidence = Evidence(np.full(60, eta + 0.5), levels, np.ones(60))
    taught = learn_levels(KNOWN.zones, CUTS, evidence, KNOWN.levels)
    bent = model.estimate(25.0, 50.0, wearing, site=site, taught=taught)
    assert plain.expected_vote is not None
    assert bent.expected_vote is not None
    assert model.felt_warmer_k(plain.inputs, taught) > 0.1
    assert bent.expected_vote > plain.expected_vote
    assert bent.preference["cooler"] > plain.preference["cooler"]
    assert bent.pmv == plain.pmv
    assert bent.level is not None
    assert plain.level is not None
    assert bent.level <= plain.level
    nothing = learn_levels(KNOWN.zones, CUTS, Evidence(np.zeros(0), np.zeros(0, int), np.zeros(0)), KNOWN.levels)
    assert model.estimate(25.0, 50.0, wearing, site=site, taught=nothing) == plain


@pytest.mark.parametrize(
    ("key", "value"), [("mean", [0.0]), ("covariance", [[0.0] * 3] * 3), ("trust", 0.0), ("tilt", [[1.0, 2.0]])]
)
def test_a_prior_that_is_none_is_refused(key: str, value: object) -> None:
    good = {"mean": [0.0] * 3, "covariance": np.eye(3).tolist(), "tilt": np.eye(7)[[3]].tolist(), "trust": 1.0}
    assert Population.from_json(good).trust == 1.0
    with pytest.raises(ValueError):  # noqa: PT011 - numpy words some of them
        Population.from_json(good | {key: value})


def test_the_shipped_file_names_the_buildings_it_was_fitted_on() -> None:
    assert KNOWN.knows(1)
    assert not KNOWN.knows(100_000)
    assert find("personal")[0].training_data[0]["licence"]
    with pytest.raises(ModelError, match="no-such"):
        load_populations("no-such")


def test_names_that_are_typed_give_a_place_no_more_weight() -> None:
    crowd = influences([VoteOrigin("page", 1e9, f"p{index}") for index in range(500)], 1e9)
    assert crowd.sum() == pytest.approx(InfluenceLimits().place_hour)
    one_person = influences([VoteOrigin(f"tablet{index}", 1e9, "Ann") for index in range(10)], 1e9)
    assert one_person.sum() == pytest.approx(InfluenceLimits().place_hour)
