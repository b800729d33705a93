"""`comfywear calibrate` against a running device: it waits for rest, says what was found, and keeps it when told to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comfywear import settings as settings_file
from comfywear.calibration import steady
from comfywear.cli import main
from comfywear.commands import calibrate
from comfywear.device.device import Device
from comfywear.device.page import calibration as page_calibration
from waiting import until


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The settings of a running device with two sensors that speak quickly; rest is a matter of seconds."""
    path = tmp_path / "device.toml"
    sensors = "".join(f"[[sensors]]\nuri = 'fake://?seed={seed}'\nevery_s = 1.0\n" for seed in (1, 2))
    path.write_text(f"# Kept.\n[device]\nid = 'd1'\nstate_dir = '{tmp_path / 'state'}'\n{sensors}")
    quick = lambda *said, **more: steady.rest_of(*said, window_s=5.0, **more)  # noqa: E731
    monkeypatch.setattr(page_calibration, "rest_of", quick)
    monkeypatch.setattr(calibrate, "_ASK_EVERY_S", 0.5)
    with Device(settings_file.load(path), reload=lambda: None, path=path) as device:
        until(lambda: device.health()["control"].state == "running")
        yield path


def test_a_point_waits_for_rest_and_is_kept_when_told_to(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = config.read_text()
    words = [
        "calibrate",
        "point",
        "1",
        "--reference",
        "22.0",
        "--uncertainty",
        "0.1",
        "--wait",
        "90",
        "--config",
        str(config),
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "where 22.000 ± 0.100 °C is true" in said
    assert "--first " in said
    assert "not kept: say --keep" in said
    assert config.read_text() == before
    assert main([*words, "--keep"]) == 0
    assert "kept in the settings" in capsys.readouterr().out
    assert settings_file.load(config).sensors[0].temp_offset_k != 0.0
    assert "# Kept." in config.read_text()


def test_show_says_what_each_sensor_says(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "show", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "1: fake://" in said
    assert "2: fake://" in said
    assert "the board" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["point", "1"], "say what is true"),
        (["point", "9", "--reference", "20"], "there is no sensor 9"),
        (["point", "1", "--reference", "20", "--first", "1,2,3"], "four numbers are wanted"),
        (["self-heating", "1"], "too few"),
        (["response", "1", "--since", "60"], "wanted"),
        (["point", "1", "--quantity", "humidity", "--reference", "20", "--wait", "1"], "not at rest"),
    ],
)
def test_what_cannot_be_is_said_in_words(
    config: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["calibrate", *words, "--config", str(config)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code != 0
    assert said in capsys.readouterr().err
