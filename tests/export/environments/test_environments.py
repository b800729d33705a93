"""The simulated room and DRAL's questions as environments: gymnasium's own checks, what they say, what they refuse."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfywear.errors import UsageError
from comfywear_export.setpoint.controllers import Schedule
from comfywear_export.setpoint.simulate import Prices, hours
from comfywear_export.setpoint.weather import make_year

gymnasium = pytest.importorskip("gymnasium", reason="needs gymnasium (scripts/setup)")
NAMES = ("comfywear_export.environments:comfywear/Room-v0", "comfywear_export.environments:comfywear/Asking-v0")


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_s_own_checker_has_nothing_to_say(name: str) -> None:
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(name, render_mode="rgb_array").unwrapped)


def test_a_program_that_imported_nothing_of_ours_makes_them_by_name() -> None:
    program = f"import gymnasium; print([gymnasium.make(name).unwrapped.action_space.n for name in {NAMES}])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip() == "[np.int64(3), np.int64(30)]", done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_and_actions_give_the_same_episode_and_other_seeds_others(name: str) -> None:
    def episode(seed: int) -> list[Any]:
        env = gymnasium.make(name)
        env.action_space.seed(1)
        told: list[Any] = [env.reset(seed=seed)[0]]
        for _ in range(8):
            observation, reward, *_ = env.step(env.action_space.sample())
            told += [observation, reward]
        return told

    first, again, other = episode(5), episode(5), episode(6)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_the_reward_is_what_the_simulation_charges() -> None:
    """A month of "no change" costs as much as the same month lived by the simulation that all else uses."""
    env = gymnasium.make(NAMES[0], days=30).unwrapped
    env.reset(seed=7)
    year = make_year(
        int(np.random.Generator(type(env.np_random.bit_generator)(np.random.SeedSequence(7))).integers(2**31))
    )
    paid, over = 0.0, False
    while not over:
        _, reward, _, over, info = env.step(1)
        paid += reward
        assert reward == -info["cost"]
    same = Schedule(22.0, 22.0, 4.0)
    cost = sum(float(passed.cost[0]) for passed in hours([year], same.setpoint, Prices(), days=30))
    assert paid == pytest.approx(-cost)


def test_a_move_that_the_mask_forbids_is_no_move() -> None:
    env = gymnasium.make(NAMES[0], days=30)
    observation, info = env.reset(seed=1)
    forbidden = 0
    for _ in range(24 * 20):
        before, mask = observation[0], info["action_mask"]
        observation, _, _, _, info = env.step(2)
        if not mask[2]:
            forbidden += 1
            assert observation[0] == before
        assert observation[0] <= 27.0
    assert forbidden > 10


def test_an_item_asked_about_again_tells_nothing_costs_one_and_counts_as_a_question() -> None:
    env = gymnasium.make(NAMES[1])
    env.reset(seed=2)
    _, _, _, _, told = env.step(0)
    _, reward, over, _, again = env.step(0)
    assert (reward, again["average_precision"]) == (-1.0, told["average_precision"])
    assert not told["action_mask"][0]
    questions = 2
    while not over:
        _, _, over, _, _ = env.step(0)
        questions += 1
    assert questions == 10


def test_answers_about_the_nearest_tell_who_is_who() -> None:
    env = gymnasium.make(NAMES[1])
    before, after = [], []
    env.reset(seed=3)
    for _ in range(20):
        _, info = env.reset()
        before.append(info["average_precision"])
        for item in range(10):
            _, _, over, _, info = env.step(item)
            if over:
                break
        after.append(info["average_precision"])
    assert np.mean(after) > np.mean(before) + 0.1


@pytest.mark.parametrize("name", NAMES)
def test_its_picture_shows_what_happens(name: str) -> None:
    env = gymnasium.make(name, render_mode="rgb_array")
    env.reset(seed=1)
    first = env.render()
    for number in range(9):
        env.step(number % 3)
    then = env.render()
    assert then.dtype == np.uint8
    assert first.shape == then.shape
    assert first.ndim == 3
    assert (first != then).any(axis=2).mean() > 0.01
    assert gymnasium.make(name).unwrapped.render() is None


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (NAMES[0], {"days": 0}, "days 0"),
        (NAMES[0], {"days": 366}, "days 366"),
        (NAMES[0], {"render_mode": "ansi"}, "render_mode 'ansi'"),
        (NAMES[1], {"render_mode": "ansi"}, "render_mode 'ansi'"),
        (NAMES[1], {"vectors": np.zeros((5, 4, 3))}, "more views than the pool's 30"),
    ],
)
def test_what_cannot_be_made_says_why(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        gymnasium.make(name, **options)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_out_of_turn_says_what_to_do(name: str) -> None:
    env = gymnasium.make(name).unwrapped
    with pytest.raises(UsageError, match=r"reset\(\)"):
        env.step(0)
    env.reset(seed=1)
    with pytest.raises(UsageError, match="action 99"):
        env.step(99)


@pytest.mark.export
def test_an_agent_of_another_library_learns_in_the_room(tmp_path: Path) -> None:
    """Stable-Baselines3's PPO as it comes, for two weeks: the interface fits; it is not said that it learns much."""
    sb3 = pytest.importorskip("stable_baselines3", reason="needs stable-baselines3 (scripts/setup --export)")
    agent = sb3.PPO("MlpPolicy", gymnasium.make(NAMES[0], days=7), n_steps=168, batch_size=56, seed=1, device="cpu")
    agent.learn(336)
    agent.save(tmp_path / "agent.zip")
    env = gymnasium.make(NAMES[0], days=7)
    observation, _ = env.reset(seed=2)
    over = False
    while not over:
        action, _ = agent.predict(observation, deterministic=True)
        observation, _, _, over, _ = env.step(action)


@pytest.mark.export
def test_gymnasium_s_own_recorder_films_a_day(tmp_path: Path) -> None:
    import cv2

    pytest.importorskip("moviepy", reason="needs moviepy (scripts/setup --export)")
    env = gymnasium.wrappers.RecordVideo(
        gymnasium.make(NAMES[0], render_mode="rgb_array", days=1), str(tmp_path / "films")
    )
    env.reset(seed=1)
    over = False
    while not over:
        _, _, _, over, _ = env.step(1)
    env.close()
    film = cv2.VideoCapture(str(next(tmp_path.glob("films/*.mp4"))))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) >= 24
