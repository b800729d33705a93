"""Settings: what is right is read, what is wrong is named with file, line and field."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear import settings
from comfywear.cli import main
from comfywear.errors import SettingsError
from comfywear.settings_page import settings_page
from comfywear.toml_lines import explain, parse

DOCS = Path(__file__).resolve().parents[2] / "docs"


def write(folder: Path, text: str) -> Path:
    path = folder / "device.toml"
    path.write_text(text)
    return path


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    found = settings.load(write(tmp_path, ""))
    assert [zone.name for zone in found.zones] == ["room"]
    assert found.mqtt.host == ""
    assert found.device.name()


@pytest.mark.parametrize(
    ("text", "line", "field", "word"),
    [
        ("[camera]\nfps = 2\n\nsorce = 'x'\n", 4, "camera.sorce", "did you mean 'source'"),
        ("[camra]\nfps = 2\n", 1, "camra", "did you mean 'camera'"),
        ("[mqtt]\nhost = 'a'\nport = 'b'\n", 3, "mqtt.port", "Expected `int`"),
        ("[mqtt]\nport = 70000\n", 2, "mqtt.port", "65535"),
        ("[[zones]]\nname = 'a'\n[[zones]]\nname = 'b c'\n", 4, "zones[2].name", "regex"),
        ("[[zones]]\nname = 'a'\n[[zones]]\nname = 'a'\n", 4, "zones[2].name", "Two zones"),
        ("[[zones]]\nname = 'a'\npolygon = [[0, 0], [1, 1]]\n", 3, "zones[1].polygon", "three corners"),
        ("[[sensors]]\nuri = 'thermometer://x'\n", 2, "sensors[1].uri", "there are serial://"),
        ("[[sensors]]\nuri = 'fake://'\nzone = 'b'\n", 3, "sensors[1].zone", "the zones are: room"),
        ("[[sensors]]\nzone = 'room'\n", 1, "sensors[1]", "'uri' is missing"),
        ("[mqtt\n", 1, "", "not valid TOML"),
        ("camera.fps = -1\n", 1, "camera.fps", "> 0"),
    ],
)
def test_a_wrong_file_is_refused_with_file_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, text)
    assert main(["config", "check", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}:{line}: {field}" in said
    assert word in said
    assert len(said.splitlines()) == 1


def test_a_missing_file_a_folder_and_bytes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "bytes.toml"):
        with pytest.raises(SettingsError, match=str(path)):
            settings.load(path)


def test_a_right_file_is_said_to_be_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "[camera]\nsource = '/dev/video0'\n[mqtt]\nhost = 'broker.local'\n")
    assert main(["config", "check", str(path)]) == 0
    assert "broker.local:1883" in capsys.readouterr().out


def test_the_schema_describes_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"camera": {"fps": 1.5}, "zones": [{"name": "desk"}]})
    assert not validator.is_valid({"camera": {"fsp": 1.5}})


def test_the_reference_page_is_current() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page(), "run: comfywear config page > docs/settings.md"


def test_every_field_has_a_title_and_a_description() -> None:
    for section in settings.sections().values():
        properties = settings.json_schema()["$defs"][section.__name__]["properties"]
        for name, field in properties.items():
            assert field.get("title"), name
            assert field.get("description"), name


@given(st.text())
def test_any_text_is_read_or_refused_in_one_way(text: str) -> None:
    try:
        parse(text, "x.toml")
    except SettingsError as error:
        assert str(error).startswith("x.toml:")


@given(st.text(), st.text())
def test_explaining_never_fails(message: str, text: str) -> None:
    assert explain(f"{message} - at `$.zones[1].name`", text, "x.toml")
