"""Train an event extractor: read, build, fit, keep the best.

python train.py                                      # the bundled sample, on a CPU, in minutes
python train.py --data-dir DUEE                      # the contest's data
python train.py --data-dir DUEE --pretrained BERT    # fine-tune a checkpoint
python train.py --data-dir DUEE --head crf           # the tagger with a conditional random field
python train.py --data-dir DUEE --head gplinker      # tells two events of one type apart
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from common.command_line import check_above, check_at_least, check_share, print_next, run
from common.dev_search import DevSet
from common.encoders import build_encoder, encoder_of, save_encoder
from common.folds import Parts, read_parts
from common.generators import steps_per_epoch, training_dataset
from common.making_rows import make_rows
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, parse_training_flags, write_decoding
from common.submission import atomic_write, json_bytes

from decode import GRID, Predictor, Settings, counts, f1, gold_scores
from features import (
    ArgumentReplacement,
    BuiltWith,
    Classes,
    Head,
    Window,
    collate,
    labelled_windows,
    may_share,
    shared_roles,
    split,
)
from metric import Item, compare_examples, one_to_one, total
from task import TASK, Event, Example, Schema, find_files, read, submission_record

SAMPLE = Path(__file__).resolve().with_name("sample")
#: Of dev, after each epoch; the best epoch is the one with the highest first one.
FIGURES = ("f1", "precision", "recall")
_THRESHOLDS = {"crf": 0.0, "global_pointer": -2.0, "gplinker": -2.0}


@dataclass
class Config:
    """Train an event extractor on DuEE 1.0 data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json, dev.json and event_schema.json. Default: the bundled sample."""
    head: Head = "global_pointer"
    """How spans are told: by the best path of labels, one for each token, or by a score for every span and class, which
    may nest and share. gplinker also tells which of them are of one event, so that two events of one type stay two."""
    transition_multiplier: float | None = None
    """How much faster than all other weights the transitions of the CRF learn. Default: 100 times on a checkpoint, 30
    times from nothing."""
    threshold: float | None = None
    """What a span must score more than its absence. Lower finds more; 0 is what training aims at. Default: searched on
    dev after training, until then 0 for the CRF and -2 for the others."""
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

    def multiplier(self) -> float:
        return self.transition_multiplier or (100.0 if self.encoder.pretrained else 30.0)

    def settings(self) -> Settings:
        """Those that every epoch is evaluated with."""
        return Settings(_THRESHOLDS[self.head] if self.threshold is None else self.threshold)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `f1`, `precision` and `recall` of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files, lost = find_files(config.data_dir or SAMPLE), Counter()
    schema = Schema.read(files.schema)
    read_file = partial(read, schema=schema, labelled=True, skipped=lost)
    parts = read_parts(config.run, files.train, files.dev, read_file, lambda example: [example.text], "text")

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, resumable
    from common.runs.choice import choose_on_dev

    from model import adjustment_for, build_network, loss

    prepare(config.run.seed, config.training.mixed_precision, config.training.devices)
    encoder = encoder_of(resumed) or build_encoder(config.encoder, [example.text for example in parts.train])
    classes, settings = Classes(schema), config.settings()
    windows = make_rows(labelled_windows, (parts.train, encoder, classes), lost, config.run)
    parts.check_used(windows, lost, "do the events belong to the texts?")
    network = build_network(encoder, classes, config.head, config.multiplier())
    shared = shared_roles(windows, classes)
    predictor = Predictor(network, encoder, classes, allowed=may_share(shared, classes))
    show_data(parts, schema, windows, lost, predictor, config.head)

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        schema.write(folder / "event_schema.json")
        built_with = BuiltWith(config.head, config.multiplier(), shared)
        atomic_write(folder / "network.json", json_bytes(built_with._asdict()))
        write_decoding(folder, settings)

    kept = begin_run(resumed, TASK, config, parts.describe(lost, schema=files.schema), write_run)
    print(f"run       {kept.path}\n")
    dev = DevSet(parts.dev, predictor, partial(evaluation, schema=schema))
    patience = config.training.early_stopping_patience
    keep = KeepRun(kept, partial(dev.evaluate, settings), config.run.seed, FIGURES, patience)
    adjustment = adjustment_for(windows, classes, config.logit_adjustment)
    model = TrainingModel(network, partial(loss, network=network, adjustment=adjustment))
    steps = steps_per_epoch(len(windows), config.training.batch_size)
    model.compile(build_optimizer(config.training, config.encoder.learning_rate(), steps), config.training)
    epochs = range(keep.resume(model), config.training.epochs)
    replace = ArgumentReplacement(parts.train, encoder, classes, config.argument_replacement)
    batches = training_dataset(
        windows,
        [len(window.encoding) for window in windows],
        lambda batch, generator: collate(replace(batch, generator), classes, config.head),
        config.training.batch_size,
        config.run.seed,
        *(epochs, model, split),
    )
    with resumable(kept):
        model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=[keep, Progress(keep)], verbose=0)
    search = partial(dev.search, GRID, counts, f1, config.run.seed) if config.threshold is None else None
    best = choose_on_dev(keep, model, settings, search)
    print_next(__file__, kept.path, "submission.zip")
    return best


def show_data(
    parts: Parts[Example], schema: Schema, windows: list[Window], lost: Counter[str], predictor: Predictor, head: Head
) -> None:
    """Print the sizes of data and network, and what gold itself scores with the labels that the head can hold."""
    arguments = sum(len(event.arguments) for example in parts.dev for event in example.events)
    parts.show(f", {len({window.example for window in windows})} used", lost, f", {arguments} arguments")
    print(f"schema    {len(schema.event_types)} event types, {len(schema.classes)} classes")
    dev_windows = list(labelled_windows(parts.dev, predictor.encoder, predictor.classes, Counter()))
    for name, examples, labelled in (("train", parts.train, windows), ("dev", parts.dev, dev_windows)):
        scores = gold_scores(labelled, predictor.classes, head)
        held = compare_examples(examples, predictor.decode(examples, scores, Settings(0.0)))
        missed, figure = sum(len(one.missed) for one in held), one_to_one(held).f1
        print(
            f"gold      {name} f1 {figure:.4f} through features and decoder, repeats counted once; {missed} arguments are not held by {head}"
        )
    tokens = len(predictor.encoder.tokenizer)
    print(f"network   {predictor.network.count_params():,} weights, {tokens} tokens in the vocabulary")


def evaluation(examples: Sequence[Example], predictions: Sequence[Sequence[Event]], schema: Schema) -> Evaluation:
    """The official score of predictions for examples, the predictions as submitted, and every text with an error."""
    comparisons = compare_examples(examples, predictions)
    score = total(comparisons)

    def plain(items: Sequence[Item]) -> list[list[str]]:
        return [[item.event_type, item.argument.role, item.argument.text] for item in items]

    errors = [
        {"text": example.text, "missed": plain(one.missed), "wrong": plain(one.wrong)}
        for example, one in zip(examples, comparisons)
        if one.missed or one.wrong
    ]
    metrics = {**score.figures(), "predicted": score.predicted, "gold": score.gold, "correct": score.correct}
    records = [submission_record(example.id, events, schema) for example, events in zip(examples, predictions)]
    return Evaluation(metrics, records, errors)


if __name__ == "__main__":
    run(main)
