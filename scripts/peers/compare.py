"""How fast we are beside the original scripts, and beside PyTorch with the transformers library.

    python scripts/peers/compare.py relations --python ORIGINAL/bin/python --sources FOLDER
    python scripts/peers/compare.py titles --against transformers --python TORCH/bin/python

Both sides answer the same texts with networks of the same size and random weights, each in a process of its own with
one computing thread. They take turns, since machines are noisy, and what is compared is items per processor second.
docs/benchmarks.md says how to set the others up, and what is compared with what.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import tyro

from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.tokenizers import build_vocabulary

HERE = Path(__file__).resolve().parent
COMPETITIONS = HERE.parents[1] / "competitions"
SCRIPTS = {"ours": "ours.py", "original": "original.py", "transformers": "with_transformers.py"}
HEADS = 12
LABELS = 9

Rows = list[Any]


class Subject(NamedTuple):
    """folder: of the contest. length: tokens that are read at most. items: rows that we answer in a round, and the
    original. item: what the seconds are for."""

    folder: str
    length: int
    items: int
    original_items: int
    item: str


SUBJECTS = {
    "titles": Subject("seq2seq_titling", 224, 32, 4, "title"),
    "events": Subject("lic2020_event_extraction", 510, 64, 64, "text"),
    "relations": Subject("lic2020_relation_extraction", 256, 100, 100, "sentence"),
    "reading": Subject("lic2020_reading_comprehension", 256, 48, 48, "question"),
    "passages": Subject("webqa_dgcnn", 256, 16, 16, "passage"),
    "training": Subject("", 128, 4, 4, "step"),
}
#: Tokens of the vocabulary: of Chinese checkpoints, and about as many as the original leaves of them for titles.
VOCABULARY, VOCABULARY_OF_TITLES = 21_128, 13_584


@dataclass
class Config:
    """Compare our speed with that of others on this machine."""

    subject: Annotated[Literal[*SUBJECTS], tyro.conf.Positional]
    """What is done."""
    python: Path
    """The other side's Python: docs/benchmarks.md says how to set it up."""
    against: Literal["original", "transformers"] = "original"
    """The other side; transformers writes titles and trains."""
    sources: Path | None = None
    """Folder with the originals' repositories, each under its name: bert4keras, lic2020_baselines,
    dgcnn_for_reading_comprehension."""
    data: Path | None = None
    """Labelled rows in the contest's format, its schema beside them. Default: the bundled sample's train.json."""
    items: int = 0
    """Rows of a round, or steps, as far as there are as many for all rounds and one before. Default: 100 sentences, 64 texts, 48 questions, 16 questions with
    passages, 32 titles, 4 steps. The original writes every eighth title only, since it takes seconds."""
    cut: bool = True
    """reading: we read as much of each context as the original does. --no-cut: all of it."""
    rounds: int = 5
    """Rounds that are counted; the median of their ratios is what counts."""
    seed: int = 1
    """Which rows are chosen."""
    layers: int = 4
    """Layers of the BERT."""
    hidden_size: int = 312
    """Its width, a multiple of its 12 heads."""

    def __post_init__(self):
        check_at_least(self, items=0, rounds=1, layers=1, hidden_size=HEADS)
        if self.hidden_size % HEADS:
            raise UserError(f"--hidden-size {self.hidden_size}: must be a multiple of its {HEADS} attention heads")
        if self.against == "transformers" and self.subject not in ("titles", "training"):
            raise UserError(f"--against transformers: only titles and training, and not {self.subject}")
        if not self.python.is_file():
            raise UserError(f"--python {self.python}: does not exist - docs/benchmarks.md says how to set it up")
        if self.against == "original" and self.subject != "training":
            if self.sources is None or not self.sources.is_dir():
                given = self.sources or "is missing"
                raise UserError(
                    f"--sources {given}: give the folder of the originals' repositories (docs/benchmarks.md)"
                )


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints a table, and returns `ratio`, and the processor seconds of each side for an item."""
    config = parse_flags(Config, argv)
    subject = SUBJECTS[config.subject]
    rows = chosen_rows(config, subject)
    share = 1 if config.against == "transformers" else subject.original_items / subject.items
    part = [every_nth(some, max(1, round(len(some) * share))) for some in rows]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        sides = []
        # The other side first, since it is the one that may not be there; and one after the other, since a start is
        # more work than all that follows.
        for name, python, some in ((config.against, config.python, part), ("ours", Path(sys.executable), rows)):
            write_job(Path(folder, name), config, some, rows)
            sides.append(Side(python, name, Path(folder, name)))
            stack.callback(sides[-1].close)
            sides[-1].wait()
        rounds = []
        for number in range(1, config.rounds + 1):
            found = {side.name: side.round(number) for side in (sides if number % 2 else sides[::-1])}
            rounds.append((found["ours"], found[config.against]))
    print(f"in each round we answer {len(rows[0])} rows, and {config.against} {len(part[0])} of them")
    return shown(config, subject, rounds)


def shown(config: Config, subject: Subject, rounds: list[tuple[float, float]]) -> dict[str, float]:
    """rounds: seconds of both sides for an item."""
    ratios = [theirs / ours for ours, theirs in rounds]
    figures = {
        "ratio": median(ratios),
        "ours": median(ours for ours, _ in rounds),
        config.against: median(theirs for _, theirs in rounds),
    }
    cells = [[name, f"{figures[name]:.4f}", f"{1 / figures[name]:.1f}"] for name in ("ours", config.against)]
    print(table(["", f"processor s/{subject.item}", f"{subject.item}s/processor s"], cells))
    print(
        f"{config.subject}: we do {figures['ratio']:.2f} times as many as {config.against} in a processor second"
        f" ({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds)"
    )
    return figures


# Jobs


def chosen_rows(config: Config, subject: Subject) -> list[Rows]:
    """The records of the file that each round reads, and a first one that is not counted: other ones each time, since
    what was read before may be remembered, by length, and of the same spread of lengths. As many as are asked for, or
    fewer if the file has no more. Records of a title get the keys `text` and `title`; a question has a context of its
    own. Of a training step its batch, in all rounds the same."""
    count = config.items or subject.items
    if config.subject == "training":
        sys.path.insert(0, str(HERE.parent))
        from training_steps import random_tokens

        batches = list(random_tokens(np.random.default_rng(config.seed), (count, 32, subject.length)))
        return [batches] * (config.rounds + 1)
    source = config.data or COMPETITIONS / subject.folder / "sample" / "train.json"
    text = source.read_text("utf-8")
    if config.subject == "reading":
        paragraphs = [one for article in json.loads(text)["data"] for one in article["paragraphs"]]
        rows = [{**one, "qas": [asked]} for one in paragraphs for asked in one["qas"]]
    elif text.lstrip().startswith("["):
        rows = json.loads(text)
    else:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    if config.subject == "titles":
        key = next(key for key in ("text", "content", "abst") if key in rows[0])
        rows = [{"text": row[key], "title": row.get("title", "")} for row in rows]
    parts = config.rounds + 1
    if len(rows) < parts:
        raise UserError(f"{source}: has {len(rows)} rows, and each of {parts} rounds reads others - lower --rounds")
    rows = random.Random(config.seed).sample(rows, parts * min(count, len(rows) // parts))
    rows.sort(key=lambda row: len("".join(texts_of(row))))
    return [rows[number::parts] for number in range(parts)]


def every_nth(rows: Rows, count: int) -> Rows:
    """`count` of the rows, with the same spread of lengths."""
    return [rows[int((index + 0.5) * len(rows) / count)] for index in range(count)]


def texts_of(row: dict[str, Any]) -> list[str]:
    if "passages" in row:
        return [row["question"], *(one["passage"] for one in row["passages"])]
    if "context" in row:
        return [row["context"], row["qas"][0]["question"]]
    return [row["text"]]


def write_job(folder: Path, config: Config, rows: Sequence[Rows], all_rows: Sequence[Rows]) -> dict[str, Any]:
    """What a side reads: the rows of its rounds, the vocabulary of all rows, network and schema, and job.json with all
    else, which is returned."""
    folder.mkdir()
    subject = SUBJECTS[config.subject]
    job = {
        "subject": config.subject,
        "rounds": config.rounds,
        "folder": subject.folder,
        "sources": str(config.sources.resolve()) if config.sources else "",
        "length": subject.length,
        "title_length": 32,
        "beam": 3,
        "word_size": 256,
        "labels": LABELS,
        "layers": config.layers,
        "hidden_size": config.hidden_size,
        "cut": config.cut,
    }
    size = VOCABULARY_OF_TITLES if config.subject == "titles" else VOCABULARY
    if config.subject == "training":
        np.save(folder / "rows.npy", np.stack(rows[0]))
    else:
        source = config.data or COMPETITIONS / subject.folder / "sample" / "train.json"
        for schema in source.parent.glob("*schema.json"):
            (folder / schema.name).write_bytes(schema.read_bytes())
        for number, part in enumerate(rows):
            whole = {"data": [{"paragraphs": part}]} if config.subject == "reading" else part
            lines = map(json.dumps, part) if config.subject in ("events", "relations") else [json.dumps(whole)]
            (folder / f"rows{number}.json").write_text("\n".join(lines) + "\n", "utf-8")
        known = build_vocabulary([text for part in all_rows for row in part for text in texts_of(row)], min_count=1)
        tokens = list(dict.fromkeys([*known, *map(chr, range(0x4E00, 0xA000))]))[:size]  # filled with rare characters
        (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", "utf-8")
    network = {
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * config.hidden_size,
        "max_position_embeddings": 512,
        "vocab_size": size,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    }
    (folder / "bert_config.json").write_text(json.dumps(network), "utf-8")
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
    return job


# Processes


class Side:
    """A process that works when it is told to."""

    def __init__(self, python: Path, name: str, job: Path):
        self.name, self._errors = name, job / "errors.txt"
        kept = {key: value for key, value in os.environ.items() if key not in ("TF_KERAS", "TF_USE_LEGACY_KERAS")}
        threads = ("OMP", "MKL", "OPENBLAS", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
        kept |= {f"{one}_NUM_THREADS" if "TF" not in one else f"{one}_THREADS": "1" for one in threads}
        kept |= {"CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false", "PYTHONUTF8": "1"}
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [python.absolute(), HERE / SCRIPTS[name], job],
                env=kept,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            )

    def wait(self) -> None:
        """Until its first round is done."""
        self._line()

    def round(self, number: int) -> float:
        """The processor seconds of a round for an item."""
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        found = json.loads(self._line())
        return found["seconds"] / found["items"]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()

    def _line(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            errors = self._errors.read_text("utf-8", "replace").strip().splitlines()
            raise UserError(
                f"{self.name} stopped: {errors[-1] if errors else 'without a word'} - see docs/benchmarks.md"
            )
        return line


if __name__ == "__main__":
    run(main)
