"""`comfywear-export release` on a TUF repository: from the first key to a device that takes a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from comfywear.cli import main as device
from comfywear_export.cli import main
from comfywear_models import load_card
from comfywear_models.registry import FOLDER

FORM = "onnxruntime int8"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The shipped attribute model with one of its forms, as version 99."""
    card = load_card(FOLDER / "attributes.card.json")
    files = [file for file in card.files if f"{file.engine} {file.precision}" == FORM]
    folder = tmp_path / "model"
    folder.mkdir()
    for file in files:
        (folder / file.path).symlink_to(FOLDER / file.path)
    made = msgspec.structs.replace(card, files=files, quality={FORM: card.quality[FORM]}, version="99")
    (folder / "attributes.card.json").write_bytes(msgspec.json.encode(made))
    return folder / "attributes.card.json"


def run(*words: Any) -> int:
    return main(["release", *map(str, words)])


def test_from_the_first_key_to_a_device(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, keys = tmp_path / "out", tmp_path / "keys"
    assert run("init", out, "--keys", keys, "--threshold", "root=2/3") == 0
    assert f"{keys / 'root.json'}: for the devices, [updates] root" in capsys.readouterr().out
    assert run(model, "--first", "--repository", out, "--keys", keys, "--group", "pilot", "--share", "0.5") == 0
    assert "to 50% of the devices of the groups pilot" in capsys.readouterr().out
    assert "# attributes 99" in (out / "attributes-99.md").read_text(encoding="utf-8")
    settings = tmp_path / "device.toml"
    settings.write_text(
        f'[device]\nstate_dir = "{tmp_path / "state"}"\n[vision]\nprecision = "int8"\n'
        f'[updates]\nslower_at_most = 10.0\nroot = "{keys / "root.json"}"\n'
    )
    pull = ["models", "pull", str(out), "--config", str(settings)]
    assert device(pull) == 2
    assert "it goes to the groups pilot first, and updates.group names none" in capsys.readouterr().err
    assert run("halt", out, "attributes", "--keys", keys, "--because", "ghosts") == 0
    assert run("share", out, "attributes", "--keys", keys) == 0
    assert run("rotate", out, "root", "--keys", keys) == 0
    assert run("timestamp", out, "--keys", keys, "--days", "2") == 0
    assert run("renew", out, "attributes", "--keys", keys) == 0
    capsys.readouterr()
    assert run("status", out, "--keys", keys) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].startswith("timestamp    until ")
    assert "attributes 99 to 100% of the devices" in told
    assert device(pull) == 0
    assert "attributes 99 is in service on trial" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["init"], "its words do not fit"),
        (["init", "new", "--keys", "a", "--keys", "b"], "makes keys in one folder"),
        (["init", "new", "--keys", "k", "--threshold", "root=x"], "write ROLE=K/N"),
        (["timestamp", "none"], "--keys FOLDER"),
        (["timestamp", "none", "--keys", "none"], "no private key"),
        (["rotate", "none"], "its words do not fit"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    tmp_path: Path, words: list[str], error: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    said = capsys.readouterr().err
    assert error in said
    assert said.count("\n") == 1


def test_a_repository_that_is_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", tmp_path / "out", "--keys", tmp_path / "keys") == 0
    for verb, words in (("timestamp", []), ("share", ["m"]), ("status", [])):
        assert run(verb, tmp_path / "none", *words, "--keys", tmp_path / "keys") == 2
        assert "no repository of releases" in capsys.readouterr().err
    assert run("introduce", tmp_path / "out", "--keys", tmp_path / "keys") == 2
    assert "--key FILE" in capsys.readouterr().err
    assert run("keygen", tmp_path / "old.pem") == 0
    assert run("introduce", tmp_path / "out", "--keys", tmp_path / "keys", "--key", tmp_path / "old.pem") == 0
    assert (tmp_path / "out" / "introduction.json").is_file()
