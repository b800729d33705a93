"""Sensors of a device are calibrated from what they said, and the settings then correct them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from comfywear import settings as settings_file
from comfywear.device.air.reading_log import ReadingLog
from comfywear.device.page.calibration import PageCalibration
from comfywear.device.upkeep.settings_file import SettingsFile
from comfywear.errors import UsageError
from comfywear.web.calibrations import ComparedPoint, CompareSensor, FindResponse, FindSelfHeating, KeepCalibration
from comfywear_sensors import Reading

TEXT = """# The office.
[device]
id = "d1"
[[sensors]]
uri = "w1://28-000000000001"  # in the case, beside the board
# apart from it
[[sensors]]
uri = "w1://28-000000000002"
temp_offset_k = 0.2
"""
CASE, APART = "w1://28-000000000001", "w1://28-000000000002"


POINTS = {"sensor": 0, "quantity": "air_temp_c", "points": [{"sensor": 20, "reference": 21}]}


class Bench:
    """A settings file, what its sensors said, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "device.toml"
        self.path.write_text(TEXT)
        self.now_s = 0.0
        self.board: float | None = None
        self.reloaded = 0
        self.log = ReadingLog(lambda: self.board)
        self.calibration = self.begun()

    def begun(self) -> PageCalibration:
        file = SettingsFile(self.path, self.reload)
        return PageCalibration(file, settings_file.load(self.path), self.log, lambda: self.now_s)

    def reload(self) -> None:
        self.reloaded += 1

    def play(
        self, seconds: float, said: Callable[[float], float], *, source: str = CASE, every_s: float = 10.0
    ) -> None:
        noise, begin = random.Random(1), self.now_s
        while self.now_s < begin + seconds:
            self.now_s += every_s
            self.log.add(Reading(said(self.now_s) + noise.gauss(0, 0.01), 40.0, self.now_s, source))


def test_a_sensor_that_has_come_to_rest_is_compared_and_corrected(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert [each.state for each in bench.calibration.now().sensors[0].quantities] == ["silent", "silent"]
    bench.play(300, lambda at: 20 + at / 60)
    assert bench.calibration.now().sensors[0].quantities[0].state == "drifting"
    bench.play(300, lambda at: 25.0)
    now = bench.calibration.now()
    rest = now.sensors[0].quantities[0]
    assert (rest.state, rest.value, now.in_use) == ("steady", pytest.approx(25.0, abs=0.05), True)
    assert rest.value is not None
    assert rest.value_u is not None
    point = ComparedPoint(rest.value, 24.4, rest.value_u, 0.1)
    found = bench.calibration.compare(CompareSensor(0, "air_temp_c", [point]))
    assert (found.offset, found.gain) == (pytest.approx(-0.6, abs=0.05), 1.0)
    assert found.offset_u == pytest.approx(math.hypot(0.1, rest.value_u))
    assert bench.path.read_text() == TEXT, "it is only said"
    kept = bench.calibration.keep(KeepCalibration(now.version, CompareSensor(0, "air_temp_c", [point])))
    assert kept.kept.startswith("sensor 1: temp_offset_k -0.")
    assert bench.reloaded == 1
    text = bench.path.read_text()
    assert "# in the case, beside the board" in text
    assert "# apart from it" in text
    again = bench.begun().now().sensors[0].quantities[0]
    assert again.corrected == pytest.approx(24.4, abs=0.05)


def test_the_warmth_of_the_board_is_found_beside_a_reference_kept_and_then_taken_away(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(120):
        air = 22.0 - bench.now_s / 7200
        bench.board = air + (35.0 if bench.now_s // 1500 % 2 else 20.0)
        board = bench.board
        bench.log.add(Reading(air - 0.2, 40.0, bench.now_s + 60, APART))
        bench.play(60, lambda at, air=air, board=board: air + 0.1 * (board - air), every_s=20.0)
    now = bench.calibration.now()
    beside = bench.calibration.self_heating(FindSelfHeating(0, 1))
    alone = bench.calibration.self_heating(FindSelfHeating(0))
    assert beside.gain == pytest.approx(1 / 9, abs=0.01)
    assert alone.gain == pytest.approx(1 / 9, abs=0.02)
    assert beside.offset_k == pytest.approx(0.0, abs=0.15)
    bench.calibration.keep(KeepCalibration(now.version, self_heating=FindSelfHeating(0, 1)))
    settings = settings_file.load(bench.path)
    assert settings.sensors[0].self_heating is not None
    assert settings.sensors[0].self_heating.most_k >= beside.correction_k
    corrected = bench.begun().now().sensors[0]
    assert corrected.warmed_k == pytest.approx(0.1 * (bench.board - air), abs=0.15) if bench.board else False
    assert corrected.quantities[0].corrected == pytest.approx(air, abs=0.3)


def test_the_response_to_a_step_is_found(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.play(600, lambda at: 20.0)
    begun_s = bench.now_s
    bench.play(900, lambda at: 32 - 12 * math.exp(-(at - begun_s) / 120))
    found = bench.calibration.response(FindResponse(0, bench.now_s - begun_s))
    assert found.time_constant_s == pytest.approx(120, rel=0.02)
    assert found.end == pytest.approx(32, abs=0.1)
    with pytest.raises(UsageError, match="a step of 2 or more"):
        bench.calibration.response(FindResponse(0, 120))


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"do": "nonsense"}, "calibration takes do"),
        (
            {"do": "compare", "sensor": 7, "quantity": "air_temp_c", "points": [{"sensor": 20, "reference": 20}]},
            "no sensor 8",
        ),
        ({"do": "compare", "sensor": 0, "quantity": "colour", "points": []}, "not understood"),
        (
            {"do": "compare", "sensor": 0, "quantity": "air_temp_c", "points": [{"sensor": 20, "reference": 31}]},
            "no matter of calibration",
        ),
        ({"do": "self-heating", "sensor": 0}, "too few"),
        ({"do": "self-heating", "sensor": 0, "reference": 0}, "no reference of its own"),
        ({"do": "self-heating", "sensor": 0, "reference": 1}, "not said enough"),
        ({"do": "response", "sensor": 0, "since_s": -1}, "not understood"),
        ({"do": "keep", "version": "old"}, "say points or self_heating"),
        ({"do": "keep", "version": "old", "points": POINTS}, "changed by somebody else"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_changes(
    tmp_path: Path, request_: dict[str, object], said: str
) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(UsageError, match=said):
        bench.calibration.answer(request_)
    assert (bench.path.read_text(), bench.reloaded) == (TEXT, 0)


def test_what_is_kept_belongs_to_the_settings_that_the_device_runs_with(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.path.write_text(TEXT.replace("28-000000000001", "28-000000000003"))
    version = bench.calibration.now().version
    assert not bench.calibration.now().in_use
    with pytest.raises(UsageError, match="reload it first"):
        bench.calibration.keep(KeepCalibration(version, CompareSensor(0, "air_temp_c", [ComparedPoint(20, 21)])))
