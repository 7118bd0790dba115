"""Train a model that writes queries: read, build, fit, keep the best.

python train.py                                     # the bundled sample, on a CPU, in minutes
python train.py --data-dir TABLEQA                  # the contest's data
python train.py --data-dir TABLEQA --pretrained BERT
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from common.command_line import UserError, check_at_least, check_below_one, check_share, print_next, run, table
from common.dev_search import DevSet
from common.encoders import build_encoder, encoder_of, save_encoder
from common.folds import GOLD, Parts, read_parts
from common.generators import steps_per_epoch, training_dataset
from common.json_document import copy_records
from common.making_rows import make_rows
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, parse_training_flags, write_decoding
from common.submission import atomic_write, json_bytes
from common.tokenizers import WordPieceTokenizer

from decode import Predictor, Settings, ceilings
from features import BuiltWith, collate_labelled, labelled_windows
from metric import compare, total
from task import TASK, Example, Query, find_files, read, tables_beside, tables_of

SAMPLE = Path(__file__).resolve().with_name("sample")
#: What is lost beside that of features.py.
UNLABELLED = 'question without "sql"'
#: Of dev, after each epoch; the best epoch is the one with the highest first one.
FIGURES = ("score", "logic_form_accuracy", "execution_accuracy")

#: Questions that are looked at before training for what gold itself reaches: each takes as long as its features.
_MOST_CEILINGS = 2000


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
    """The most probable queries that are looked at for a question until one says something; 1: the first one, whatever
    it says."""
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
    files, lost = find_files(config.data_dir or SAMPLE), Counter()

    def read_file(path: Path) -> list[Example]:
        return read(path, tables_of(path), skipped=lost)

    parts = read_parts(config.run, files.train, files.dev, read_file, lambda example: [example.table.id], "question")
    parts = labelled_parts(parts, lost)

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, resumable
    from common.runs.choice import choose_on_dev

    from model import adjustments_for, build_network, loss

    prepare(config.run.seed, config.training.mixed_precision, config.training.devices)
    encoder = encoder_of(resumed) or build_encoder(config.encoder, _texts(parts.train))
    windows = make_rows(labelled_windows, (parts.train, encoder, config.cells), lost, config.run, parts.train)
    built_with = BuiltWith(unconditioned=not all(example.query.conditions for example in parts.train))
    network = build_network(encoder, config.head, config.reading_size, *built_with)
    training, settings = config.training, Settings(config.tries)
    parts.show(f"{_about(parts.train)}, all used", lost, _about(parts.dev))
    _print_ceilings(parts, encoder.tokenizer, settings)
    print(f"network   {network.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        if parts.fold:
            asked = {example.table.id for example in parts.dev}
            tables = tables_beside(folder / GOLD)
            copy_records(files.train_tables, tables, lambda place, table: str(table.value["id"]) in asked)
        save_encoder(encoder, folder)
        atomic_write(folder / "network.json", json_bytes(built_with._asdict()))
        write_decoding(folder, settings)

    tables = {"train tables": files.train_tables, "dev tables": tables_of(parts.dev_file)}
    kept = begin_run(resumed, TASK, config, parts.describe(lost, **tables), write_run)
    print(f"run       {kept.path}\n")
    dev = DevSet(parts.dev, Predictor(network, encoder, config.cells), evaluation)
    keep = KeepRun(kept, partial(dev.evaluate, settings), config.run.seed, FIGURES, training.early_stopping_patience)
    adjustments = adjustments_for([window.labels for window in windows], config.logit_adjustment)
    model = TrainingModel(network, partial(loss, adjustments=adjustments))
    steps = steps_per_epoch(len(windows), training.batch_size)
    model.compile(build_optimizer(training, config.encoder.learning_rate(2e-3), steps), training)
    epochs = range(keep.resume(model), training.epochs)
    hidden = {"hidden_tokens": config.hidden_tokens, "hidden_matches": config.hidden_matches}
    collate = partial(collate_labelled, head=config.head, encoder=encoder, **hidden)
    lengths = [len(window) for window in windows]
    batches = training_dataset(windows, lengths, collate, training.batch_size, config.run.seed, epochs, model)
    with resumable(kept):
        model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=[keep, Progress(keep)], verbose=0)

    best = choose_on_dev(keep, model, settings)
    _print_parts(dev, settings)
    print_next(__file__, kept.path, "submission.json")
    return best


def labelled_parts(parts: Parts[Example], lost: Counter[str]) -> Parts[Example]:
    """The questions of both parts that have a query. lost: counts the others. Raises UserError where a part has none."""
    kept = []
    for path, examples in ((parts.train_file, parts.train), (parts.dev_file, parts.dev)):
        kept.append([example for example in examples if example.query])
        if not kept[-1]:
            raise UserError(f'{path}: none of {len(examples)} questions has an "sql" - is it the right file?')
        if len(kept[-1]) < len(examples):
            lost[UNLABELLED] += len(examples) - len(kept[-1])
    fold = parts.fold
    if fold:
        places = tuple(place for place, example in zip(fold.places, parts.dev) if example.query)
        fold = replace(fold, places=places)
    train, dev = kept
    return replace(parts, train=train, dev=dev, fold=fold)


def _about(examples: Sequence[Example]) -> str:
    free = sum(not example.query.conditions for example in examples)
    tables = f" about {len({example.table for example in examples})} tables"
    return f"{tables}, {free} without a condition, of which the logic form alone can be right" if free else tables


def _print_ceilings(parts: Parts[Example], tokenizer: WordPieceTokenizer, settings: Settings) -> None:
    for name, examples in (("train", parts.train), ("dev", parts.dev)):
        some = examples[:_MOST_CEILINGS]
        first = f" (the first {_MOST_CEILINGS:,})" if len(some) < len(examples) else ""
        for head, score in ceilings(some, tokenizer, settings)[0].items():
            print(
                f"gold      {name}{first} logic form {score.logic_form_accuracy:.4f}, score {score.score:.4f} through labels and decoder of {head}"
            )


def _print_parts(dev: DevSet, settings: Settings) -> None:
    """What execution-guided decoding is worth on dev, and how often each part of a query is right."""
    scores = dev.predictor.score(dev.features, [settings])
    guided, unguided = (
        total(compare(dev.examples, dev.predictor.decode(dev.examples, scores, one)))
        for one in (settings, Settings(tries=1))
    )
    figures = ", ".join(f"{name.replace('_', ' ')} {getattr(unguided, name):.4f}" for name in FIGURES)
    print(f"    dev {figures} without execution-guided decoding")
    print(table(["part", "accuracy"], list(guided.parts().items())))


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


if __name__ == "__main__":
    run(main)
