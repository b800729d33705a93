"""Which photos are worth a label: scores, diversity, gaps in time, and the cycle that measures them."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from comfywear_export.active.cycle import STRATEGIES, Pool, Schedule, choose, run_arm
from comfywear_export.active.diversity import combined, gradient_embeddings, k_centre, top
from comfywear_export.active.head import Head, principal
from comfywear_export.active.scores import SCORES, entropy, margin, rare_entropy
from comfywear_export.active.spacing import Moment, spaced
from comfywear_export.active.worth import needed, summary
from comfywear_export.cli import main

probabilities = st.lists(st.floats(0, 1), max_size=12).map(np.array)
points = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=st.floats(-5, 5))


@settings(max_examples=30)
@given(st.floats(0, 1))
def test_entropy_is_one_bit_at_a_half_and_none_when_sure_and_symmetric(p: float) -> None:
    assert 0 <= entropy(np.array([p]))[0] <= 1
    assert entropy(np.array([p]))[0] == pytest.approx(entropy(np.array([1 - p]))[0], abs=1e-9)
    assert entropy(np.array([0.5]))[0] == 1
    assert entropy(np.array([0.0, 1.0])).max() < 1e-9


@settings(max_examples=30)
@given(st.lists(probabilities, min_size=1, max_size=6))
def test_sums_bound_maxima_and_an_empty_photo_is_worth_nothing(rows: list[np.ndarray]) -> None:
    values = {name: score([*rows, np.zeros(0)]) for name, score in SCORES.items()}
    for each in values.values():
        assert each.shape == (len(rows) + 1,)
        assert (each >= 0).all()
        assert each[-1] == 0
    assert (values["entropy-max"] <= values["entropy-sum"] + 1e-9).all()
    assert (values["margin"] <= 1).all()
    np.testing.assert_allclose(values["count"][:-1], [row.sum() for row in rows])


@settings(max_examples=30)
@given(st.lists(probabilities, min_size=1, max_size=6))
def test_the_order_of_a_photos_boxes_does_not_matter_but_another_box_counts_for_sums(
    rows: list[np.ndarray],
) -> None:
    turned = [row[::-1] for row in rows]
    for score in SCORES.values():
        np.testing.assert_allclose(score(rows), score(turned), atol=1e-9)
    more = [np.append(row, 0.5) for row in rows]
    np.testing.assert_allclose(SCORES["entropy-sum"](more), SCORES["entropy-sum"](rows) + 1, atol=1e-9)
    assert (SCORES["entropy-max"](more) == 1).all()


@settings(max_examples=30)
@given(st.floats(0.05, 0.95), st.floats(0, 1))
def test_margin_is_one_at_the_labels_own_threshold_and_nought_at_the_ends(limit: float, p: float) -> None:
    at = margin([np.array([limit]), np.array([0.0]), np.array([1.0]), np.array([p])], np.array([limit]))
    np.testing.assert_allclose(at[:3], [1, 0, 0], atol=1e-9)
    assert 0 <= at[3] <= 1


def test_labels_with_few_examples_weigh_more() -> None:
    rows = np.array([[0.5, 0.1], [0.1, 0.5]])
    assert rare_entropy(rows, np.array([100, 3]))[1] > rare_entropy(rows, np.array([100, 3]))[0]
    np.testing.assert_allclose(rare_entropy(rows, np.zeros(2)), SCORES["entropy-sum"](rows))


@settings(max_examples=30)
@given(points, st.integers(0, 15), st.booleans())
def test_k_centre_chooses_different_photos_each_the_farthest_from_those_before(
    where: np.ndarray, k: int, begun: bool
) -> None:
    labelled = where[:1] + 1 if begun else None
    chosen = k_centre(where, k, labelled)
    assert len(set(chosen.tolist())) == len(chosen) == min(k, len(where))
    known = [] if labelled is None else [labelled[0]]
    for number, each in enumerate(chosen):
        if known and (number or begun):
            nearest = np.min([((where - other) ** 2).sum(1) for other in known], axis=0)
            left = np.setdiff1d(np.arange(len(where)), chosen[:number])
            assert nearest[each] == pytest.approx(nearest[left].max(), abs=1e-6)
        known.append(where[each])


@settings(max_examples=30)
@given(points, st.integers(1, 5))
def test_combined_takes_only_from_the_highest_scores(where: np.ndarray, k: int) -> None:
    scores = where[:, 0]
    chosen = combined(scores, where, k)
    assert len(chosen) == min(k, len(where))
    assert set(chosen.tolist()) <= set(top(scores, 3 * k).tolist())


def test_a_photo_that_the_head_is_sure_of_would_not_turn_it() -> None:
    rows = gradient_embeddings(np.ones((3, 2)), np.array([[1.0], [0.0], [0.5]]), np.ones(1))
    np.testing.assert_allclose(rows, [[0, 0], [0, 0], [0.5, 0.5]])


times = st.lists(st.one_of(st.none(), st.tuples(st.sampled_from("ab"), st.floats(0, 100))), max_size=20)


@settings(max_examples=30)
@given(times, st.floats(0, 30), st.integers(0, 20))
def test_no_two_chosen_frames_of_a_clip_are_closer_than_the_gap(
    taken: list[tuple[str, float] | None], gap_s: float, count: int
) -> None:
    moments = [Moment(*each) if each else None for each in taken]
    chosen = spaced(range(len(moments)), moments, gap_s, count)
    assert len(chosen) <= count
    assert chosen == sorted(set(chosen))
    for i in chosen:
        for j in chosen:
            a, b = moments[i], moments[j]
            if i < j and a and b and a.clip == b.clip:
                assert abs(a.time_s - b.time_s) >= gap_s
    if len(chosen) < count:  # whatever was left out is too close to something chosen
        for i in set(range(len(moments))) - set(chosen):
            own = moments[i]
            assert own is not None
            near = [moments[j] for j in chosen]
            assert any(m and m.clip == own.clip and abs(m.time_s - own.time_s) < gap_s for m in near)


def test_what_is_needed_is_where_the_score_stays_above_the_target() -> None:
    assert needed([10, 20, 30, 40], [0.5, 0.7, 0.6, 0.8], 0.7) == pytest.approx(35)
    assert needed([10, 20], [0.9, 0.9], 0.7) == 10
    assert math.isinf(needed([10, 20], [0.9, 0.6], 0.7))


def test_saved_labels_are_paired_with_random_seed_by_seed() -> None:
    def rows(*scores: float) -> list[dict[str, float]]:
        return [{"photos": 10.0 * (i + 1), "boxes": 30.0 * (i + 1), "score": s} for i, s in enumerate(scores)]

    arms = {
        ("random", 0): rows(0.1, 0.2, 0.95),
        ("random", 1): rows(0.1, 0.95, 0.95),
        ("margin", 0): rows(0.1, 0.95, 0.95),
        ("margin", 1): rows(0.95, 0.95, 0.95),
    }
    table = {row["strategy"]: row for row in summary(arms, {"photos": 100, "boxes": 600, "score": 1.0})}
    assert table["random"]["saved_photos"] == (0.0, 0.0)
    assert table["margin"]["photos"][0] == pytest.approx(0.15)
    assert table["margin"]["saved_photos"][0] == pytest.approx(0.1)
    assert table["margin"]["boxes"][0] == pytest.approx(0.075)


def world(count: int = 60) -> Pool:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(count + 40, 6))
    answers = (features[:, :3] + rng.normal(0, 0.3, (count + 40, 3)) > [0, 0.8, 1.3]).astype(np.float32)
    answers[0, 0] = np.nan
    own, test = principal(features[:count], features[count:])
    return Pool(own, answers[:count], rng.integers(1, 9, count), test, answers[count:])


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_chooses_new_photos_and_ends_with_all(name: str, tmp_path: Path) -> None:
    pool = world()
    rows = run_arm(pool, name, 3, Schedule(6, 20, 60), tmp_path / "arm.npz", lambda row: None)
    assert [row["photos"] for row in rows] == [6, 26, 46, 60]
    assert rows[-1]["boxes"] == pool.boxes.sum()
    assert rows[-1]["score"] > 0.6
    head = Head()
    head.fit(pool.features, pool.answers, warm=False)
    labelled = np.arange(10)
    chosen = choose(name, pool.features, head, labelled, pool.answers[labelled], 7, 0)
    assert len(set(chosen.tolist())) == 7
    assert not set(chosen.tolist()) & set(range(10))


def test_an_arm_goes_on_where_it_stopped_with_the_same_rows(tmp_path: Path) -> None:
    pool, schedule = world(), Schedule(6, 6, 48)
    whole = run_arm(pool, "rare-combined", 1, schedule, tmp_path / "whole.npz", lambda row: None)

    class CutError(Exception):
        pass

    def cut(row: dict[str, object]) -> None:
        if row["photos"] == 24:
            raise CutError

    with pytest.raises(CutError):
        run_arm(pool, "rare-combined", 1, schedule, tmp_path / "cut.npz", cut)
    seen: list[object] = []
    again = run_arm(pool, "rare-combined", 1, schedule, tmp_path / "cut.npz", lambda row: seen.append(row["photos"]))
    assert again == whole
    assert seen == [30, 36, 42, 48]


def test_a_warm_start_saves_iterations_and_changes_nothing_else(tmp_path: Path) -> None:
    pool = world()
    cold, warm = (
        run_arm(pool, "random", 0, Schedule(10, 10, 60, reset=reset), tmp_path / f"{reset}.npz", lambda row: None)
        for reset in (True, False)
    )
    np.testing.assert_allclose([r["score"] for r in cold], [r["score"] for r in warm], atol=0.01)
    assert sum(r["iterations"] for r in warm) <= sum(r["iterations"] for r in cold)


def make_set(folder: Path, count: int = 12) -> Path:
    """Photos with a labelled person each, in trousers or a skirt."""
    (folder / "photos").mkdir(parents=True)
    rng, images, annotations = np.random.default_rng(0), [], []
    categories = [{"id": i, "name": name} for i, name in enumerate(["person", "jeans", "skirt", "hat"])]
    for number in range(count):
        photo = rng.integers(0, 60, (96, 64, 3)).astype(np.uint8)
        photo[48:90, 16:48] = (220, 40, 40) if number % 2 else (40, 220, 40)
        cv2.imwrite(str(folder / "photos" / f"{number}.png"), photo)
        split = "train" if number < count - 4 else "validation"
        images.append({"id": number, "file_name": f"photos/{number}.png", "width": 64, "height": 96, "split": split})
        for label in [0, 1 + number % 2, *([3] if number % 3 == 0 else [])]:
            box = [16, 4, 32, 88] if label == 0 else [16, 48, 32, 40]
            annotations.append({"id": len(annotations), "image_id": number, "category_id": label, "bbox": box})
    data = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(data))
    return folder


def test_a_killed_cycle_goes_on_where_it_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = make_set(tmp_path / "set", 24), tmp_path / "out"
    words = ["cycle", "--data", str(folder), "--out", str(out), "--features", "shipped", "--seeds", "1"]
    words += ["--strategies", "random", "entropy-sum", "--start", "20", "--batch", "10", "--until", "100"]
    process = subprocess.Popen(
        [sys.executable, "-m", "comfywear_export.cli", *words], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith("1/2  random 0  8 photos"):
            break
    process.send_signal(signal.SIGKILL)
    process.wait(90)
    process.stdout.close()
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert "random 0  4 photos" not in said.err  # done before the kill
    assert "2/2  entropy-sum 0  20 photos" in said.err
    chart = next(out.glob("*/cycle.png"))
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert chart.stat().st_size < 100_000
    result = json.loads(said.out)
    assert {row["strategy"] for row in result["strategies"]} == {"random", "entropy-sum"}
    assert result["full"]["photos"] == 20


def test_a_cycle_that_cannot_be_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cycle", "--data", str(tmp_path), "--out", str(tmp_path)]
    assert main([*words, "--start", "80"]) == 2
    assert "--until" in capsys.readouterr().err
    assert main(words) == 2
    assert "instances.json" in capsys.readouterr().err


def photos_of(shared_data: Path, folder: Path, count: int = 14) -> Path:
    folder.mkdir()
    names = json.loads((shared_data / "people" / "instances.json").read_text())["images"]
    for number, image in enumerate(names[:count]):
        path = shared_data / "people" / image["file_name"]
        (folder / f"frame-{number:04}.jpg").write_bytes(path.read_bytes())
    return folder


def test_select_ranks_real_photos_and_leaves_a_data_set_to_correct(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from comfywear_export.data.formats import read_dataset

    folder, out = photos_of(shared_data, tmp_path / "photos"), tmp_path / "out"
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    words = ["select", str(folder), "--out", str(out), "--count", "4"]
    assert main([*words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["photos"] == 14
    assert "broken.jpg" in facts["damaged"][0]
    chosen = [row["file"] for row in facts["chosen"]]
    assert len(set(chosen)) == 4
    lines = (out / "chosen.csv").read_text().splitlines()
    assert lines[0].startswith("rank,file,score,persons,boxes")
    assert [line.split(",")[1] for line in lines[1:]] == chosen
    sheet = cv2.imread(str(out / "sheet.jpg"))
    assert sheet is not None
    assert np.ptp(sheet) > 100
    dataset = read_dataset(out / "to-label")
    assert {picture.name for picture in dataset.pictures} == {Path(name).name for name in chosen}
    assert all(box.score is not None for picture in dataset.pictures for box in picture.boxes)
    # Looked at once: a second call chooses the same from what was kept.
    kept = (out / "looks.jsonl").stat().st_size
    assert main(words) == 0
    assert (out / "looks.jsonl").stat().st_size == kept + 1
    assert "4 of 14 photos, by combined of boxes" in capsys.readouterr().out
    assert main([*words[:-1], "5"]) == 2
    assert "another conversion" in capsys.readouterr().err


def test_selecting_keeps_the_gap_between_frames_and_leaves_out_what_has_labels(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = photos_of(shared_data, tmp_path / "photos", 6)
    labelled = tmp_path / "labelled"
    labelled.mkdir()
    (labelled / "same.jpg").write_bytes((folder / "frame-0003.jpg").read_bytes())
    looks = None
    for number, way in enumerate(("margin", "k-centre", "random")):
        out = tmp_path / f"out{number}"
        out.mkdir()
        if looks:  # the same looks do for all
            (out / "looks.jsonl").write_text(looks)
        words = ["select", str(folder), "--out", str(out), "--count", "6", "--by", way, "--labelled", str(labelled)]
        of = "answers" if way == "margin" else "boxes"
        assert main([*words, "--fps", "1", "--gap", "2", "--of", of, "--json"]) == 0
        looks = (out / "looks.jsonl").read_text()
        rows = json.loads(capsys.readouterr().out)["chosen"]
        numbers = sorted(int(row["file"][-8:-4]) for row in rows)
        assert 3 not in numbers
        assert len(numbers) >= 2
        assert min(np.diff(numbers)) >= 2


def test_a_clips_frames_are_taken_apart_and_captures_know_when_they_were_made(tmp_path: Path) -> None:
    from comfywear_export.active.candidates import candidates

    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for number in range(30):
        writer.write(np.full((48, 64, 3), number * 8, np.uint8))
    writer.release()
    found = candidates(clip, tmp_path / "frames", 0.0, 1.0)
    assert [c.moment for c in found] == [Moment("clip.avi", float(s)) for s in (0, 1, 2)]
    assert candidates(clip, tmp_path / "frames", 0.0, 1.0) == found
    captures = tmp_path / "captures"
    captures.mkdir()
    for number in range(3):
        cv2.imwrite(str(captures / f"c{number}.jpg"), np.zeros((60, 50, 3), np.uint8))
        sidecar = {
            "schema": "comfywear/v1/capture",
            "id": f"c{number}",
            "image": {"file_name": f"c{number}.jpg", "width": 50, "height": 60},
            "annotations": [],
            "ts": f"2026-11-23T10:00:0{number}.000Z",
            "zone": "desk",
        }
        (captures / f"c{number}.json").write_text(json.dumps(sidecar))
    moments = [c.moment for c in candidates(captures, tmp_path / "frames", 0.0, 1.0)]
    assert [m.time_s - moments[0].time_s for m in moments if m and moments[0]] == [0, 1, 2]
    assert {m.clip for m in moments if m} == {"desk"}


def test_a_place_without_photos_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["select", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "no photo in it" in capsys.readouterr().err
    assert main(["select", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert "give a folder of photos" in capsys.readouterr().err
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    assert main(["select", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "none of its photos can be read" in capsys.readouterr().err


def test_the_sheet_shows_what_is_believed_and_the_few_nearest_of_the_rest() -> None:
    from comfywear.records import Detection
    from comfywear_export.active.looks import Look
    from comfywear_export.commands.select import worth_showing

    scores = [0.9, 0.5, 0.39, 0.38, 0.37, 0.36, 0.3, 0.1, 0.05]
    finds = tuple(Detection((0, 0, 9, 9), score, "person") for score in scores)
    nothing = np.zeros(0, np.float32)
    shown = worth_showing(Look(finds, nothing, nothing, 10, 10), {"person": 0.4})
    assert [(found.score, sure) for found, sure in shown] == [
        (0.9, True), (0.5, True), (0.39, False), (0.38, False), (0.37, False),
    ]  # fmt: skip
    few = worth_showing(Look(finds[-3:], nothing, nothing, 10, 10), {"person": 0.4})
    assert [found.score for found, _ in few] == [0.3]
