"""WebQA with DGCNN: the official files, read and checked, and the submission, written and checked.

A question comes with passages that a search engine found for it. The answer is a short piece of some of them, and is
not in the others; several forms of it may be accepted. The metric is in metric.py.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from common.command_line import UserError
from common.json_document import JsonElement, read_json_records, records_of
from common.submission import BLANK_LINE, all_lines, find_file, non_blank, write_json_lines, write_lines

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "webqa_dgcnn"

# What a line of the submission cannot hold: tab, line ends, and half a surrogate pair, for which UTF-8 has no bytes.
_UNWRITABLE = re.compile("[\t\n\r\ud800-\udfff]")
# How Baidu's files say that an evidence holds no answer.
_NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage and the answer that it gives; "" when it gives none, or the file does not say.

    Each tab, line end and half a surrogate pair of the file is a blank in both, so that any piece of `text` can be
    submitted.
    """

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Example:
    """A question, its passages, and the line on which it begins in the file, from 1.

    `answers` are all that are accepted, the standard one first, distinct and none of them blank. None: unlabelled. ():
    labelled, and there is none.
    """

    id: str
    question: str
    passages: tuple[Passage, ...]
    answers: tuple[str, ...] | None
    line: int


@dataclass(frozen=True)
class Gold:
    """What a prediction is compared with: the standard answer ("" if there is none) and all accepted ones.

    `example` is the whole question, None where only its answers are known.
    """

    id: str
    standard: str
    accepted: tuple[str, ...]
    example: Example | None = None

    @classmethod
    def of(cls, example: Example) -> "Gold":
        """The answers of a question. Raises ValueError where it is unlabelled."""
        if example.answers is None:
            raise ValueError(f'question "{example.id}" has no labels to compare with')
        return cls(example.id, example.answers[0] if example.answers else "", example.answers, example)


# Reading


def read(path: str | Path, labelled: bool | None = None, skipped: Counter[str] | None = None) -> list[Example]:
    """The questions of a file that is a JSON list of them, or has one on each line (`skipped` counts the blank ones).
    The files of Baidu's WebQA are read too: the original ones, and those in which tokens are joined (see `_in_our_form`).

    Accepted are the "answer" and "answers" that a question names, as for its passages it may name more than one; where
    it names none, the different answers of its passages, the most frequent first. `labelled=True` demands an "answer",
    which may be "", for every passage, `False` never looks at answers, None takes what there is. Whether an answer
    stands in its passage is not checked. Raises UserError naming file and line, also for an id that stands there twice,
    since a submission could not tell the two apart, and for one that no line can hold.
    """
    return _examples(read_json_records(path, skipped), labelled)


def _examples(records: Iterable[JsonElement], labelled: bool | None) -> list[Example]:
    lines: dict[str, int] = {}
    examples = []
    for record in (ours for record in records for ours in _in_our_form(record, labelled)):
        name = str(record.field("id", (str, int)).value)
        # A byte order mark is read over at the beginning of a file.
        if not name.strip() or _UNWRITABLE.search(name) or name.startswith("\ufeff"):
            raise UserError(
                f"{record.where('id')}: an id must not be blank, hold a tab or a line end, or begin with a byte order mark - "
                "give another one"
            )
        if name in lines:
            raise UserError(
                f'{record.where("id")}: id "{name:.60}" stands already in line {lines[name]} - give each question an id of its own'
            )
        lines[name] = record.line
        question = record.field("question", str).value
        items = list(record.field("passages", list).items(dict))
        passages = tuple(_passage(item, labelled) for item in items)
        answers = _accepted(record, items, passages, labelled)
        examples.append(Example(name, question, passages, answers, record.line))
    return examples


def _in_our_form(record: JsonElement, labelled: bool | None) -> Iterator[JsonElement]:
    """The question that a record is, or those that are in it, with "id", "question" and "passages".

    Baidu's files (training.json.gz, validation.ir.json.gz, ...: github.com/PaddlePaddle/models, legacy/neural_qa) have a
    question of tokens on each line, whose evidences have tokens and golden answers. In their joined form (me_train.json,
    ...: kexue.fm/archives/4338) a file is one object, with questions by id and evidences by key.
    """
    if "question_tokens" in record.value:
        evidences = [
            (_joined(one.field("evidence_tokens", list)), _golden(one, "golden_answers", labelled))
            for one in record.field("evidences", list).items(dict)
        ]
        name = record.field("q_key", (str, int)).value
        yield _recast(record, name, _joined(record.field("question_tokens", list)), evidences)
    elif "id" not in record.value and any(
        isinstance(one, dict) and "evidences" in one for one in record.value.values()
    ):
        for name in record.value:
            question = record.field(name, dict)
            by_key = question.field("evidences", dict)
            evidences = [
                (one.field("evidence", str).value, _golden(one, "answer", labelled))
                for one in (by_key.field(key, dict) for key in by_key.value)
            ]
            yield _recast(question, name, question.field("question", str).value, evidences)
    else:
        yield record


