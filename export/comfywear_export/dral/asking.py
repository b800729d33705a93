"""What terminal and page share: one question at a time, each answer on the disk before the next."""

from __future__ import annotations

from comfywear.errors import UsageError
from comfywear_export.dral.answers import AnswerFile, Verdict
from comfywear_export.dral.session import Question, Session

__all__ = ["Asker"]


class Asker:
    """A session and the file of its answers.

    Args:
        session: Began with the answers of the file.
        file: Where answers go.
    """

    def __init__(self, session: Session, file: AnswerFile) -> None:
        self.session, self._file = session, file

    def question(self) -> Question | None:
        """The question that is open; None at the end."""
        return self.session.question()

    def answer(self, query: int, item: int, verdict: Verdict) -> None:
        """Keep the answer to the open question.

        Raises:
            UsageError: Another question is open: this one was answered elsewhere.
            StoreError: It could not be written; the question stays open.
        """
        open_question = self.question()
        if open_question is None or (open_question.query, open_question.item) != (query, item):
            raise UsageError("this question is not open any more: it was answered elsewhere")
        answer = self.session.as_answer(open_question, verdict)
        self._file.add(answer)
        self.session.take(answer)

    def undo(self) -> bool:
        """Take the newest answer back, so that it is asked again; False when there is none."""
        answer = self._file.undo()
        if answer is not None:
            self.session.undone(answer)
        return answer is not None

    def said(self) -> dict[str, int]:
        """How many answers there are of each kind."""
        verdicts = [each.verdict for each in self._file.answers]
        return {kind: verdicts.count(kind) for kind in ("same", "different", "skipped")}
