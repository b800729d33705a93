from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from comfywear.device.votes.voting import Voting
from comfywear.errors import StoreError, UsageError
from comfywear.feedback import Selection, Snapshot
from comfywear.records import Vote
from comfywear.settings.feedback import VotesSettings


class Sending:
    """Takes votes, or is away."""

    def __init__(self) -> None:
        self.away = True
        self.sent: list[Vote] = []
        self.late: list[bool] = []
        self.first = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, vote: Vote, late: bool) -> None:
        if self.away:
            raise StoreError("the spool is away")
        self.first.set()
        self.go_on.wait(60)
        self.sent.append(vote)
        self.late.append(late)


def votes_with(sending: Sending, folder: Path) -> Voting:
    settings = VotesSettings(repeat_s=0, per_minute=0)
    return Voting(folder, ["room"], settings, moment=lambda _: Snapshot(), send=sending)


def test_all_that_is_owed_is_handed_on_once_the_spool_is_back(tmp_path: Path) -> None:
    sending = Sending()
    votes = votes_with(sending, tmp_path)
    ids = [votes.vote("room", 1 + index % 5, f"s{index}").id for index in range(250)]
    sending.away = False
    votes.retry()
    assert [vote.id for vote in sending.sent] == ids
    assert votes.store.unpublished() == []


def test_a_fault_with_one_vote_keeps_it_owed_and_lets_the_others_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sending = Sending()
    votes = votes_with(sending, tmp_path)
    ids = [votes.vote("room", 3, f"s{index}").id for index in range(3)]
    sending.away = False
    broken = {ids[1]}

    def send(vote: Vote, late: bool) -> None:
        if vote.id in broken:
            raise KeyError("clo")
        sending(vote, late)

    votes._send = send
    for _ in range(2):
        votes.retry()
        assert [vote.id for vote in sending.sent] == [ids[0], ids[2]]
    assert caplog.text.count("KeyError") == 1, "said once"
    broken.clear()
    votes.retry()  # without a press in between
    assert [vote.id for vote in sending.sent] == [ids[0], ids[2], ids[1]]
    assert votes.store.unpublished() == []


def test_whatever_ends_a_retry_what_is_owed_stays_owed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sending = Sending()
    votes = votes_with(sending, tmp_path)
    vote = votes.vote("room", 3, "s")
    sending.away = False

    def broken(_: int) -> list[str]:
        raise KeyError("id")

    with monkeypatch.context() as patched:
        patched.setattr(votes.store, "unpublished", broken)
        with pytest.raises(KeyError):
            votes.retry()
    votes.retry()  # as the worker does that the supervisor starts anew
    assert [each.id for each in sending.sent] == [vote.id]


def test_a_press_that_cannot_be_handed_on_for_a_fault_of_ours_is_stored_and_answered(tmp_path: Path) -> None:
    sending = Sending()
    sending.away = False
    votes = votes_with(sending, tmp_path)

    def send(*_: object) -> None:
        raise KeyError("clo")

    votes._send = send
    vote = votes.vote("room", 3, "s")
    votes._send = sending
    votes.retry()
    assert [each.id for each in sending.sent] == [vote.id]


