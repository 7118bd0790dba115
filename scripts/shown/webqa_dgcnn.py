"""WebQA: the answer, marked in every passage that has it."""

from typing import Any

from shown._places import Mark, Shown, in_order, marks_of


def shown(example: Any) -> Shown:
    passages = ((f"passage {number}", passage.text) for number, passage in enumerate(example.passages, start=1))
    return Shown(example.id, (("question", example.question), *passages))


def gold(example: Any) -> dict[str, Any] | None:
    return None if example.answers is None else {"id": example.id, "answers": [*example.answers]}


def marks(example: Any, answer: dict[str, Any]) -> list[Mark]:
    """The label is "answer". All accepted ones of gold, each wherever it stands."""
    texts = [*enumerate((passage.text for passage in example.passages), start=1)]
    return in_order(mark for text in lines(example, answer) for mark in marks_of(text, "answer", texts))


def lines(example: Any, answer: dict[str, Any]) -> list[str]:
    """The answers, each once. A prediction has one "answer", and gold a list of "answers"."""
    return [*dict.fromkeys(filter(None, answer["answers"] if "answers" in answer else [answer["answer"]]))]
