"""Train a reader of many passages: read, build, fit, keep the best.

python train.py                                             # the bundled sample, on a CPU, in minutes
python train.py --data-dir WEBQA                            # the contest's data
python train.py --data-dir WEBQA --word-vectors VECTORS     # with word vectors trained elsewhere
python train.py --data-dir WEBQA --pretrained BERT          # fine-tune a checkpoint
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError, check_at_least, check_below_one, check_share, print_counts, run, shown
from common.folds import read_parts
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, describe_file, parse_training_flags
from common.submission import atomic_write, json_bytes

from metric import compare, total
from task import TASK, Example, Gold, find_files, read
from voting import Candidate, Rules, search_rules, vote

SAMPLE = Path(__file__).resolve().with_name("sample")
PREDICT = Path(__file__).resolve().with_name("predict.py")
LIGHT_LEARNING_RATE = 2e-3


@dataclass
class Config:
    """Train a reader on WebQA data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json and dev.json. Default: the bundled sample."""
    max_question_length: int = 64
    """Tokens of a question that are read; at most half of a window, whatever this says."""
    doc_stride: int = 128
    """Tokens between the beginnings of neighbouring windows, where a passage is longer than a window."""
    max_answer_length: int = 20
    """Longest answer that is found, in tokens. Training knows no limit."""
    positives: int = 2
    """Passages with an answer that an epoch sees of each question, others each time; all where there are no more."""
    negatives: int = 1
    """Passages without an answer that an epoch sees of each question, others each time."""
    crop_share: float = 0.5
    """Share of the batches in which only a piece of each longer passage is seen, around an answer if it has one: that
    is faster, and harder to learn by heart."""
    crop_length: int = 128
    """Fewest tokens of such a piece, which has at most twice as many."""
    threshold: float | None = None
    """Only candidates that begin and end with higher probabilities than this may vote. Default: searched on dev after
    training, 0.1 until then."""
    exponent: float | None = None
    """Of a vote: the higher, the more a sure passage outweighs several unsure ones. Default: searched on dev after
    training, 2 until then."""
    encoder: EncoderOptions = field(default_factory=lambda: EncoderOptions(hidden_size=96, max_length=512, word_size=0))
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=12, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(
            self,
            max_question_length=1,
            doc_stride=1,
            max_answer_length=1,
            positives=1,
            negatives=1,
            crop_length=1,
            exponent=0,
        )
        check_share(self, "crop_share")
        check_below_one(self, "threshold")
        if self.encoder.max_length < 4:
            raise UserError(
                f"--max-length {self.encoder.max_length}: must be at least 4, for [CLS], two [SEP] and a token of the passage"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `score`, `accuracy` and `f1` of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files = find_files(config.data_dir or SAMPLE)
    parts = read_parts(
        config.run, files.train, files.dev, lambda path: read(path, labelled=True), shared=evidence, unit="question"
    )
    train, dev = parts.train, parts.dev

    # TensorFlow loads here, so that mistakes in flags and data are answered at once.
    start_tensorflow()
    from common.encoders import build_encoder, encoder_of, save_encoder
    from common.generators import steps_per_epoch, training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable, save_best

    from model import Evidence, Lengths, Sampling, build_networks, collate, labelled_windows, question_windows
    from reading import Reader

    prepare(config.run.seed, config.training.mixed_precision)
    texts = [
        *(passage.text for example in train for passage in example.passages),
        *(example.question for example in train),
    ]
    encoder = encoder_of(resumed) or build_encoder(config.encoder, texts)
    lengths = Lengths(config.max_question_length, config.doc_stride)
    questions, lost = labelled_windows(train, encoder, lengths)
    if not questions:
        raise UserError(
            f"{files.train}: none of its {len(train)} questions can be used ({dict(lost)}) - do the answers belong to the passages?"
        )
    networks = build_networks(encoder)
    holding = sum(len(question.positives) for question in questions)
    others = sum(len(question.negatives) for question in questions)
    print(
        f"train     {len(train)} questions, {len(questions)} used, {holding} passages with an answer and {others} without  ({files.train})"
    )
    print_counts(lost)
    print(f"dev       {len(dev)} questions  ({parts.dev_source})")
    print(f"network   {networks.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    data = {
        "train": describe_file(files.train, questions=len(train), lost=dict(lost)),
        "dev": parts.describe_dev(questions=len(dev)),
    }
    rules = Rules().but(config.threshold, config.exponent)

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        atomic_write(folder / "voting.json", json_bytes(rules._asdict()))

    kept = begin_run(resumed, TASK, config.run.output_dir, config.run.run_name, config, data, write_run)
    print(f"run       {kept.path}\n")

    reader = Reader(networks, encoder, lengths, config.max_answer_length)
    dev_windows = question_windows(dev, encoder, lengths)

    def candidates() -> list[list[Candidate]]:
        return reader.decode(dev, dev_windows, reader.score(dev_windows))

    def evaluate() -> Evaluation:
        return evaluation(dev, candidates(), rules)

    steps = steps_per_epoch(len(questions), config.training.batch_size)
    learning_rate = config.training.learning_rate or (
        LIGHT_LEARNING_RATE if config.encoder.is_light else config.encoder.default_learning_rate
    )
    networks.training.compile(build_optimizer(config.training, learning_rate, steps), config.training)
    keep = KeepRun(kept, evaluate, config.run.seed, "score", config.training.early_stopping_patience)
    epochs_done = keep.resume(networks.training)
    sampling = Sampling(config.positives, config.negatives, config.crop_share, config.crop_length)

    def training_batch(batch: list[Evidence], generator: np.random.Generator) -> dict[str, np.ndarray]:
        return collate(batch, generator, sampling)

    batches = training_dataset(
        questions,
        [
            max(len(window.pair) for passages in question for windows in passages for window in windows)
            for question in questions
        ],
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
            callbacks=[keep, Progress(keep, ("score", "accuracy", "f1"))],
            verbose=0,
        )

    load_best(kept, networks.training)
    best = {name: keep.best[name] for name in ("score", "accuracy", "f1")}
    print(f"\nbest dev {_figures(best)} in epoch {keep.best['epoch']}, {_named(rules)}")
    if (
        None in (config.threshold, config.exponent) and best["score"] > 0
    ):  # before it has learned anything, there is nothing to choose by
        read_dev = candidates()
        found = search_rules(dev, read_dev, config.threshold, config.exponent, config.run.seed)
        searched = evaluation(dev, read_dev, found.setting)
        save_best(kept, networks.training, searched)
        kept.write_json("voting.json", found.setting._asdict())
        best = {name: searched.metrics[name] for name in best}
        print(f"    dev {_figures(best)} with {_named(found.setting)}, searched on dev")
        print(
            f"    dev score {found.crossed_f1:.4f} with rules searched on one half of dev, scored on the other: what to expect on test"
        )
    print(f"\nnext: python {shown(PREDICT)} --run {kept.path} --output submission.tsv --input TEST_FILE")
    return {"run": kept.path, **best}


def evidence(example: Example) -> list[str]:
    """What no two parts of a file may share: the question, and its passages, of which every sixth question of WebQA has
    one that others have too."""
    return [example.question, *(passage.text for passage in example.passages if passage.text.strip())]


def evaluation(examples: Sequence[Example], found: Sequence[Sequence[Candidate]], rules: Rules) -> Evaluation:
    """The official score of the answers that the candidates vote for, the answers as submitted, and every question with
    a wrong one."""
    answers = [(example.id, vote(candidates, rules)) for example, candidates in zip(examples, found)]
    comparisons = compare(map(Gold.of, examples), answers)
    errors = [
        {
            "id": example.id,
            "question": example.question,
            "answers": list(example.answers),
            "predicted": one.predicted,
            "f1": round(one.f1, 4),
        }
        for example, one in zip(examples, comparisons)
        if not one.correct
    ]
    return Evaluation(
        total(comparisons).figures(), [{"id": name, "answer": answer} for name, answer in answers], errors
    )


def _figures(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())


def _named(rules: Rules) -> str:
    return f"threshold {rules.threshold} and exponent {rules.exponent}"


if __name__ == "__main__":
    run(main)
