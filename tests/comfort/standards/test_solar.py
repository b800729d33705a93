"""SolarCal against its table and pythermalcomfort, and the colours of clothing."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from comfywear.comfort import ABSORPTANCE, absorptance_of, mean_radiant_temperature, operative_temperature, solar_gain
from comfywear.comfort.clothing.absorptance import DEFAULT
from comfywear.records import ColourShare

POINT = {"sol_altitude": 45.0, "sharp": 60.0, "sol_radiation_dir": 700.0, "sol_transmittance": 0.6, "f_svv": 0.3,
         "f_bes": 0.5}  # fmt: skip
BASIC = {"black", "blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow"}


def test_every_row_of_the_table_is_met(shared_data: Path) -> None:
    rows = json.loads((shared_data / "comfort" / "validation" / "ts_solar_gain.json").read_text())["data"]
    assert len(rows) == 27
    for row in rows:
        found = solar_gain(**row["inputs"])
        assert found.erf == pytest.approx(row["outputs"]["erf"], abs=0.051)
        assert found.delta_mrt == pytest.approx(row["outputs"]["delta_mrt"], abs=0.051)


@pytest.mark.parametrize("posture", ["sitting", "standing", "supine"])
def test_agrees_with_pythermalcomfort(posture: str) -> None:
    pytest.importorskip("pythermalcomfort", minversion="4.8")  # older ones differ; Python 3.10 has 4.6
    models = pytest.importorskip("pythermalcomfort.models")
    draw = np.random.default_rng(6).uniform
    inputs = {key: draw(low, high, 500) for key, low, high in (
        ("sol_altitude", 0, 90), ("sharp", 0, 180), ("sol_radiation_dir", 200, 1000), ("sol_transmittance", 0, 1),
        ("f_svv", 0, 1), ("f_bes", 0, 1), ("asw", 0.3, 0.95), ("floor_reflectance", 0, 1))}  # fmt: skip
    theirs = models.solar_gain(**inputs, posture=posture, round_output=False)
    ours = solar_gain(**inputs, posture=posture)
    np.testing.assert_allclose(ours.erf, theirs.erf, atol=1e-6)
    np.testing.assert_allclose(ours.delta_mrt, theirs.delta_mrt, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"), [("sol_altitude", -1), ("sharp", 181), ("f_bes", 1.1), ("sol_transmittance", -0.1),
                       ("sol_radiation_dir", -5), ("f_svv", math.nan)]
)  # fmt: skip
def test_what_cannot_be_is_nan(key: str, value: float) -> None:
    assert math.isnan(solar_gain(**{**POINT, key: value}).erf)


def test_an_unknown_posture_is_refused() -> None:
    with pytest.raises(ValueError, match="lotus"):
        solar_gain(**POINT, posture="lotus")  # type: ignore[arg-type] # the wrong word is the test


def test_every_basic_colour_has_an_absorptance_between_its_bounds() -> None:
    assert set(ABSORPTANCE) == BASIC
    for row in ABSORPTANCE.values():
        assert 0.0 < row.low < row.value < row.high < 1.0
        assert ABSORPTANCE["white"].value <= row.value <= ABSORPTANCE["black"].value


def test_absorptance_is_weighted_by_share_and_unknown_colours_leave_the_default() -> None:
    black, white = ColourShare("black", 0.75, (0, 0, 0)), ColourShare("white", 0.25, (255, 255, 255))
    assert absorptance_of([black, white]).value == pytest.approx(0.75 * 0.77 + 0.25 * 0.48)
    assert absorptance_of([]) == DEFAULT
    assert absorptance_of([ColourShare("chartreuse", 1.0, (127, 255, 0))]) == DEFAULT


def test_radiant_and_operative_temperature() -> None:
    # A globe that is as warm as the air says that the walls are, too.
    assert mean_radiant_temperature(24.0, 24.0, 0.1) == pytest.approx(24.0)
    assert mean_radiant_temperature(53.2, 30.0, 0.3, diameter_m=0.1) == pytest.approx(74.8, abs=0.1)
    assert operative_temperature(20.0, 30.0, 0.1) == pytest.approx(25.0)
    assert operative_temperature(20.0, 30.0, 0.7) == pytest.approx(23.0)
