"""Train an event extractor: read, build, fit, keep the best.

python train.py                                      # the bundled sample, on a CPU, in minutes
python train.py --data-dir DUEE                      # the contest's data
python train.py --data-dir DUEE --pretrained BERT    # fine-tune a checkpoint
python train.py --data-dir DUEE --head crf           # the tagger with a conditional random field
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from common.command_line import UserError, check_above, check_at_least, check_share, print_counts, run, shown
from common.folds import read_parts
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, describe_file, parse_training_flags
from common.submission import atomic_write, json_bytes

from metric import Item, compare, one_to_one, total
from task import TASK, Event, Example, Schema, find_files, read, submission_record

SAMPLE = Path(__file__).resolve().with_name("sample")
PREDICT = Path(__file__).resolve().with_name("predict.py")
THRESHOLDS = {"crf": 0.0, "global_pointer": -2.0}


@dataclass
class Config:
    """Train an event extractor on DuEE 1.0 data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json, dev.json and event_schema.json. Default: the bundled sample."""
    head: Literal["crf", "global_pointer"] = "global_pointer"
    """How spans are told: by the best path of labels, one for each token, or by a score for every span and class, which
    may nest and share."""
    transition_multiplier: float | None = None
    """How much faster than all other weights the transitions of the CRF learn. Default: 100 times on a checkpoint, 30
    times from nothing."""
    threshold: float | None = None
    """What a span must score more than its absence. Lower finds more; 0 is what training aims at. Default: searched on
    dev after training, until then -2 for the global pointer and 0 for the CRF."""
    argument_replacement: float = 0.5
    """Share of the texts of an epoch in which arguments are replaced by others of their role. 0 turns it off."""
    logit_adjustment: float = 0.0
    """So many times the log odds of each event type and role are added in training and not in prediction: rare ones are
    found more often, and sometimes where they are not. The paper takes 1. 0 turns it off."""
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=40, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(self, threshold=-math.inf, logit_adjustment=0)
        check_share(self, "argument_replacement")
        check_above(self, transition_multiplier=0)


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
        unit="text",
    )
    train, dev = parts.train, parts.dev

    # TensorFlow loads here, so that mistakes in flags and data are answered at once.
    start_tensorflow()
    from common.encoders import build_encoder, encoder_of, save_encoder
    from common.generators import steps_per_epoch, training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable, save_best

    from augmentation import ArgumentReplacement
    from extraction import Extractor, decode, gold_scores
    from labels import Classes
    from model import Window, adjustment_for, build_networks, collate, labelled_windows, replace_arguments, text_windows
    from thresholds import GRID, search_threshold

    prepare(config.run.seed, config.training.mixed_precision)
    encoder = encoder_of(resumed) or build_encoder(config.encoder, [example.text for example in train])
    classes = Classes(schema)
    windows, lost = labelled_windows(train, encoder, classes)
    if not windows:
        raise UserError(
            f"{files.train}: none of its {len(train)} texts can be used ({dict(lost)}) - do the events belong to the texts?"
        )
    multiplier = config.transition_multiplier or (100.0 if config.encoder.pretrained else 30.0)
    networks = build_networks(
        encoder, classes, config.head, multiplier, adjustment_for(windows, classes, config.logit_adjustment)
    )
    print(f"train     {len(train)} texts, {len({window.example for window in windows})} used  ({files.train})")
    print_counts(lost + blank)
    print(
        f"dev       {len(dev)} texts, {sum(len(event.arguments) for example in dev for event in example.events)} arguments  ({parts.dev_source})"
    )
    print(f"schema    {len(schema.event_types)} event types, {len(schema.classes)} classes")
    for name, examples, gold_windows in (
        ("train", train, windows),
        ("dev", dev, labelled_windows(dev, encoder, classes)[0]),
    ):
        texts = [example.text for example in examples]
        held = compare(
            _pairs(examples),
            _pairs(examples, decode(texts, gold_scores(gold_windows, classes, config.head), 0.0, classes)),
        )
        missed, f1 = sum(len(one.missed) for one in held), one_to_one(held).f1
        print(
            f"gold      {name} f1 {f1:.4f} through features and decoder, repeats counted once; {missed} arguments are not held by {config.head}"
        )
    print(f"network   {networks.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    threshold = THRESHOLDS[config.head] if config.threshold is None else config.threshold
    data = {
        "train": describe_file(files.train, texts=len(train), lost=dict(lost)),
        "dev": parts.describe_dev(texts=len(dev)),
        "schema": describe_file(files.schema, event_types=len(schema.event_types)),
    }

    def head_settings(threshold: float) -> dict[str, Any]:
        return {"head": config.head, "transition_multiplier": multiplier, "threshold": threshold}

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        schema.write(folder / "event_schema.json")
        atomic_write(folder / "head.json", json_bytes(head_settings(threshold)))

    kept = begin_run(resumed, TASK, config.run.output_dir, config.run.run_name, config, data, write_run)
    print(f"run       {kept.path}\n")

    texts = [example.text for example in dev]
    dev_windows = text_windows(texts, encoder)
    extractor = Extractor(networks, encoder, classes)

    def evaluate() -> Evaluation:
        return evaluation(dev, decode(texts, extractor.score(dev_windows, [threshold]), threshold, classes), schema)

    steps = steps_per_epoch(len(windows), config.training.batch_size)
    learning_rate = config.training.learning_rate or config.encoder.default_learning_rate
    networks.training.compile(build_optimizer(config.training, learning_rate, steps), config.training)
    keep = KeepRun(kept, evaluate, config.run.seed, "f1", config.training.early_stopping_patience)
    epochs_done = keep.resume(networks.training)
    replacement = ArgumentReplacement(train)

    def training_batch(batch: list[Window], generator: np.random.Generator) -> dict[str, np.ndarray]:
        batch = replace_arguments(batch, train, replacement, encoder, classes, config.argument_replacement, generator)
        return collate(batch, classes, config.head)

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
    print(f"\nbest dev f1 {best['f1']:.4f} in epoch {keep.best['epoch']}, threshold {threshold}")
    if config.threshold is None and best["f1"] > 0:  # before it has learned anything, there is nothing to choose by
        scores = extractor.score(dev_windows, GRID)
        found = search_threshold(dev, scores, classes, config.run.seed)
        searched = evaluation(dev, decode(texts, scores, found.setting, classes), schema)
        save_best(kept, networks.training, searched)
        kept.write_json("head.json", head_settings(found.setting))
        best = {name: searched.metrics[name] for name in best}
        print(f"    dev f1 {found.f1:.4f} with the threshold {found.setting}, searched on dev")
        print(
            f"    dev f1 {found.crossed_f1:.4f} with a threshold searched on one half of dev, scored on the other: what to expect on test"
        )
    print(f"\nnext: python {shown(PREDICT)} --run {kept.path} --output submission.zip --input TEST_FILE")
    return {"run": kept.path, **best}


def evaluation(examples: Sequence[Example], predictions: Sequence[Sequence[Event]], schema: Schema) -> Evaluation:
    """The official score of predictions for examples, the predictions as submitted, and every text with an error."""
    comparisons = compare(_pairs(examples), _pairs(examples, predictions))
    score = total(comparisons)
    errors = [
        {
            "text": example.text,
            "missed": [_plain(item) for item in one.missed],
            "wrong": [_plain(item) for item in one.wrong],
        }
        for example, one in zip(examples, comparisons)
        if one.missed or one.wrong
    ]
    metrics = {**score.figures(), "predicted": score.predicted, "gold": score.gold, "correct": score.correct}
    records = [submission_record(example.id, events, schema) for example, events in zip(examples, predictions)]
    return Evaluation(metrics, records, errors)


def _pairs(
    examples: Sequence[Example], predictions: Sequence[Sequence[Event]] | None = None
) -> list[tuple[str, Sequence[Event]]]:
    """Ids with predicted events, or else with those of gold."""
    return [
        (example.id, example.events if predictions is None else predictions[at]) for at, example in enumerate(examples)
    ]


def _plain(item: Item) -> list[str]:
    return [item.event_type, item.argument.role, item.argument.text]


if __name__ == "__main__":
    run(main)
