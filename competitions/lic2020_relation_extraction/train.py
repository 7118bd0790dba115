"""Train a relation extractor: read, build, fit, keep the best.

python train.py                                      # the bundled sample, on a CPU, in minutes
python train.py --data-dir DUIE                      # the contest's data
python train.py --data-dir DUIE --pretrained BERT    # fine-tune a checkpoint
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError, check_at_least, check_probability, check_share, print_counts, run, shown
from common.folds import read_parts
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, describe_file, parse_training_flags
from common.submission import atomic_write, json_bytes

from metric import compare, total
from task import TASK, Example, Schema, Triple, find_files, read, submission_record

SAMPLE = Path(__file__).resolve().with_name("sample")
PREDICT = Path(__file__).resolve().with_name("predict.py")


@dataclass
class Config:
    """Train a relation extractor on DuIE 2.0 data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json, dev.json and schema.json. Default: the bundled sample."""
    subject_threshold: float = 0.4
    """Probability above which the start or end of a subject counts."""
    object_threshold: float = 0.4
    """Probability above which the start or end of an object counts."""
    search_thresholds: bool = True
    """Search both thresholds on dev after training; predict.py then uses those found."""
    entity_replacement: float = 0.5
    """Share of the sentences of an epoch in which entities are replaced by others of their type. 0 turns it off."""
    logit_adjustment: float = 0.0
    """So many times the log odds of each class of objects are added in training and not in prediction: rare classes are
    found more often, and sometimes where they are not. The paper takes 1. 0 turns it off."""
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=40, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_probability(self, "subject_threshold", "object_threshold")
        check_share(self, "entity_replacement")
        check_at_least(self, logit_adjustment=0)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `precision`, `recall` and `f1` of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files = find_files(config.data_dir or SAMPLE)
    schema = Schema.read(files.schema)
    blank: Counter[str] = Counter()
    parts = read_parts(
        config.run,
        files.train,
        files.dev,
        lambda path: read(path, schema, labelled=True, skipped=blank),
        shared=lambda example: [example.text],
        unit="sentence",
    )
    train, dev = parts.train, parts.dev

    # TensorFlow loads here, so that mistakes in flags and data are answered at once.
    start_tensorflow()
    from common.encoders import build_encoder, encoder_of, save_encoder
    from common.generators import steps_per_epoch, training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable, save_best

    from augmentation import EntityReplacement
    from extraction import Extractor, Thresholds
    from model import (
        Window,
        adjustment_for,
        build_networks,
        collate,
        labelled_windows,
        replace_entities,
        sentence_windows,
    )
    from thresholds import GRID, search_thresholds

    prepare(config.run.seed, config.training.mixed_precision)
    encoder = encoder_of(resumed) or build_encoder(config.encoder, [example.text for example in train])
    windows, lost = labelled_windows(train, encoder, schema)
    if not windows:
        raise UserError(
            f"{files.train}: none of its {len(train)} sentences can be used ({dict(lost)}) - do the triples belong to the texts?"
        )
    networks = build_networks(
        encoder, len(schema.classes), adjustment_for(windows, len(schema.classes), config.logit_adjustment)
    )
    print(f"train     {len(train)} sentences, {len({window.example for window in windows})} used  ({files.train})")
    print_counts(lost + blank)
    print(
        f"dev       {len(dev)} sentences, {sum(len(example.triples) for example in dev)} triples  ({parts.dev_source})"
    )
    print(f"schema    {len(schema.predicates)} predicates, {len(schema.classes)} classes")
    print(f"network   {networks.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    thresholds = Thresholds(config.subject_threshold, config.object_threshold)
    data = {
        "train": describe_file(files.train, sentences=len(train), lost=dict(lost)),
        "dev": parts.describe_dev(sentences=len(dev)),
        "schema": describe_file(files.schema, predicates=len(schema.predicates)),
    }

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        schema.write(folder / "schema.json")
        atomic_write(folder / "thresholds.json", json_bytes(thresholds._asdict()))

    kept = begin_run(resumed, TASK, config.run.output_dir, config.run.run_name, config, data, write_run)
    print(f"run       {kept.path}\n")

    texts = [example.text for example in dev]
    dev_windows = sentence_windows(texts, encoder)
    extractor = Extractor(networks, encoder, schema)

    def evaluate() -> Evaluation:
        return evaluation(dev, extractor.decode(texts, extractor.score(dev_windows, [thresholds]), thresholds), schema)

    steps = steps_per_epoch(len(windows), config.training.batch_size)
    learning_rate = config.training.learning_rate or config.encoder.default_learning_rate
    networks.training.compile(build_optimizer(config.training, learning_rate, steps), config.training)
    keep = KeepRun(kept, evaluate, config.run.seed, "f1", config.training.early_stopping_patience)
    epochs_done = keep.resume(networks.training)
    replacement = EntityReplacement(train, schema)

    def training_batch(batch: list[Window], generator: np.random.Generator) -> dict[str, np.ndarray]:
        batch = replace_entities(batch, train, replacement, encoder, schema, config.entity_replacement, generator)
        return collate(batch, generator, len(schema.classes))

    batches = training_dataset(
        windows,
        [len(window.encoding) for window in windows],
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
            callbacks=[keep, Progress(keep)],
            verbose=0,
        )

    load_best(kept, networks.training)
    best = {name: keep.best[name] for name in ("precision", "recall", "f1")}
    print(
        f"\nbest dev f1 {best['f1']:.4f} in epoch {keep.best['epoch']}, thresholds {thresholds.subject} and {thresholds.object}"
    )
    if (
        config.search_thresholds and best["f1"] > 0
    ):  # before it has learned anything, a network fires everywhere below a threshold
        scores = extractor.score(dev_windows, GRID)
        found = search_thresholds(extractor, dev, scores, config.run.seed)
        searched = evaluation(dev, extractor.decode(texts, scores, found.setting), schema)
        save_best(kept, networks.training, searched)
        kept.write_json("thresholds.json", found.setting._asdict())
        best = {name: searched.metrics[name] for name in best}
        print(
            f"    dev f1 {found.f1:.4f} with the thresholds {found.setting.subject} and {found.setting.object}, searched on dev"
        )
        print(
            f"    dev f1 {found.crossed_f1:.4f} with thresholds searched on one half of dev, scored on the other: what to expect on test"
        )
    print(f"\nnext: python {shown(PREDICT)} --run {kept.path} --output submission.zip --input TEST_FILE")
    return {"run": kept.path, **best}


def evaluation(examples: Sequence[Example], predictions: Sequence[Sequence[Triple]], schema: Schema) -> Evaluation:
    """The official score of predictions for examples, the predictions as submitted, and every sentence with an
    error."""
    comparisons = compare(
        [(example.text, example.triples) for example in examples], zip((e.text for e in examples), predictions)
    )
    score = total(comparisons)
    errors = [
        {
            "text": one.text,
            "missed": [_plain(one.gold[key]) for key in one.gold if key not in one.found],
            "wrong": [_plain(one.predicted[key]) for key in one.predicted if key not in one.correct],
        }
        for one in comparisons
        if len(one.correct) < len(one.predicted) or len(one.found) < len(one.gold)
    ]
    metrics = {**score.figures(), "predicted": score.predicted, "gold": score.gold, "correct": score.correct}
    records = [submission_record(example.text, triples, schema) for example, triples in zip(examples, predictions)]
    return Evaluation(metrics, records, errors)


def _plain(triple: Triple) -> list[Any]:
    return [triple.subject, triple.predicate, triple.slots]


if __name__ == "__main__":
    run(main)
