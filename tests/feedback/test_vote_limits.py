"""What a place may press, what can be taken back and deleted, and files of earlier versions."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfywear.errors import StoreError, UsageError
from comfywear.feedback import Selection, Snapshot, VoteStore
from comfywear.feedback.vote_rows import as_stamp
from comfywear.records import Vote
from comfywear.system.clock import WallTime

WORDS = {n: str(n) for n in range(1, 6)}


class Hands:
    """A clock that the test moves, and a store that looks at it."""

    def __init__(self, path: Path | None = None, repeat_s: float = 3.0, per_minute: int = 5) -> None:
        self.now_s = 1000.0
        self.stamp = WallTime("2027-01-02T03:04:05.678+00:00", True)
        self.store = VoteStore(
            path,
            zones=["desk", "sofa"],
            scale_id="s",
            scale_words=WORDS,
            clock=lambda: self.stamp,
            repeat_s=repeat_s,
            per_minute=per_minute,
            monotonic=lambda: self.now_s,
        )

    def press(self, level: int, zone: str = "desk", source: str = "pad", person: str | None = None) -> Vote:
        return self.store.accept(zone, level, source, Snapshot(), person=person)


def test_a_double_press_counts_once_and_answers_with_the_same_vote() -> None:
    hands = Hands()
    first = hands.press(4)
    hands.now_s += 2.9
    assert hands.press(4).id == first.id
    hands.now_s += 2.9  # each repeat begins the few seconds anew
    assert hands.press(4).id == first.id
    hands.now_s += 3.0
    assert hands.press(4).id != first.id
    assert hands.store.count() == 2


def test_other_levels_places_and_people_are_other_votes() -> None:
    hands = Hands()
    votes = [
        hands.press(4),
        hands.press(3),
        hands.press(4, zone="sofa"),
        hands.press(4, source="tablet"),
        hands.press(4, person="anna"),
        hands.press(4, person="ben"),
    ]
    assert len({vote.id for vote in votes}) == hands.store.count() == 6


def test_a_place_has_so_many_votes_a_minute_and_is_told_how_long_to_wait() -> None:
    hands = Hands(repeat_s=0.0, per_minute=3)
    for _ in range(3):
        hands.press(4)
        hands.now_s += 10
    with pytest.raises(UsageError, match=r"too many votes from pad in desk: at most 3 a minute; wait 30 s"):
        hands.press(4)
    hands.press(4, source="tablet")
    hands.now_s += 31
    hands.press(4)
    assert hands.store.count() == 5


def test_a_stuck_button_of_a_thousand_presses_is_few_votes() -> None:
    hands = Hands(per_minute=20)
    for number in range(1000):
        hands.now_s += 0.2
        with suppress(UsageError):
            hands.press(1 + number % 2)
    assert 60 <= hands.store.count() <= 80  # of 200 s
    one = Hands()
    for _ in range(1000):
        one.now_s += 0.2
        one.press(1)
    assert one.store.count() == 1


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0, 30)), max_size=60))
def test_no_minute_ever_holds_more_than_the_limit(presses: list[tuple[int, float]]) -> None:
    hands, times = Hands(repeat_s=1.0, per_minute=4), []
    for level, step in presses:
        hands.now_s += step
        before = hands.store.count()
        try:
            hands.press(level)
        except UsageError:
            continue
        times += [hands.now_s] * (hands.store.count() - before)
    for end in times:
        assert sum(end - 60 < then <= end for then in times) <= 4
    hands.store.close()


def test_presses_of_many_threads_at_once_are_one_vote() -> None:
    hands = Hands()
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(hands.press(4).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == hands.store.count() == 1


def test_a_vote_is_taken_back_within_a_minute_and_stays_known_as_undone(tmp_path: Path) -> None:
    hands = Hands(tmp_path / "v.sqlite")
    kept, wrong = hands.press(2), hands.press(5)
    hands.store.mark_published(kept)
    hands.store.mark_published(wrong)
    undone = hands.store.undo(wrong.id)
    assert (undone.id, undone.undone, undone.level) == (wrong.id, True, 5)
    assert hands.store.newest() == [kept]
    assert hands.store.count() == 1
    assert hands.store.unpublished() == [undone.id]  # the world must hear of it
    assert hands.store.undo(wrong.id) == undone
    hands.store.close()
    assert Hands(tmp_path / "v.sqlite").store.unpublished() == [undone.id]


def test_a_press_after_an_undo_is_no_repeat_of_what_was_undone() -> None:
    hands = Hands()
    first = hands.press(4)
    hands.store.undo(first.id)
    assert hands.press(4).id != first.id
    assert hands.store.count() == 1


def test_what_is_too_old_or_not_there_is_not_undone() -> None:
    hands = Hands()
    vote = hands.press(4)
    hands.now_s += 60.1
    with pytest.raises(UsageError, match="can no longer be undone"):
        hands.store.undo(vote.id)
    with pytest.raises(UsageError, match="no vote has the id 'nonsense'"):
        hands.store.undo("nonsense")
    with pytest.raises(UsageError, match="nothing to undo: no vote from pad in desk"):
        hands.store.last("desk", "pad")
    assert hands.store.count() == 1


def test_the_last_vote_of_a_place_is_found_one_after_another() -> None:
    hands = Hands()
    first, second, other = hands.press(1), hands.press(2), hands.press(3, source="tablet")
    assert hands.store.last("desk", "pad").id == second.id
    hands.store.undo(second.id)
    assert hands.store.last("desk", "pad").id == first.id
    assert hands.store.last("desk", "tablet").id == other.id


def test_a_wrong_clock_moves_no_limit_and_no_undo() -> None:
    hands = Hands()
    hands.stamp = WallTime(None, False)
    vote = hands.press(4)
    hands.stamp = WallTime("2027-06-01T00:00:00.000+00:00", True)  # the clock was set in between
    assert hands.press(4).id == vote.id
    assert hands.store.undo(vote.id).ts is None


def test_a_persons_and_a_periods_votes_are_deleted_and_leave_no_trace_in_the_file(tmp_path: Path) -> None:
    hands = Hands(tmp_path / "v.sqlite", repeat_s=0.0, per_minute=0)
    for day, person in ((1, "anna"), (2, "benedikta-with-a-long-name"), (3, None)):
        hands.stamp = WallTime(f"2027-01-0{day}T12:00:00.000+00:00", True)
        hands.press(4, person=person)
    hands.stamp = WallTime(None, False)
    untimed = hands.press(3)
    assert len(hands.store.delete(Selection(person="benedikta-with-a-long-name"))) == 1
    assert b"benedikta" not in (tmp_path / "v.sqlite").read_bytes()
    assert b"benedikta" not in (tmp_path / "v.sqlite-wal").read_bytes()
    assert len(hands.store.delete(Selection(since="2027-01-01", until="2027-01-02"))) == 1
    assert [vote.ts for vote in hands.store.newest()] == [None, "2027-01-03T12:00:00.000+00:00"]
    assert hands.store.newest()[0].id == untimed.id
    with pytest.raises(UsageError, match="say which votes"):
        hands.store.delete(Selection())


def test_a_deleted_vote_is_repeated_by_no_press() -> None:
    hands = Hands()
    vote = hands.press(4)
    hands.store.delete(Selection(zone="desk"))
    assert hands.press(4).id != vote.id
    assert hands.store.count() == 1


FIRST_VERSION = """
CREATE TABLE votes (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, zone TEXT NOT NULL,
    level INTEGER NOT NULL, scale TEXT NOT NULL, words TEXT NOT NULL, source TEXT NOT NULL, ts TEXT,
    time_ok INTEGER NOT NULL, snapshot TEXT NOT NULL, published INTEGER NOT NULL DEFAULT 0);