def _joined(tokens: JsonElement) -> str:
    try:
        return "".join(tokens.value)
    except TypeError:
        [*tokens.items(str)]  # says which is none
        raise


def _golden(evidence: JsonElement, key: str, labelled: bool | None) -> list[str] | None:
    """The answers of an evidence, strings or lists of tokens; None where none are wanted, or need be there."""
    if labelled is False or (labelled is None and evidence.value.get(key) is None):
        return None
    answers = evidence.field(key, list).items((str, list))
    joined = [one.value if isinstance(one.value, str) else _joined(one) for one in answers]
    return [answer for answer in joined if answer.lower() != _NO_ANSWER]


def _recast(
    record: JsonElement, name: str | int, question: str, evidences: list[tuple[str, list[str] | None]]
) -> JsonElement:
    counts = Counter(answer for _, answers in evidences for answer in answers or ())
    passages = [
        {"passage": text, "answer": None if answers is None else next(iter(answers), "")} for text, answers in evidences
    ]
    accepted = [answer for answer, _ in counts.most_common()]
    return replace(record, value={"id": name, "question": question, "passages": passages, "answers": accepted})


def _passage(item: JsonElement, labelled: bool | None) -> Passage:
    text = _writable(item.field("passage", str).value)
    if labelled or (labelled is None and item.value.get("answer") is not None):
        return Passage(text, _answer(item.field("answer", str)))
    return Passage(text, "")


def _accepted(
    record: JsonElement, items: Sequence[JsonElement], passages: Sequence[Passage], labelled: bool | None
) -> tuple[str, ...] | None:
    if labelled is False:
        return None
    named = []
    if record.value.get("answer") is not None:
        named.append(_answer(record.field("answer", str)))
    if record.value.get("answers") is not None:
        named += map(_answer, record.field("answers", list).items(str))
    if any(named):
        return tuple(dict.fromkeys(filter(None, named)))
    if labelled or any(item.value.get("answer") is not None for item in items):
        return _most_frequent(passages)
    return None


