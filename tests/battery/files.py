"""Mutated files: data, submissions and all that belongs to them, to everything that reads them."""

import shutil
import struct
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from types import ModuleType
from typing import NamedTuple

from common.submission import json_bytes
from common.tokenizers.word_vectors import read_word_vectors

import competition
from battery import Part, Tally, answered
from battery.mutations import mutated
from contests import ALL_SCRIPTS, CONTESTS, Contest, Example, lines
from workshop import Workshop, extra, make_data, run_here, sample_of


class Kind(NamedTuple):
    """A file that is fine, the place where it is looked for, and all that reads it there."""

    path: Path
    content: bytes
    readers: dict[str, Callable[[Path], object]]


class Files(Part):
    """Readers must read a file or refuse it."""

    def __init__(self, folder: Path, workshop: Workshop, contests: list[Contest] = CONTESTS):
        self.kinds = [kind for contest in contests for kind in kinds_of(contest, folder / contest.folder)]
        self.kinds += word_vectors(folder)

    def attempt(self, generator: Random, tally: Tally) -> None:
        kind = generator.choice(self.kinds)
        kind.path.write_bytes(mutated(kind.content, generator))
        for what, read in kind.readers.items():
            tally.call(f"{kind.path.parent.name}, {kind.path.name}, {what}", partial(read, kind.path), kind.path.parent)
        kind.path.write_bytes(kind.content)  # others may be read beside it


def kinds_of(contest: Contest, folder: Path) -> list[Kind]:
    """All files of a contest."""
    good = contest.read(sample_of(contest) / "train.json")[:3]
    make_data(contest, folder, good, good)
    for path in folder.glob("test.*"):
        path.unlink()
    task = competition.load(contest.folder, "task")
    data = folder / "dev.json"
    readers = {script: partial(_read, contest, task, script) for script in ALL_SCRIPTS}
    submission = folder / f"submission{contest.suffixes[0]}"
    content = submission_of(contest, good, data.read_bytes())
    submission.write_bytes(content)
    checks = {
        "submission": partial(_read, contest, task, "submission"),
        "check": lambda path: task.check_submission(path, *arguments_of_check(contest, task, folder, data)),
        "evaluate.py": lambda path: scored(contest, data, path),
    }
    readers["evaluate.py"] = lambda path: scored(contest, path, submission)
    return [
        Kind(data, data.read_bytes(), readers),
        Kind(submission, content, checks),
        *(kind for kind in others_of(contest, task, folder)),
    ]


def _read(contest: Contest, task: ModuleType, script: str, path: Path) -> object:
    return contest.reader(task, path, script)


def submission_of(contest: Contest, good: list[Example], data: bytes) -> bytes:
    """The right answers; most contests take their own data file."""
    if contest.folder == "lic2020_reading_comprehension":
        return json_bytes({example["id"]: example["answers"][0]["text"] for example in good}, indent=0) + b"\n"
    if contest.folder == "webqa_dgcnn":
        return b"".join(f"{example['id']}\t\n".encode() for example in good)
    return lines([example["sql"] for example in good]) if contest.folder == "nl2sql" else data


def arguments_of_check(contest: Contest, task: ModuleType, folder: Path, data: Path) -> list[object]:
    """What `check_submission` of the contest wants beside the submission."""
    if contest.folder == "lic2020_relation_extraction":
        return [task.Schema.read(folder / "schema.json")]
    if contest.folder == "lic2020_event_extraction":
        return [task.Schema.read(folder / "event_schema.json")]
    return [contest.reader(task, data, "predict")]


def scored(contest: Contest, gold: Path, predictions: Path, *flags: object) -> object:
    """evaluate.py on these files, with its whole report. Raises UserError as it does."""
    files = ["--gold", gold, "--predictions", predictions, *extra(contest.evaluate_flags, gold.parent)]
    return answered(run_here(contest.folder, "evaluate", [*files, *flags]))


def others_of(contest: Contest, task: ModuleType, folder: Path) -> list[Kind]:
    """What a contest has beside its data."""

    def kind(name: str, read: Callable[[Path], object], most_lines: int = 3) -> Kind:
        content = b"".join((folder / name).read_bytes().splitlines(keepends=True)[:most_lines])
        (folder / name).write_bytes(content)
        return Kind(folder / name, content, {"read": read})

    if contest.folder == "lic2020_relation_extraction":
        (folder / "alias.txt").write_text("北京\t首都\t帝都\n《一个》\t一个\n", "utf-8")
        metric = competition.load(contest.folder, "metric")
        return [kind("schema.json", task.Schema.read, 99), kind("alias.txt", metric.read_aliases)]
    if contest.folder == "lic2020_event_extraction":
        return [kind("event_schema.json", task.Schema.read, 99)]
    if contest.folder == "nl2sql":
        return [kind("dev.tables.json", task.read_tables)]
    if contest.folder == "webqa_dgcnn":
        (folder / "gold.tsv").write_text("1\t北京\t北京|北京市\n2\t\t\n", "utf-8")
        return [kind("gold.tsv", task.read_gold)]
    if contest.folder == "ccks2019_entity_linking":
        return [kind("kb_data", partial(_indexed, competition.load(contest.folder, "knowledge_base")))]
    return []


def _indexed(module: ModuleType, path: Path) -> object:
    """A knowledge base as train.py opens it, and looks into it."""
    folder = path.parent / "indices"
    try:
        opened = module.open_knowledge_base(path, folder)
        found = opened.matches(path.read_bytes().decode("utf-8", "replace")[:1000])
        return [opened.entity(entity, 64) for match in found for entity in opened.candidates(match.name)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def word_vectors(folder: Path) -> list[Kind]:
    text = "3 2\n北京 0.5 -1\n的 1e-3 2\nab 3 4\n".encode()
    values = {"北京": (0.5, -1.0), "的": (1e-3, 2.0)}
    binary = b"2 2\n" + b"".join(
        word.encode() + b" " + struct.pack("<2f", *pair) + b"\n" for word, pair in values.items()
    )
    place = folder / "vectors"
    place.mkdir(parents=True)
    return [
        Kind(place / name, content, {"read": lambda path: read_word_vectors(path, ["的"], 2, Counter())})
        for name, content in (("text.txt", text), ("glove.txt", text[4:]), ("vectors.bin", binary))
    ]
