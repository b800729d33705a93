"""`comfywear votes`: what was pressed, in files that others read."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from comfywear.cli import main
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import Selection, Snapshot, VoteStore
from comfywear.feedback.vote_files import export_votes, read_votes
from comfywear.records import Climate, Clothing, Comfort, Garment, Person, SkinTemperature
from comfywear.system.clock import WallTime

TOP = Clothing(0.62, 0.1, (("top", 0.2, "seen"),))
MOMENT = Snapshot(
    Climate("desk", "fresh", 23.4, float("nan")),
    (Person(1, (1.0, 2.0, 3.0, 4.0), 0.9, (Garment("top", 0.9),), {}, 12.0, "desk"),),
    TOP,
    Comfort((0.1,) * 7, -1.0, {"warmer": 0.6}, 20.0, -0.9, 3, 1.0, "warmer", "comfywear 1", {"met": 1.1}),
    (TOP,),
    (SkinTemperature(33.1, 36.9, 0.06, (32.0, 34.0), {}, "thermalwear 1"),),
    {"detector": "detector 1 fp16"},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stamps = iter(
        [WallTime(f"2027-01-0{day}T12:00:00.000+00:00", True) for day in range(1, 4)] + [WallTime(None, False)]
    )
    words = {1: "=cmd", 2: "b", 3: "c", 4: "d, e", 5: 'f "g"\nh'}
    store = VoteStore(
        tmp_path / "votes.sqlite", zones=["desk", "sofa"], scale_id="s", scale_words=words, clock=lambda: next(stamps)
    )
    store.accept("desk", 4, "pad", MOMENT, person="anna")
    wrong = store.accept("sofa", 5, "pad", Snapshot())
    store.accept("desk", 1, "pad", Snapshot())
    store.accept("desk", 2, "pad", Snapshot())
    store.undo(wrong.id)
    store.close()
    return tmp_path


def comfywear(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in this process: starting Python for each would be most of the test's time."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(["votes", *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def test_csv_is_flat_and_complete(folder: Path) -> None:
    assert export_votes(folder / "votes.sqlite", str(folder / "v.csv"), "csv", Selection()) == 4
    with (folder / "v.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["level"] for row in rows] == ["4", "5", "1", "2"]
    first = rows[0]
    assert (first["air_temp_c"], first["humidity_pct"], first["clo"], first["model"]) == (
        "23.4",
        "",
        "0.62",
        "comfywear 1",
    )
    assert (first["words"], rows[1]["words"], rows[1]["undone"]) == ("d, e", 'f "g"\nh', "True")
    assert rows[2]["words"] == "'=cmd"  # no spreadsheet runs it
    assert rows[3]["ts"] == ""
    assert json.loads(first["skin_json"])[0]["model"] == "thermalwear 1"
    assert json.loads(first["worn_json"])[0]["clo"] == 0.62
    assert json.loads(first["models_json"]) == {"detector": "detector 1 fp16"}


def test_json_lines_hold_every_field_of_a_vote(folder: Path) -> None:
    export_votes(folder / "votes.sqlite", str(folder / "v.jsonl"), "jsonl", Selection(zone="desk"))
    found = [json.loads(line) for line in (folder / "v.jsonl").read_text().splitlines()]
    assert [vote["level"] for vote in found] == [4, 1, 2]
    assert found[0]["persons"][0]["garments"][0]["kind"] == "top"
    assert found[0]["climate"]["humidity_pct"] is None
    assert found[0]["person"] == "anna"


def test_parquet_says_the_same_as_csv(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    export_votes(folder / "votes.sqlite", str(folder / "v.parquet"), "parquet", Selection())
    table = parquet.read_table(folder / "v.parquet")
    assert str(table.schema.field("level").type) == "int8"
    rows = table.to_pylist()
    assert [(row["level"], row["undone"], row["air_temp_c"]) for row in rows] == [
        (4, False, 23.4),
        (5, True, None),
        (1, False, None),
        (2, False, None),
    ]


def test_a_period_leaves_out_what_has_no_time(folder: Path) -> None:
    found = list(read_votes(folder / "votes.sqlite", Selection(since="2027-01-02", until="2027-01-03T12:00:00.001")))
    assert [vote.level for vote in found] == [5, 1]


def test_exports_replace_nothing_unasked_and_leave_no_half_file(folder: Path) -> None:
    out = folder / "v.csv"
    out.write_text("precious")
    with pytest.raises(UsageError, match="exists"):
        export_votes(folder / "votes.sqlite", str(out), "csv", Selection())
    assert out.read_text() == "precious"
    export_votes(folder / "votes.sqlite", str(out), "csv", Selection(), force=True)
    assert out.read_text().startswith("id,zone,level")
    with pytest.raises(StoreError, match="no store of votes"):
        export_votes(folder / "nothing.sqlite", str(folder / "n.csv"), "csv", Selection())
    assert not list(folder.glob("*.part")) + list(folder.glob("n.csv"))


def test_the_store_is_read_while_it_is_open_elsewhere_and_by_who_may_only_read(folder: Path) -> None:
    words = {n: str(n) for n in range(1, 6)}
    store = VoteStore(folder / "votes.sqlite", zones=["desk"], scale_id="s", scale_words=words)
    store.accept("desk", 3, "pad", Snapshot())
    assert sum(1 for _ in read_votes(folder / "votes.sqlite")) == 5  # what is in the log of writes alone too
    store.close()
    before = (folder / "votes.sqlite").read_bytes()
    list(read_votes(folder / "votes.sqlite"))
    assert (folder / "votes.sqlite").read_bytes() == before


def test_the_commands_list_export_and_delete(folder: Path) -> None:
    place = ("--state-dir", str(folder))
    listed = comfywear("list", *place).stdout.splitlines()
    assert len(listed) == 4
    assert listed[0].startswith("time not known")
    assert listed[3].split("  ")[1:4] == ["desk", "4 d, e", "pad"]
    assert listed[3].endswith("23.4 °C, 0.62 clo, by anna")
    assert "undone" in listed[2]
    assert (
        comfywear("export", "--out", str(folder / "v.jsonl"), *place).stdout
        == f"4 votes written to {folder}/v.jsonl (jsonl)\n"
    )
    assert comfywear("export", *place).stdout.count("\n") == 6  # one of the words has a line break
    asked = comfywear("delete", "--person", "anna", *place)
    assert asked.stdout == "1 vote would be deleted for ever; say --yes to do it\n"
    told = "1 vote deleted; collectors are told (comfywear votes deletions)\n"
    assert comfywear("delete", "--person", "anna", "--yes", *place).stdout == told
    gone = comfywear("delete", "--from", "2027-01-01", "--yes", *place)
    assert (gone.stdout, gone.stderr) == (
        "2 votes deleted; collectors are told (comfywear votes deletions)\n",
        "1 vote not deleted for want of a time (the clock was not set)\n",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["delete", "--yes"], 2, "say which votes to delete"),
        (["list", "--from", "yesterday"], 2, "'yesterday' is no date or time"),
        (["list", "--limit", "0"], 2, "1 or more"),
        (["export", "--format", "xml"], 2, "invalid choice"),
        (["export", "--format", "parquet"], 2, "not text"),
        (["export", "--out", "/proc/nowhere/v.csv"], 1, "cannot be written"),
        (["list", "--state-dir", "/nowhere"], 1, "no store of votes"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder: Path, arguments: list[str], code: int, words: str) -> None:
    place = [] if "--state-dir" in arguments else ["--state-dir", str(folder)]
    result = comfywear(*arguments, *place)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_without_pyarrow_it_is_said_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Exception, match=r"comfywear\[evaluate\]"):
        export_votes(folder / "votes.sqlite", str(folder / "v.parquet"), "parquet", Selection())
    assert not (folder / "v.parquet").exists()