def _most_frequent(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Their different answers, the most frequent first."""
    return tuple(answer for answer, _ in Counter(one.answer for one in passages if one.answer).most_common())


def _answer(element: JsonElement) -> str:
    """An answer, "" if it is blank."""
    answer = _writable(element.value)
    return answer if answer.strip() else ""


def _writable(text: str) -> str:
    return _UNWRITABLE.sub(" ", text)


def read_gold(path: str | Path, skipped: Counter[str] | None = None) -> list[Gold]:
    """The answers of a file that `read` reads, or of one with `id<TAB>standard answer<TAB>accepted|answers` lines,
    whichever it looks like (`skipped` counts the blank lines).

    Raises UserError naming file and line, also for an id that stands there twice.
    """
    whole = list(all_lines(path))  # once: it may be a pipe
    if next((line for _, line in whole if line.strip()), "").lstrip().startswith(("[", "{")):
        return [Gold.of(example) for example in _examples(records_of(path, whole, skipped), labelled=True)]
    lines: dict[str, int] = {}
    gold = []
    form = "an id, the standard answer and the accepted ones with | between"
    for number, (name, standard, accepted) in _rows(path, whole, 3, form, skipped):
        if name in lines:
            raise UserError(f'{path}:{number}: id "{name:.60}" stands already in line {lines[name]} - leave one')
        lines[name] = number
        gold.append(Gold(name, standard, tuple(accepted.split("|"))))
    return gold


def _rows(
    path: str | Path, lines: Iterable[tuple[int, str]], columns: int, form: str, skipped: Counter[str] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """The number and the columns of every one of a file's lines that is not blank."""
    for number, line in non_blank(path, lines, skipped):
        row = line.split("\t")
        if len(row) != columns:
            raise UserError(
                f"{path}:{number}: {len(row)} columns - each line must be {form}, {columns} columns with a tab between"
            )
        yield number, row


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None


# Our names, those that other contests' organisers use, and those of Baidu's WebQA, of whose dev files the one with many
# evidences for each question comes first: there is something to vote.
_NAMES = {
    "train": ("train.json", "train_data.json", "me_train.json", "training.json"),
    "dev": (
        "dev.json",
        "dev_data.json",
        *(f"{form}validation.{kind}.json" for kind in ("ir", "ann") for form in ("me_", "")),
    ),
}


def find_files(data_dir: str | Path) -> Files:
    """The training and development file in a folder.

    Raises UserError that shows the tree we expect; only the development file may be missing. WebQA.json and
    SogouQA.json are published without a split, so which of their questions are for training is not ours to say.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json and dev.json, or Baidu's me_train.json and me_validation.ir.json "
        "(WebQA.json and SogouQA.json come whole: write some of their questions to dev.json, the others to train.json; "
        "without dev.json a part of train.json is dev)"
    )
    return Files(**{role: find_file(folder, role, names, tree, role == "dev") for role, names in _NAMES.items()})


def write_questions(path: str | Path, examples: Sequence[Example]) -> None:
    """Labelled questions, one on each line; `read` gives them back."""
    records = []
    for one in examples:
        passages = [{"passage": passage.text, "answer": passage.answer} for passage in one.passages]
        named = {} if one.answers == _most_frequent(one.passages) else {"answers": list(one.answers)}
        records.append({"id": one.id, "question": one.question, "passages": passages, **named})
    write_json_lines(path, records)


# The submission


def write_submission(path: str | Path, ids: Sequence[str], answers: Sequence[str]) -> None:
    """One `id<TAB>answer` line for each id, in order; a flat zip when the name ends in `.zip`.

    Raises ValueError for unequal numbers, and for an id or answer that a line cannot hold.
    """
    rows = [*zip(ids, answers, strict=True)]
    for name, answer in rows:
        if _UNWRITABLE.search(name + answer):
            raise ValueError(
                f"cannot be submitted: {name!r:.60} with {answer!r:.60} has a tab, a line end or half a surrogate pair"
            )
    write_lines(path, (f"{name}\t{answer}".encode() for name, answer in rows), ".tsv")


def read_submission(path: str | Path) -> list[tuple[str, str]]:
    """The (id, answer) pairs of a submission, one for each line that is not blank, for metric.compare.

    As lenient as the metric: any ids will do, and one may stand there twice. Raises UserError naming file and line.
    """
    return [(name, answer) for _, (name, answer) in _rows(path, all_lines(path), 2, "an id and an answer")]


def check_submission(path: str | Path, examples: Sequence[Example] | None = None) -> int:
    """The number of lines of a submission that the judge can read.

    Checked: UTF-8, a flat zip, no blank line, one tab on each line, every id once. With `examples` also: their ids, in
    order, and that each answer that is not empty stands as it is in a passage of its question. Raises UserError naming
    file and line.
    """
    skipped: Counter[str] = Counter()
    lines: dict[str, int] = {}
    for number, (name, answer) in _rows(path, all_lines(path), 2, "an id and an answer", skipped):
        where = f"{path}:{number}"
        if skipped[BLANK_LINE]:
            raise UserError(f"{where}: follows a blank line, which the judge cannot read - delete it")
        if name in lines:
            raise UserError(f'{where}: id "{name:.60}" stands already in line {lines[name]} - leave one')
        if examples is not None:
            _check_row(name, answer, len(lines), examples, where)
        lines[name] = number
    if skipped[BLANK_LINE]:
        raise UserError(f"{path}: ends with a blank line, which the judge cannot read - delete it")
    if examples is not None and len(lines) < len(examples):
        raise UserError(
            f"{path}: ends after {len(lines)} of {len(examples)} questions - each needs a line, also without an answer"
        )
    return len(lines)


def _check_row(name: str, answer: str, count: int, examples: Sequence[Example], where: str) -> None:
    if count >= len(examples) or examples[count].id != name:
        raise UserError(
            f"{where}: is not the id of question {count + 1} of the {len(examples)} in the input - keep every id, in order"
        )
    try:
        check_answer(answer, examples[count])
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def check_answer(answer: str, example: Example) -> None:
    """Raises UserError for an answer that cannot be right: one that is not empty and in no passage as it is."""
    if answer and not any(answer in passage.text for passage in example.passages):
        raise UserError(
            f'"{answer:.60}" is in no passage of question "{example.id:.60}" - cut answers from there, as they are'
        )
