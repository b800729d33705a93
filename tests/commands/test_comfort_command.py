"""`comfywear comfort`: the answer in words, in JSON and as a chart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from comfywear.cli import main
from comfywear.commands._comfort_chart import BOTTOM, LEFT, RIGHT, TOP, ChartInput, draw_chart

CHART = ChartInput(24.0, 50.0, 0.6, 1.1, 0.1, 0.0, "shirt, trousers: 0.60 clo", "PMV -0.2")
POINT = ["comfort", "--air-temp", "26", "--humidity", "50"]


def test_the_answer_is_clear(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*POINT, "--wearing", "t-shirt, trousers, sneakers"]) == 0
    answer = capsys.readouterr().out
    for part in (
        "26.0 °C",
        "clo",
        "level",
        "mean vote",
        "PMV",
        "modelled mean skin temperature",
        "Advice",
        "assumed",
        "Preferred",
        "80 % are satisfied",
    ):
        assert part in answer


def test_json_holds_the_three_records(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--wearing", "shirt, suit jacket, trousers", "--sun", "400", "--colour", "black", "--season", "warm",
             "--country", "japan", "--usual-temp", "25", "--met", "1.2"]  # fmt: skip
    assert main([*POINT, *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"clothing", "thermalwear", "comfywear"}
    assert found["thermalwear"]["sensitivities"]["sunshine"] > 0.0
    assert found["comfywear"]["inputs"]["country:japan"] == 1.0
    assert sum(found["comfywear"]["probabilities"]) == pytest.approx(1.0)


def test_without_a_list_average_clothes_are_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(POINT) == 0
    assert "0.65 clo was assumed" in capsys.readouterr().out


def test_an_unknown_garment_is_wrong_use_with_close_matches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*POINT, "--wearing", "trousers, cardigen"]) == 2
    message = capsys.readouterr().err
    assert "'cardigen'" in message
    assert "cardigan" in message


def test_an_empty_list_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*POINT, "--wearing", " , "]) == 2
    assert "empty" in capsys.readouterr().err


def test_impossible_air_is_a_reason_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["comfort", "--air-temp", "90", "--humidity", "50"]) == 1
    assert "no answer: air temperature 90" in capsys.readouterr().out


def test_a_share_of_humidity_is_asked_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["comfort", "--air-temp", "24", "--humidity", "0.45"]) == 2
    assert "--humidity 45" in capsys.readouterr().err


def test_nothing_is_minus_zero(capsys: pytest.CaptureFixture[str]) -> None:
    seen = set()
    for air in range(220, 260):
        assert main(["comfort", "--air-temp", str(air / 10), "--humidity", "50", "--wearing", "shirt"]) == 0
        seen |= set(re.findall(r"[+-]0\.00?\b", capsys.readouterr().out))
    assert seen == {"+0.0", "+0.00"}


def test_the_chart_is_a_png_that_shows_the_point(tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    assert main([*POINT, "--wearing", "t-shirt, trousers", "--chart", str(path)]) == 0
    image = cv2.imread(str(path))
    assert image is not None
    assert image.shape == (800, 1200, 3)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 100
    red = np.argwhere((image[..., 2].astype(int) - image[..., 1] > 120) & (image[..., 0] < 110))
    y, x = red.mean(axis=0)
    assert abs(x - (LEFT + (26 - 14) / 20 * (RIGHT - LEFT))) < 3
    assert abs(y - (TOP + BOTTOM) / 2) < 3


def test_the_zone_moves_with_the_clothing() -> None:
    def zone(clo: float) -> float:
        image = draw_chart(CHART._replace(clo=clo)).astype(int)[(TOP + BOTTOM) // 2 + 60, LEFT:RIGHT]
        green = np.flatnonzero((image[:, 1] - image[:, 2] > 40) & (image[:, 1] - image[:, 0] > 40))
        return float(green.mean())

    assert zone(0.4) > zone(0.9) + 100


@pytest.mark.parametrize("air", [-5.0, 14.0, 34.0, 49.0])
def test_a_point_at_the_edge_is_still_on_the_chart(air: float) -> None:
    assert draw_chart(CHART._replace(air_temp_c=air, humidity_pct=100.0)).shape == (800, 1200, 3)


def test_a_chart_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*POINT, "--chart", str(tmp_path / "no" / "chart.png")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main([*POINT, "--chart", str(tmp_path / "chart.pdf")]) == 2
    assert ".png" in capsys.readouterr().err
