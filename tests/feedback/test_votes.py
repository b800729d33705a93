from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.comfort import ComfyWear, clothing_of_names
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import Selection, Snapshot, VoteStore
from comfywear.records import Climate, Clothing, ColourShare, Comfort, Delivery, Garment, Person, Pressed
from comfywear.system.clock import WallTime

WORDS = {1: "uncomfortable", 2: "slightly uncomfortable", 3: "so-so", 4: "comfortable", 5: "very comfortable"}
NOW = WallTime("2027-01-02T03:04:05.678+00:00", True)
PERSON = Person(
    1,
    (1.0, 2.0, 3.0, 4.0),
    0.9,
    (Garment("top", 0.9, (1.0, 2.0, 3.0, 4.0), (ColourShare("red", 0.5, (200, 3, 4)),), {"knit": 0.2}),),
    {"upar/Accessory-Bag": 0.3},
    12.0,
    "desk",
)
COMFORT = Comfort(
    (0.1, 0.2, 0.4, 0.2, 0.1, 0.0, 0.0), -1.0, {"warmer": 0.6}, 20.0, -0.9, 3, 1.0, "warmer", "m", {"met": 1.1}
)
MOMENT = Snapshot(
    Climate("desk", "fresh", 23.4, 45.0), (PERSON,), Clothing(0.62, 0.1, (("top", 0.2, "seen"),)), COMFORT
)


def store(path: Path | None = None, *zones: str, clock: WallTime = NOW) -> VoteStore:
    return VoteStore(
        path, zones=zones or ("desk", "sofa"), scale_id="comfort-5", scale_words=WORDS, clock=lambda: clock
    )


def test_a_vote_is_committed_before_it_is_accepted_with_its_moment(tmp_path: Path) -> None:
    votes = store(tmp_path / "v.sqlite")
    vote = votes.accept("desk", 4, "command", MOMENT)
    found = sqlite3.connect(tmp_path / "v.sqlite").execute(
        "SELECT id, level, scale, words, source, ts, time_ok FROM votes"
    )
    assert found.fetchall() == [(vote.id, 4, "comfort-5", "comfortable", "command", NOW.ts, 1)]
    votes.close()
    again = store(tmp_path / "v.sqlite")
    assert again.newest() == [vote]
    assert vote.climate == MOMENT.climate
    assert vote.persons == MOMENT.persons
    assert vote.clothing == MOMENT.clothing
    assert vote.comfort == MOMENT.comfort


def test_learning_gets_a_small_part_of_the_votes_that_count() -> None:
    votes = store()
    strange = replace(COMFORT, inputs={"met": 1.1, "vr_m_s": float("nan")})  # NaN is no JSON, but must not be lost
    silent = replace(COMFORT, probabilities=())
    for zone, level, moment in (
        ("desk", 1, MOMENT), ("sofa", 2, Snapshot()), ("desk", 3, replace(MOMENT, comfort=strange)),
        ("desk", 4, Snapshot(comfort=silent)),
    ):  # fmt: skip
        votes.accept(zone, level, "pad", moment, person="Ada" if level == 3 else None)
    votes.undo(votes.accept("desk", 5, "pad", MOMENT).id)
    assert votes.pressed(10, "sofa") == [Pressed(NOW.ts, 2, "pad", None, {})]
    silent_one, strange_one, first = votes.pressed(10, "desk")
    assert (silent_one.level, silent_one.inputs) == (4, {})
    assert (strange_one.person, strange_one.inputs["met"]) == ("Ada", 1.1)
    assert math.isnan(strange_one.inputs["vr_m_s"])
    assert first == Pressed(NOW.ts, 1, "pad", None, COMFORT.inputs)
    assert [each.level for each in votes.pressed(2)] == [4, 3]


def test_what_learning_gets_never_holds_all_snapshots_in_memory() -> None:
    votes = store()
    crowd = replace(MOMENT, persons=(PERSON,) * 20)
    for _ in range(100):
        votes.accept("desk", 3, "pad", crowd)
    most = {}
    for read in (votes.newest, votes.pressed):
        tracemalloc.start()
        assert len(read(100)) == 100
        most[read] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most[votes.pressed] < most[votes.newest] / 10


def test_without_a_set_clock_a_vote_has_no_time_but_an_order() -> None:
    votes = store(clock=WallTime(None, False))
    ids = [votes.accept("desk", level, "mqtt", Snapshot()).id for level in (1, 2, 3)]
    newest = votes.newest()
    assert [vote.id for vote in newest] == ids[::-1]
    assert {(vote.ts, vote.time_ok) for vote in newest} == {(None, False)}


