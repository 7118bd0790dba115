"""Train a relation extractor: read, build, fit, keep the best.

python train.py                                      # the bundled sample, on a CPU, in minutes
python train.py --data-dir DUIE                      # the contest's data
python train.py --data-dir DUIE --pretrained BERT    # fine-tune a checkpoint
python train.py --data-dir DUIE --head gplinker      # spans and links at once
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import check_at_least, check_probability, check_share, print_next, run
from common.dev_search import DevSet
from common.encoders import build_encoder, encoder_of, save_encoder
from common.folds import read_parts
from common.generators import Arrays, steps_per_epoch, training_dataset
from common.making_rows import make_rows
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, parse_training_flags, write_decoding

from decode import DEFAULTS, Predictor, Settings, counts, f1, grid
from features import EntityReplacement, Head, Window, collate, labelled_windows, split
from linking import collate_links
from metric import compare, total
from task import TASK, Example, Schema, Triple, find_files, read, submission_record

SAMPLE = Path(__file__).resolve().with_name("sample")
#: Of dev, after each epoch; the best epoch is the one with the highest first one.
FIGURES = ("f1", "precision", "recall")


@dataclass
class Config:
    """Train a relation extractor on DuIE 2.0 data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json, dev.json and schema.json. Default: the bundled sample."""
    head: Head = "half_pointer"
    """How triples are told: by the start and end of each subject, and then by those of its objects; or, with gplinker,
    by the spans of subjects and objects and by which of them are linked, all at once."""
    subject_threshold: float | None = None
    """Probability above which the start or end of a subject counts; with gplinker, a subject or an object. Default: 0.4,
    and 0.2 with gplinker."""
    object_threshold: float | None = None
    """Probability above which the start or end of an object counts; with gplinker, a link of a subject and an object.
    Default: 0.4, and 0.2 with gplinker."""
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

    def settings(self) -> Settings:
        """Those that every epoch is evaluated with."""
        given = {name: getattr(self, name) for name in Settings._fields if getattr(self, name) is not None}
        return DEFAULTS[self.head]._replace(**given)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `f1`, `precision` and `recall` of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    training, seed, settings = config.training, config.run.seed, config.settings()
    files, lost = find_files(config.data_dir or SAMPLE), Counter()
    schema = Schema.read(files.schema)
    read_file = partial(read, schema=schema, labelled=True, skipped=lost)
    parts = read_parts(config.run, files.train, files.dev, read_file, lambda example: [example.text], "sentence")

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, resumable
    from common.runs.choice import choose_on_dev

    from model import adjustment_for, build_network, loss

    prepare(seed, training.mixed_precision, training.devices)
    encoder = encoder_of(resumed) or build_encoder(config.encoder, [example.text for example in parts.train])
    windows = make_rows(labelled_windows, (parts.train, encoder, schema), lost, config.run)
    parts.check_used(windows, lost, "do the triples belong to the texts?")
    network = build_network(encoder, len(schema.classes), config.head)
    weights = getattr(network, "training", network)
    triples = sum(len(example.triples) for example in parts.dev)
    parts.show(f", {len({window.example for window in windows})} used", lost, f", {triples} triples")
    print(f"schema    {len(schema.predicates)} predicates, {len(schema.classes)} classes")
    print(f"network   {weights.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        schema.write(folder / "schema.json")
        write_decoding(folder, settings)

    kept = begin_run(resumed, TASK, config, parts.describe(lost, schema=files.schema), write_run)
    print(f"run       {kept.path}\n")
    dev = DevSet(parts.dev, Predictor(network, encoder, schema), partial(evaluation, schema=schema))
    keep = KeepRun(kept, partial(dev.evaluate, settings), seed, FIGURES, training.early_stopping_patience)

    adjustment = adjustment_for(windows, len(schema.classes), config.logit_adjustment)
    model = TrainingModel(weights, partial(loss, adjustment=adjustment))
    steps = steps_per_epoch(len(windows), training.batch_size)
    model.compile(build_optimizer(training, config.encoder.learning_rate(), steps), training)
    epochs = range(keep.resume(model), training.epochs)
    lengths = [len(window.encoding) for window in windows]
    replace = EntityReplacement(parts.train, encoder, schema, config.entity_replacement)

    def training_batch(batch: list[Window], generator: np.random.Generator) -> Arrays:
        batch = replace(batch, generator)
        return collate_links(batch) if config.head == "gplinker" else collate(batch, generator, len(schema.classes))

    batches = training_dataset(windows, lengths, training_batch, training.batch_size, seed, epochs, model, split)
    with resumable(kept):
        model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=[keep, Progress(keep)], verbose=0)

    search = partial(dev.search, grid(config.head), counts, f1, seed) if config.search_thresholds else None
    best = choose_on_dev(keep, model, settings, search)
    print_next(__file__, kept.path, "submission.zip")
    return best


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
