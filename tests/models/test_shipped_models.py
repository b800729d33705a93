"""The shipped models: files, cards, and the command that lists and checks them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from comfywear.cli import main
from comfywear_models import CardError, available, find, load_card, verify
from comfywear_models.registry import FOLDER


@pytest.fixture(autouse=True)
def no_models_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYWEAR_MODELS", str(tmp_path / "mine"))


@pytest.mark.parametrize("name", ["detector", "attributes"])
def test_each_model_has_all_its_forms_and_says_what_it_was_made_from(name: str) -> None:
    card, folder = find(name)
    everything = {(engine, precision) for engine in ("onnxruntime", "litert") for precision in ("fp16", "int8")}
    assert {(file.engine, file.precision) for file in card.files} == everything
    for file in card.files:
        path = verify(file, folder)
        assert path.stat().st_size == file.bytes < 8e6
    assert set(card.thresholds) == set(card.labels)
    assert all(0 < value < 1 for value in card.thresholds.values())
    assert all(data["licence"] for data in card.training_data)
    assert len(card.made_with["commit"]) == 40
    assert set(card.quality) == {f"{file.engine} {file.precision}" for file in card.files}


def test_the_detector_finds_persons_and_ten_kinds_of_garments() -> None:
    labels = "person top knit outer dress trousers skirt shorts footwear bag hat"
    assert find("detector")[0].labels == labels.split()


def test_nothing_is_predicted_about_age_or_gender() -> None:
    words = " ".join(find("attributes")[0].labels).lower()
    assert not [
        word for word in ("age", "gender", "male", "child", "adult") if f"/{word}" in words or f"-{word}" in words
    ]


def test_every_figure_has_a_baseline_beside_it() -> None:
    for form in find("detector")[0].quality.values():
        for data in ("people validation", "ccp validation"):
            assert form[data]["mean_box"]["person"]["n"] == form[data]["person"]["n"]
    for form in find("attributes")[0].quality.values():
        for figures in form.values():
            assert 0 < figures["prevalence"]["groups"] < figures["map_groups"]


def test_the_detector_is_judged_where_nobody_is_and_rarely_sees_somebody_there() -> None:
    card, _ = find("detector")
    rooms = ("empty/grey", "empty/houses", "empty/messy")
    for form in card.quality.values():
        quick = form["empty validation"]["quick"]
        assert quick["images"] > 1000
        assert {*rooms, "empty/pets"} <= quick["sources"].keys()
        of_rooms = [quick["sources"][name] for name in rooms]
        assert sum(part["share"] * part["images"] for part in of_rooms) < 0.02 * sum(p["images"] for p in of_rooms)
    far = card.quality["onnxruntime fp16"]["empty validation"]["far"]
    fired = sum(far["sources"][name]["share"] * far["sources"][name]["images"] for name in rooms)
    assert fired <= 0.02 * sum(far["sources"][name]["images"] for name in rooms)


def test_all_files_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 35e6


def test_list_names_each_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    for name in available():
        for file in find(name)[0].files:
            assert file.path in shown
    assert main(["models", "list", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(available())


def test_verify_passes_as_shipped_and_fails_on_one_changed_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "verify"]) == 0
    capsys.readouterr()
    shutil.copytree(FOLDER, tmp_path / "files")
    path = tmp_path / "files" / "detector.int8.onnx"
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(bytes(data))
    assert main(["models", "verify", str(tmp_path / "files" / "detector.card.json")]) == 1
    shown = capsys.readouterr().out
    assert "detector.int8.onnx: the file is not the one on its card" in shown
    assert "detector.fp16.onnx is as its card says" in shown
    assert main(["models", "verify", "nothing"]) == 1


def test_a_card_with_a_misspelt_field_or_no_json_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "x.card.json"
    path.write_text("{")
    with pytest.raises(CardError, match=r"x\.card\.json: not a model card"):
        load_card(path)
    card = json.loads((FOLDER / "detector.card.json").read_text())
    path.write_text(json.dumps({**card, "treshold": 1}))
    with pytest.raises(CardError, match="treshold"):
        load_card(path)
    with pytest.raises(CardError, match="cannot be read"):
        load_card(tmp_path / "none.card.json")


@pytest.mark.parametrize("content", [b"\x80", b'{"\x80name": 1}', b"[" * 100_000, b"", b"null"])
def test_a_card_of_any_bytes_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.card.json"
    path.write_bytes(content)
    with pytest.raises(CardError, match="not a model card"):
        load_card(path)
