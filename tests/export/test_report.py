"""Reports of `evaluate`: every section, baselines in every table, pictures that a browser can draw."""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
from test_evaluate import make_set

from comfywear.records import Detection
from comfywear_export.cli import main
from comfywear_export.data.datasets import read_set
from comfywear_export.evaluate.detector import forms_of
from comfywear_export.measure import intervals
from comfywear_export.measure.answers import measure_answers
from comfywear_export.measure.average_precision import Found, average_precision, boxes_precision
from comfywear_export.measure.curves import calibration_bins, calibration_error, confusion, curve
from comfywear_export.measure.intervals import boxes_resampled, interval
from comfywear_export.report import Chart, Table, Text, write_report
from comfywear_export.report.attributes import report
from comfywear_export.report.charts import Panel, panels
from comfywear_export.report.common import forms
from comfywear_models import available, load_card
from comfywear_models.registry import FOLDER

SVG = "{http://www.w3.org/2000/svg}"


def one_form(folder: Path, name: str) -> Path:
    """A shipped model with one form alone: the tests are about the page."""
    card = load_card(available()[name])
    (file,) = (file for file in card.files if (file.engine, file.precision) == ("onnxruntime", "fp16"))
    folder.mkdir()
    (folder / file.path).symlink_to(FOLDER / file.path)
    path = folder / f"{name}.card.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(card, files=[file])))
    return path


