"""LIC2020 reading comprehension (DuReader-robust): the official files, read and checked, and the submission, written
and checked.

A question about a context (a paragraph) is answered by a piece of that context. Often several pieces are accepted, and
often the file does not say where in the context they stand. The metric is in metric.py.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from common.command_line import UserError
from common.json_document import JsonElement, read_json_document
from common.submission import atomic_write, empty_file, find_file, json_bytes

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "lic2020_reading_comprehension"

#: The reasons under which `read` counts what it leaves out, and what it reads although it is called otherwise.
REPEATED_QUESTION = "question stands twice"
UNANSWERABLE = "question without an answer"
SINGULAR = '"answer" read as "answers"'


@dataclass(frozen=True, slots=True)
class Answer:
    """An accepted answer. `start` is the index of its first character in the context as the file says it, -1 if it does
    not.

    Neither is checked: in the real files some starts are wrong, and some texts are not in the context.
    """

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Example:
    """A question about a context. `answers` None: unlabelled. `article` is the index in the file's `data`."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] | None
    article: int


def occurrences(piece: str, context: str) -> list[int]:
    """Where `piece` begins in the context, everywhere, also where it overlaps with itself; an empty one nowhere."""
    return [match.start() for match in re.finditer(f"(?={re.escape(piece)})", context)] if piece else []


# Reading


def read(path: str | Path, labelled: bool | None = None, skipped: Counter[str] | None = None) -> list[Example]:
    """The questions of an official file, those of all its articles, in order. Ids may also be whole numbers, answers
    mere strings, and one alone needs no list; they may stand under "answer", which `skipped` counts.

    `labelled=True` leaves out the questions without an answer that is not blank, and those that are "is_impossible",
    and counts them in `skipped`; `False` never looks at answers, None takes what there is. An id must not stand for two
    different questions, since a submission could not answer both. The same question about the same context may stand
    twice: with `labelled=True` both stay, as for the organisers' evaluator; otherwise there is one answer to give, so
    the first stays and `skipped` counts the others. Raises UserError naming file, line and place, also for a file
    without questions, or with `labelled=True` without answers.
    """
    skipped = Counter() if skipped is None else skipped
    examples: list[Example] = []
    by_id: dict[str, tuple[Example, JsonElement]] = {}
    for number, article in enumerate(read_json_document(path).field("data", list).items(dict)):
        for paragraph in article.field("paragraphs", list).items(dict):
            context = paragraph.field("context", str).value
            for item in paragraph.field("qas", list).items(dict):
                name, question = str(item.field("id", (str, int)).value), item.field("question", str).value
                answers = None if labelled is False else _answers(item, skipped)
                example = Example(name, question, context, answers, number)
                first, first_item = by_id.setdefault(name, (example, item))
                if (first.question, first.context) != (question, context):
                    raise UserError(
                        f'{item.where()}: the id "{name:.60}" stands for another question too ({first_item.where()}) - '
                        "give each question an id of its own"
                    )
                if labelled and answers is None:
                    skipped[UNANSWERABLE] += 1
                elif first is example or labelled:
                    examples.append(example)
                else:
                    skipped[REPEATED_QUESTION] += 1
    if by_id and not examples:
        raise UserError(f"{path}: none of its {len(by_id)} questions has an answer - is this the judge's file?")
    if not examples:
        raise empty_file(path)
    return examples


def _answers(item: JsonElement, skipped: Counter[str]) -> tuple[Answer, ...] | None:
    """None where the question has no answer. The judge's files have no `answers`, or an empty list, or a list of one
    empty answer."""
    key = "answers" if item.value.get("answers") is not None else "answer"
    if item.value.get(key) is None or item.value.get("is_impossible") is True:
        return None
    found = item.field(key, (list, dict, str))
    answers = tuple(map(_answer, found.items((dict, str)) if isinstance(found.value, list) else [found]))
    if key == "answer":
        skipped[SINGULAR] += 1
    return answers if any(answer.text.strip() for answer in answers) else None


def _answer(element: JsonElement) -> Answer:
    if isinstance(element.value, str):
        return Answer(element.value, -1)
    start = element.value.get("answer_start")
    return Answer(element.field("text", str).value, -1 if start is None else element.field("answer_start", int).value)


