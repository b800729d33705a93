"""`comfywear-export release`: what fell is refused, what is let through says why, and the device's check accepts it."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comfywear.cli import main as device
from comfywear.vision.sample import check_sample, open_form
from comfywear_export.cli import main
from comfywear_export.release.gate import Tolerances, compare
from comfywear_models import Card, load_card
from comfywear_models.registry import FOLDER
from comfywear_models.release import new_key, open_release, public_key_of

FORM = "onnxruntime int8"
SET = "ccp validation"
OLD = load_card(FOLDER / "attributes.card.json").version  # of the model that comes with the program
NEW = str(int(OLD) + 1)


def changed(card: Card, **figures: Any) -> Card:
    """The card with other headline figures of its one form."""
    quality = msgspec.json.decode(msgspec.json.encode(card.quality))
    quality[FORM][SET] |= figures
    return msgspec.structs.replace(card, quality=quality)


@pytest.fixture
def current(tmp_path: Path) -> Path:
    """The shipped attribute model with one of its forms, as the model in service."""
    card = load_card(FOLDER / "attributes.card.json")
    files = [file for file in card.files if f"{file.engine} {file.precision}" == FORM]
    card = msgspec.structs.replace(card, files=files, quality={FORM: card.quality[FORM]}, version=OLD)
    return write(tmp_path / "current", changed(card, map_groups=0.7453))


def write(folder: Path, card: Card) -> Path:
    folder.mkdir()
    for file in card.files:
        (folder / file.path).symlink_to(FOLDER / file.path)
    (folder / "attributes.card.json").write_bytes(msgspec.json.encode(card))
    return folder / "attributes.card.json"


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["release", "keygen", str(tmp_path / "key.pem")]) == 0
    assert public_key_of((tmp_path / "key.pem").read_bytes()) in capsys.readouterr().out
    return tmp_path / "key.pem"


def new(tmp_path: Path, current: Path, version: str = NEW, **figures: Any) -> Path:
    card = msgspec.structs.replace(changed(load_card(current), **figures), version=version)
    return write(tmp_path / f"new-{version}", card)


def words(tmp_path: Path, model: Path, current: Path, key: Path) -> list[str]:
    return ["release", str(model), "--against", str(current), "--key", str(key), "--out", str(tmp_path / "out")]


def test_a_key_is_for_its_owner_alone_and_never_written_over(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    assert main(["release", "keygen", str(key)]) == 2
    assert "not written over" in capsys.readouterr().err
    assert key.read_bytes() == before


def test_a_key_that_others_can_read_is_refused(
    tmp_path: Path, current: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key.chmod(0o644)
    assert main(words(tmp_path, new(tmp_path, current), current, key)) == 2
    assert "chmod 600" in capsys.readouterr().err


def test_a_release_holds_what_its_card_says_and_answers_the_sample(tmp_path: Path, current: Path, key: Path) -> None:
    assert main(words(tmp_path, new(tmp_path, current, map_groups=0.9), current, key)) == 0
    out = tmp_path / "out"
    names = [f"attributes-{NEW}.int8.onnx", f"attributes-{NEW}.md", f"attributes-{NEW}.release.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    data = (out / f"attributes-{NEW}.release.json").read_bytes()
    found = open_release(data, [public_key_of(key.read_bytes())])
    assert found.card.made_with["replaces"]["version"] == OLD
    # A device puts the card beside the files and asks the model.
    (out / "attributes.card.json").write_bytes(msgspec.json.encode(found.card))
    check_sample(
        open_form(out / "attributes.card.json", found.card, engine="onnxruntime", precision="int8"), found.samples
    )
    assert "| onnxruntime int8: mean AP of the groups on ccp validation | 0.7453 | 0.9000 | 150 |" in (
        out / f"attributes-{NEW}.md"
    ).read_text(encoding="utf-8")


def test_a_device_takes_over_what_was_released(
    tmp_path: Path, current: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(tmp_path, new(tmp_path, current), current, key)) == 0
    settings = tmp_path / "device.toml"
    settings.write_text(
        f'[device]\nstate_dir = "{tmp_path / "state"}"\n[vision]\nprecision = "int8"\n'
        f'[updates]\nslower_at_most = 10.0\nkeys = ["{public_key_of(key.read_bytes())}"]\n'
    )
    release = tmp_path / "out" / f"attributes-{NEW}.release.json"
    assert device(["models", "pull", str(release), "--config", str(settings)]) == 0
    assert f"attributes {NEW} is in service" in capsys.readouterr().out
    other = new_key()[1]
    settings.write_text(settings.read_text().replace(public_key_of(key.read_bytes()), other))
    assert device(["models", "pull", str(release), "--config", str(settings)]) == 1
    assert "none of the 1 trusted keys has signed" in capsys.readouterr().err


def test_a_figure_that_fell_is_refused_and_nothing_is_written(
    tmp_path: Path, current: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = new(tmp_path, current, map_groups=0.7352)
    assert main(words(tmp_path, model, current, key)) == 1
    error = capsys.readouterr().err
    assert "onnxruntime int8: mean AP of the groups on ccp validation (0.7453 → 0.7352): worse by 0.0101" in error
    assert not (tmp_path / "out").exists()
    assert main([*words(tmp_path, model, current, key), "--tolerance", "0.02"]) == 0


@pytest.mark.parametrize("option", [["--tolerance", "1"], ["--class-tolerance", "0.3"], ["--tolerance", "-0.1"]])
def test_a_tolerance_that_lets_anything_through_is_refused(
    tmp_path: Path, current: Path, key: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    model = new(tmp_path, current, map_groups=0.336)
    assert main([*words(tmp_path, model, current, key), *option]) == 2
    assert "--allow 'FIGURE=REASON'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_goes_out_all_the_same_says_why_in_its_card(
    tmp_path: Path, current: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = new(tmp_path, current, map_groups=0.5)
    figure = f"{FORM}: mean AP of the groups on {SET}"
    common = words(tmp_path, model, current, key)
    assert main([*common, "--allow", figure]) == 2
    assert main([*common, "--allow", f"{figure}=labels were mended", "--allow", "nothing=so"]) == 2
    assert "nothing of that name fell" in capsys.readouterr().err
    assert main([*common, "--allow", f"{figure}=labels were mended"]) == 0
    data = (tmp_path / "out" / f"attributes-{NEW}.release.json").read_bytes()
    card = open_release(data, [public_key_of(key.read_bytes())]).card
    assert card.notes[-1] == f"Released although {figure} went from 0.7453 to 0.5000: labels were mended"
    assert card.made_with["replaces"]["allowed"][figure]["reason"] == "labels were mended"


def test_a_release_is_made_once_and_its_version_rises(
    tmp_path: Path, current: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = words(tmp_path, new(tmp_path, current), current, key)
    assert main(common) == 0
    before = (tmp_path / "out" / f"attributes-{NEW}.release.json").read_bytes()
    assert main(common) == 0
    assert "released before" in capsys.readouterr().out
    assert (tmp_path / "out" / f"attributes-{NEW}.release.json").read_bytes() == before
    assert main(words(tmp_path, new(tmp_path, current, OLD), current, key)) == 2
    assert "version rises" in capsys.readouterr().err


def test_a_release_that_was_cut_off_is_made_whole_by_the_same_command(tmp_path: Path, current: Path, key: Path) -> None:
    common = words(tmp_path, new(tmp_path, current), current, key)
    # Killed at the last step, when the manifest is to appear.
    killed = (
        "import os, signal, sys, pathlib\n"
        "written = pathlib.Path.write_bytes\n"
        "def write(path, data):\n"
        "    if path.name.endswith('.release.json'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return written(path, data)\n"
        "pathlib.Path.write_bytes = write\n"
        "from comfywear_export.cli import main; main(sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", killed, *common], check=False, stdout=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == [f".attributes-{NEW}.part", f"attributes-{NEW}.int8.onnx", f"attributes-{NEW}.md"]
    assert main(common) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*left[1:], f"attributes-{NEW}.release.json"]


def test_a_damaged_model_is_not_signed(
    tmp_path: Path, current: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = new(tmp_path, current)
    file = model.parent / load_card(model).files[0].path
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.unlink()
    file.write_bytes(data)
    assert main(words(tmp_path, model, current, key)) == 1
    assert "not the one on its card" in capsys.readouterr().err
    assert not (tmp_path / "out" / f"attributes-{NEW}.release.json").exists()


def test_the_gate_misses_nothing_that_devices_would_miss() -> None:
    card = load_card(FOLDER / "detector.card.json")
    assert compare(card, card, Tolerances())[1] == []
    poorer = msgspec.structs.replace(card, files=card.files[:-1], labels=card.labels[:-1])
    assert {fall.name for fall in compare(poorer, card, Tolerances())[1]} == {"form litert fp16", "label hat"}
    quality = msgspec.json.decode(msgspec.json.encode(card.quality))
    people = quality["litert int8"]["people validation"]["person"]
    people["n"] = 100
    del quality["litert fp16"]["people validation"]
    garments = quality["onnxruntime fp16"]["ccp validation"]["garments"]["per_class"]
    garments["trousers"]["ap50"] -= 0.06
    garments["shorts"]["ap50"] -= 0.5  # of 8 boxes alone
    quality["onnxruntime int8"]["people validation"]["person"]["recall50"] = 0.1
    falls = {
        fall.name: fall.why for fall in compare(msgspec.structs.replace(card, quality=quality), card, Tolerances())[1]
    }
    assert "not the same photos" in falls["litert int8: person AP50 on people validation"]
    assert "not measured" in falls["litert fp16: person AP50 on people validation"]
    assert "worse by 0.0600" in falls["onnxruntime fp16: trousers AP50 on ccp validation"]
    assert "onnxruntime int8: person F1 at the threshold on people validation" in falls
    assert not any("shorts" in name for name in falls)


@pytest.mark.parametrize("nothing", [float("nan"), None])
def test_a_figure_that_there_is_no_more_is_a_fall(current: Path, nothing: float | None) -> None:
    card = load_card(current)
    quality = msgspec.json.decode(msgspec.json.encode(card.quality))
    quality[FORM][SET]["map_groups"] = nothing
    falls = compare(msgspec.structs.replace(card, quality=quality), card, Tolerances())[1]
    assert [(fall.name, fall.now) for fall in falls] == [(f"{FORM}: mean AP of the groups on {SET}", None)]


def test_a_calibration_error_that_rises_is_a_fall(current: Path) -> None:
    card = load_card(current)
    falls = compare(changed(card, calibration_error=0.2), card, Tolerances())[1]
    assert [fall.name for fall in falls] == [f"{FORM}: calibration error on {SET}"]


@pytest.mark.slow
def test_both_models_can_be_measured_side_by_side(
    tmp_path: Path, current: Path, key: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The card lies about itself; what is measured counts.
    model = new(tmp_path, current, map_groups=0.1)
    common = words(tmp_path, model, current, key)
    assert main([*common, "--data", str(shared_data), "--limit", "12"]) == 0
    assert f"attributes {NEW} beside attributes {OLD}" in capsys.readouterr().out
    card = load_card(new(tmp_path, current, str(int(NEW) + 1), map_groups=0.99))
    muddled = write(tmp_path / "muddled", msgspec.structs.replace(card, labels=[*card.labels[1:], card.labels[0]]))
    common = words(tmp_path, muddled, current, key)
    assert main([*common, "--data", str(shared_data), "--limit", "12"]) == 1
    assert "mean AP of the groups on ccp validation" in capsys.readouterr().err
    assert not (tmp_path / "out" / f"attributes-{int(NEW) + 1}.release.json").exists()