def test_on_a_slow_disk_a_press_is_answered_once_it_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handing it on takes two commits more; with an fsync of 2 s a press took 6 s, longer than a command waits."""
    sending = Sending()
    sending.away = False
    votes = votes_with(sending, tmp_path)
    accept, undo = votes.store.accept_once, votes.store.undo

    def slow(work: Callable[..., Any]) -> Callable[..., Any]:
        def worked(*args: Any, **named: Any) -> Any:
            time.sleep(0.6)
            return work(*args, **named)

        return worked

    monkeypatch.setattr(votes.store, "accept_once", slow(accept))
    monkeypatch.setattr(votes.store, "undo", slow(undo))
    vote = votes.vote("room", 3, "s")
    assert sending.sent == []
    votes.retry()
    assert sending.sent == [vote]
    votes.undo(vote.id)
    assert sending.sent == [vote]
    votes.retry()
    assert sending.sent[1].undone


def test_handing_on_many_gives_signs_of_life(tmp_path: Path) -> None:
    """On a slow disk each vote takes seconds; a worker without a sign of life for 30 s ends the device."""
    sending = Sending()
    votes = votes_with(sending, tmp_path)
    for index in range(20):
        votes.vote("room", 3, f"s{index}")
    sending.away = False
    beats: list[int] = []
    votes.retry(lambda: beats.append(len(sending.sent)))
    assert beats == list(range(20))


def test_what_is_undone_or_deleted_while_the_owed_are_handed_on_never_goes_out_as_standing(tmp_path: Path) -> None:
    sending = Sending()
    votes = votes_with(sending, tmp_path)
    pressed = [votes.vote("room", 3, f"s{index}", person="Ann" if index == 2 else None) for index in range(3)]
    sending.away = False
    sending.go_on.clear()  # a commit that takes a while
    retrying = threading.Thread(target=votes.retry)
    retrying.start()
    assert sending.first.wait(60)
    votes.undo(pressed[1].id)
    assert votes.delete(Selection(person="Ann")) == [pressed[2].id]
    sending.go_on.set()
    retrying.join(60)
    votes.retry()
    assert [(vote.source, vote.undone) for vote in sending.sent] == [("s0", False), ("s1", True)]


def test_a_vote_undone_while_it_is_being_sent_is_sent_again_as_undone(tmp_path: Path) -> None:
    sending = Sending()
    votes = votes_with(sending, tmp_path)
    vote = votes.vote("room", 3, "s")
    sending.away = False
    sending.go_on.clear()
    retrying = threading.Thread(target=votes.retry)
    retrying.start()
    assert sending.first.wait(60)
    votes.undo(vote.id)
    sending.go_on.set()
    retrying.join(60)
    votes.retry()
    assert [each.undone for each in sending.sent] == [False, True]
    assert votes.store.unpublished() == []


def test_a_vote_of_an_earlier_run_comes_late_and_one_that_waited_a_moment_does_not(tmp_path: Path) -> None:
    sending = Sending()
    votes = votes_with(sending, tmp_path)
    votes.vote("room", 4, "before")
    votes.store.close()
    again = votes_with(sending, tmp_path)
    again.vote("room", 2, "now")
    sending.away = False
    again.catch_up()
    again.retry()
    again.vote("room", 3, "after")
    assert [(vote.source, late) for vote, late in zip(sending.sent, sending.late, strict=True)] == [
        ("before", True), ("now", False), ("after", False),
    ]  # fmt: skip


def test_a_vote_that_was_kept_elsewhere_has_its_own_time_no_moment_and_counts_once(tmp_path: Path) -> None:
    sending = Sending()
    sending.away = False
    settings = VotesSettings(repeat_s=5, per_minute=2)
    asked: list[str] = []

    def moment(zone: str) -> Snapshot:
        asked.append(zone)
        return Snapshot()

    votes = Voting(tmp_path, ["room"], settings, moment=moment, send=sending)
    kept = [(3, 7200.0, "kept-0001"), (3, 3600.0, "kept-0002"), (2, 1800.0, "kept-0003"), (4, 0.2, "kept-0004")]
    for level, age_s, vote_id in [*kept, *kept]:  # sent twice: an answer was lost
        votes.vote("room", level, "page-1", vote_id=vote_id, age_s=age_s)
    stored = votes.store.newest()
    assert [(vote.level, vote.id) for vote in reversed(stored)] == [(level, vote_id) for level, _, vote_id in kept]
    times = [datetime.fromisoformat(vote.ts or "") for vote in reversed(stored)]
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert apart == pytest.approx([3600, 1800, 1799.8], abs=5)
    assert sending.late == [True, True, True, False]
    assert asked == ["room", "room"], "only the one that is of now belongs to this moment"
    with pytest.raises(UsageError, match="can no longer be undone"):
        votes.undo("kept-0003")
    with pytest.raises(UsageError, match="another vote"):
        votes.vote("room", 1, "page-1", vote_id="kept-0001", age_s=10.0)
