"""Persons where nobody is: shares by source, the curve, the threshold, and the closer look as a device has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data
from test_evaluate import make_set

from comfywear.errors import UsageError
from comfywear.records import Detection
from comfywear_export.cli import main
from comfywear_export.data.datasets import read_set
from comfywear_export.data.empty_photos import read_empty
from comfywear_export.measure.average_precision import Found, matched
from comfywear_export.measure.detection import Tally, look
from comfywear_export.measure.false_persons import share, threshold_for, tradeoff
from comfywear_export.measure.nobody import choose_threshold, empty_figures
from comfywear_export.release import gate
from comfywear_models import load_card
from comfywear_models.registry import FOLDER

NOBODY = np.zeros((0, 4), np.float32)
scores_of_photos = st.lists(st.integers(0, 19), min_size=1, max_size=60).map(lambda v: np.array(v, np.float64) / 20)


def grey(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((120, 160, 3), 120, np.uint8))


def woman(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))


@given(scores_of_photos, st.floats(0, 1))
def test_the_chosen_threshold_keeps_false_persons_rare_and_no_lower_one_does(
    scores: NDArray[np.float64], most: float
) -> None:
    chosen = threshold_for(scores, most)
    assert share(scores, chosen) <= most + 1e-9
    lower = scores[(scores < chosen) & (scores > 0)]
    if len(lower):
        assert share(scores, float(lower.max())) > most - 1e-9


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 19), st.booleans()), max_size=6), min_size=1, max_size=3),
    scores_of_photos,
    st.integers(1, 20),
)
def test_the_curve_says_what_counting_says(
    sets: list[list[tuple[int, bool]]], empties: NDArray[np.float64], step: int
) -> None:
    box, far = [0.0, 0, 10, 10], [50.0, 50, 60, 60]
    photos = [
        [
            Found(np.array([box if right else far], np.float32), np.array([score / 20], np.float32),
                  np.array([box], np.float32), NOBODY)
            for score, right in found
        ]
        for found in sets
    ]  # fmt: skip
    threshold = step / 20
    recall, fired = tradeoff(photos, empties).at(threshold - 1e-6)
    counted = [sum(right and score / 20 >= threshold - 1e-6 for score, right in own) / len(own) for own in sets if own]
    assert fired == pytest.approx(share(empties, threshold - 1e-6))
    if counted:
        assert recall == pytest.approx(np.mean(counted))


def test_photos_of_nobody_come_from_sets_folders_and_folders_of_classes(tmp_path: Path) -> None:
    grey(tmp_path / "plain" / "a.jpg")
    (photo,) = read_empty(tmp_path / "plain", "validation")
    assert (photo.width, photo.height, photo.source, len(photo.boxes)) == (160, 120, "", 0)
    for name in ("train/hat/1.jpg", "validation/hat/2.jpg", "validation/skirt/3.png", "validation/skirt/.hidden.jpg"):
        grey(tmp_path / "classes" / name)
    assert [p.source for p in read_empty(tmp_path / "classes", "validation")] == ["hat", "skirt"]
    assert [p.path.name for p in read_empty(tmp_path / "classes" / "validation")] == ["2.jpg", "3.png"]
    folder = make_set(tmp_path / "rooms", {"person": [10, 10, 40, 80]}, count=3)
    found = json.loads((folder / "instances.json").read_text())
    found["annotations"] = found["annotations"][:1]
    for image, source in zip(found["images"], ("desk", "desk", "hall"), strict=True):
        image["source"] = source
    (folder / "instances.json").write_text(json.dumps(found))
    assert [(p.path.name, p.source) for p in read_empty(folder, "validation")] == [("2.jpg", "desk"), ("3.jpg", "hall")]


@pytest.mark.parametrize(
    ("name", "message"),
    [("gone", "no such folder"), ("nothing", "no photo in it"), ("dressed", "does not label every person")],
)
def test_a_folder_that_says_nothing_of_empty_photos_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "nothing").mkdir()
    make_set(tmp_path / "dressed", {"person": [10, 10, 40, 80], "skirt": [15, 50, 30, 20]})
    with pytest.raises(UsageError, match=message):
        read_empty(tmp_path / name, "validation")


def test_a_picture_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_text("no picture")
    with pytest.raises(UsageError, match=r"broken\.jpg: not a readable photo"):
        read_empty(tmp_path)


def test_where_some_persons_are_labelled_finds_elsewhere_count_neither_way(tmp_path: Path) -> None:
    photos = read_set(make_set(tmp_path / "s", {"person": [10, 10, 40, 80]}))
    finds = [
        Detection((10, 10, 50, 90), 0.9, "person"),
        Detection((12, 12, 28, 40), 0.8, "person"),  # on the labelled person: wrong
        Detection((52, 0, 80, 50), 0.7, "person"),  # beside: right or wrong, who knows
    ]
    for every, right in ((True, 1 / 3), (False, 1 / 2)):
        object.__setattr__(photos[0], "all_persons", every)
        tally = Tally()
        tally.add(photos[0], finds)
        assert tally.person(0.5)["precision50"] == pytest.approx(right)


def test_a_person_whom_a_detector_drew_without_being_sure_counts_neither_way(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", {"person": [10, 10, 40, 80]})
    found = json.loads((folder / "instances.json").read_text())
    for extra, n in (({"score": 0.2, "weak": True}, 0), ({"score": 0.8, "weak": True}, 1), ({}, 1)):
        found["annotations"][0] = {
            **{k: found["annotations"][0][k] for k in ("id", "image_id", "category_id", "bbox")},
            **extra,
        }
        (folder / "instances.json").write_text(json.dumps(found))
        (photo,) = read_set(folder)
        tally = Tally()
        tally.add(photo, [Detection((10, 10, 50, 90), 0.9, "person")])
        ((scores, hits),) = matched(tally.found["person"][:1], 0.5)
        assert (tally.person(0.5)["n"], len(scores) - hits.sum(), photo.weak) == (n, 0, bool(extra))


class Nearsighted:
    """Sees its one person only where the picture it is given is small."""

    thresholds = {"person": 0.5}  # noqa: RUF012
    labels = ("person",)

    def detect(self, image: NDArray[np.uint8], *, threshold: float | None = None) -> list[Detection]:
        x, y = (int(v) for v in np.argwhere(image[..., 0] > 200)[:1].ravel()[::-1]) if image.max() > 200 else (0, 0)
        return (
            [Detection((x, y, x + 4.0, y + 8.0), 0.9, "person")] if image.max() > 200 and image.shape[1] < 100 else []
        )


def test_the_usual_look_is_the_closer_one_of_a_device(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "s", {"person": [40, 30, 4, 8]})
    image = np.full((120, 160, 3), 90, np.uint8)
    image[30:38, 40:44] = 255
    cv2.imwrite(str(folder / "photos" / "1.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    detector: Any = Nearsighted()
    ((_, quick),) = look(detector, read_set(folder), quick=True)
    ((_, far),) = look(detector, read_set(folder), quick=False)
    assert not quick
    assert [(round(each.box[0]), round(each.box[1])) for each in far] == [(40, 30)]


def test_shares_are_told_by_folder_and_source(tmp_path: Path) -> None:
    for name in ("hat/1.jpg", "hat/2.jpg", "skirt/3.jpg"):
        grey(tmp_path / "clothes" / name)
    photos = read_empty(tmp_path / "clothes")
    scores = (0.9, 0.2, 0.6)
    finds = [(p, [Detection((0, 0, 9, 9), s, "person")]) for p, s in zip(photos, scores, strict=True)]
    figures = empty_figures([(tmp_path / "clothes", finds)], 0.5)
    assert (figures["images"], figures["share"]) == (3, pytest.approx(2 / 3))
    assert figures["folders"] == {"clothes": {"images": 3, "share": pytest.approx(2 / 3)}}
    assert figures["sources"]["clothes/hat"] == {"images": 2, "share": 0.5}
    assert figures["sources"]["clothes/skirt"] == {"images": 1, "share": 1.0}
    chosen = choose_threshold([(tmp_path / "clothes", finds)], 0.0, ["skirt"])
    assert 0.6 < chosen["threshold"] < 0.62
    assert choose_threshold([(tmp_path / "clothes", finds)], 0.5)["threshold"] < 0.9
    with pytest.raises(UsageError, match="there are: clothes/hat, clothes/skirt"):
        choose_threshold([(tmp_path / "clothes", finds)], 0.0, ["shoes"])


def test_the_command_measures_people_and_nobody_of_several_models_and_draws_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = make_set(tmp_path / "people", {"person": [10, 10, 40, 80]}, count=2)
    for folder in (people, make_set(tmp_path / "others", {"person": [100, 0, 350, 512]})):
        woman(folder / "photos" / "1.jpg")
    grey(tmp_path / "empty" / "rooms" / "1.jpg")
    woman(tmp_path / "empty" / "posters" / "2.jpg")
    words = ["evaluate", "detector", "--data", str(people), "--some-persons", str(tmp_path / "others")]
    words += ["--empty", str(tmp_path / "empty"), "--engine", "onnxruntime"]
    drawn = tmp_path / "c.svg"
    more = ["--model", "detector", "--choose-threshold", "--choose-on", "posters", "--curve", str(drawn), "--json"]
    assert main([*words, *more]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["look"], result["images"], [row["data"] for row in result["sets"]]) == (
        "far", 3, ["people", "others"],
    )  # fmt: skip
    mean = np.mean([row["person"]["ap50"] for row in result["sets"]])
    assert result["summary"]["person"]["ap50"] == pytest.approx(mean)
    assert result["empty"]["sources"]["empty/rooms"] == {"images": 1, "share": 0.0}
    assert result["empty"]["sources"]["empty/posters"] == {"images": 1, "share": 1.0}
    assert result["chosen"]["empty"]["share"] == result["chosen"]["share"] == 0
    assert result["chosen"]["threshold"] > result["threshold"]
    shipped = next(row for row in result["curve"] if row["threshold"] == pytest.approx(result["threshold"], abs=1e-4))
    assert (shipped["share"], shipped["recall50"]) == (0.5, pytest.approx(result["summary"]["person"]["recall50"]))
    (other,) = result["others"]
    assert other["empty"] == result["empty"]
    assert drawn.read_text().count("detector") == 2
    assert main([*words, "--quick", "--choose-threshold", "--curve", str(drawn.with_suffix(".png"))]) == 0
    text = capsys.readouterr().out
    assert "mean of 2 sets" in text
    assert "the quick look alone" in text
    assert "empty/posters" in text
    assert cv2.imread(str(drawn.with_suffix(".png"))) is not None


def test_persons_whom_a_detector_drew_are_no_recall_of_a_threshold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = make_set(tmp_path / "weak", {"person": [10, 10, 40, 80]})
    people = make_set(tmp_path / "people", {"person": [100, 0, 350, 512]})
    said = json.loads((weak / "instances.json").read_text())
    said["annotations"] = [{**each, "weak": True, "score": 0.9} for each in said["annotations"]]
    (weak / "instances.json").write_text(json.dumps(said))
    for folder in (weak, people):
        woman(folder / "photos" / "1.jpg")
    grey(tmp_path / "empty" / "1.jpg")
    words = ["evaluate", "detector", "--empty", str(tmp_path / "empty"), "--quick", "--choose-threshold"]
    assert main([*words, "--data", str(weak), "--data", str(people), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [(row["data"], row["person"]["recall50"]) for row in result["sets"]] == [("weak", 0), ("people", 1)]
    assert result["curve"][0]["recall50"] == result["chosen"]["recall50"] == 1
    assert result["recall_on"] == ["people"]
    assert main([*words, "--data", str(weak), "--data", str(people)]) == 0
    assert "persons found: of people, where people drew them" in capsys.readouterr().out
    assert main([*words, "--data", str(weak)]) == 0
    assert "weak: a detector drew the persons" in capsys.readouterr().out


def test_empty_photos_alone_are_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grey(tmp_path / "rooms" / "1.jpg")
    assert main(["evaluate", "detector", "--empty", str(tmp_path / "rooms"), "--quick"]) == 0
    assert "rooms" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give --data FOLDER, --empty FOLDER, or both"),
        (["--data", "x", "--choose-threshold"], "give --empty FOLDER"),
        (["--data", "x", "--empty", "y", "--curve", "c.pdf"], r".svg or .png"),
        (["--empty", "y", "--curve", "c.svg"], "photos with people"),
        (["--data", "x", "--data", "y", "--report", "r.html"], "--data once"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_looked_at(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["evaluate", "detector", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_card_ships_the_threshold_at_which_empty_rooms_stay_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plan.json").write_text('{"commit": "none", "sets": "cfpd people ccp empty"}')
    for name, boxes in (
        ("people", {"person": [90, 0, 330, 510]}),
        ("ccp", {"person": [90, 0, 330, 510], "skirt": [15, 50, 30, 20]}),
    ):
        folder = make_set(tmp_path / "data" / name, boxes)
        woman(folder / "photos" / "1.jpg")
    woman(tmp_path / "empty" / "posters" / "1.jpg")
    grey(tmp_path / "empty" / "rooms" / "2.jpg")
    words = ["card", "detector", "--forms", str(FOLDER), "--run", str(tmp_path / "run"), "--version", "9"]
    words += ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    words += ["--leave-out", "onnxruntime-int8", "litert-int8", "litert-fp16"]
    assert main(words) == 0
    before = load_card(tmp_path / "out" / "detector.card.json")
    assert main([*words, "--empty", str(tmp_path / "empty"), "--choose-on", "posters", "--most", "0"]) == 0
    card = load_card(tmp_path / "out" / "detector.card.json")
    assert card.thresholds["person"] > before.thresholds["person"]
    assert card.thresholds["skirt"] == before.thresholds["skirt"]
    nobody = card.quality["onnxruntime fp16"]["empty validation"]
    assert nobody["far"]["share"] == nobody["quick"]["share"] == 0
    assert nobody["quick"]["images"] == 2
    assert any("empty/posters" in note for note in card.notes)
    assert [data["use"] for data in before.training_data[:-1]] == [
        "train split; threshold of persons and quality on its validation split",
        "train split; thresholds of garments and quality on its validation split",
        "train split",
        "train split",
    ]
    assert [data["use"] for data in card.training_data[:-1]] == [
        "train split; quality on its validation split",
        "train split; thresholds of garments and quality on its validation split",
        "train split; threshold of persons and quality on its validation split",
        "train split",
    ]
    assert "photos of nobody with a person" in str(gate.figures(card.quality).keys())
    assert main([*words[:1], "attributes", *words[2:], "--empty", "x"]) == 2
    capsys.readouterr()
