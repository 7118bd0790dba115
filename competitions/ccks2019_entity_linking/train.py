"""Train an entity linker: read, build, fit, keep the best.

python train.py                                         # the bundled sample, on a CPU, in minutes
python train.py --data-dir CCKS2019                     # the contest's data
python train.py --data-dir CCKS2019 --pretrained BERT   # fine-tune a checkpoint
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError, check_at_least, check_below_one, check_probability, print_counts, run, shown
from common.folds import read_parts
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, describe_file, parse_training_flags
from common.submission import atomic_write, json_bytes

from counting import link_by_counting
from habits import Habits
from knowledge_base import link_index, open_knowledge_base
from metric import compare, total
from names import find_names
from task import TASK, Example, Mention, find_files, read, submission_record

SAMPLE = Path(__file__).resolve().with_name("sample")
PREDICT = Path(__file__).resolve().with_name("predict.py")
THRESHOLD = 0.4
LIGHT_LEARNING_RATE = 2e-3


@dataclass
class Config:
    """Train an entity linker on CCKS2019 data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json, dev.json and kb_data. Default: the bundled sample."""
    knowledge_base: Path | None = None
    """The knowledge base, when it is not kb_data in that folder."""
    mentions_per_text: int = 1
    """Mentions of a text whose entity is asked for in an epoch, others each time. Each costs a reading of the text for
    every candidate."""
    max_candidates: int = 8
    """Candidates of a mention in training, NIL and the right one among them. Prediction looks at all."""
    description_length: int = 64
    """Tokens of an entity's description that are read."""
    token_dropout: float = 0.15
    """Share of the characters of a text that the search for mentions cannot read in training."""
    threshold: float | None = None
    """How probable a mention of an entity must be. Default: searched on dev after training, 0.4 until then."""
    encoder: EncoderOptions = field(
        default_factory=lambda: EncoderOptions(hidden_size=96, layers=4, dropout=0.5, max_length=192)
    )
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=12, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(self, mentions_per_text=1, max_candidates=2, description_length=1)
        check_below_one(self, "token_dropout")
        check_probability(self, "threshold")
        if self.encoder.max_length < 4:
            raise UserError(
                f"--max-length {self.encoder.max_length}: must be at least 4, for [CLS], two [SEP] and a token of the text"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `precision`, `recall` and `f1` of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files = find_files(config.data_dir or SAMPLE, config.knowledge_base)
    skipped: Counter[str] = Counter()
    parts = read_parts(
        config.run,
        files.train,
        files.dev,
        lambda path: read(path, labelled=True, skipped=skipped),
        shared=lambda example: [example.text],
        unit="text",
    )
    train, dev = parts.train, parts.dev
    knowledge_base = open_knowledge_base(files.knowledge_base, config.run.output_dir / "knowledge_bases")

    # TensorFlow loads here, so that mistakes in flags and data are answered at once.
    start_tensorflow()
    from common.encoders import build_encoder, encoder_of, save_encoder
    from common.generators import steps_per_epoch, training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable, save_best

    from linking import Linker, decode, gold_scores
    from model import PairReader, Window, build_networks, collate, described, label_windows, questions, text_windows
    from thresholds import search_threshold

    prepare(config.run.seed, config.training.mixed_precision)
    texts, dev_texts = [example.text for example in train], [example.text for example in dev]
    matches, dev_matches = ([knowledge_base.matches(text) for text in of] for of in (texts, dev_texts))
    shown_habits = [Habits.of_text(example.text, found, example.mentions) for example, found in zip(train, matches)]
    habits = Habits.total(shown_habits)
    names = [
        find_names(text, found, knowledge_base, habits, own) for text, found, own in zip(texts, matches, shown_habits)
    ]
    dev_names = [find_names(text, found, knowledge_base, habits) for text, found in zip(dev_texts, dev_matches)]
    encoder = encoder_of(resumed)
    if encoder is None:
        candidates = dict.fromkeys(entity for of_text in names for name in of_text for entity in name.candidates)
        encoder = build_encoder(
            config.encoder,
            texts + [described(knowledge_base, entity, config.description_length) for entity in candidates],
        )
    windows = text_windows(texts, names, encoder)
    lost = label_windows(windows, [example.mentions for example in train])
    asked, unanswerable = questions(windows, [example.mentions for example in train])
    networks = build_networks(encoder, config.token_dropout)
    threshold = THRESHOLD if config.threshold is None else config.threshold
    print(f"train     {len(train)} texts, {sum(len(example.mentions) for example in train)} mentions  ({files.train})")
    print_counts(lost + unanswerable + skipped)
    print(f"dev       {len(dev)} texts, {sum(len(example.mentions) for example in dev)} mentions  ({parts.dev_source})")
    print(f"knowledge {len(knowledge_base):,} entities  ({files.knowledge_base})")
    dev_windows = text_windows(dev_texts, dev_names, encoder)
    label_windows(dev_windows, [example.mentions for example in dev])
    dev_asked, _ = questions(dev_windows, [example.mentions for example in dev])
    for name, examples, scores in (
        ("train", train, gold_scores(windows, asked)),
        ("dev", dev, gold_scores(dev_windows, dev_asked)),
    ):
        held = decode([example.text for example in examples], scores, threshold)
        print(f"gold      {name} f1 {evaluation(examples, held).metrics['f1']:.4f} through features and decoder")
    counted = evaluation(dev, link_by_counting(dev_texts, dev_matches, knowledge_base, habits)).metrics
    print(
        f"counting  dev f1 {counted['f1']:.4f}, mentions {counted['mention_f1']:.4f}: what the commonest choices reach without a network"
    )
    print(f"network   {networks.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    data = {
        "train": describe_file(files.train, texts=len(train), lost=dict(lost + unanswerable)),
        "dev": parts.describe_dev(texts=len(dev)),
        "knowledge_base": describe_file(files.knowledge_base, entities=len(knowledge_base)),
    }

    def link_settings(threshold: float) -> dict[str, Any]:
        return {"threshold": threshold, "description_length": config.description_length}

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        link_index(knowledge_base.path, folder)
        atomic_write(folder / "habits.json", json_bytes(habits.as_json()))
        atomic_write(folder / "linking.json", json_bytes(link_settings(threshold)))

    kept = begin_run(resumed, TASK, config.run.output_dir, config.run.run_name, config, data, write_run)
    print(f"run       {kept.path}\n")

    read_pair = PairReader(encoder, knowledge_base, config.description_length)
    linker = Linker(networks, read_pair)

    def evaluate() -> Evaluation:
        return evaluation(dev, decode(dev_texts, linker.score(dev_texts, dev_windows), threshold))

    steps = steps_per_epoch(len(windows), config.training.batch_size)
    learning_rate = config.training.learning_rate or (
        LIGHT_LEARNING_RATE if config.encoder.is_light else config.encoder.default_learning_rate
    )
    networks.training.compile(build_optimizer(config.training, learning_rate, steps), config.training)
    keep = KeepRun(kept, evaluate, config.run.seed, "f1", config.training.early_stopping_patience)
    epochs_done = keep.resume(networks.training)

    def training_batch(batch: list[Window], generator: np.random.Generator) -> dict[str, np.ndarray]:
        of_texts = [asked[window.example] for window in batch]
        chosen = [
            of_text[at]
            for of_text in of_texts
            for at in generator.permutation(len(of_text))[: config.mentions_per_text]
        ]
        return collate(batch, chosen, texts, read_pair, config.max_candidates, generator)

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
            callbacks=[keep, Progress(keep, ("f1", "mention_f1", "linking_accuracy"))],
            verbose=0,
        )

    load_best(kept, networks.training)
    best = {name: keep.best[name] for name in ("precision", "recall", "f1")}
    print(f"\nbest dev f1 {best['f1']:.4f} in epoch {keep.best['epoch']}, threshold {threshold}")
    if config.threshold is None and best["f1"] > 0:  # before it has learned anything, there is nothing to choose by
        scores = linker.score(dev_texts, dev_windows)
        found = search_threshold(dev, scores, config.run.seed)
        searched = evaluation(dev, decode(dev_texts, scores, found.setting))
        save_best(kept, networks.training, searched)
        kept.write_json("linking.json", link_settings(found.setting))
        best = {name: searched.metrics[name] for name in best}
        print(f"    dev f1 {found.f1:.4f} with the threshold {found.setting}, searched on dev")
        print(
            f"    dev f1 {found.crossed_f1:.4f} with a threshold searched on one half of dev, scored on the other: what to expect on test"
        )
    print(f"\nnext: python {shown(PREDICT)} --run {kept.path} --output submission.json --input TEST_FILE")
    return {"run": kept.path, **best}


def evaluation(examples: Sequence[Example], predictions: Sequence[Sequence[Mention]]) -> Evaluation:
    """The official score of predictions for examples, the predictions as submitted, and every text with an error."""
    comparisons = compare(
        [(example.id, example.mentions) for example in examples],
        [(e.id, found) for e, found in zip(examples, predictions)],
    )
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
    metrics = {
        **score.figures(),
        "predicted": score.links.predicted,
        "gold": score.links.gold,
        "correct": score.links.correct,
    }
    return Evaluation(
        metrics, [submission_record(example, found) for example, found in zip(examples, predictions)], errors
    )


def _plain(mention: Mention) -> list[str]:
    return [mention.text, mention.entity]


if __name__ == "__main__":
    run(main)
