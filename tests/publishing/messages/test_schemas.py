from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from comfywear.publishing.messages import schemas

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "schemas"


def test_the_schemas_in_docs_are_current() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert found == schemas.texts(), "run: python -m comfywear.publishing.messages.schemas docs/schemas"


@pytest.mark.parametrize("name", sorted(schemas.schemas()))
def test_each_is_a_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.schemas()[name])


def test_they_can_be_written_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schemas.main([str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(schemas.texts())
    assert schemas.main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_units_are_said() -> None:
    properties = schemas.schemas()["climate"]["$defs"]["ClimateMessage"]["properties"]
    assert properties["air_temp_c"]["unit"] == "°C"
