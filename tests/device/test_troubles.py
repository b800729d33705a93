"""What counts as trouble, and from when to when."""

from __future__ import annotations

import sys
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.device.troubles import MOST_ENDED, PATIENCE, TroubleBook, sentence
from comfywear.records import Trouble

BROKER = Trouble("no-broker", None, "connection refused", "wait")
HOT = Trouble("hot", None, "85 °C", "give it air")
WORKER = Trouble("worker", "votes", "it fails", "wait")

ticks = st.lists(st.tuples(st.floats(0.1, 200.0), st.sets(st.sampled_from([BROKER, HOT, WORKER]))), max_size=60)


def test_what_lasts_counts_with_the_moment_it_began_and_the_newest_reason() -> None:
    book = TroubleBook()
    assert book.update([BROKER], 100.0) == []
    assert book.now() == ()
    (begun,) = book.update([Trouble("no-broker", None, "timed out", "wait")], 111.0)
    assert (begun.since_s, begun.until_s, begun.reason) == (100.0, None, "timed out")
    assert book.now() == (begun,)
    assert book.update([BROKER], 120.0) == []
    assert book.now()[0].reason == "connection refused"


def test_a_flicker_is_no_trouble_and_a_short_pause_is_no_end() -> None:
    book = TroubleBook()
    book.update([BROKER], 0.0)
    assert book.update([], 1.0) == []
    assert book.update([BROKER], 15.0) == [], "it begins anew"
    book.update([BROKER], 26.0)
    assert book.update([], 27.0) == []
    assert book.update([BROKER], 27.5) == []
    (ended,) = book.update([], 30.0)
    assert (ended.since_s, ended.until_s) == (15.0, 27.5)
    assert (book.now(), book.ended(), book.begun) == ((), (ended,), 1)


def test_each_place_has_troubles_of_its_own() -> None:
    book = TroubleBook()
    both = [WORKER, Trouble("worker", "page", "it fails too", "wait")]
    book.update(both, 0.0)
    assert len(book.update(both, 5.0)) == 2
    assert {each.about for each in book.now()} == {"votes", "page"}
    assert sentence(WORKER) == "worker (votes): it fails"


@settings(deadline=None, max_examples=50)
@given(ticks)
def test_every_end_follows_its_beginning_and_what_counts_is_what_began_and_did_not_end(
    given_ticks: list[tuple[float, set[Trouble]]],
) -> None:
    book, now_s = TroubleBook(), 0.0
    open_: dict[tuple[str, str | None], float] = {}
    begun = 0
    for step_s, found in given_ticks:
        now_s += step_s
        for change in book.update(sorted(found, key=sentence), now_s):
            key = (change.name, change.about)
            if change.until_s is None:
                assert key not in open_
                assert now_s - change.since_s >= PATIENCE[change.name].before_s
                open_[key], begun = change.since_s, begun + 1
            else:
                assert change.since_s == open_.pop(key)
                assert change.since_s <= change.until_s <= now_s - PATIENCE[change.name].after_s
        assert {(each.name, each.about): each.since_s for each in book.now()} == open_
    assert book.begun == begun
    assert len(book.ended()) == min(begun - len(open_), MOST_ENDED)


def test_other_threads_may_ask_while_it_changes() -> None:
    book, stop = TroubleBook(), threading.Event()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            while not stop.is_set():
                book.now()
                book.ended()
        except RuntimeError as error:
            failed.append(error)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for each in asking:
        each.start()
    for second in range(2000):
        book.update([Trouble("worker", f"w{index}", "r", "d") for index in range(second % 40)], float(second))
    stop.set()
    for each in asking:
        each.join()
    sys.setswitchinterval(before)
    assert failed == []