@given(st.integers() | st.floats() | st.booleans() | st.none() | st.text())
def test_levels_that_the_scale_does_not_have_are_refused(level: object) -> None:
    votes = store()
    if type(level) is int and 1 <= level <= 5:
        assert votes.accept("desk", level, "x", Snapshot()).level == level
        return
    with pytest.raises(UsageError, match="is no vote: press 1"):
        votes.accept("desk", level, "x", Snapshot())  # type: ignore[arg-type]  # what a socket may bring
    assert votes.count() == 0


@pytest.mark.parametrize("zone", ["attic", "", "DESK", None])
def test_a_zone_that_there_is_not_is_refused_and_the_zones_are_named(zone: str | None) -> None:
    with pytest.raises(UsageError, match="desk, sofa"):
        store().accept(zone, 4, "x", Snapshot())


def test_the_only_zone_need_not_be_said() -> None:
    assert store(None, "room").accept(None, 4, "x", Snapshot()).zone == "room"


def test_votes_are_counted_and_listed_newest_first() -> None:
    votes = store()
    for level, zone in ((1, "desk"), (2, "sofa"), (3, "desk")):
        votes.accept(zone, level, "x", Snapshot())
    assert (votes.count(), votes.count("desk"), votes.count("attic")) == (3, 2, 0)
    assert [vote.level for vote in votes.newest(2)] == [3, 2]


def test_votes_not_yet_handed_to_publishing_are_known_after_a_restart(tmp_path: Path) -> None:
    votes = store(tmp_path / "v.sqlite")
    first, second, third = (votes.accept("desk", level, "x", Snapshot()) for level in (1, 2, 3))
    votes.mark_published(second)
    votes.close()
    assert store(tmp_path / "v.sqlite").unpublished() == [first.id, third.id]


def test_odd_numbers_in_a_moment_do_not_lose_the_vote() -> None:
    odd = Climate("desk", "fresh", float("nan"), np.float32(40))  # type: ignore[arg-type]  # not what it should be
    votes = store()
    votes.accept("desk", 4, "x", Snapshot(odd, clothing=Clothing(float("nan"), float("inf"))))
    (vote,) = votes.newest()
    assert vote.climate is not None
    assert vote.climate.humidity_pct == 40
    assert str(vote.climate.air_temp_c) == "nan"


def test_a_store_that_cannot_be_written_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="the store of votes"):
        store(tmp_path / "file" / "v.sqlite")


# A device that presses as fast as it can, and notes each vote once it was accepted.
CHILD = """
import os, sys
from dataclasses import replace
from pathlib import Path
from comfywear.feedback import Snapshot, VoteStore
folder = Path(sys.argv[1])
accepted = os.open(folder / "accepted", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
votes = VoteStore(folder / "v.sqlite", zones=["desk"], scale_id="s", scale_words={n: str(n) for n in range(1, 6)})
while True:
    os.write(accepted, votes.accept("desk", 4, "x", Snapshot()).id.encode() + b"\\n")
"""


def test_every_accepted_vote_is_there_once_after_kill_9(tmp_path: Path) -> None:
    note = tmp_path / "accepted"
    for _ in range(3):
        before = note.stat().st_size if note.exists() else 0
        device = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)])
        while not note.exists() or note.stat().st_size < before + 33 * 20:
            assert device.poll() is None
        device.kill()
        device.wait(90)
    accepted = [line for line in note.read_text().splitlines() if len(line) == 32]
    stored = [vote.id for vote in store(tmp_path / "v.sqlite").newest(1_000_000)]
    assert len(accepted) >= 57
    assert set(accepted) <= set(stored)
    assert len(stored) == len(set(stored)) <= len(accepted) + 3  # committed, but killed before it could be noted


def test_a_vote_brought_again_by_the_broker_is_stored_once_also_over_a_restart(tmp_path: Path) -> None:
    votes = store(tmp_path / "v.sqlite")
    first, new = votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(7, again=False))
    votes.close()
    votes = store(tmp_path / "v.sqlite")
    again, new_again = votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(7, again=True))
    assert (new, new_again, again, votes.count()) == (True, False, first, 1)
    _, other = votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(8, again=True))
    assert other  # the broker brings again what never arrived


