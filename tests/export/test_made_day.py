"""The made day: what is there at which minute, that the frames show it, and that minutes are counted right."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "made_day.py"


@pytest.fixture(scope="module")
def day() -> ModuleType:
    spec = importlib.util.spec_from_file_location("made_day", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_day"] = module
    spec.loader.exec_module(module)
    return module


def listed(folder: Path, photo: dict[str, Any], annotations: list[dict[str, Any]]) -> None:
    image = {"id": 1, "width": 80, "height": 100, "split": "validation", **photo}
    found = {"images": [image], "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (folder / "instances.json").write_text(json.dumps(found))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A blue room, a red teacher, a street photo of somebody green in a white coat."""
    colours = {"empty/photos/houses": (200, 90, 40), "rooms/teacher/photos": (20, 20, 220), "ccp/photos": (30, 200, 30)}
    for place, colour in colours.items():
        (tmp_path / place).mkdir(parents=True)
        photo = np.full((100, 80, 3), colour, np.uint8)
        if place == "ccp/photos":
            photo[30:70, 20:60] = 255
        cv2.imwrite(str(tmp_path / place / "1.png"), photo)
    listed(tmp_path / "empty", {"file_name": "photos/houses/1.png", "source": "houses"}, [])
    outline = {"image_id": 1, "bbox": [10, 10, 60, 90], "segmentation": [[10, 10, 70, 10, 70, 99, 10, 99]]}
    listed(tmp_path / "rooms" / "teacher", {"file_name": "photos/1.png"}, [outline])
    mask = np.zeros((100, 80), np.uint8)
    mask[5:95, 15:65] = 1
    mask[30:70, 20:60] = 2
    palette = Image.fromarray(mask, mode="P")
    palette.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10])
    (tmp_path / "ccp" / "masks").mkdir()
    palette.save(tmp_path / "ccp" / "masks" / "1.png")
    (tmp_path / "ccp" / "labels.json").write_text('[{"index": 1, "name": "dress"}, {"index": 2, "name": "coat"}]')
    listed(tmp_path / "ccp", {"file_name": "photos/1.png", "mask_file": "masks/1.png"}, [])
    return tmp_path


def test_a_day_has_a_night_a_coat_alone_and_people(day: ModuleType) -> None:
    plan = {minute.number: minute for minute in day.plan()}
    assert len(plan) == 1440
    assert [plan[h * 60].kind for h in (3, 8, 10, 12, 18, 22)] == [
        "night", "day, empty", "people", "people", "coat alone", "night",
    ]  # fmt: skip
    assert (plan[630].people, plan[538].people, plan[750].people) == (2, 1, 0)
    assert plan[750].kind == "coat alone"


def test_the_frames_show_what_the_plan_says(day: ModuleType, data: Path) -> None:
    frames = {minute.number: image for _, minute, image in day.frames(data, 1, 30, 0)}
    assert all(image.shape == (480, 640, 3) for image in frames.values())

    def part(minute: int, colour: tuple[int, int, int]) -> float:
        image = frames[minute].astype(int)
        shade = np.array(colour) * image.max() / 255
        return float((np.abs(image - shade).sum(2) < 90).mean())

    red, white, green = (20, 20, 220), (250, 250, 250), (30, 200, 30)
    assert part(600, red) > part(480, red) + 0.05  # somebody sits at 10, nobody at 8
    assert part(750, white) > part(480, white) + 0.005  # the coat alone at 12:30
    assert part(780, green) > part(750, green)  # somebody walks at 13
    assert frames[180].mean() < 0.4 * frames[480].mean()
    assert (
        np.abs(np.diff(frames[180].astype(int), axis=2)).mean()
        < np.abs(np.diff(frames[480].astype(int), axis=2)).mean()
    )


def test_minutes_are_counted_a_day(day: ModuleType) -> None:
    plan = day.plan(10)
    never = day.counts([(minute, 0) for minute in plan] * 2, 10, 2)
    always = day.counts([(minute, 1) for minute in plan] * 2, 10, 2)
    assert sum(never["minutes"].values()) == 1440
    assert set(never["false"].values()) == {0}
    assert (never["missed"], always["missed"]) == (never["minutes"]["people"], 0)
    assert always["false"] == {kind: always["minutes"][kind] for kind in always["false"]}
    right = day.counts([(minute, minute.people) for minute in plan], 10, 1)
    assert (sum(right["false"].values()), right["missed"], right["count_off"]) == (0, 0, 0)


def test_the_script_measures_a_model_and_leaves_a_clip(
    day: ModuleType, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = data / "day.avi"
    words = ["made_day.py", "--data", str(data), "--quick", "--rooms", "1", "--every", "180", "--clip", str(clip)]
    monkeypatch.setattr(sys, "argv", [*words, "--json"])
    day.main()
    (result,) = json.loads(capsys.readouterr().out)
    assert sum(result["minutes"].values()) == 1440
    assert result["look"] == "quick"
    assert 0 <= result["missed"] <= result["minutes"]["people"]
    assert int(cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FRAME_COUNT)) == 8