CREATE INDEX unpublished ON votes (number) WHERE NOT published;
INSERT INTO votes (id, zone, level, scale, words, source, ts, time_ok, snapshot) VALUES ('a1', 'desk', 4, 's', '4',
    'command', '2026-11-22T10:00:00.000+00:00', 1,
    '{"climate": {"zone": "desk", "state": "fresh", "air_temp_c": 22.5, "humidity_pct": 40.0}, "persons": [],
      "clothing": {"clo": 0.6, "clo_sd": 0.1, "items": [["top", 0.2, "seen"]], "sum_clo": 0.5, "assumptions": []},
      "comfort": null}');
"""


def test_a_file_of_the_first_version_opens_and_keeps_its_votes(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "v.sqlite") as old:
        old.executescript(FIRST_VERSION)
    old.close()
    hands = Hands(tmp_path / "v.sqlite")
    (vote,) = hands.store.newest()
    assert (vote.id, vote.level, vote.person, vote.undone, vote.worn) == ("a1", 4, None, False, ())
    assert vote.climate is not None
    assert vote.climate.air_temp_c == 22.5
    hands.press(5, person="anna")
    hands.store.close()
    assert [vote.person for vote in Hands(tmp_path / "v.sqlite").store.newest()] == ["anna", None]


def test_a_file_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "v.sqlite") as later:
        later.execute("CREATE TABLE votes (everything_is_different TEXT)")
        later.execute("PRAGMA user_version = 99")
    later.close()
    before = (tmp_path / "v.sqlite").read_bytes()
    with pytest.raises(StoreError, match="written by a later version"):
        Hands(tmp_path / "v.sqlite")
    assert not list(tmp_path.glob("*damaged*"))
    with sqlite3.connect(tmp_path / "v.sqlite") as later:
        assert later.execute("SELECT name FROM pragma_table_info('votes')").fetchall() == [("everything_is_different",)]
    later.close()
    assert len(before) > 0


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2027-01-31", "2027-01-31T00:00:00.000+00:00"),
        ("2027-01-31T08:30+01:00", "2027-01-31T07:30:00.000+00:00"),
        ("2027-01-31T08:30:00Z", "2027-01-31T08:30:00.000+00:00"),
        ("2027-01-31 08:30:00.25", "2027-01-31T08:30:00.250+00:00"),
    ],
)
def test_times_are_read_as_they_are_stored(text: str, stamp: str) -> None:
    assert as_stamp(text) == stamp


@given(st.text())
def test_what_is_no_time_is_refused(text: str) -> None:
    try:
        assert len(as_stamp(text)) == len("2027-01-31T00:00:00.000+00:00")
    except UsageError as error:
        assert "no date or time" in str(error)


def test_who_names_another_person_each_time_has_no_vote_more() -> None:
    votes = VoteStore(None, zones=["room"], scale_id="x", scale_words=dict.fromkeys(range(1, 6), "w"), per_minute=20)
    for index in range(20):
        votes.accept("room", 5, "page", Snapshot(), person=f"p{index}")
    with pytest.raises(UsageError, match="too many votes from page"):
        votes.accept("room", 5, "page", Snapshot(), person="one more")
    votes.accept("room", 5, "keypad", Snapshot(), person="p0")
    assert votes.count() == 21


@pytest.mark.parametrize("name", ["zone", "person", "since", "until"])
def test_an_empty_choice_never_means_every_vote(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is empty"):
        Selection(**{name: ""})


def test_counting_reads_no_snapshot(tmp_path: Path) -> None:
    hands = Hands(tmp_path / "v.sqlite")
    hands.press(3)
    plan = sqlite3.connect(tmp_path / "v.sqlite").execute(
        "EXPLAIN QUERY PLAN SELECT count(*) FROM votes WHERE undone = 0 AND zone = 'room'"
    )
    assert "COVERING INDEX standing" in str(plan.fetchall())


def test_an_undoing_while_the_vote_was_on_its_way_is_still_to_be_handed_on() -> None:
    hands = Hands()
    vote = hands.press(4)
    undone = hands.store.undo(vote.id)
    hands.store.mark_published(vote)  # as it was before
    assert hands.store.unpublished() == [vote.id]
    hands.store.mark_published(undone)
    assert hands.store.unpublished() == []
