"""Train a model that writes queries: read, build, fit, keep the best.

python train.py                                     # the bundled sample, on a CPU, in minutes
python train.py --data-dir TABLEQA                  # the contest's data
python train.py --data-dir TABLEQA --pretrained BERT
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from common.command_line import UserError, check_at_least, check_below_one, check_share, print_counts, run, shown, table
from common.folds import GOLD, read_parts
from common.json_document import copy_records
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, describe_file, parse_training_flags

from metric import compare, total
from task import TASK, Example, Query, find_files, read, tables_beside, tables_of

SAMPLE = Path(__file__).resolve().with_name("sample")
PREDICT = Path(__file__).resolve().with_name("predict.py")
LIGHT_LEARNING_RATE = 2e-3
FIGURES = ("score", "logic_form_accuracy", "execution_accuracy")


@dataclass
class Config:
    """Train on TableQA data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json, train.tables.json, dev.json and dev.tables.json (or val.*). Default: the bundled
    sample."""
    head: Literal["span_column", "tagging"] = "span_column"
    """How conditions are found: spans scored against every column by itself, or one tag and a set of columns for each
    token."""
    cells: int = 2
    """Cells of each column that the network reads beside its name, those first that are most like the question."""
    reading_size: int = 64
    """Size of a token of the question as it is read for a column."""
    tries: int = 100
    """Queries that may be run for a question until one says something; 1: the most probable one, whatever its
    result."""
    hidden_tokens: float = 0.15
    """Share of the tokens that the network may not read in training."""
    hidden_matches: float = 0.6
    """Share of the training questions in which no token that matches a column or stands in a cue may be read: what is
    known of them must do."""
    logit_adjustment: float = 0.0
    """So many times the log frequency of each aggregation, connection and number of columns and conditions is added in
    training and not in prediction: rare ones are found more often, and sometimes where they are not. The paper takes 1.
    0 turns it off."""
    encoder: EncoderOptions = field(default_factory=lambda: EncoderOptions(hidden_size=96, layers=3, max_length=512))
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(epochs=30, batch_size=8, ema_momentum=0.99)
    )
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_below_one(self, "hidden_tokens")
        check_share(self, "hidden_matches")
        check_at_least(self, cells=0, reading_size=1, tries=1, logit_adjustment=0)
        if self.encoder.max_length < 8:
            raise UserError(
                f"--max-length {self.encoder.max_length}: must be at least 8, for [CLS], [SEP], a token of the question and a column"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `score`, `logic_form_accuracy` and `execution_accuracy`."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files = find_files(config.data_dir or SAMPLE)
    blank: Counter[str] = Counter()
    parts = read_parts(
        config.run,
        files.train,
        files.dev,
        lambda path: read(path, tables_of(path), labelled=True, skipped=blank),
        shared=lambda example: [example.table.id],
        unit="question",
    )
    train, dev = parts.train, parts.dev

    # TensorFlow loads here, so that mistakes in flags and data are answered at once.
    start_tensorflow()
    from common.encoders import build_encoder, encoder_of, save_encoder
    from common.generators import steps_per_epoch, training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable

    from ceiling import ceilings
    from features import Hiding, LabelledFeatures, collate_labelled, features, labelled
    from model import adjustments_for, build_networks
    from reading import Reader

    prepare(config.run.seed, config.training.mixed_precision)
    encoder = encoder_of(resumed) or build_encoder(config.encoder, _texts(train))
    rows, lost = labelled(train, encoder, config.cells)
    adjustments = adjustments_for([row.labels for row in rows], config.logit_adjustment)
    networks = build_networks(encoder, config.head, config.reading_size, adjustments)
    print(
        f"train     {len(train)} questions about {len({example.table for example in train})} tables, all used  ({files.train})"
    )
    print_counts(lost + blank)
    print(
        f"dev       {len(dev)} questions about {len({example.table for example in dev})} tables  ({parts.dev_source})"
    )
    for name, examples in (("train", train), ("dev", dev)):
        for head, score in ceilings(examples, encoder.tokenizer, config.tries)[0].items():
            print(
                f"gold      {name} logic form {score.logic_form_accuracy:.4f}, score {score.score:.4f} through labels and decoder of {head}"
            )
    print(f"network   {networks.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    data = {
        "train": describe_file(files.train, questions=len(train), lost=dict(lost)),
        "train tables": describe_file(files.train_tables),
        "dev": parts.describe_dev(questions=len(dev)),
        "dev tables": describe_file(tables_of(parts.dev_file)),
    }

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        if parts.fold:
            asked = {example.table.id for example in dev}
            copy_records(
                files.train_tables, tables_beside(folder / GOLD), lambda place, table: str(table.value["id"]) in asked
            )
        save_encoder(encoder, folder)

    kept = begin_run(resumed, TASK, config.run.output_dir, config.run.run_name, config, data, write_run)
    print(f"run       {kept.path}\n")

    reader = Reader(networks, encoder, config.cells, tries=config.tries)
    dev_rows = [features(example, encoder, config.cells) for example in dev]

    def evaluate() -> Evaluation:
        return evaluation(dev, reader.decode(dev_rows, reader.score(dev_rows)))

    steps = steps_per_epoch(len(rows), config.training.batch_size)
    learning_rate = config.training.learning_rate or (
        LIGHT_LEARNING_RATE if config.encoder.is_light else config.encoder.default_learning_rate
    )
    networks.training.compile(build_optimizer(config.training, learning_rate, steps), config.training)
    keep = KeepRun(kept, evaluate, config.run.seed, "score", config.training.early_stopping_patience)
    epochs_done = keep.resume(networks.training)

    hiding = Hiding(config.hidden_tokens, config.hidden_matches)

    def training_batch(batch: list[LabelledFeatures], generator: np.random.Generator) -> dict[str, np.ndarray]:
        return collate_labelled(batch, config.head, encoder, hiding, generator)

    batches = training_dataset(
        rows,
        [len(row) for row in rows],
        training_batch,
        config.training.batch_size,
        config.run.seed,
        range(epochs_done, config.training.epochs),
        networks.training,
    )
    with resumable(kept):
        networks.training.fit(
            batches,
            steps_per_epoch=steps,
            **keep.remaining(config.training.epochs),
            callbacks=[keep, Progress(keep, FIGURES)],
            verbose=0,
        )

    load_best(kept, networks.training)
    best = {name: keep.best[name] for name in FIGURES}
    print(f"\nbest dev {_figures(best)} in epoch {keep.best['epoch']}")
    scores = reader.score(dev_rows)
    unguided = evaluation(dev, Reader(networks, encoder, config.cells, tries=1).decode(dev_rows, scores))
    print(f"    dev {_figures(unguided.metrics)} without execution-guided decoding")
    comparisons = compare(dev, reader.decode(dev_rows, scores))
    print(table(["part", "accuracy"], list(total(comparisons).parts().items())))
    print(f"\nnext: python {shown(PREDICT)} --run {kept.path} --output submission.json --input TEST_FILE")
    return {"run": kept.path, **best}


def _texts(examples: Sequence[Example]) -> list[str]:
    """What the vocabularies are made of: questions, and names and cells of the columns they ask about."""
    tables = dict.fromkeys(example.table for example in examples)
    cells = (str(cell) for one in tables for row in one.rows for cell in row if isinstance(cell, str))
    return [
        *(example.question for example in examples),
        *(name for one in tables for name in one.header),
        *dict.fromkeys(cells),
    ]


def evaluation(examples: Sequence[Example], queries: Sequence[Query]) -> Evaluation:
    """The official score of queries, the queries as submitted, and every question whose query is not that of gold."""
    comparisons = compare(examples, queries)
    errors = [
        {
            "question": one.example.question,
            "gold": one.example.query.text(one.example.table.header),
            "predicted": one.predicted.text(one.example.table.header),
            "same result": one.execution,
        }
        for one in comparisons
        if not one.logic_form
    ]
    return Evaluation(total(comparisons).figures(), [query.record() for query in queries], errors)


def _figures(values: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {values[name]:.4f}" for name in FIGURES)


if __name__ == "__main__":
    run(main)
