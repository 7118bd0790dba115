"""Title generation (LCSTS, CSL): the official files, read and checked, and the submission, written and checked.

A text, short news or the abstract of a paper, is to be given a title. The metric is in metric.py.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.json_document import read_json_records
from common.submission import (
    BLANK_LINE,
    all_lines,
    empty_file,
    field,
    find_file,
    read_json_lines,
    write_json_lines,
    wrong_kind,
)

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "seq2seq_titling"

#: The keys under which texts and titles stand: in LCSTS, in CSL, in other files of the kind. The first that is there
#: counts.
TEXT_KEYS = ("content", "abst", "article", "text")
TITLE_KEYS = ("title", "summary")

#: The most characters of a predicted title, and of one of gold: more is a text, or a mistake. Those of all contests
#: have less than a hundred, and the metric is linear in both.
LONGEST_TITLE = 1000
LONGEST_GOLD = 100_000


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its title (None: unlabelled). Both are as in the file, and may be empty."""

    text: str
    title: str | None = None


# Reading


def read(path: str | Path, labelled: bool, skipped: Counter[str] | None = None) -> list[Example]:
    """The examples of a file: JSON objects, one on each line that is not blank or in one list, or, where its name says
    so, the rows of a `.tsv` or `.csv` below a line with the names of its columns.

    The text is under the first of TEXT_KEYS that is there, on each line anew. `labelled` demands titles, under the
    first of TITLE_KEYS; one that is absent or null is empty, but not all may be. Otherwise no title is looked at. Other
    keys are ignored. `skipped` counts blank lines, absent titles, and other keys than those of LCSTS and CSL. Raises
    UserError naming file and line.
    """
    skipped, examples = Counter() if skipped is None else skipped, []
    for where, record in _records(path, skipped):
        text = _text(record, where, skipped)
        examples.append(Example(text, _label(record, where, skipped) if labelled else None))
    if labelled and not any(example.title.strip() for example in examples):
        raise UserError(
            f"{path}: none of its {len(examples)} texts has a title - give a file with titles (is it the test file?)"
        )
    return examples


def read_gold(path: str | Path, skipped: Counter[str] | None = None) -> list[Example]:
    """The examples of a labelled file, to compare titles with; a file of titles alone will do, and then the texts are
    empty. `skipped` as in `read`.

    Raises UserError naming file and line, also for a title that is absent, null or longer than LONGEST_GOLD.
    """
    skipped, examples = Counter() if skipped is None else skipped, []
    for where, record in _records(path, skipped):
        text = _text(record, where, skipped) if any(key in record for key in TEXT_KEYS) else ""
        key = _first_key(record, TITLE_KEYS, skipped) or TITLE_KEYS[0]
        examples.append(Example(text, _title(record, where, key, LONGEST_GOLD)))
    return examples


def _records(path: str | Path, skipped: Counter[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records of a file with "file:line" of each."""
    name = Path(path).name.lower().removesuffix(".gz").removesuffix(".zip")
    if name.endswith((".tsv", ".csv")):
        yield from _rows(path, "\t" if name.endswith(".tsv") else ",", skipped)
    else:
        for element in read_json_records(path, skipped):
            yield element.where(), element.value


def _rows(path: str | Path, delimiter: str, skipped: Counter[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Quotation marks around a field, in which there may be anything, are those of `.csv` only."""
    quoting = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    lines = (line + "\n" for _, line in all_lines(path))
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    names, begin, count = [], 1, 0
    try:
        for row in reader:
            where, begin = f"{path}:{begin}", reader.line_num + 1
            if len(row) < 2 and not "".join(row).strip():
                skipped[BLANK_LINE] += 1
            elif not names:
                names = [name.strip().lower() for name in row]
                if not {*TEXT_KEYS, *TITLE_KEYS} & {*names}:
                    raise UserError(
                        f"{where}: names no column that is known - the first line must name content and title"
                    )
            elif len(row) != len(names):
                raise UserError(f"{where}: has {len(row)} columns - it must have {len(names)}, as the first line says")
            else:
                count += 1
                yield where, dict(zip(names, row))
    except csv.Error as error:
        raise UserError(f"{path}:{begin}: no row that can be read ({error}) - mend its quotation marks") from None
    if not count:
        raise empty_file(path)


def _first_key(record: dict[str, Any], keys: tuple[str, ...], skipped: Counter[str]) -> str | None:
    """The first of the keys that is there; one that neither LCSTS nor CSL has is counted."""
    key = next((key for key in keys if key in record), None)
    if key not in ("content", "abst", "title", None):
        skipped[f'{"text" if keys == TEXT_KEYS else "title"} under "{key}"'] += 1
    return key


def _text(record: dict[str, Any], where: str, skipped: Counter[str]) -> str:
    key = _first_key(record, TEXT_KEYS, skipped)
    if key is None:
        others = ", ".join(f'"{other}"' for other in TEXT_KEYS[1:])
        raise UserError(f'{where}: "content" is missing - the text must stand under it, or under one of {others}')
    complaint = wrong_kind(record[key], (str,))
    if complaint:
        raise UserError(f'{where}: "{key}" is {complaint}, the text, as "content" or as "abst"')
    return record[key]


def _label(record: dict[str, Any], where: str, skipped: Counter[str]) -> str:
    key = _first_key(record, TITLE_KEYS, skipped)
    if key is None or record[key] is None:
        skipped["title absent or null: empty"] += 1
        return ""
    return field(record, key, str, where)


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None


# Our names, and those that such contests' organisers use.
_STEMS = {"train": ("train", "train_data"), "dev": ("dev", "dev_data", "val", "val_data", "valid")}
_SUFFIXES = (".json", ".jsonl", ".tsv", ".csv")


def find_files(data_dir: str | Path) -> Files:
    """The training and development file in a folder, under our names or others' that are usual.

    Raises UserError that shows the tree we expect; only the development file may be missing.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json and dev.json "
        "(or train_data.json, val.json and the like, or .jsonl, .tsv or .csv; without dev.json a part of train.json is dev)"
    )
    names = {role: [stem + suffix for suffix in _SUFFIXES for stem in stems] for role, stems in _STEMS.items()}
    return Files(**{role: find_file(folder, role, names[role], tree, role == "dev") for role in names})


# The submission


def write_submission(path: str | Path, titles: Iterable[str]) -> None:
    """One line for each title, in order; a flat zip when the name ends in `.zip`."""
    write_json_lines(path, ({"title": title} for title in titles))


def read_titles(path: str | Path) -> list[str]:
    """The titles of a submission, or of any such file, one for each line that is not blank. Other keys are ignored.

    Raises UserError naming file and line, also for a title of more than LONGEST_TITLE characters.
    """
    return [_title(record, f"{path}:{number}") for number, record in read_json_lines(path)]


def _title(record: dict[str, Any], where: str, key: str = "title", longest: int = LONGEST_TITLE) -> str:
    title = field(record, key, str, where)
    if len(title) > longest:
        raise UserError(
            f'{where}: "{key}" has {len(title)} characters - it must be a title, of {longest} at most, and no text'
        )
    return title


def shortened(title: str) -> str:
    """The title, or what is left of it where it has more than LONGEST_TITLE characters: it is cut there, or at the last
    blank in its second half."""
    if len(title) <= LONGEST_TITLE:
        return title
    blank = title.rfind(" ", LONGEST_TITLE // 2, LONGEST_TITLE + 1)
    return title[:blank] if blank > 0 else title[:LONGEST_TITLE]


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