class Page(HTMLParser):
    """Headings and table cells of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.cells: list[str] = []
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag

    def handle_data(self, data: str) -> None:
        if self._in == "h2":
            self.headings.append(data)
        elif self._in == "td":
            self.cells.append(data)
        self._in = ""


def test_the_curve_ends_where_the_average_precision_was_taken() -> None:
    scores, hits = np.array([0.9, 0.8, 0.8, 0.3], np.float32), np.array([True, True, False, True])
    found = curve(scores, hits, 4)
    np.testing.assert_allclose(found.recall, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(found.precision, [1, 2 / 3, 3 / 4])
    assert found.at(0.8) == (0.5, pytest.approx(2 / 3))
    assert found.at(0.95)[0] == 0.0
    box = np.array([[0, 0, 10, 10]], np.float32)
    nothing = np.zeros((0, 4), np.float32)
    photos = [Found(box + 50 * (not hit), scores[i : i + 1], box, nothing) for i, hit in enumerate(hits)]
    assert boxes_precision(photos, 0.5)[0] == pytest.approx((26 + 50 * 0.75) / 101)


def test_an_interval_is_of_the_same_figure_and_holds_the_truth_as_often_as_it_says() -> None:
    chance = np.random.default_rng(3)

    def photos(n: int) -> list[Found]:
        box = np.array([[0, 0, 10, 10]], np.float32)
        found = []
        for _ in range(n):
            hit, score = chance.random() < 0.6, chance.random()
            boxes = box if hit else box + 50
            found.append(Found(boxes, np.array([score], np.float32), box, np.zeros((0, 4), np.float32)))
        return found

    one = photos(80)
    once = intervals._ranking(one)
    assert intervals._of_boxes(*once.curve(np.ones(80))) == pytest.approx(boxes_precision(one, 0.5)[0])
    said, yes = chance.random(50).astype(np.float32).round(1), chance.random(50) < 0.3
    ranking = intervals.Ranking.of(said, yes, np.arange(50), yes.astype(np.intp))
    assert intervals._of_answers(*ranking.curve(np.ones(50))) == pytest.approx(average_precision(said, yes))
    true = boxes_precision(photos(3000), 0.5)[0]
    held = 0
    for _ in range(25):
        low, high = (float(x) for x in interval(boxes_resampled({"a": photos(80)}, times=60)["a"]).split("–"))
        held += low <= true <= high
    assert held >= 19


def test_a_model_that_is_right_as_often_as_it_says_is_calibrated() -> None:
    said = np.repeat([0.05, 0.25, 0.75], 100)
    right = np.concatenate([np.arange(100) < n for n in (5, 25, 75)])
    bins = calibration_bins(said, right)
    assert [each.n for each in bins] == [100, 100, 100]
    assert calibration_error(bins) == pytest.approx(0)
    assert calibration_error(calibration_bins(said, ~right)) > 0.5


def test_a_box_goes_to_a_find_of_its_own_label_first(tmp_path: Path) -> None:
    boxes = {"coat": [10.0, 10, 40, 60], "skirt": [15.0, 60, 30, 30], "romper": [0.0, 0, 9, 9]}
    (photo,) = read_set(make_set(tmp_path / "s", boxes))
    finds = [
        Detection((10, 10, 50, 70), 0.9, "top"),  # over the coat, but there is a coat too
        Detection((11, 11, 50, 70), 0.5, "outer"),
        Detection((15, 60, 45, 90), 0.6, "dress"),  # the skirt taken for a dress
        Detection((60, 60, 75, 75), 0.6, "dress"),  # nothing there
        Detection((0, 0, 9, 9), 0.9, "dress"),  # where it counts neither way
        Detection((15, 60, 45, 90), 0.1, "skirt"),  # not believed
    ]
    labels = ["top", "outer", "dress", "skirt"]
    table = confusion([(photo, finds)], labels, dict.fromkeys(labels, 0.3))
    expected = np.zeros((5, 5), int)
    expected[1, 1] = expected[3, 2] = expected[4, 2] = expected[4, 0] = 1
    np.testing.assert_array_equal(table, expected)


def test_what_is_in_a_report_cannot_break_the_page(tmp_path: Path) -> None:
    bad = "<script>alert('x')</script> | a&b"
    svg = panels({bad: Panel(curve([0.5], [True], 1))})
    blocks = [Text(bad, [bad]), Table(bad, [bad, "n"], [[bad, "1"]]), Chart(bad, svg, f'{bad}" onload="x')]
    write_report(tmp_path / "r.html", bad, blocks)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert 'onload="' not in text
    write_report(tmp_path / "r.md", bad, blocks)
    (picture,) = tmp_path.glob("r-1-*.svg")
    assert ET.fromstring(picture.read_text(encoding="utf-8")).tag == f"{SVG}svg"
    assert f"({picture.name})" in (tmp_path / "r.md").read_text(encoding="utf-8")


def test_the_detectors_report_has_every_section_form_and_baseline(tmp_path: Path) -> None:
    boxes = {"person": [10.0, 10, 40, 80], "skirt": [15.0, 50, 30, 20], "blouse": [15.0, 20, 30, 20]}
    folder = make_set(tmp_path / "s", boxes, split="mine", count=2)
    file = tmp_path / "r.html"
    model = one_form(tmp_path / "model", "detector")
    words = ["evaluate", "detector", str(model), "--data", str(folder), "--split", "mine", "--json"]
    assert main([*words, "--report", str(file), "--forms-limit", "1"]) == 0
    text = file.read_text(encoding="utf-8")
    page = Page(text)
    assert page.headings == [
        "In short", "Label by label", "Precision and recall", "What is taken for what", "Do scores mean what they say?",
        "Every form of the model", "Time of a picture", "Notes",
    ]  # fmt: skip
    assert {"person", "top", "skirt", "persons found"} <= set(page.cells)
    assert "onnxruntime fp16" in page.cells
    assert "mean box" in text
    for svg in text.split("<figure>")[1:]:
        assert ET.fromstring(svg[: svg.index("</figure>")]).get("aria-label")
    assert "http://" not in text.replace("http://www.w3.org/", "").replace("http://purl.org/", "").replace(
        "http://creativecommons.org/", ""
    )


def test_answers_are_shown_beside_constant_ones_where_the_truth_is_known(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    labels = ["group/hat", "group/bag", "garment/bag"]
    truth = (chance.random((60, 3)) < [0.2, 0.6, 0.6]).astype(np.float32)
    said = (0.3 * chance.random((60, 3)) + 0.6 * truth).astype(np.float32)
    truth[:30, 0] = np.nan
    thresholds = dict.fromkeys(labels, 0.5)
    facts = {"model": "m", "version": "1", "engine": "e", "precision": "p", "data": "d", "split": "s"}
    result = {**facts, **measure_answers(said, truth, labels, thresholds)}
    card = load_card(available()["attributes"])
    report(tmp_path / "r.md", result, thresholds, (labels, said, truth), "left out here", card)
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    hats, n = int(np.nansum(truth[:, 0])), 30
    assert f"| group/hat | {hats} | {n} | 1.000 | 1.000–1.000 | {hats / n:.3f} | 0.50 | 1.000 |" in text
    assert f"| hat | 0.50 | {hats} | 0 | 0 | {n - hats} |" in text
    assert f"| mean F1 of the groups | {result['f1_groups']:.3f} |  | " in text
    assert len(list(tmp_path.glob("r-*.svg"))) == text.count("![") == 3


@pytest.mark.slow
def test_the_attribute_models_report_is_markdown_with_pictures_beside_it(tmp_path: Path) -> None:
    boxes = {"person": [10.0, 10, 40, 80], "skirt": [15.0, 50, 30, 20]}
    folder = make_set(tmp_path / "s", boxes, split="mine", count=2)
    file = tmp_path / "r.md"
    model = one_form(tmp_path / "model", "attributes")
    words = [
        "evaluate",
        "attributes",
        str(model),
        "--data",
        str(folder),
        "--split",
        "mine",
        "--json",
        "--forms-limit",
        "1",
    ]
    assert main([*words, "--report", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    assert "| figure | model | 95 % interval | constant answers |" in text
    assert "| group/skirt-or-dress | 2 | 2 | 1.000 | 1.000–1.000 | 1.000 |" in text
    assert len(list(tmp_path.glob("r-*.svg"))) == text.count("![") == 4


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("report.pdf", "gone/report.html"):
        assert main(["evaluate", "detector", "--data", "nowhere", "--report", str(tmp_path / name)]) == 2
        assert "--report" in capsys.readouterr().err


def test_a_report_that_was_cut_off_goes_on_with_the_next_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from comfywear_export.evaluate import detector
    from comfywear_export.measure import detection

    folder = make_set(tmp_path / "s", {"person": [10.0, 10, 40, 80]}, split="mine", count=4)
    model = str(one_form(tmp_path / "model", "detector"))
    common = ["evaluate", "detector", model, "--data", str(folder), "--split", "mine", "--json"]
    assert main(common) == 0
    whole = capsys.readouterr().out
    read, photos = detection.read_photo, []

    def read_and_stop(path: Path) -> object:
        photos.append(path)
        if len(photos) == 3:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(detection, "read_photo", read_and_stop)
    monkeypatch.setattr(detector, "forms_of", lambda *_: "left out here")
    monkeypatch.setattr("comfywear_export.report.detector.report", lambda *_: None)
    words = [*common, "--report", str(tmp_path / "r.md")]
    assert main(words) == 130
    with (tmp_path / ".r.md.answers").open("a") as file:
        file.write('\n["cut o')  # the line that was being written
    assert main(words) == 0
    assert [path.name for path in photos] == ["1.jpg", "2.jpg", "3.jpg", "3.jpg", "4.jpg"]
    assert capsys.readouterr().out == whole
    assert not (tmp_path / ".r.md.answers").exists()
    assert main([*words, "--model", model]) == 0
    assert not (tmp_path / ".r.md.answers").exists()


def test_a_form_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    args = argparse.Namespace(model="none-such", data=tmp_path, split="all", limit=0, forms_limit=1)
    why = forms_of(args, "detector")
    (text,) = forms(why, load_card(available()["detector"]), "photo")
    assert isinstance(text, Text)
    assert text.lines[0].startswith("Not compared: no model named 'none-such'")


def test_the_same_numbers_make_the_same_picture() -> None:
    panel = {"hat": Panel(curve(np.linspace(1, 0, 1000), np.arange(1000) % 3 == 0, 400), 0.5, (0.1, 0.1))}
    drawn = panels(panel)
    assert drawn == panels(panel)
    assert len(drawn) < 60_000
