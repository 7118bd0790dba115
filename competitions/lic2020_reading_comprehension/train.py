"""Train a reader: read, build, fit, keep the best.

python train.py                                             # the bundled sample, on a CPU, in minutes
python train.py --data-dir DUREADER                         # the contest's data
python train.py --data-dir DUREADER --pretrained BERT       # fine-tune a checkpoint
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError, check_at_least, check_share, print_counts, run, shown
from common.folds import GOLD, read_parts
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, describe_file, parse_training_flags
from common.submission import atomic_write, json_bytes

from choice import Candidate, Choice, choose, search_length_penalty
from metric import compare, official, total
from task import TASK, Example, find_files, read, write_questions

SAMPLE = Path(__file__).resolve().with_name("sample")
PREDICT = Path(__file__).resolve().with_name("predict.py")
LIGHT_LEARNING_RATE = 2e-3


@dataclass
class Config:
    """Train a reader on DuReader-robust data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json and dev.json. Default: the bundled sample."""
    max_question_length: int = 64
    """Tokens of a question that are read; at most half of a window, whatever this says."""
    doc_stride: int = 128
    """Tokens between the beginnings of neighbouring windows, where a context is longer than a window."""
    max_answer_length: int = 40
    """Longest answer that is found, in tokens. Training knows no limit."""
    crop_length: int = 320
    """Training sees about so many tokens of a context, around an answer, another piece in each epoch. 0: all of the
    context, in windows, which needs several times the memory."""
    keyword_questions: float = 0.4
    """Share of the questions of an epoch of which only some words are left, as in a search query, few of them function
    words."""
    choice: Choice = "expected_f1"
    """Which candidate becomes the answer: the one whose F1 is highest on average, or the most probable one."""
    length_penalty: float | None = None
    """By how much each character of an answer lowers the logarithm of its probability. Default: searched on dev after
    training, 0 until then."""
    encoder: EncoderOptions = field(default_factory=lambda: EncoderOptions(hidden_size=96, max_length=512))
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=10, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(self, max_question_length=1, doc_stride=1, max_answer_length=1, crop_length=0, length_penalty=0)
        check_share(self, "keyword_questions")
        if self.encoder.max_length < 4:
            raise UserError(
                f"--max-length {self.encoder.max_length}: must be at least 4, for [CLS], two [SEP] and a token of the context"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `f1` and `em` of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files = find_files(config.data_dir or SAMPLE)
    parts = read_parts(
        config.run,
        files.train,
        files.dev,
        lambda path: read(path, labelled=True),
        shared=lambda example: [example.context],
        unit="question",
    )
    # The metric looks at the first article only, of which a part of the training file may have nothing.
    train, dev = parts.train, [replace(example, article=0) for example in parts.dev] if parts.fold else parts.dev

    # TensorFlow loads here, so that mistakes in flags and data are answered at once.
    start_tensorflow()
    from common.encoders import build_encoder, encoder_of, save_encoder
    from common.generators import steps_per_epoch, training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable, save_best

    from model import Lengths, Window, build_networks, collate, labelled_windows, question_windows, shorten_questions
    from reading import Reader

    prepare(config.run.seed, config.training.mixed_precision)
    texts = [*dict.fromkeys(example.context for example in train), *(example.question for example in train)]
    encoder = encoder_of(resumed) or build_encoder(config.encoder, texts)
    lengths = Lengths(config.max_question_length, config.doc_stride)
    questions, lost = labelled_windows(train, encoder, lengths)
    if not questions:
        raise UserError(
            f"{files.train}: none of its {len(train)} questions can be used ({dict(lost)}) - do the answers belong to the contexts?"
        )
    networks = build_networks(encoder)
    print(
        f"train     {len(train)} questions, {len(questions)} used, in {sum(map(len, questions))} windows  ({files.train})"
    )
    print_counts(lost)
    print(f"dev       {len(dev)} questions  ({parts.dev_source})")
    print(f"network   {networks.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    data = {
        "train": describe_file(files.train, questions=len(train), lost=dict(lost)),
        "dev": parts.describe_dev(questions=len(dev)),
    }

    penalty = config.length_penalty or 0.0

    def write_run(folder: Path) -> None:
        if parts.fold:
            write_questions(folder / GOLD, dev)
        save_encoder(encoder, folder)
        atomic_write(folder / "reading.json", json_bytes({"length_penalty": penalty}))

    kept = begin_run(resumed, TASK, config.run.output_dir, config.run.run_name, config, data, write_run)
    print(f"run       {kept.path}\n")

    reader = Reader(networks, encoder, lengths, config.max_answer_length)
    dev_windows = question_windows(dev, encoder, lengths)

    def candidates() -> list[list[Candidate]]:
        return reader.decode(dev, dev_windows, reader.score(dev_windows))

    def evaluate() -> Evaluation:
        return evaluation(dev, candidates(), config.choice, penalty)

    steps = steps_per_epoch(len(questions), config.training.batch_size)
    learning_rate = config.training.learning_rate or (
        LIGHT_LEARNING_RATE if config.encoder.is_light else config.encoder.default_learning_rate
    )
    networks.training.compile(build_optimizer(config.training, learning_rate, steps), config.training)
    keep = KeepRun(kept, evaluate, config.run.seed, "f1", config.training.early_stopping_patience)
    epochs_done = keep.resume(networks.training)

    def training_batch(batch: list[list[Window]], generator: np.random.Generator) -> dict[str, np.ndarray]:
        batch = shorten_questions(batch, train, encoder, lengths, config.keyword_questions, generator)
        return collate(batch, generator, config.crop_length)

    batches = training_dataset(
        questions,
        [max(len(window.pair) for window in group) for group in questions],
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
            callbacks=[keep, Progress(keep, ("f1", "em"))],
            verbose=0,
        )

    load_best(kept, networks.training)
    best = {name: keep.best[name] for name in ("f1", "em")}
    print(
        f"\nbest dev f1 {best['f1']:.3f}, em {best['em']:.3f} in epoch {keep.best['epoch']}, length penalty {penalty}"
    )
    if (
        config.length_penalty is None and best["f1"] > 0
    ):  # before it has learned anything, there is nothing to choose by
        read_dev = candidates()
        found = search_length_penalty(dev, read_dev, config.choice, config.run.seed)
        searched = evaluation(dev, read_dev, config.choice, found.setting)
        save_best(kept, networks.training, searched)
        kept.write_json("reading.json", {"length_penalty": found.setting})
        best = {name: searched.metrics[name] for name in best}
        print(
            f"    dev f1 {best['f1']:.3f}, em {best['em']:.3f} with the length penalty {found.setting}, searched on dev"
        )
        print(
            f"    dev f1 {found.crossed_f1:.3f} with a penalty searched on one half of dev, scored on the other: what to expect on test"
        )
    print(f"\nnext: python {shown(PREDICT)} --run {kept.path} --output submission.json --input TEST_FILE")
    return {"run": kept.path, **best}


def evaluation(
    examples: Sequence[Example], found: Sequence[Sequence[Candidate]], choice: Choice, length_penalty: float
) -> Evaluation:
    """The official score of the answers chosen among candidates, the answers as submitted, and every question that is
    not answered exactly."""
    answers = {
        example.id: choose(example.context, best, choice, length_penalty) for example, best in zip(examples, found)
    }
    comparisons = compare(official(examples), answers)
    errors = [
        {
            "id": one.example.id,
            "question": one.example.question,
            "answers": [answer.text for answer in one.example.answers],
            "predicted": one.predicted,
            "f1": round(one.f1, 4),
        }
        for one in comparisons
        if not one.em
    ]
    return Evaluation(
        total(comparisons).figures(), [{"id": name, "answer": answer} for name, answer in answers.items()], errors
    )


if __name__ == "__main__":
    run(main)
