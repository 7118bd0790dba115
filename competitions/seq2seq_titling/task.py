"""Title generation (LCSTS, CSL): the official files, read and checked, and the submission, written and checked.

A text, short news or the abstract of a paper, is to be given a title. The metric is in metric.py.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.submission import BLANK_LINE, field, find_file, read_json_lines, write_json_lines, wrong_kind

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "seq2seq_titling"

#: The keys under which texts stand, in LCSTS and in CSL; the first that is there counts.
TEXT_KEYS = ("content", "abst")

#: The most characters of a predicted title. `rouge` needs memory for their product with those of gold.
LONGEST_TITLE = 1000


@dataclass(frozen=True)
class Example:
    """A text and its title (None: unlabelled). Both are as in the file, and may be empty."""

    text: str
    title: str | None = None


# Reading


def read(path: str | Path, labelled: bool, skipped: Counter[str] | None = None) -> list[Example]:
    """The examples of a file with one on each line that is not blank (`skipped` counts the blank ones).

    The text is "content" (LCSTS) or "abst" (CSL), on any line, and "content" where both stand. `labelled` demands a
    "title"; otherwise it is never looked at. Other keys are ignored. Raises UserError naming file and line.
    """
    examples = []
    for number, record in read_json_lines(path, skipped):
        where = f"{path}:{number}"
        text = _text(record, where)
        examples.append(Example(text, field(record, "title", str, where) if labelled else None))
    return examples


def _text(record: dict[str, Any], where: str) -> str:
    key = next((key for key in TEXT_KEYS if key in record), None)
    if key is None:
        raise UserError(f'{where}: "content" is missing, and so is "abst" - the text must stand under one of them')
    complaint = wrong_kind(record[key], (str,))
    if complaint:
        raise UserError(f'{where}: "{key}" is {complaint}, the text, as "content" or as "abst"')
    return record[key]


def read_gold(path: str | Path) -> list[Example]:
    """The examples of a labelled file, to compare titles with; a file of titles alone will do, and then the texts are
    empty.

    Raises UserError naming file and line.
    """
    examples = []
    for number, record in read_json_lines(path):
        where = f"{path}:{number}"
        text = _text(record, where) if any(key in record for key in TEXT_KEYS) else ""
        examples.append(Example(text, field(record, "title", str, where)))
    return examples


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None


# Our names, and those that such contests' organisers use.
_NAMES = {
    "train": ("train.json", "train_data.json", "train.jsonl", "train_data.jsonl"),
    "dev": (
        "dev.json",
        "dev_data.json",
        "val.json",
        "val_data.json",
        "valid.json",
        "dev.jsonl",
        "dev_data.jsonl",
        "val.jsonl",
        "valid.jsonl",
    ),
}


def find_files(data_dir: str | Path) -> Files:
    """The training and development file in a folder, under our names or others' that are usual.

    Raises UserError that shows the tree we expect; only the development file may be missing.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json and dev.json "
        "(or train_data.json, val.json and the like, or .jsonl; without dev.json a part of train.json is dev)"
    )
    return Files(**{role: find_file(folder, role, names, tree, role == "dev") for role, names in _NAMES.items()})


# The submission


def write_submission(path: str | Path, titles: Iterable[str]) -> None:
    """One line for each title, in order; a flat zip when the name ends in `.zip`."""
    write_json_lines(path, ({"title": title} for title in titles))


def read_titles(path: str | Path) -> list[str]:
    """The titles of a submission, or of any such file, one for each line that is not blank. Other keys are ignored.

    Raises UserError naming file and line, also for a title of more than LONGEST_TITLE characters.
    """
    return [_title(record, f"{path}:{number}") for number, record in read_json_lines(path)]


def _title(record: dict[str, Any], where: str) -> str:
    title = field(record, "title", str, where)
    if len(title) > LONGEST_TITLE:
        raise UserError(
            f'{where}: "title" has {len(title)} characters - it must be a title, of {LONGEST_TITLE} at most, and no text'
        )
    return title


def check_submission(path: str | Path, examples: Sequence[Example] | None = None) -> int:
    """The number of lines of a submission that the judge can read.

    Checked: UTF-8, a flat zip, no blank line, on each line an object with a title, which may be empty. With `examples`
    also that each has a line. Raises UserError naming file and line.
    """
    skipped: Counter[str] = Counter()
    count = 0
    for number, record in read_json_lines(path, skipped):
        where = f"{path}:{number}"
        if skipped[BLANK_LINE]:
            raise UserError(f"{where}: follows a blank line, which the judge cannot read - delete it")
        if examples is not None and count == len(examples):
            raise UserError(
                f"{where}: is for text {count + 1} of the {count} in the input - leave one line for each text, in order"
            )
        _title(record, where)
        count += 1
    if skipped[BLANK_LINE]:
        raise UserError(f"{path}: ends with a blank line, which the judge cannot read - delete it")
    if examples is not None and count < len(examples):
        raise UserError(f"{path}: ends after {count} of {len(examples)} texts - each needs a line")
    return count
