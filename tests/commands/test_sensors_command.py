"""`comfywear sensors` over fake folders, a pty and a recording; and what importing costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from comfywear.cli import main
from comfywear.commands.sensors import chart
from comfywear_sensors.discover import find_sensors
from comfywear_sensors.pty_replay import PtyReplay
from comfywear_sensors.registry import SCHEMES


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    write(tmp_path / "dev/ttyUSB0")
    write(tmp_path / "dev/ttyACM0")
    (tmp_path / "dev/serial/by-id").mkdir(parents=True)
    (tmp_path / "dev/serial/by-id/usb-Arduino-if00").symlink_to(tmp_path / "dev/ttyACM0")
    write(tmp_path / "dev/i2c-1")
    write(tmp_path / "sys/class/i2c-dev/i2c-1/name", "bcm2835 (i2c@7e804000)\n")
    for index, name in enumerate(("bme280", "bme280", "dht11")):
        write(tmp_path / f"sys/bus/iio/devices/iio:device{index}/name", f"{name}\n")
        write(tmp_path / f"sys/bus/iio/devices/iio:device{index}/in_temp_input", "20000\n")
        write(tmp_path / f"sys/bus/iio/devices/iio:device{index}/in_humidityrelative_input", "40000\n")
    write(tmp_path / "sys/bus/iio/devices/iio:device3/name", "accelerometer\n")
    write(tmp_path / "sys/class/hwmon/hwmon0/name", "coretemp\n")
    write(tmp_path / "sys/class/hwmon/hwmon0/temp1_input", "60000\n")
    write(tmp_path / "sys/class/hwmon/hwmon1/name", "sht4x\n")
    write(tmp_path / "sys/class/hwmon/hwmon1/humidity1_input", "40000\n")
    write(tmp_path / "sys/class/hwmon/hwmon2/name", "lm75\n")
    write(tmp_path / "sys/class/hwmon/hwmon2/temp1_input", "21000\n")
    write(tmp_path / "sys/bus/w1/devices/28-0316a2795aff/w1_slave", "")
    (tmp_path / "sys/bus/w1/devices/w1_bus_master1").mkdir()
    return tmp_path


def test_everything_plugged_in_is_found_once_and_by_the_name_that_stays(machine: Path) -> None:
    assert [found.uri for found in find_sensors(machine)] == [
        "serial:///dev/serial/by-id/usb-Arduino-if00",
        "serial:///dev/ttyUSB0",
        "iio://iio:device0",
        "iio://iio:device1",
        "iio://dht11",
        "hwmon://sht4x",
        "hwmon://lm75",
        "w1://28-0316a2795aff",
        "i2c://1/sht4x",
    ]


def test_list_prints_settings_lines(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sensors", "list", "--root", str(machine)]) == 0
    said = capsys.readouterr().out
    assert '[[sensors]]  # dht11, temperature and humidity\nuri = "iio://dht11"\n' in said
    assert "bcm2835 (i2c@7e804000); name your chip" in said


def test_list_on_a_machine_without_sensors_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sensors", "list", "--root", str(tmp_path)]) == 0
    assert "No sensor is plugged in" in capsys.readouterr().out


def test_watch_shows_values_a_chart_and_what_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with PtyReplay(["23.1,45.2", "85.0,45.2", "23.4,45.0"], 0.02) as device:
        device.start()
        assert main(["sensors", "watch", f"serial://{device.path}", "--count", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert any(" 23.10 °C   45.2 %" in line for line in lines)
    assert any("refused: power-up value" in line for line in lines if " 85.00 °C" in line)


def test_watch_says_at_once_why_there_is_no_reading(capsys: pytest.CaptureFixture[str]) -> None:
    with PtyReplay(["40,78"], 0.02) as device:
        device.start()
        assert main(["sensors", "watch", "--raw", f"serial://{device.path}", "--patience", "0.8"]) == 1
    said = capsys.readouterr()
    assert "  > '40,78'" in said.out
    assert "may be one number or two: add decimal=comma" in said.out
    assert "may be one number or two" in said.err


def test_watch_names_fahrenheit(capsys: pytest.CaptureFixture[str]) -> None:
    with PtyReplay(["72.1,45.2"], 0.02) as device:
        device.start()
        assert main(["sensors", "watch", f"serial://{device.path}", "--count", "1"]) == 0
    assert "72.1 °C is no room; if it is °F add ?unit=F" in capsys.readouterr().out


def test_watch_ends_with_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "room.csv"
    file.write_text("temperature,humidity\n20,40\n21,41\n")
    assert main(["sensors", "watch", f"replay://{file}?speed=0"]) == 0
    said = capsys.readouterr().out
    assert "(simulated)" in said
    assert "the recording has ended" in said


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["serial:///nowhere/tty", "--patience", "0.1"], 1, "no such port"),
        (["ttyUSB0"], 2, "is not a sensor URI"),
        (["fake://room?colour=red"], 2, "'colour' is not an option of fake://"),
    ],
)
def test_watch_refuses_in_one_line(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert main(["sensors", "watch", *words]) == code
    said = capsys.readouterr().err
    assert message in said.splitlines()[-1]
    assert "Traceback" not in said


def test_the_chart_spans_its_values() -> None:
    assert chart([20.0, 21.0, 20.5]) == "▁█▅ 20.0…21.0"
    assert chart([20.0, 20.1]).startswith("▁▂")
    assert chart([]) == ""


def test_importing_the_sensors_brings_no_numpy_and_no_reader() -> None:
    code = (
        "import sys, comfywear_sensors\n"
        "heavy = {'numpy', 'cv2', 'serial', 'paho', 'pymodbus', 'smbus2', 'comfywear', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "[]"


def test_the_page_on_sensors_names_every_scheme_and_every_option() -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "sensors.md").read_text("utf-8")
    for scheme in SCHEMES:
        assert f"{scheme}://" in page, scheme
    for module in (root / "sensors/comfywear_sensors/readers").glob("*.py"):
        options = re.findall(r'uri\.(?:text|choice|number|integer|flag|all)\("(\w+)"', module.read_text("utf-8"))
        for option in set(options) - {"password"}:
            assert re.search(rf"`{option}\b|\b{option}=", page), f"{module.name}: {option}"
