"""`comfywear doctor` at real doors: engines in processes, a serial line on a pty, a broker, a photo as camera."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfywear import settings as settings_file
from comfywear.cli import main
from comfywear.device.device import Device
from comfywear.doctor import doors as checkup_doors
from comfywear.doctor import machine as checkup
from comfywear.doctor.building import building
from comfywear.doctor.machine import Finding
from comfywear.settings import MqttSettings, Settings, VisionSettings
from comfywear.settings.building import BacnetSettings, ModbusSettings
from comfywear.settings.feedback import ButtonSettings
from comfywear.settings.web import WebSettings
from comfywear.vision.engines.choice import settle
from comfywear.vision.engines.probe import Order, Trial
from comfywear_sensors.pty_replay import PtyReplay
from waiting import until

PHOTO = Path(__file__).resolve().parents[2] / "docs" / "demo.png"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines, which take seconds, are tried by a test of their own."""
    monkeypatch.setattr(checkup, "engines", lambda wanted: iter([Finding("engine", "good", wanted)]))


def write(folder: Path, broker: int, sensor: str, camera: str) -> Path:
    path = folder / "device.toml"
    path.write_text(
        f"[device]\nid = 'd1'\nstate_dir = '{folder / 'state'}'\n[camera]\nsource = '{camera}'\n"
        f"[[sensors]]\nuri = '{sensor}'\n[mqtt]\nhost = '127.0.0.1'\nport = {broker}\n"
    )
    return path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["doctor", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_the_engines_are_tried_with_the_shipped_detector() -> None:
    found = {each.what: each for each in checkup.engines()}
    assert found["engine onnxruntime"].state == "good"
    assert "ms a picture" in found["engine onnxruntime"].said
    assert set(found) == {"engine onnxruntime", "engine litert"}


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        ("kill -ILL $$", "fault", "ended by SIGILL"),
        ("echo 'no module of that name' >&2; exit 3", "note", "no module of that name"),
        ("exit 1", "note", "ended with 1 and said nothing"),
    ],
)
def test_an_engine_that_crashes_is_a_finding_and_not_the_end(
    tmp_path: Path, script: str, state: str, said: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    *each, none = checkup.engines(python=str(python))
    assert len(each) == 2
    for finding in each:
        assert finding.state == state
        assert said in finding.said
    assert (none.state, none.what) == ("fault", "engines"), "with no engine at all nothing can be seen"
    wanted = next(checkup.engines("onnxruntime", python=str(python)))
    assert wanted.state == "fault"
    assert "onnxruntime" in wanted.do


def test_where_there_is_no_pip_the_advice_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    *_, none = checkup.engines(python=str(tmp_path / "python"))
    assert "part of the Debian package" in none.do


def test_which_engine_looks_is_told_with_its_reason_and_what_crashes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    vision = settings_file.VisionSettings()
    assert checkup.choice(vision).state == "note"

    def attempt(order: Order, _: float) -> Trial:
        return Trial(order.engine, None, "ended by SIGILL", True) if order.engine == "litert" else Trial("x", 21.0, "")

    assert settle(vision, attempt) == "x"
    found = checkup.choice(vision)
    assert (found.state, found.said.split(" (")[0]) == ("warning", "x: 21 ms a picture")
    assert "litert does not work: ended by SIGILL" in found.said
    assert "another version of litert" in found.do
    status = {"workers": {}, "broker": "connected", "engine": {"engine": "x", "reason": "21 ms", "crashed": []}}
    assert Finding("engine choice", "good", "x: 21 ms") in list(checkup.workers(status))


def test_a_device_that_is_fit_has_no_fault(
    tmp_path: Path, mosquitto: Any, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with PtyReplay(["Humidity: 45.20 %\tTemperature: 23.40 *C"], interval_s=0.1) as line:
        line.start()
        config = write(tmp_path, mosquitto.port, f"serial://{line.path}", str(PHOTO))
        assert main(["doctor", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "✓ settings" in said
    assert "✓ camera: " in said
    assert "×" in said
    assert "✓ sensor: " in said
    assert "23.4 °C, 45 %" in said
    assert "lets this device in, without TLS" in said
    assert said.endswith("0 faults, 0 warnings\n")


def test_each_fault_is_named_with_what_to_do(
    tmp_path: Path, quick: None, capsys: pytest.CaptureFixture[str], make_mosquitto: Callable[..., Any]
) -> None:
    nobody = make_mosquitto()  # a port at which nothing listens
    config = write(tmp_path, nobody.port, "serial:///dev/serial/by-id/gone", str(tmp_path / "no.mp4"))
    code, found = told(capsys, "--config", str(config))
    faults = {each["what"]: each for each in found["findings"] if each["state"] == "fault"}
    assert code == 1
    assert set(faults) == {"camera", "sensor", "broker"}
    assert found["faults"] == 3
    assert "gone is not there" in faults["sensor"]["said"]
    assert "comfywear sensors list" in faults["sensor"]["do"]
    assert "no.mp4" in faults["camera"]["said"]
    assert "nothing listens" in faults["broker"]["said"]
    assert all(each["do"] for each in faults.values())


def test_a_silent_sensor_is_a_fault(tmp_path: Path) -> None:
    with PtyReplay([]) as line:
        sensor = settings_file.SensorSettings(uri=f"serial://{line.path}")
        (found,) = checkup_doors.sensors([sensor], patience_s=0.6)
    assert found.state == "fault"
    assert "sensors watch" in found.do


def test_who_says_the_weather_is_asked_and_may_be_quiet_where_the_door_is_open(
    tmp_path: Path, mosquitto: Any, make_mosquitto: Callable[..., Any]
) -> None:
    (tmp_path / "roof.csv").write_text("temperature,irradiance\n-34.0,412\n-34.1,412\n")
    away = make_mosquitto()  # a port at which nothing listens
    uris = [f"replay://{tmp_path}/roof.csv", f"mqtt://127.0.0.1:{mosquitto.port}/roof"]
    uris += [f"mqtt://ann:hunter2@127.0.0.1:{away.port}/roof"]
    cold, quiet, gone = checkup_doors.outdoors(uris, patience_s=2.0)
    assert (cold.what, cold.state) == ("outdoors", "good")
    assert "-34.0 °C, 412 W/m²" in cold.said, "no room has that, the weather may"
    assert quiet.state == "warning"
    assert gone.state == "fault"
    assert "hunter2" not in gone.said + gone.do


def test_wrong_settings_are_a_fault_with_file_and_line_and_the_machine_is_checked_all_the_same(
    tmp_path: Path, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "device.toml"
    config.write_text("[device]\nid = 'd1'\n[mqtt]\nport = 'many'\n")
    code, found = told(capsys, "--config", str(config))
    assert code == 2
    (fault,) = [each for each in found["findings"] if each["state"] == "fault"]
    assert f"{config}:4" in fault["said"]
    assert {"machine", "models", "clock", "temperature"} <= {each["what"] for each in found["findings"]}


def test_a_running_device_is_asked_instead_of_its_doors(
    tmp_path: Path, mosquitto: Any, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path, mosquitto.port, "fake://", "")
    with Device(settings_file.load(config)) as device:
        until(lambda: device.link.publisher.state == "connected")
        code, found = told(capsys, "--config", str(config))
    said = {each["what"]: each["said"] for each in found["findings"]}
    assert code == 0
    assert said["broker"] == "connected"
    assert "workers run" in said["device"]
    assert "sensor" not in said


def test_what_a_running_device_says_is_amiss_is_said_on() -> None:
    idle = {"state": "waiting", "failure": "no such camera"}
    status = {"workers": {"vision": idle, "comfort": {"state": "running"}}, "broker": "waiting: nothing listens"}
    found = list(checkup.workers(status))
    assert [(each.what, each.state) for each in found] == [
        ("device", "warning"),
        ("vision", "fault"),
        ("broker", "fault"),
    ]
    assert "no such camera" in found[1].said


def test_a_damaged_model_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.card.json").write_text("{")
    monkeypatch.setenv("COMFYWEAR_MODELS", str(tmp_path))
    found = checkup.models()
    assert found.state == "fault"
    assert "mine.card.json" in found.said


def test_machines_that_cannot_run_it_are_told_so() -> None:
    assert checkup.machine((3, 11, 2), 64).state == "good"
    old, narrow = checkup.machine((3, 9, 2), 64), checkup.machine((3, 11, 2), 32)
    assert (old.state, narrow.state) == ("fault", "fault")
    assert "64-bit" in narrow.do


def test_the_hottest_zone_counts(tmp_path: Path) -> None:
    assert checkup.temperature(tmp_path).state == "note"
    for number, text in enumerate(("45000", "nonsense", "83500")):
        zone = tmp_path / "class/thermal" / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(text)
    found = checkup.temperature(tmp_path)
    assert (found.state, found.said) == ("fault", "84 °C")
    (zone / "temp").write_text("76000")
    assert checkup.temperature(tmp_path).state == "warning"


def test_a_state_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    assert checkup.state(tmp_path / "not" / "yet").state == "good"
    assert not (tmp_path / "not").exists()
    found = checkup.state(Path("/proc/comfywear"))
    assert found.state == "fault"
    assert "cannot be written" in found.said


def test_a_device_file_of_another_group_is_said_with_the_group() -> None:
    if os.geteuid() == 0:
        pytest.skip("root may use every device file")
    found = checkup_doors.access("serial:///dev/mem")
    assert found is not None
    assert "usermod -aG" in found.do


def test_buttons_and_nothing_at_all() -> None:
    (gone,) = checkup_doors.buttons([ButtonSettings(source="input:///dev/input/by-id/gone")])
    assert (gone.state, gone.what) == ("fault", "buttons")
    assert [each.state for each in checkup_doors.cameras(Settings())] == ["note"]
    assert checkup_doors.broker(MqttSettings()).state == "note"
    (none,) = checkup_doors.sensors([])
    assert none.state == "warning"


def test_models_that_the_settings_name_and_that_are_not_there_are_faults(tmp_path: Path) -> None:
    wanted = VisionSettings(detector="yolo", attributes="")
    (found,) = checkup.named_models(wanted, tmp_path, seen=True)
    assert (found.state, found.what) == ("fault", "model yolo")
    assert "vision.detector = 'yolo'" in found.said
    assert "comfywear models list" in found.do
    (unused,) = checkup.named_models(wanted, tmp_path, seen=False)
    assert unused.state == "warning"
    assert list(checkup.named_models(VisionSettings(), tmp_path, seen=True)) == []


def test_an_engine_that_is_wanted_and_not_in_this_build_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt(order: Order, **_: Any) -> Trial:
        return Trial(order.engine, 20.0, "works", offers=("CPUExecutionProvider", "XnnpackExecutionProvider"))

    monkeypatch.setattr(checkup, "try_engine", attempt)
    faults = [each for each in checkup.engines("tensorrt") if each.state == "fault"]
    assert [each.what for each in faults] == ["engine tensorrt"]
    assert "no TensorrtExecutionProvider" in faults[0].said
    assert 'vision.engine = "auto"' in faults[0].do
    assert Finding("engine xnnpack", "good", "works, 20 ms a picture") in list(checkup.engines("xnnpack"))


def test_the_page_s_port_and_password_are_looked_at(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        taken = checkup_doors.page(WebSettings(enabled=True, port=port))
    assert (taken.state, taken.what) == ("fault", "page")
    assert "another program, or another comfywear, listens there" in taken.said
    assert f"sport = :{port}" in taken.do
    assert checkup_doors.page(WebSettings(enabled=True, port=0)).state == "good"
    missing = checkup_doors.page(WebSettings(enabled=True, token_file=str(tmp_path / "none")))
    assert missing.state == "fault"
    assert "cannot be read" in missing.said


def test_the_buildings_protocols_need_free_ports_and_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(modbus=ModbusSettings(enabled=True, port=0), bacnet=BacnetSettings(enabled=True, port=0))
    assert [each.what for each in building(Settings())] == []
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        taken = Settings(
            modbus=ModbusSettings(enabled=True, port=tcp.getsockname()[1]),
            bacnet=BacnetSettings(enabled=True, port=udp.getsockname()[1]),
        )
        monkeypatch.setattr("comfywear.doctor.building.find_spec", lambda _: object())
        for found in building(taken):
            assert found.state == "fault"
            assert "another program, or another comfywear, listens there" in found.said
        assert {each.what: each.state for each in building(settings)} == {"modbus": "good", "bacnet": "good"}
    monkeypatch.setattr("comfywear.doctor.building.find_spec", lambda _: None)
    _, missing = building(settings)
    assert (missing.state, missing.said.split(": ")[1]) == ("fault", "pip install 'comfywear[bacnet]'")


def test_a_fault_has_the_same_mark_whether_the_device_runs_or_not() -> None:
    trouble = {"name": "no-sensor", "about": "serial:///dev/gone", "reason": "gone is not there", "do": "plug it in"}
    status = {"workers": {}, "broker": "waiting: nothing listens", "troubles": [trouble]}
    running = {each.what.split(" ")[0]: each.state for each in checkup.workers(status)}
    assert (running["no-sensor"], running["broker"]) == ("fault", "fault")
    (stopped,) = checkup_doors.sensors([settings_file.SensorSettings(uri="serial:///dev/gone")])
    assert stopped.state == running["no-sensor"]


def test_doubts_of_the_settings_are_warnings_and_the_file_may_stand_alone(
    tmp_path: Path, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "device.toml"
    config.write_text(f"[device]\nstate_dir = '{tmp_path}'\n[mqtt]\nca_file = '{tmp_path / 'none.pem'}'\n")
    code, found = told(capsys, str(config))
    assert code == 0
    assert any("mqtt.ca_file" in each["said"] for each in found["findings"] if each["state"] == "warning")
    assert main(["doctor", str(config), "--config", str(config)]) == 2
