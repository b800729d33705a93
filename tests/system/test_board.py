"""What the machine says of its heat, and what follows from it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings as settings_file
from comfywear.device import device
from comfywear.device.device import Device
from comfywear.system import board as machine
from comfywear.system.board import headroom_of, hottest_c

PHOTO = Path(__file__).resolve().parents[2] / "docs" / "demo.png"


def test_the_hottest_zone_that_can_be_true_counts(tmp_path: Path) -> None:
    assert hottest_c(tmp_path) is None
    for number, text in enumerate(("45000", "nonsense", "83500", "-274000", "200000", "")):
        zone = tmp_path / "class/thermal" / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(text)
    assert hottest_c(tmp_path) == 83.5


def test_zones_that_are_not_the_processor_do_not_count(tmp_path: Path) -> None:
    """A Jetson's PMIC-Die says 100 °C at any time: taken at its word, the device would never look again."""
    for number, (kind, text) in enumerate((("PMIC-Die", "100000"), ("iwlwifi_1", "71000"), ("CPU-therm", "41000"))):
        zone = tmp_path / "class/thermal" / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "type").write_text(kind + "\n")
        (zone / "temp").write_text(text)
    assert hottest_c(tmp_path) == 41.0


def test_all_is_done_until_ten_kelvin_below_and_nothing_when_hot() -> None:
    assert headroom_of(None, 80.0) == 1.0
    assert headroom_of(95.0, 0.0) == 1.0
    assert headroom_of(70.0, 80.0) == 1.0
    assert headroom_of(75.0, 80.0) == pytest.approx(0.5)
    assert headroom_of(80.0, 80.0) == headroom_of(120.0, 80.0) == 0.0


@given(st.floats(-40, 150), st.floats(-40, 150), st.floats(0, 120))
def test_a_hotter_machine_never_does_more(a: float, b: float, hot: float) -> None:
    low, high = sorted((a, b))
    assert 0.0 <= headroom_of(high, hot) <= headroom_of(low, hot) <= 1.0


def test_a_device_that_gets_hot_looks_less_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heat = [50.0]
    monkeypatch.setattr(device, "hottest_c", lambda: heat[0])
    monkeypatch.setattr(device, "HEAT_EVERY_S", 0.1)
    path = tmp_path / "device.toml"
    path.write_text(
        f"[device]\nstate_dir = '{tmp_path / 'state'}'\n[camera]\nsource = '{PHOTO}'\nloop = true\n"
        "[budget]\nhot_c = 70.0\n"
    )
    with Device(settings_file.load(path)) as running:
        vision = running.vision
        assert vision is not None

        def until(headroom: float) -> None:
            deadline = time.monotonic() + 60
            while vision.headroom != pytest.approx(headroom):
                assert time.monotonic() < deadline, f"the headroom stays {vision.headroom}"
                time.sleep(0.02)

        until(1.0)
        heat[0] = 66.0
        until(0.4)
        assert running.metrics()["board_temp_c"] == 66.0
        deadline = time.monotonic() + 60
        while not any("headroom" in sentence for sentence in vision.sight().shed("room")):
            assert time.monotonic() < deadline, "what is shed is not said"
            time.sleep(0.05)
        heat[0] = 40.0
        until(1.0)


def test_this_machine_says_a_temperature_that_can_be_true_or_none() -> None:
    found = machine.hottest_c()
    assert found is None or -40 < found < 150