def test_a_vote_brought_again_after_the_disk_came_back_is_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfywear.system.database.TRY_AGAIN_S", 0.0)
    folder = tmp_path / "card"
    folder.write_text("no folder: nothing can be stored below")
    votes = VoteStore(folder / "v.sqlite", zones=["desk"], scale_id="s", scale_words=WORDS, stand_in=True)
    first, _ = votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(7, again=False))
    assert not votes.lasting
    folder.unlink()
    again, new = votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(7, again=True))
    assert votes.lasting
    assert (again.id, new, votes.count()) == (first.id, False, 1)


def test_after_a_new_session_the_same_packet_id_is_another_vote() -> None:
    votes = store()
    votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(1, again=False))
    votes.forget_deliveries()
    assert votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(1, again=True))[1]
    assert votes.count() == 2


def test_a_deleted_vote_does_not_come_back_by_a_late_delivery() -> None:
    votes = store()
    votes.accept_once("desk", 4, "mqtt", Snapshot(), person="Ann", delivery=Delivery(1, again=False))
    votes.delete(Selection(person="Ann"))
    with pytest.raises(UsageError, match="has been deleted"):
        votes.accept_once("desk", 4, "mqtt", Snapshot(), delivery=Delivery(1, again=True))
    assert votes.count() == 0


def test_a_vote_with_the_senders_own_id_counts_once_and_the_id_is_no_other_votes() -> None:
    votes = store()
    first, _ = votes.accept_once("desk", 4, "mqtt", Snapshot(), vote_id="press-0001")
    assert votes.accept_once("desk", 4, "mqtt", Snapshot(), vote_id="press-0001") == (first, False)
    assert first.id == "press-0001"
    with pytest.raises(UsageError, match="id of its own"):
        votes.accept_once("desk", 2, "mqtt", Snapshot(), vote_id="press-0001")
    assert votes.count() == 1


def test_few_deliveries_are_remembered(tmp_path: Path) -> None:
    votes = store(tmp_path / "v.sqlite")
    for packet in range(1, 200):
        votes.accept_once("desk", 1 + packet % 5, "mqtt", Snapshot(), delivery=Delivery(packet, again=False))
    (rows,) = sqlite3.connect(tmp_path / "v.sqlite").execute("SELECT count(*) FROM deliveries").fetchone()
    assert rows == 64


def test_votes_are_kept_for_ever_unless_the_settings_say_for_how_long() -> None:
    now = [WallTime("2026-01-01T08:00:00.000+00:00", True)]
    votes = VoteStore(None, zones=["desk"], scale_id="s", scale_words=WORDS, clock=lambda: now[0])
    votes.accept("desk", 1, "x", Snapshot())
    now[0] = WallTime("2026-03-01T08:00:00.000+00:00", True)
    second = votes.accept("desk", 2, "x", Snapshot())
    assert votes.expired(0) is None
    assert votes.expired(90) is None
    old = votes.expired(30)
    assert old is not None
    votes.delete(old)
    assert votes.newest() == [second]


def test_a_clock_that_jumps_ten_years_ahead_makes_no_vote_old() -> None:
    now = [WallTime("2026-01-01T08:00:00.000+00:00", True)]
    votes = VoteStore(None, zones=["desk"], scale_id="s", scale_words=WORDS, clock=lambda: now[0])
    votes.accept("desk", 1, "x", Snapshot())
    now[0] = WallTime("2036-01-01T08:00:00.000+00:00", True)
    assert votes.expired(31) is None
    now[0] = WallTime(None, False)
    assert votes.expired(1) is None


def test_old_moments_become_short_and_keep_what_learning_reads(tmp_path: Path) -> None:
    votes = store(tmp_path / "v.sqlite")
    person = Person(1, (1.0, 2.0, 3.0, 4.0), 0.9, (), {f"group/{n}": 0.123456 for n in range(300)}, 12.0, "desk", 3)
    comfort = ComfyWear().estimate(22.0, 45.0, clothing_of_names(["shirt", "trousers"]))
    for _ in range(10):
        votes.accept("desk", 3, "x", Snapshot(persons=(person, person), comfort=comfort))
    pressed = votes.pressed()
    assert votes.thin(4, at_once=4) == 4
    assert votes.thin(4) == 2
    assert votes.thin(4) == 0
    assert votes.pressed() == pressed
    assert [len(vote.persons) for vote in votes.newest()] == [2] * 4 + [0] * 6
