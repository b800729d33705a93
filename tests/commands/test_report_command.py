"""`comfywear report`: from real databases and a real device's folder to a page on paper."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import pytest

from comfywear.cli import main
from comfywear.comfort import SCALE
from comfywear.feedback import Snapshot, VoteStore
from comfywear.learning.log import LearningLog, LearningSnapshot
from comfywear.records import Comfort
from comfywear.report.pdf import BROWSERS
from comfywear.system.clock import WallTime
from comfywear.web import History, Point

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = any(shutil.which(name) for name in BROWSERS)
UTC = ("--timezone", "UTC")


def report(*words: object) -> tuple[int, str]:
    """Exit code, and all that was said."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = main(["report", *map(str, words)])
    return code, said.getvalue()


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of an office in a database that the collector's own store filled, in a process of its own."""
    file = tmp_path_factory.mktemp("collected") / "collected.db"
    subprocess.run([sys.executable, ROOT / "report" / "made_month.py", file], check=True, timeout=300)
    return file


def test_a_month_becomes_a_page_and_the_database_stays_as_it_was(collected: Path, tmp_path: Path) -> None:
    before = collected.read_bytes()
    out = tmp_path / "report.html"
    code, said = report("--db", collected, "--month", "2026-01", "--out", out, *UTC)
    assert (code, said) == (0, f"{out}: 2026-01, desk\n")
    html = out.read_text(encoding="utf-8")
    assert "Comfort in January 2026" in html
    assert "desk and wall differ by 3.1 K" in html
    assert "Tue 20, 8–9" in html
    assert collected.read_bytes() == before
    assert [file.name for file in collected.parent.iterdir()] == [collected.name]


def test_a_file_that_exists_is_written_over_only_when_that_is_said(collected: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("mine")
    words = ("--db", collected, "--month", "2026-01", "--out", out)
    code, said = report(*words)
    assert (code, "--force" in said, out.read_text()) == (2, True, "mine")
    assert report(*words, "--force")[0] == 0
    assert out.read_text().startswith("<!doctype html>")


@pytest.mark.skipif(not CHROMIUM, reason="needs the browser chromium (Debian: apt install chromium)")
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_zone_s_month_is_one_sheet_of_paper(collected: Path, tmp_path: Path, language: str) -> None:
    out = tmp_path / "report.pdf"
    code, said = report("--db", collected, "--month", "2026-01", "--language", language, "--out", out)
    assert code == 0, said
    content = out.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", content):
        assert [float(side) for side in box.split()] == pytest.approx([0, 0, 595.3, 841.9], abs=1.0), "A4"


def test_without_a_browser_the_pdf_says_what_to_install_or_take_instead(
    collected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, said = report("--db", collected, "--month", "2026-01", "--out", tmp_path / "report.pdf")
    assert code == 1
    assert "apt install chromium" in said
    assert ".html" in said
    assert not (tmp_path / "report.pdf").exists()


def test_a_browser_that_prints_nothing_is_said(
    collected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\necho no display >&2\n")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    code, said = report("--db", collected, "--month", "2026-01", "--out", tmp_path / "report.pdf")
    assert (code, "made no PDF (no display)" in said) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "2026-02"), "no message of a zone is from 2026-02; there are messages from 2026-01 to 2026-01"),
        (("--month", "January"), "is no month"),
        (("--month", "2099-01"), "has not begun"),
        (("--month", "2026-01", "--zone", "cellar"), "no zone is named 'cellar'; the zones are: desk"),
        (("--month", "2026-01", "--device", "other"), "there are: house/office-1"),
        (("--month", "2026-01", "--language", "fr"), "there are: de, en"),
        (("--month", "2026-01", "--timezone", "Mars"), "Europe/Berlin"),
        (("--month", "2026-01", "--state-dir", "/x"), "give one"),
    ],
)
def test_what_cannot_be_is_said_in_words(collected: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    code, heard = report("--db", collected, "--out", tmp_path / "r.html", *words)
    assert code in (1, 2)
    assert said in heard
    assert "Traceback" not in heard
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_ends_otherwise_and_a_folder_that_is_none_are_refused(collected: Path, tmp_path: Path) -> None:
    code, said = report("--db", collected, "--month", "2026-01", "--out", tmp_path / "r.docx")
    assert (code, "should end in .html or .pdf" in said) == (2, True)
    code, said = report("--db", collected, "--month", "2026-01", "--out", tmp_path / "none" / "r.html")
    assert (code, "cannot be written" in said) == (1, True)
    code, said = report("--state-dir", tmp_path, "--out", tmp_path / "r.html")
    assert (code, "is no device's state folder" in said) == (2, True)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A device's state folder with two days of history and two votes, made by the device's own stores."""
    folder = tmp_path / "state"
    begin = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
    history = History(folder / "page.sqlite")
    for minute in range(600):
        at_s = (begin + timedelta(minutes=minute)).timestamp()
        history.add([("desk", Point(at_s, 24.0, 45.0, 0.4, 0.6, float(minute < 300)))])
    history.close()
    stamps = iter([WallTime("2026-01-05T09:00:00.000+00:00", True), WallTime("2026-01-05T09:01:00.000+00:00", True)])
    scale = {"scale_id": SCALE.id, "scale_words": SCALE.words}
    store = VoteStore(folder / "votes.sqlite", zones=["desk"], clock=lambda: next(stamps), **scale)
    comfort = Comfort((0.1,) * 7, 0.4, {}, 12.0, 0.6, 4, 1.0, "cooler", "comfywear 1", {"met": 1.1})
    store.accept("desk", 3, "button", Snapshot(comfort=comfort))
    taken_back = store.accept("desk", 1, "page", Snapshot(comfort=comfort))
    store.undo(taken_back.id)
    store.close()
    log = LearningLog(folder, ["desk"])
    for day, warmer_k in (("2026-01-20", 0.7), ("2026-02-20", -2.5)):
        log.snapshot("desk", LearningSnapshot(f"{day}T00:00:00.000+00:00", votes=4, likes_warmer_k=warmer_k))
    return folder


def test_a_device_reports_from_what_it_keeps_itself(state: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    code, said = report("--state-dir", state, "--month", "2026-01", "--out", out, *UTC)
    assert code == 0, said
    html = out.read_text(encoding="utf-8")
    assert "<b>5.0 h</b><span>with people</span>" in html
    assert "III: ≤ 0.7: 5.0 h" in html
    assert "people here like it 0.7 K warmer" in html
    assert "<b>1</b><span>votes, mean 3.0 of 5</span>" in html


def test_a_month_of_which_a_device_keeps_nothing_and_a_damaged_file_are_said(state: Path, tmp_path: Path) -> None:
    code, said = report("--state-dir", state, "--month", "2025-06", "--out", tmp_path / "r.html")
    assert (code, "nothing was said of any zone in 2025-06" in said) == (1, True)
    (state / "page.sqlite").write_bytes(b"not a database at all" * 100)
    code, said = report("--state-dir", state, "--month", "2026-01", "--out", tmp_path / "r.html")
    assert (code, "page.sqlite: cannot be read" in said) == (1, True)


def test_a_history_of_an_earlier_version_has_no_quarters_and_that_is_no_fault(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "page.sqlite")) as old, old:
        old.execute("CREATE TABLE points (zone, unix_s, air_temp_c, humidity_pct, expected_vote)")
    code, said = report("--state-dir", tmp_path, "--month", "2026-01", "--out", tmp_path / "r.html")
    assert (code, "nothing was said" in said) == (1, True)