class Files(NamedTuple):
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None


# Our names, those of the organisers' archive (unpacked, it has a folder of its own), and those of its copies elsewhere.
_NAMES = ("{}.json", "{}_data.json", "dureader_robust-data/{}.json", "dureader_robust.{}.json", "demo_{}.json")


def find_files(data_dir: str | Path) -> Files:
    """The training and development file in a folder, under our names or the organisers'.

    Raises UserError that shows the tree we expect; only the development file may be missing.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json and dev.json "
        "(or the contest's dureader_robust-data/train.json and dureader_robust-data/dev.json; without dev.json a part of train.json is dev)"
    )
    train, dev = (
        find_file(folder, role, [name.format(role) for name in _NAMES], tree, role == "dev")
        for role in ("train", "dev")
    )
    return Files(train, dev)


def write_questions(path: str | Path, examples: Sequence[Example]) -> None:
    """Labelled questions as an official file, all in one article, since the metric looks at no other; `read` gives them
    back."""
    paragraphs = []
    for example in examples:
        answers = [{"text": answer.text, "answer_start": answer.start} for answer in example.answers]
        paragraphs.append(
            {"context": example.context, "qas": [{"id": example.id, "question": example.question, "answers": answers}]}
        )
    atomic_write(path, json_bytes({"data": [{"paragraphs": paragraphs}]}, indent=1) + b"\n")


# The submission


def check_name(path: str | Path) -> None:
    """Raises UserError for the name of an archive: the judge of this contest takes the plain file."""
    if Path(path).suffix.lower() in (".zip", ".gz"):
        raise UserError(f"{path}: the judge takes no archive - choose a name that ends in .json")


def write_submission(path: str | Path, answers: Mapping[str, str]) -> None:
    """One JSON object, each id with its answer on a line of its own, in the order of `answers`.

    Raises UserError for the name of an archive.
    """
    check_name(path)
    atomic_write(path, json_bytes(dict(answers), indent=0) + b"\n")


def read_submission(path: str | Path, repeated: Counter[str] | None = None) -> dict[str, str]:
    """The answers by id, read as the organisers' evaluator reads them: of an id that stands twice the last answer
    counts.

    `repeated` counts how often an id stands again. Any ids will do. Raises UserError for an answer that is not a
    string.
    """
    root = read_json_document(path, repeated=repeated)
    return {name: root.field(name, str).value for name in root.value}


def check_answer(answer: str, example: Example) -> None:
    """Raises UserError for an answer that cannot be right: one that is not in the context as it is, or is empty where
    the context is not blank."""
    if not answer and example.context.strip():
        raise UserError(f'the answer to "{example.id:.60}" is empty - give a piece of the context')
    if answer not in example.context:
        raise UserError(
            f'"{answer:.60}" is not in the context of "{example.id:.60}" - cut answers from it, as they are'
        )


def check_submission(path: str | Path, examples: Sequence[Example]) -> int:
    """The number of answers in a submission that the judge can read and that answers just `examples`, in their order.

    Checked: UTF-8, one JSON object, every id once and no other, every answer a string that is empty or passes
    `check_answer`. Raises UserError naming file and line.
    """
    repeated: Counter[str] = Counter()
    root = read_json_document(path, repeated=repeated)
    for name in repeated:
        raise UserError(f"{root.where(name)}: this id stands twice - leave one")
    wanted = {example.id: example for example in examples}
    for name, expected in zip(root.value, wanted):
        if name != expected:
            raise UserError(
                f'{root.where(name)}: here must be the answer to "{expected:.60}" - keep every question of the input, in order'
            )
    for name in root.value:
        if name not in wanted:
            raise UserError(
                f"{root.where(name)}: the input has only {len(wanted)} questions, and not this one - leave it out"
            )
        if answer := root.field(name, str).value:
            try:
                check_answer(answer, wanted[name])
            except UserError as error:
                raise UserError(f"{root.where(name)}: {error}") from None
    if len(root.value) < len(wanted):
        raise UserError(f"{path}: answers {len(root.value)} of {len(wanted)} questions - each needs an answer")
    return len(wanted)
