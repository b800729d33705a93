"""Collectors are told what was deleted for somebody, once it can be committed, and never of what merely grew old."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from comfywear.device.votes.deletions import FILE_NAME, Deletions, owe
from comfywear.device.votes.voting import Voting
from comfywear.errors import StoreError
from comfywear.feedback import Selection, Snapshot
from comfywear.publishing import Stamp, Topics
from comfywear.publishing.messages.deletion import MOST_DELETED
from comfywear.settings.feedback import VotesSettings
from comfywear.system.clock import WallTime


class Spooling:
    """Commits messages, or is full."""

    topics = Topics("home", "d1")

    def __init__(self) -> None:
        self.full = False
        self.sent: list[list[str]] = []

    def post(self, topic: str, build: Callable[[Any], Any], *, retain: bool = False, event: bool = False) -> int:
        if self.full:
            raise StoreError("the disk is full")
        assert (topic, retain, event) == (self.topics.deletion, False, True)
        self.sent.append(build(Stamp("d1", "e", len(self.sent) + 1, None, False)).votes)
        return len(self.sent)


def deletions(folder: Path, spooling: Spooling, *, held: bool = False, confirming: tuple[str, ...] = ()) -> Deletions:
    clock = WallTime("2027-01-02T03:04:05+00:00", True)
    return Deletions(folder, spooling, lambda *_: held, confirming, lambda: "e", lambda: clock)


def states(found: Deletions) -> list[str]:
    return [each["state"] for each in found.answer({})["told"]]


def test_many_are_told_in_several_messages(tmp_path: Path) -> None:
    spooling = Spooling()
    votes = [f"v{number}" for number in range(MOST_DELETED + 3)]
    deletions(tmp_path, spooling).tell(votes)
    assert [len(each) for each in spooling.sent] == [MOST_DELETED, 3]
    assert [vote for each in spooling.sent for vote in each] == votes


def test_what_cannot_be_told_now_is_told_after_a_restart(tmp_path: Path) -> None:
    spooling = Spooling()
    spooling.full = True
    found = deletions(tmp_path, spooling)
    found.tell(["v1"])
    owe(tmp_path, ["v2"])  # by a command, while no device ran
    assert found.answer({})["owed"] == 2
    spooling.full = False
    deletions(tmp_path, spooling).catch_up()
    assert spooling.sent == [["v1", "v2"]]
    deletions(tmp_path, spooling).catch_up()
    assert len(spooling.sent) == 1


def test_where_the_state_folder_cannot_be_written_it_goes_out_all_the_same(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    spooling = Spooling()
    deletions(tmp_path, spooling).tell(["v1"])
    assert spooling.sent == [["v1"]]


def test_it_is_said_whether_the_consumers_have_done_it(tmp_path: Path) -> None:
    deletions(tmp_path, Spooling()).tell(["v1"])
    assert states(deletions(tmp_path, Spooling(), held=True, confirming=("archive",))) == ["not confirmed yet"]
    assert states(deletions(tmp_path, Spooling(), confirming=("archive", "lab"))) == ["done by archive, lab"]
    assert "nobody is named" in states(deletions(tmp_path, Spooling()))[0]


def test_what_merely_grew_old_on_the_device_stays_with_collectors(tmp_path: Path) -> None:
    settings = VotesSettings(repeat_s=0, keep_days=1)
    votes = Voting(tmp_path, ["room"], settings, moment=lambda _: Snapshot(), send=lambda *_: None)
    erased: list[list[str]] = []
    votes.after_erase.append(erased.append)
    votes.vote("room", 3, "s", age_s=3 * 86400.0)
    kept = votes.vote("room", 4, "s", person="Ada")
    votes.tend()
    assert [vote.id for vote in votes.store.newest()] == [kept.id]
    assert erased == []
    votes.delete(Selection(None, "Ada", None, None))
    assert erased == [[kept.id]]
