"""The file of answers and the session of questions: nothing is lost, nothing is asked twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfywear.errors import StoreError, UsageError
from comfywear_export.dral.answers import SCHEMA, Answer, AnswerFile
from comfywear_export.dral.asking import Asker
from comfywear_export.dral.asking_terminal import ask_in_terminal
from comfywear_export.dral.policies import nearest_now
from comfywear_export.dral.session import Known, Refresh, Session
from comfywear_export.dral.simulate import Asking

HOW = Asking(pool=8, most=4, k=3)


def crowd(persons: int = 6, views: int = 3) -> tuple[list[str], np.ndarray, list[int]]:
    """Names, vectors and who is who."""
    rng = np.random.default_rng(4)
    x = np.repeat(rng.normal(size=(persons, 5)), views, axis=0) + 0.5 * rng.normal(size=(persons * views, 5))
    return [f"{i}.jpg" for i in range(len(x))], x, [i // views for i in range(len(x))]


def begin(file: AnswerFile, refresh: Refresh = "supervised") -> Asker:
    names, x, _ = crowd()
    return Asker(Session(names, x, file.answers, HOW, nearest_now, refresh=refresh), file)


@pytest.mark.parametrize("refresh", ["triplets", "supervised", "none"])
def test_a_session_ends_and_asks_about_no_pair_twice_and_none_that_is_known(tmp_path: Path, refresh: Refresh) -> None:
    _, _, who = crowd()
    seen, asked_of, known = set(), [0] * len(who), Known(len(who))
    with AnswerFile(tmp_path / "a.jsonl") as file:
        asker = begin(file, refresh)
        while (question := asker.question()) is not None:
            assert question == asker.question(), "the same until it is answered"
            pair = frozenset((question.query, question.item))
            assert len(pair) == 2
            assert pair not in seen
            assert known.same(question.query, question.item) is None
            seen.add(pair)
            asked_of[question.query] += 1
            same = who[question.query] == who[question.item]
            skip = len(seen) % 7 == 0
            asker.answer(question.query, question.item, "skipped" if skip else "same" if same else "different")
            if not skip:
                known.tell(question.query, question.item, same)
        assert asker.said()["same"] > 5
        assert max(asked_of) <= HOW.most
        assert asker.session.query == len(who)
    with AnswerFile(tmp_path / "a.jsonl") as again:
        assert len(again.answers) == len(seen)
        assert begin(again, refresh).question() is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("ynsu"), max_size=40), st.integers(0, 40))
def test_whenever_it_is_cut_off_it_goes_on_with_what_was_answered(keys: list[str], cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        for part in (keys[:cut], keys[cut:]):
            with AnswerFile(path) as file:
                before = list(file.answers)
                asker = begin(file, "none")
                typed = iter(part)

                def read(_: str, typed: object = typed) -> str:
                    try:
                        return next(typed)  # type: ignore[call-overload,no-any-return]
                    except StopIteration:
                        raise EOFError from None

                ask_in_terminal(asker, Path("crops"), read, lambda _: None)
                taken = len([k for k in part if k != "u"])
                assert len(before) - part.count("u") <= len(file.answers) <= len(before) + taken
                pairs = [each.pair for each in file.answers]
                assert len(pairs) == len(set(pairs))
                held = list(file.answers)
            with AnswerFile(path) as file:
                assert file.answers == held


def test_an_undone_answer_is_asked_again_first(tmp_path: Path) -> None:
    with AnswerFile(tmp_path / "a.jsonl") as file:
        asker = begin(file)
        assert not asker.undo()
        for verdict in ("same", "different"):
            question = asker.question()
            assert question is not None
            asker.answer(question.query, question.item, verdict)  # type: ignore[arg-type]
        assert asker.undo()
        assert asker.question() == question
        assert asker.said() == {"same": 1, "different": 0, "skipped": 0}
        with pytest.raises(UsageError, match="answered elsewhere"):
            asker.answer(question.query, question.query, "same")
    with AnswerFile(tmp_path / "a.jsonl") as file:
        assert [each.verdict for each in file.answers] == ["same"]
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["answer"] for line in lines] == ["same", "different", "undone"]


def test_a_line_that_was_torn_by_a_loss_of_power_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with AnswerFile(path) as file:
        file.add(Answer("a", "b", "same"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"schema": "comfywear/v1/re')
    with AnswerFile(path) as file:
        assert file.answers == [Answer("a", "b", "same")]
        file.add(Answer("a", "c", "skipped"))
    with AnswerFile(path) as file:
        assert len(file.answers) == 2


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        "{}",
        json.dumps({"schema": SCHEMA, "query": "a", "item": "a", "answer": "same"}),
        json.dumps({"schema": SCHEMA, "query": "a", "item": "b", "answer": "perhaps"}),
        json.dumps({"schema": SCHEMA, "query": "a", "item": 3, "answer": "same"}),
        json.dumps({"schema": "comfywear/v1/vote", "query": "a", "item": "b", "answer": "same"}),
        json.dumps({"schema": SCHEMA, "query": "z", "item": "y", "answer": "same"}),  # the line before it, turned
        "\udcff",
    ],
)
def test_a_file_of_something_else_is_refused_with_its_line_and_stays_as_it_was(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    first = json.dumps({"schema": SCHEMA, "query": "y", "item": "z", "answer": "same"})
    data = f"{first}\n{line}\n".encode("utf-8", "surrogateescape")
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"a\.jsonl:2"):
        AnswerFile(path)
    assert path.read_bytes() == data


def test_two_processes_do_not_write_into_one_file(tmp_path: Path) -> None:
    with AnswerFile(tmp_path / "a.jsonl"), pytest.raises(StoreError, match="another process"):
        AnswerFile(tmp_path / "a.jsonl")
    with pytest.raises(StoreError, match="cannot be written"):
        AnswerFile(tmp_path)


def test_what_follows_from_answers_is_known() -> None:
    known = Known(6)
    known.tell(0, 1, True)
    known.tell(2, 3, True)
    known.tell(1, 2, False)
    assert known.same(0, 3) is False
    assert known.same(0, 4) is None
    known.tell(3, 0, True)  # a contradiction: the earlier answer holds
    assert known.same(0, 3) is False
    known.tell(4, 3, True)
    assert known.of(4) == [2, 3, 4]
    assert known.others(4) == [0, 1]


def test_the_terminal_says_what_it_does_not_understand(tmp_path: Path) -> None:
    said: list[str] = []
    typed = iter(["x", "", "u", "Y", "q"])
    with AnswerFile(tmp_path / "a.jsonl") as file:
        ask_in_terminal(begin(file), Path("crops"), lambda _: next(typed), said.append)
        assert [each.verdict for each in file.answers] == ["same"]
    assert sum("type y, n" in line for line in said) == 2
    assert any("nothing to take back" in line for line in said)
    assert any("crops/0.jpg" in line for line in said)
