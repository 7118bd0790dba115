"""Reading comprehension: the answer, marked in the context."""

from typing import Any

from shown._places import Mark, Shown, in_order, marks_of


def shown(example: Any) -> Shown:
    return Shown(example.id, (("question", example.question), ("context", example.context)))


def gold(example: Any) -> dict[str, Any] | None:
    if example.answers is None:
        return None
    return {
        "id": example.id,
        "answers": [{"text": answer.text, "answer_start": answer.start} for answer in example.answers],
    }


def marks(example: Any, answer: dict[str, Any]) -> list[Mark]:
    """The label is "answer". All accepted ones of gold; where no start is given, every occurrence."""
    texts = ((1, example.context),)
    return in_order(mark for text, start in _answers(answer) for mark in marks_of(text, "answer", texts, start))


def lines(example: Any, answer: dict[str, Any]) -> list[str]:
    """The answers, each once."""
    return [*dict.fromkeys(text for text, _ in _answers(answer) if text)]


def _answers(answer: dict[str, Any]) -> list[tuple[str, int]]:
    """Texts and starts. A prediction has one "answer", and gold a list of "answers"."""
    if "answers" in answer:
        return [(one["text"], one.get("answer_start", -1)) for one in answer["answers"]]
    return [(answer["answer"], -1)]
